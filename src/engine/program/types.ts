import type { LayerId, MapId } from '../graph/types';
import type { DetectionProgram } from './detection/types';
import type { Region } from '../graph/region';
import type { Bits, WeightBits } from '../graph/bits';

/**
 * A Plan lowered onto a Graph: an ordered list of kernel calls on regions of buffers, each buffer at its offset in one
 * arena, all constants as integers. The interpreter, the cost model, the arena layout, the C writer and the charts read
 * this and nothing else.
 *
 * ## Codes in memory
 * A buffer holds a window of a feature map, row-major H×W×C, each pixel starting on a byte and its channels packed low
 * bits first (channel c at bit (c·bits) mod 8 of byte ⌊c·bits/8⌋). Padding bits of a pixel are written as 0. Signed
 * codes are two's complement in their bits. Codes of 16 bits are signed, with the low byte first: all boards are little
 * endian.
 *
 * ## Arithmetic
 * All integers; `>>` is an arithmetic shift (floor), `mulhi(a, m) = ⌊a·m / 2³²⌋` of signed 32-bit values, and
 * accumulators are int32 that never overflow (lower() checks the bound). Each kernel's docstring gives its formula;
 * there is one formula for all executions.
 *
 * ## Order within a step
 * So that an output may overlap an input that dies in the same step (see arena.ts), every kernel keeps this order:
 * - windowed kernels (conv2d, depthwise2d, pools, resize) finish output rows from top to bottom, and from the moment
 *   the first byte of output row oy is written they read input rows ≥ max(0, oy·strideH − padTop) only (resize: ≥
 *   rows[2·oy]);
 * - element-wise kernels (add, mul, requantize, lookup, prelu, copy) go through pixels in row-major order and read
 *   all codes of an output byte before they write it; an input that is broadcast never overlaps the output;
 * - fullyConnected, softmax, normalize, permute, classify, load and fill never overlap an input with their output.
 */
export interface Program {
  /** C identifier, from the model's file name. */
  readonly name: string;
  readonly buffers: readonly ProgramBuffer[];
  readonly constants: readonly Constant[];
  readonly steps: readonly Step[];
  readonly branches: readonly Branch[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Exact size of the arena: the highest byte used by any buffer in it, plus one. */
  readonly arenaBytes: number;
  /** Alignment that the arena's start needs. */
  readonly arenaAlign: number;
  /** How boxes are made of a detector's outputs; missing: the outputs are all. */
  readonly head?: DetectionProgram;
}

export type BufferId = number;
export type ConstantId = number;
export type BranchId = number;

export type BufferRole =
  /** Written by the application. */
  | 'input'
  /** Read by the application; alive until the end. */
  | 'output'
  /** A whole feature map. */
  | 'map'
  /** The part of a feature map that one branch needs. */
  | 'branch'
  /** Halo kept between branches. */
  | 'cache'
  /** A requantized copy for one reader. */
  | 'view'
  /** Working memory of one step. Has no codes: c = bytes, bits 8. */
  | 'scratch'
  /** One byte per branch: its class, decided at run time. c = number of branches. */
  | 'flags';

export interface ProgramBuffer {
  readonly id: BufferId;
  readonly name: string;
  readonly role: BufferRole;
  /** The feature map whose codes it holds; null for scratch and flags. */
  readonly map: MapId | null;
  /** The part of the map that it holds. Reads and writes are in the map's coordinates and must lie inside. */
  readonly window: Region;
  readonly channels: number;
  readonly bits: Bits;
  readonly signed: boolean;
  /** ⌈channels·bits / 8⌉. */
  readonly pixelBytes: number;
  /** pixelBytes × width of the window. */
  readonly rowBytes: number;
  /** rowBytes × height of the window. */
  readonly bytes: number;
  /** Alive from this step to that one, both inclusive. Inputs begin at −1, outputs end at steps.length. */
  readonly firstStep: number;
  readonly lastStep: number;
  /** Another buffer whose memory this one names with another shape (reshape); offset and lifetime are that buffer's. */
  readonly aliasOf: BufferId | null;
  /**
   * Byte offset in the arena, multiple of `align`. External buffers follow one another behind the arena: their offsets
   * are ≥ arenaBytes.
   */
  readonly offset: number;
  readonly align: number;
  /**
   * An input that the application keeps in its own memory, from which the steps only read; not in the arena. Where
   * `load` steps read it, and no others, the application need not have all of it at any time. Missing: false.
   */
  readonly external?: boolean;
}

/**
 * Channels [channel, channel + channels) of a region of a buffer. channel·bits is a multiple of 8. Channels that are
 * written end with a byte or with the buffer's last channel, so that no kernel has to keep the rest of a byte.
 */
export interface Access {
  readonly buffer: BufferId;
  /** In the coordinates of the feature map. */
  readonly region: Region;
  readonly channel: number;
  readonly channels: number;
}

/** A graph input or output as the application sees it. */
export interface Port {
  readonly buffer: BufferId;
  readonly map: MapId;
  /** ONNX value name. Text, possibly hostile. */
  readonly name: string;
  /** Of the ONNX tensor. */
  readonly dims: readonly number[];
  /** These dimensions as they lie in memory, outermost first; see TensorBinding. */
  readonly memory: readonly number[];
  /** The same as rows, columns and channels. */
  readonly shape: { readonly h: number; readonly w: number; readonly c: number };
  readonly signed: boolean;
  /** value[c] = scale[c]·(code − zeroPoint[c]); one entry for all channels or C entries. */
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
}

/** One dataflow branch of the patch stage. */
export interface Branch {
  readonly id: BranchId;
  readonly row: number;
  readonly col: number;
  /** The patch of the stage's output. */
  readonly patch: Region;
  readonly class: 'outlier' | 'regular';
}

export type ConstantKind = 'weights' | 'bias' | 'multiplier' | 'table';

/**
 * Integers in flash. `values` are unpacked codes; `bits` says how wide each is stored (4-bit weights take half a byte).
 */
export interface Constant {
  readonly id: ConstantId;
  readonly kind: ConstantKind;
  readonly name: string;
  readonly bits: 4 | 8 | 16 | 32;
  readonly signed: boolean;
  readonly values: Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array;
  /** Logical dimensions, e.g. [outC, kH, kW, inC]. */
  readonly dims: readonly number[];
}

export interface Step {
  readonly id: number;
  /** The graph's layer that this step serves. */
  readonly layer: LayerId;
  readonly kernel: Kernel;
  readonly inputs: readonly Access[];
  readonly output: Access;
  /** Null in the tail. */
  readonly branch: BranchId | null;
  /**
   * In a stage of the tail that runs patch by patch: which one, counted from 0, and the patch's index in its grid, row
   * by row.
   */
  readonly tailStage?: { readonly index: number; readonly branch: number };
  /** The step runs only if flags[branch] equals `value` (0 regular, 1 outlier class). */
  readonly guard: { readonly buffer: BufferId; readonly index: number; readonly value: 0 | 1 } | null;
  readonly scratch: BufferId | null;
  /** Multiply-accumulates of this step, those on padding included. */
  readonly macs: number;
}

/** Window geometry of one call; padding is what this region needs at the true border of the map, 0 inside. */
export interface StepWindow {
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  /**
   * Output pixel (oy, ox) of the region, counted from 0, reads input rows oy·strideH − padTop + ky·dilationH of the
   * input region, counted from 0; rows outside the region are padding. Negative: the first window begins inside the
   * region.
   */
  readonly padTop: number;
  readonly padLeft: number;
}

/**
 * From accumulator to code, per output channel c:
 *
 *     a = acc + bias'[c],  bias' = biasShift ≥ 0 ? bias << biasShift : (bias + (1 << (−biasShift − 1))) >> −biasShift
 *     y = (mulhi(a << preShift, multiplier[c]) + (1 << (shift − 1))) >> shift
 *     code = min(max(y, min), max[c])
 *
 * Zero points of input and output are part of `bias`. Branches of a layer share bias and multiplier and differ in the
 * shifts only.
 */
export interface Requantization {
  /** int32 [C]. */
  readonly bias: ConstantId;
  readonly biasShift: number;
  /** int32 ≥ 0, [C]. */
  readonly multiplier: ConstantId;
  /** 0…31; 0 nearly always. a << preShift does not overflow. */
  readonly preShift: number;
  /** 1…31. */
  readonly shift: number;
  readonly min: number;
  /** The same for all channels, or a table [C] of 16-bit values. */
  readonly max: number | PerChannel;
}

/** A table with one entry per output channel, where a plain number means one value for all. */
export interface PerChannel {
  readonly constant: ConstantId;
}

/**
 * Sum of scaled codes, for element-wise layers:
 *
 *     y = (Σᵢ fᵢ·xᵢ·multipliersᵢ[c] + offset[c]) >> shift;  code = min(max(y, min), max)
 *
 * fᵢ is 128 for inputs of at most 8 bits beside one of 16, otherwise 1.
 * multipliers are int16 (one for all channels, or a table [C]), offset int32 (includes rounding and zero points). The
 * sum does not overflow.
 */
export interface ScaledSum {
  readonly multipliers: readonly (number | PerChannel)[];
  readonly offset: number | PerChannel;
  readonly shift: number;
  readonly min: number;
  readonly max: number;
}

export type Kernel =
  /**
   * acc = Σ w[o, ky, kx, i]·x[…]; on padding x is padCodes[i] (16-bit values [inC]), or 0 where padCodes is null.
   * Weights constant is [outC][kH][kW][inC/group].
   */
  | {
      readonly op: 'conv2d';
      readonly window: StepWindow;
      readonly group: number;
      readonly weights: ConstantId;
      readonly weightBits: WeightBits;
      readonly padCodes: ConstantId | null;
      readonly requant: Requantization;
    }
  /** As conv2d with one filter per channel; weights constant is [kH][kW][C]. */
  | {
      readonly op: 'depthwise2d';
      readonly window: StepWindow;
      readonly weights: ConstantId;
      readonly weightBits: WeightBits;
      readonly padCodes: ConstantId | null;
      readonly requant: Requantization;
    }
  /** acc = Σ over the whole input region in HWC order; weights constant is [outC][h·w·c]. Output 1×1×outC. */
  | {
      readonly op: 'fullyConnected';
      readonly weights: ConstantId;
      readonly weightBits: WeightBits;
      readonly requant: Requantization;
    }
  /** Element-wise sum of two regions. An input whose region is 1×1 while the output's is not is broadcast. */
  | { readonly op: 'add'; readonly sum: ScaledSum }
  /** One input; another scale, width or sign of the same values. */
  | { readonly op: 'requantize'; readonly sum: ScaledSum }
  /** acc = (x₀ − zeros[0])·(x₁ − zeros[1]); broadcast as in add. */
  | { readonly op: 'mul'; readonly zeros: readonly [number, number]; readonly requant: Requantization }
  /**
   * Largest code in the window; padding does not count, and every window has a pixel inside. Same format in and out.
   */
  | { readonly op: 'maxPool'; readonly window: StepWindow }
  /**
   * acc = Σ of codes inside the region, n of them rows × columns; y = (mulhi(acc << preShift, m) + offset) >> shift,
   * clamped to [min, max]. m and offset: by channel [C] when `perChannel`; otherwise by the number of rows and columns
   * of the window inside the region: entry (rows − 1)·kernelW + (columns − 1). Every window has a pixel inside.
   */
  | {
      readonly op: 'averagePool';
      readonly window: StepWindow;
      readonly perChannel: boolean;
      readonly multiplier: ConstantId;
      readonly offset: ConstantId;
      readonly preShift: number;
      readonly shift: number;
      readonly min: number;
      readonly max: number;
    }
  /**
   * code = table[x as an unsigned b-bit pattern]; table has 2^bits entries of output codes (int16 [2^bits] of values).
   * Of 16-bit codes it has every 128th, 513 in all, between which lie straight lines: with k = (x + 32768) >> 7 and
   * f = x & 127, code = table[k] + (((table[k + 1] − table[k])·f + 64) >> 7).
   */
  | { readonly op: 'lookup'; readonly table: ConstantId }
  /**
   * y = (x·(x ≥ 0 ? positive : negative[c]) + offset) >> shift, clamped. x is a signed code with zero point 0;
   * positive, negative are int16.
   */
  | {
      readonly op: 'prelu';
      readonly positive: number | PerChannel;
      readonly negative: ConstantId;
      readonly offset: number;
      readonly shift: number;
      readonly min: number;
      readonly max: number;
    }
  /** The same codes elsewhere: input and output regions have equal size, bits and channels. */
  | { readonly op: 'copy' }
  /** As copy; the application hands the region over from wherever it has input `port`, whose buffer is external. */
  | { readonly op: 'load'; readonly port: number }
  /** Every pixel of the output region becomes codes[0…C) (16-bit values). No input. */
  | { readonly op: 'fill'; readonly codes: ConstantId }
  /**
   * Rows and columns are resampled; the format stays. `rows` (int16, 2 entries per output row) holds the index of the
   * first source row relative to the input region and the weight f of the row after it in 1/256 (0 whenever there is no
   * row after it); `cols` likewise. y = (Σ of four codes × weights + 32768) >> 16 with weights (256 − fy)(256 − fx),
   * (256 − fy)·fx, fy·(256 − fx), fy·fx. For `nearest` all f are 0.
   */
  | {
      readonly op: 'resize';
      readonly mode: 'nearest' | 'linear';
      readonly rows: ConstantId;
      readonly cols: ConstantId;
    }
  /**
   * Over the channels of each pixel: d = max code − code; e = table[d] (uint16, table[0] = 65535);
   * code = min(255, ⌊(e·one + ⌊sum/2⌋) / sum⌋), unsigned 8 bits, scale 1/one. 256 ≤ one ≤ 32768, channels ≤ 65536.
   */
  | { readonly op: 'softmax'; readonly table: ConstantId; readonly one: number }
  /**
   * Over the C ≤ 65536 channels of each pixel, with S = Σ code and Q = Σ code²: centered, d = C·code − S and
   * V = max(1, C·Q − S² + epsilon); otherwise d = code − zeroIn and V = max(1, Σ d² + epsilon). With t ≥ −15 such that
   * v = ⌊V / 4^t⌋ is in [2³⁰, 2³²), r = min(65535, ⌊2³¹ / ⌊√v⌋⌋) and s = max(1, min(31, shift + t)),
   * code = ((mulhi(d << preShift, r·multiplier) + 2^(s − 1)) >> s) + zeroOut, clamped to [min, max]. epsilon is an
   * integer from 0 to 2⁵².
   */
  | {
      readonly op: 'normalize';
      readonly centered: boolean;
      readonly zeroIn: number;
      readonly zeroOut: number;
      readonly epsilon: number;
      /** 0 … 32767. */
      readonly multiplier: number;
      readonly preShift: number;
      readonly shift: number;
      readonly min: number;
      readonly max: number;
    }
  /**
   * Output element i (HWC) is input element permutation[i], 8 or 16 bits. With `counters` (at most 8) beyond 0, the
   * table instead has a size and a stride for each of them, outermost first (int32 [counters, 2]): i, written in the
   * mixed radix of the sizes, has the digits that times the strides, and `first`, add up to the input's element. Input
   * and output may have different numbers of elements.
   */
  | { readonly op: 'permute'; readonly permutation: ConstantId; readonly counters: number; readonly first: number }
  /**
   * Counts the codes of the input region that lie outside [low, high]; the output's byte `index` becomes 1 (outlier
   * class) when more than `limit`, else 0. `index` counts the bytes of the flags buffer, as a guard's does; no other
   * byte changes.
   */
  | {
      readonly op: 'classify';
      readonly low: number;
      readonly high: number;
      readonly limit: number;
      readonly index: number;
    };

export type KernelOp = Kernel['op'];
export type KernelOf<Op extends KernelOp> = Extract<Kernel, { op: Op }>;

/** Whether a step reads or writes codes of 16 bits. */
export function isWide(
  { buffers }: Pick<Program, 'buffers'>,
  { inputs, output }: Pick<Step, 'inputs' | 'output'>,
): boolean {
  return [...inputs, output].some(({ buffer }) => buffers[buffer].bits === 16);
}
