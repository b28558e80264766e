import type { LayerId } from '../graph/types';
import type { Core, Optimize } from '../targets/types';
import { DSP_CORES, runtimeBytes } from './codeBytes';
import { baseBytes, layersOf, leastFlash, runtimeFunctions, usesOf } from './flashEstimate';
import { coreCosts } from './kernelCost';
import { CallCost } from './latency';
import {
  columnOf,
  formBytes,
  isPackable,
  PLAIN_FORM,
  type Forms,
  type LayerForm,
  type WeightedLayer,
} from './layerForm';
import type { Work } from './work';

/** Of all instructions, what a KiB of flash has to save in balanced plans. */
const LEAST_SAVED_PER_KIB = 0.001;

/** Cores without DSP on which 4-bit weights are read faster as bytes (test/bench/kernels.md). */
const BYTE_CORES: readonly Core[] = ['cortex-m0plus', 'cortex-m3', 'cortex-m55', 'riscv32'];

export interface FormOptions {
  readonly core: Core;
  readonly optimize: Optimize;
  /** Flash that weights, tables and code may take together. */
  readonly flashBytes: number;
}

/** A form that a layer could have instead of the plain one. */
interface Candidate {
  readonly layer: LayerId;
  readonly form: LayerForm;
  /** Flash and instructions against the plain form. */
  readonly bytes: number;
  readonly saved: number;
}

/**
 * The forms of a network's layers, by the instructions that they save for each byte of flash, the best first. `speed`
 * takes what there is room for; `balanced` only what saves enough, and no more flash than the same network with 8-bit
 * weights takes in its own balanced forms; `size` takes the smallest of these and of plain forms: where every layer has
 * its own kernel, those for all layers are not linked. Without flash for its own, each goal takes those of `size`. The
 * choice depends only on the calls, so it is the same for a schedule and for the Program that it is lowered to.
 */
export function chooseForms(work: readonly Work[], options: FormOptions): Forms {
  if (options.optimize === 'size') return smallestForms(work, options);
  const layers = layersOf(work);
  const limit =
    options.optimize === 'balanced' ? Math.min(options.flashBytes, eightBitBytes(work, options)) : options.flashBytes;
  const forms = choose(work, layers, options, limit);
  // Where there is too little flash for forms one by one, the smallest ones together may fit.
  return leastFlash(work, forms, options.core) <= options.flashBytes ? forms : smallestForms(work, options);
}

function smallestForms(work: readonly Work[], options: FormOptions): Forms {
  const bytes = (forms: Forms): number => leastFlash(work, forms, options.core);
  const plain: Forms = new Map();
  return (['balanced', 'speed'] as const)
    .map((optimize) => chooseForms(work, { ...options, optimize, flashBytes: Infinity }))
    .reduce((least, forms) => (forms.size > 0 && bytes(forms) < bytes(least) ? forms : least), plain);
}

function choose(
  work: readonly Work[],
  layers: readonly WeightedLayer[],
  { core, optimize }: FormOptions,
  limit: number,
): Forms {
  const costs = coreCosts(core);
  const plain = work.reduce((sum, w) => sum + new CallCost(costs, w.call, PLAIN_FORM).instructions(w.extent), 0);
  const least = optimize === 'balanced' ? (LEAST_SAVED_PER_KIB * plain) / 1024 : 0;
  const base = baseBytes(work, core);
  const codeOf = (forms: Forms): number =>
    runtimeBytes(core, runtimeFunctions(work, forms, core), usesOf(work, forms, core));
  const pick = (candidates: readonly Candidate[]): { forms: Map<LayerId, LayerForm>; saved: number; bytes: number } => {
    const forms = new Map<LayerId, LayerForm>();
    const taken = new Map<LayerId, Candidate>();
    let bytes = 0;
    let saved = 0;
    for (const c of candidates) {
      // A layer's better form takes the place of its cheaper one.
      const old = taken.get(c.layer);
      const more = c.bytes - (old?.bytes ?? 0);
      const gain = c.saved - (old?.saved ?? 0);
      if (gain <= 0 || (more > 0 && gain < least * more)) continue;
      const changed = new Map(forms).set(c.layer, c.form);
      const total = base + bytes + more + codeOf(changed);
      if (total > limit && total > base + bytes + codeOf(forms)) continue;
      forms.set(c.layer, c.form);
      taken.set(c.layer, c);
      bytes += more;
      saved += gain;
    }
    return { forms, saved, bytes };
  };
  const candidates = layers
    .flatMap((layer) => candidatesOf(layer, core))
    .sort((a, b) => b.saved / Math.max(1, b.bytes) - a.saved / Math.max(1, a.bytes) || a.layer - b.layer);
  const all = pick(candidates);
  // Packed kernels bring functions of the runtime that others do not need.
  const unpacked = pick(candidates.filter((c) => c.form.weights !== 'packed'));
  const brought = all.bytes - unpacked.bytes + codeOf(all.forms) - codeOf(unpacked.forms);
  const isWorth =
    all.saved - unpacked.saved >= least * Math.max(0, brought) && base + all.bytes + codeOf(all.forms) <= limit;
  return isWorth ? all.forms : unpacked.forms;
}

/**
 * The least flash of the same network with 8-bit maps and weights, layer by layer, in its own balanced forms; infinite
 * for that network itself.
 */
function eightBitBytes(work: readonly Work[], options: FormOptions): number {
  // What copies and requantizes is there for patches and fewer bits.
  const eight = work
    .filter(({ call: { op } }) => op !== 'requantize' && op !== 'load' && op !== 'classify')
    .map((w): Work => ({ ...w, call: { ...w.call, inputBits: 8, weightBits: 8 }, outputBits: 8, guard: null }));
  const forms = choose(eight, layersOf(eight), options, Infinity);
  // Layer by layer, every kernel of a layer is called once.
  const seen = new Set<string>();
  const once = eight.filter(({ layer, call, weights }) => {
    const key = `${layer} ${call.op} ${weights?.id ?? ''}`;
    return !seen.has(key) && seen.add(key);
  });
  const isItself =
    once.length === work.length &&
    work.every(({ call, outputBits }) => call.inputBits === 8 && (call.weightBits ?? 8) === 8 && outputBits === 8);
  return isItself ? Infinity : leastFlash(once, forms, options.core);
}

function candidatesOf(layer: WeightedLayer, core: Core): Candidate[] {
  const forms: LayerForm[] = [];
  const isDsp = DSP_CORES.includes(core);
  const isNarrow = layer.weightBits === 4 && layer.op !== 'depthwise2d';
  if (isDsp && (layer.op !== 'fullyConnected' || layer.weightBits === 8))
    forms.push({ weights: 'planned', made: true });
  if (isDsp && isNarrow) {
    if (layer.op === 'conv2d' && layer.work.some((w) => isPackable(w))) forms.push({ weights: 'packed', made: true });
    forms.push({ weights: 'bytes', made: true });
    forms.push({ weights: 'bytes', made: false });
  }
  if (BYTE_CORES.includes(core) && isNarrow && !readsNibbles(core, layer))
    forms.push({ weights: 'bytes', made: false });
  const costs = coreCosts(core);
  const instructions = (form: LayerForm): number =>
    layer.work.reduce((sum, w) => sum + new CallCost(costs, w.call, form).instructions(w.extent), 0);
  const plain = instructions(PLAIN_FORM);
  return forms.map((form) => ({
    layer: layer.layer,
    form,
    bytes: formBytes(layer, form, core),
    // Elsewhere nibbles were not counted: taking them apart is about a quarter of a layer's instructions.
    saved: isDsp ? plain - instructions(form) : plain / 4,
  }));
}

/**
 * Whether the kernel of eight pixels (qmcu_conv2d_plain_eights.h) takes nibbles apart as fast as it reads bytes: on the
 * M0+ where rows stand on words.
 */
function readsNibbles(core: Core, { op, work }: WeightedLayer): boolean {
  return work.every(({ call, extent }) => {
    if (op !== 'conv2d' || (call.group ?? 1) !== 1 || extent.rows.elements * extent.cols.elements < 4) return false;
    return core === 'cortex-m3' || (core === 'cortex-m0plus' && columnOf(call) % 4 === 0);
  });
}
