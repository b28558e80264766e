import type { LayerId } from '../graph/types';
import type { Core } from '../targets/types';
import { codeTable, DSP_CORES, keyBytes, runtimeBytes } from './codeBytes';
import { isMadeConv, isMadeDepthwise } from './kernelShape';
import {
  callers,
  formKernels,
  formsBytes,
  isPackable,
  layerKernels,
  PLAIN_FORM,
  storedBytes,
  type Forms,
  type WeightedLayer,
} from './layerForm';
import type { Work } from './work';
import { workUses } from './workUses';
import { wideBytes } from './wideSizes';

/**
 * Flash of a network by its calls alone, before anything is quantized: a little more than what is linked in the end.
 * codegen/flash.ts has the same of a Program, by its very constants.
 */

/** Entries of the table of windows that a call shares with no other, and bytes of one. */
const PER_CALL_ENTRIES = 2.1;
const WINDOW_BYTES = 16;
/** Bytes of a call in the table of steps. */
const ROW_BYTES = 8;
/** Of a call that is a statement instead: windows that it reads and writes, and functions of steps. */
const PER_STATEMENT = { windows: 2.1, functions: 0.4 } as const;

/** What no call tells: gaps between arrays, a struct or table more. The application's reserve must not pay for it. */
const MARGIN = 1.005;

/** The layers with weights, in order. */
export function layersOf(work: readonly Work[]): WeightedLayer[] {
  const byLayer = new Map<LayerId, Work[]>();
  for (const w of work) {
    if (!w.weights) continue;
    const known = byLayer.get(w.layer);
    if (known) known.push(w);
    else byLayer.set(w.layer, [w]);
  }
  return [...byLayer].map(([layer, calls]) => {
    const slices = new Map(calls.map(({ weights, call }) => [weights!.id, { count: weights!.count, call }]));
    const sum = (of: (slice: { count: number; call: Work['call'] }) => number): number =>
      [...slices.values()].reduce((total, slice) => total + of(slice), 0);
    const { op, weightBits = 8 } = calls[0].call;
    return {
      layer,
      op: op as WeightedLayer['op'],
      weights: sum((s) => s.count),
      weightBits,
      channels: sum((s) => s.call.channels),
      work: calls,
    };
  });
}

/** Weights, tables, parameters and the code of the steps in plain forms: everything but kernels. */
function baseBytes(work: readonly Work[], core: Core): number {
  const layers = layersOf(work);
  const weights = layers.reduce((sum, l) => sum + Math.ceil((l.weights * l.weightBits) / 8), 0);
  return Math.ceil(MARGIN * (weights + tableBytes(work, layers) + stepBytes(work, core)));
}

function tableBytes(work: readonly Work[], layers: readonly WeightedLayer[]): number {
  // Biases and multipliers of every channel; bounds by channel and tables of Adds are rare.
  let bytes = layers.reduce((sum, l) => sum + 8 * l.channels, 0);
  const seen = new Set<string>();
  for (const { layer, call, extent, outputBits } of work) {
    const key = `${layer} ${call.op} ${call.inputBits} ${outputBits}`;
    if (seen.has(key)) continue;
    seen.add(key);
    bytes += opTableBytes(call, extent.rows.elements, extent.cols.elements);
  }
  return bytes;
}

function opTableBytes({ op, channels, inputBits, window, inputPixels }: Work['call'], h: number, w: number): number {
  switch (op) {
    case 'requantize':
      return 6 * channels;
    case 'mul':
      return 10 * channels;
    case 'prelu':
      return 4 * channels;
    case 'lookup':
      return inputBits === 16 ? 2 * 513 : 2 * 2 ** inputBits;
    case 'softmax':
      return 2 * 256;
    case 'averagePool': {
      // Over the whole map by channel, otherwise by how much of the window lies inside.
      const taps = window!.kernelH * window!.kernelW;
      return 8 * (taps === inputPixels ? channels : taps);
    }
    case 'resize':
      return 4 * (h + w);
    case 'permute':
      return h * w * channels * (h * w * channels > 2 ** 16 ? 4 : 2);
    case 'fill':
      return 2 * channels;
    default:
      return 0;
  }
}

const STRUCTS: Partial<Record<Work['call']['op'], string>> = {
  conv2d: 'qmcu_conv2d_params',
  depthwise2d: 'qmcu_depthwise2d_params',
  fullyConnected: 'qmcu_fully_connected_params',
  add: 'qmcu_scaled_sum',
  requantize: 'qmcu_scaled_sum',
  mul: 'qmcu_mul_params',
  maxPool: 'qmcu_window',
  averagePool: 'qmcu_average_pool_params',
  prelu: 'qmcu_prelu_params',
  normalize: 'qmcu_normalize_params',
  resize: 'qmcu_resize_params',
  permute: 'qmcu_permute_params',
};

function stepBytes(work: readonly Work[], core: Core): number {
  const { structs, steps } = codeTable(core);
  const statement = PER_STATEMENT.windows * steps.views + PER_STATEMENT.functions * steps.parts + steps.watched;
  const seen = new Set<string>();
  const isTabled = ({ guard, call: { op } }: Work): boolean => guard === null && op !== 'load' && op !== 'classify';
  const named = new Set(work.filter(isTabled).map(({ call: { op } }) => op));
  let bytes = steps.network + (named.size > 0 ? steps.runners + steps.runs : 0) + named.size * steps.named;
  for (const w of work) {
    const { layer, call: kernel, outputBits, padTop, padLeft, weights, guard } = w;
    bytes += PER_CALL_ENTRIES * WINDOW_BYTES + (isTabled(w) ? ROW_BYTES : statement) + (guard ? steps.guards : 0);
    const struct = STRUCTS[kernel.op];
    const key = `${layer} ${kernel.op} ${kernel.inputBits} ${outputBits} ${padTop} ${padLeft} ${weights?.id ?? ''}`;
    if (!struct || seen.has(key)) continue;
    seen.add(key);
    bytes += structs[struct] ?? 0;
  }
  return Math.ceil(bytes);
}

const FUNCTIONS: Record<Work['call']['op'], string | null> = {
  conv2d: 'qmcu_conv2d',
  depthwise2d: 'qmcu_depthwise2d',
  fullyConnected: 'qmcu_fully_connected',
  add: 'qmcu_add',
  requantize: 'qmcu_requantize',
  mul: 'qmcu_mul',
  maxPool: 'qmcu_max_pool',
  averagePool: 'qmcu_average_pool',
  lookup: 'qmcu_lookup',
  prelu: 'qmcu_prelu',
  copy: 'qmcu_copy',
  load: null,
  fill: 'qmcu_fill',
  resize: 'qmcu_resize',
  softmax: 'qmcu_softmax',
  normalize: 'qmcu_normalize',
  permute: 'qmcu_permute',
  classify: 'qmcu_classify',
};

/** Functions of the runtime that a network's steps and the kernels made for its layers call. */
function runtimeFunctions(work: readonly Work[], forms: Forms, core: Core): Set<string> {
  const { kernelCalls } = codeTable(core);
  const isDsp = DSP_CORES.includes(core);
  const needed = new Set<string>();
  const made = (macro: string): void => (kernelCalls[macro] ?? []).forEach((fn) => needed.add(fn));
  for (const w of work) {
    const { call, layer } = w;
    const form = forms.get(layer) ?? PLAIN_FORM;
    if (isDsp && form.made && form.weights === 'packed' && isPackable(w))
      made(form.made === 'shared' ? 'QMCU_SPECIAL_SHARED_PACKED' : 'QMCU_SPECIAL_PACKED');
    else if (isDsp && form.made && call.op === 'conv2d' && isMadeConv(call)) made('QMCU_SPECIAL_CONV2D');
    else if (isDsp && form.made && call.op === 'fullyConnected') needed.add('qmcu_fully_connected_twins');
    else if (isDsp && form.made && call.op === 'depthwise2d' && isMadeDepthwise(call)) made('QMCU_SPECIAL_DEPTHWISE2D');
    else {
      const fn = FUNCTIONS[call.op];
      if (fn) needed.add(call.wide && call.op !== 'copy' ? `${fn}_s16` : fn);
    }
  }
  return needed;
}

/** Bytes of the kernels for 16 bits that a network's steps call. */
export function wideCode(work: readonly Work[], core: Core): number {
  const wide = work.filter(({ call }) => call.wide && call.op !== 'copy').map(({ call }) => FUNCTIONS[call.op]);
  return wideBytes(
    core,
    wide.map((fn) => `${fn}_s16`),
  );
}

/**
 * Flash of a network in any forms. What does not depend on them is added up once: forms are chosen by asking hundreds
 * of times.
 */
export class FlashEstimate {
  readonly layers: readonly WeightedLayer[];
  /** {@link baseBytes}. */
  readonly base: number;
  private readonly steps: number;
  private readonly kinds: readonly Work[];

  constructor(
    work: readonly Work[],
    readonly core: Core,
  ) {
    this.layers = layersOf(work);
    this.base = baseBytes(work, core);
    this.steps = stepBytes(work, core);
    this.kinds = kindsOf(work);
  }

  /** All flash of the network, the self-test aside. */
  total(forms: Forms): number {
    return this.base + formsBytes(this.layers, forms, this.core) + this.runtime(forms);
  }

  /**
   * As {@link total}, with a second kernel for every shape that several layers share: they share one where their shifts
   * agree, which no call tells.
   */
  most(forms: Forms): number {
    const users = new Map<string, number>();
    let again = 0;
    for (const layer of this.layers) {
      const form = forms.get(layer.layer) ?? PLAIN_FORM;
      if (form.made !== 'shared') continue;
      for (const [id, bytes] of formKernels(layer, form, this.core)) {
        const before = users.get(id) ?? 0;
        users.set(id, before + 1);
        if (before === 1) again += bytes;
      }
    }
    return this.total(forms) + again;
  }

  /**
   * As {@link total}, but no more than what is linked in the end: layers of one shape share their kernels, which they
   * do where their shifts agree, and nothing is added for what no call tells.
   */
  least(forms: Forms): number {
    const stored = this.layers.reduce((sum, l) => sum + storedBytes(l, forms.get(l.layer) ?? PLAIN_FORM), 0);
    return Math.floor(this.base / MARGIN) + stored + this.kernels(forms);
  }

  /** Of {@link least}, the code: steps and what they call. */
  leastCode(forms: Forms): number {
    return this.steps + this.kernels(forms);
  }

  /** Of the runtime, what steps and the kernels made for layers call. */
  runtime(forms: Forms): number {
    const { kinds, core } = this;
    const uses = DSP_CORES.includes(core) ? workUses(kinds, forms) : undefined;
    return runtimeBytes(core, runtimeFunctions(kinds, forms, core), uses);
  }

  /** Kernels made for layers, those of one shape once, and the runtime. */
  private kernels(forms: Forms): number {
    const kernels = new Map<string, number>();
    for (const layer of this.layers) {
      const form = forms.get(layer.layer) ?? PLAIN_FORM;
      for (const { key, shape } of layerKernels(layer, form)) kernels.set(shape, keyBytes(this.core, key));
      for (const [caller, bytes] of callers(layer, form, this.core)) kernels.set(caller, bytes);
    }
    return [...kernels.values()].reduce((sum, bytes) => sum + bytes, 0) + this.runtime(forms);
  }
}

/** The calls with weights, and of all others one of each operator and bits: they use the same of the runtime. */
function kindsOf(work: readonly Work[]): Work[] {
  const kinds = new Map<string | Work, Work>();
  for (const w of work) {
    const { op, inputBits, wide } = w.call;
    kinds.set(w.weights ? w : `${op} ${inputBits} ${w.outputBits} ${wide}`, w);
  }
  return [...kinds.values()];
}

/** {@link FlashEstimate.most} of calls in one choice of forms. */
export function estimateFlash(work: readonly Work[], forms: Forms, core: Core): number {
  return new FlashEstimate(work, core).most(forms);
}
