import type { LayerId } from '../graph/types';
import type { Core, Optimize } from '../targets/types';
import { DSP_CORES } from './codeBytes';
import { FlashEstimate, wideCode } from './flashEstimate';
import { coreCosts } from './kernelCost';
import { CallCost } from './latency';
import {
  columnOf,
  formKernels,
  isPackable,
  layerKernels,
  PLAIN_FORM,
  storedBytes,
  type Forms,
  type LayerForm,
  type WeightedLayer,
} from './layerForm';
import type { Work } from './work';

/** Of all instructions, what a KiB of flash has to save in balanced plans. */
const LEAST_SAVED_PER_KIB = 0.001;

/** The same beyond the flash of 8-bit weights: what fewer bits save is given away only for much. */
const LEAST_SAVED_PER_KIB_BEYOND = 0.01;

/** Flash up to which a KiB has to save that much: of a larger network it is a smaller part, and so is each layer. */
const SMALL_NETWORK = 150 * 1024;

/** Code of a balanced plan up to which layers have kernels of their own; of large networks, a part of their flash. */
const BALANCED_CODE = 35_000;
const BALANCED_CODE_SHARE = 0.08;

/** Bytes that the largest kernel of a layer takes. */
const LARGEST_KERNEL = 3000;

/** Refused forms that are tried before all others. */
const MOST_RETRIES = 4;

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
  /** Instructions that it saves against the plain form, flash that its weights take more, and its kernels' bytes. */
  readonly saved: number;
  readonly stored: number;
  readonly kernels: ReadonlyMap<string, number>;
}

/**
 * The forms of a network's layers, by the instructions that they save for each byte of flash, the best first. `speed`
 * takes what there is room for; `balanced` only what saves enough, far more beyond the flash that the same network
 * takes with 8-bit maps and weights in its own balanced forms, with the kernels that maps of 16 bits need on top, and
 * has layers share kernels where their own would be too much code; `size` takes the smallest of these and of plain
 * forms: where every layer has its own kernel, those for all layers are not linked. Without flash for its own, each
 * goal takes those of `size`. The choice depends only on the calls, so it is the same for a schedule and for the
 * Program that it is lowered to.
 */
export function chooseForms(work: readonly Work[], options: FormOptions): Forms {
  if (options.optimize === 'size') return smallestForms(work, options);
  const estimate = new FlashEstimate(work, options.core);
  const limit =
    options.optimize === 'balanced'
      ? Math.min(options.flashBytes, eightBitBytes(work, options) + wideCode(work, options.core))
      : options.flashBytes;
  const forms = chooseWithin(work, estimate, options, limit);
  // Where there is too little flash for forms one by one, the smallest ones together may fit.
  return estimate.least(forms) <= options.flashBytes ? forms : smallestForms(work, options);
}

function smallestForms(work: readonly Work[], options: FormOptions): Forms {
  const estimate = new FlashEstimate(work, options.core);
  const plain: Forms = new Map();
  return (['balanced', 'speed'] as const)
    .map((optimize) => chooseForms(work, { ...options, optimize, flashBytes: Infinity }))
    .reduce((least, forms) => (forms.size > 0 && estimate.least(forms) < estimate.least(least) ? forms : least), plain);
}

/** Forms within a limit of flash: where kernels of layers take too much code for a balanced plan, layers share them. */
function chooseWithin(work: readonly Work[], estimate: FlashEstimate, options: FormOptions, limit: number): Forms {
  const scale = Math.min(1, SMALL_NETWORK / estimate.base) / 1024;
  const perKib = options.optimize === 'balanced' ? scale * plainInstructions(work, options.core) : 0;
  const least = LEAST_SAVED_PER_KIB * perKib;
  const own = choose(estimate, true, { least, limit });
  if (options.optimize !== 'balanced') return own;
  const code = Math.max(BALANCED_CODE, BALANCED_CODE_SHARE * estimate.base);
  const isLarge = estimate.leastCode(own) > code;
  const forms = isLarge ? choose(estimate, 'shared', { least, limit }) : own;
  // Whether layers share a kernel depends on their shifts: what is shared gets no more code by what calls tell.
  const mostCode = isLarge ? estimate.leastCode(forms) : code;
  const beyond = LEAST_SAVED_PER_KIB_BEYOND * perKib;
  return improve(estimate, forms, { least, beyond, flash: limit, code: mostCode, total: options.flashBytes });
}

/** What {@link improve} keeps to. */
interface Limits {
  /** Instructions that a byte of flash has to save, and one beyond `flash`. */
  readonly least: number;
  readonly beyond: number;
  /** Bytes: of the network with 8-bit weights, of code, and of all that there are. */
  readonly flash: number;
  readonly code: number;
  readonly total: number;
}

/**
 * A balanced plan's forms with better ones of single layers, the best for its flash first, as long as there is room:
 * forms that were chosen one by one hold places for kernels that others made needless in the end, and a kernel that is
 * shared but has one user may as well be its own.
 */
function improve(estimate: FlashEstimate, chosen: Forms, limits: Limits): Forms {
  const { layers, core } = estimate;
  const candidates = layers.flatMap((layer) =>
    ([true, 'shared'] as const).flatMap((made) => candidatesOf(layer, { core, made })),
  );
  const of = new Map(candidates.map((c) => [`${c.layer} ${c.form.weights} ${c.form.made}`, c]));
  // What a change takes at most: of kernels made for layers none may turn out to be the same.
  const below = estimate.least(chosen) - estimate.total(chosen);
  let forms = chosen;
  for (;;) {
    const bytes = estimate.total(forms) + below;
    let best: { readonly forms: Forms; readonly worth: number } | null = null;
    for (const c of candidates) {
      const old = forms.get(c.layer);
      const now = old && of.get(`${c.layer} ${old.weights} ${old.made}`);
      const gain = c.saved - (now?.saved ?? 0);
      const stored = c.stored - (now?.stored ?? 0);
      // What takes far more is not tried.
      const most = Math.max(limits.flash, bytes) + LARGEST_KERNEL + gain / limits.beyond;
      if (gain <= 0 || bytes + stored > most || leavesOthers(layers, forms, c)) continue;
      const changed = new Map(forms).set(c.layer, c.form);
      const flash = estimate.total(changed);
      const more = flash + below - bytes;
      const worth = gain / Math.max(1, more);
      if (worth < limits.least || worth <= (best?.worth ?? 0)) continue;
      const moreBeyond = bytes + more - Math.max(limits.flash, bytes);
      if (moreBeyond > 0 && gain < limits.beyond * moreBeyond) continue;
      if (estimate.leastCode(changed) <= limits.code && flash <= limits.total) best = { forms: changed, worth };
    }
    if (best === null) return forms;
    ({ forms } = best);
  }
}

/** Whether a layer would get a kernel of its own in place of one that others go on to share. */
function leavesOthers(layers: readonly WeightedLayer[], forms: Forms, { layer, form }: Candidate): boolean {
  if (form.made !== true || forms.get(layer)?.made !== 'shared') return false;
  const shapesOf = (l: WeightedLayer): string[] => layerKernels(l, forms.get(l.layer)!).map(({ shape }) => shape);
  const own = new Set(layers.filter((l) => l.layer === layer).flatMap(shapesOf));
  return layers.some(
    (l) => l.layer !== layer && forms.get(l.layer)?.made === 'shared' && shapesOf(l).some((shape) => own.has(shape)),
  );
}

/** Instructions of all calls in plain forms. */
function plainInstructions(work: readonly Work[], core: Core): number {
  const costs = coreCosts(core);
  return work.reduce((sum, w) => sum + new CallCost(costs, w.call, PLAIN_FORM).instructions(w.extent), 0);
}

/**
 * @param made whether kernels are made for one layer or for all of a shape
 * @param limits the instructions that a byte of flash has to save, and all flash
 */
function choose(
  estimate: FlashEstimate,
  made: true | 'shared',
  { least, limit }: { readonly least: number; readonly limit: number },
): Forms {
  const { layers, core, base } = estimate;
  const codeOf = (forms: Forms): number => estimate.runtime(forms);
  const pick = (candidates: readonly Candidate[]): Picked => {
    const refused: Candidate[] = [];
    const forms = new Map<LayerId, LayerForm>();
    const taken = new Map<LayerId, Candidate>();
    const kernels = new TakenKernels();
    let bytes = 0;
    let saved = 0;
    for (const c of candidates) {
      // A layer's better form takes the place of its cheaper one.
      const old = taken.get(c.layer);
      const stored = c.stored - (old?.stored ?? 0);
      const gain = c.saved - (old?.saved ?? 0);
      const shares = stored + sharesOf(c) - (old ? sharesOf(old) : 0);
      if (gain <= 0 || (shares > 0 && gain < least * shares)) continue;
      const more = stored + kernels.more(c.kernels, old?.kernels);
      const changed = new Map(forms).set(c.layer, c.form);
      const total = base + bytes + more + codeOf(changed);
      if (total > limit && total > base + bytes + codeOf(forms)) {
        refused.push(c);
        continue;
      }
      forms.set(c.layer, c.form);
      taken.set(c.layer, c);
      kernels.take(c.kernels, old?.kernels);
      bytes += more;
      saved += gain;
    }
    return { forms, saved, bytes, refused };
  };
  // What was refused for want of room may save more than what took it.
  const pickBest = (candidates: readonly Candidate[]): Picked => {
    const first = pick(candidates);
    return [...first.refused]
      .sort((a, b) => b.saved - a.saved)
      .slice(0, MOST_RETRIES)
      .map((c) => pick([c, ...candidates]))
      .reduce((best, picked) => (picked.saved > best.saved ? picked : best), first);
  };
  const found = layers.flatMap((layer) => candidatesOf(layer, { core, made }));
  // Layers that share a kernel pay for a part of it each.
  const users = new Map<string, Set<LayerId>>();
  for (const { layer, kernels } of found)
    for (const id of kernels.keys()) users.set(id, (users.get(id) ?? new Set<LayerId>()).add(layer));
  const sharesOf = ({ kernels }: Candidate): number =>
    [...kernels].reduce((sum, [id, size]) => sum + size / users.get(id)!.size, 0);
  const worth = (c: Candidate): number => c.saved / Math.max(1, c.stored + sharesOf(c));
  const candidates = found.sort((a, b) => worth(b) - worth(a) || a.layer - b.layer);
  const all = pickBest(candidates);
  // Packed kernels bring functions of the runtime that others do not need.
  const unpacked = pickBest(candidates.filter((c) => c.form.weights !== 'packed'));
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
    .map((w): Work => ({
      ...w,
      call: { ...w.call, inputBits: 8, weightBits: 8, wide: false },
      outputBits: 8,
      guard: null,
    }));
  const forms = chooseWithin(eight, new FlashEstimate(eight, options.core), options, Infinity);
  // Layer by layer, every kernel of a layer is called once.
  const seen = new Set<string>();
  const once = eight.filter(({ layer, call, weights }) => {
    const key = `${layer} ${call.op} ${weights?.id ?? ''}`;
    return !seen.has(key) && seen.add(key);
  });
  const isItself =
    once.length === work.length &&
    work.every(({ call, outputBits }) => call.inputBits === 8 && (call.weightBits ?? 8) === 8 && outputBits === 8);
  return isItself ? Infinity : new FlashEstimate(once, options.core).least(forms);
}

/** Forms that were taken, what they save, their bytes but for the runtime's, and what there was no room for. */
interface Picked {
  readonly forms: Map<LayerId, LayerForm>;
  readonly saved: number;
  readonly bytes: number;
  readonly refused: readonly Candidate[];
}

/** Kernels of the forms that were taken, and by how many layers. */
class TakenKernels {
  private readonly users = new Map<string, number>();

  /** Bytes of kernels that these add, where they take the place of others. */
  more(kernels: ReadonlyMap<string, number>, instead?: ReadonlyMap<string, number>): number {
    let bytes = 0;
    for (const [id, size] of kernels) if (!this.users.get(id)) bytes += size;
    for (const [id, size] of instead ?? []) if (this.users.get(id) === 1 && !kernels.has(id)) bytes -= size;
    return bytes;
  }

  take(kernels: ReadonlyMap<string, number>, instead?: ReadonlyMap<string, number>): void {
    for (const id of kernels.keys()) this.users.set(id, (this.users.get(id) ?? 0) + 1);
    for (const id of instead?.keys() ?? []) this.users.set(id, this.users.get(id)! - 1);
  }
}

function candidatesOf(
  layer: WeightedLayer,
  { core, made }: { readonly core: Core; readonly made: true | 'shared' },
): Candidate[] {
  // Kernels for 16 bits take weights as they are planned.
  if (layer.work.some(({ call }) => call.wide)) return [];
  const forms: LayerForm[] = [];
  const isDsp = DSP_CORES.includes(core);
  const isNarrow = layer.weightBits === 4 && layer.op !== 'depthwise2d';
  if (isDsp && (layer.op !== 'fullyConnected' || layer.weightBits === 8)) forms.push({ weights: 'planned', made });
  if (isDsp && isNarrow) {
    if (layer.op === 'conv2d' && layer.work.some((w) => isPackable(w))) forms.push({ weights: 'packed', made });
    forms.push({ weights: 'bytes', made });
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
    stored: storedBytes(layer, form),
    kernels: formKernels(layer, form, core),
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
