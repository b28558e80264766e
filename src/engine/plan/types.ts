import type { Preprocess } from '../calibration/types';
import type { DetectionHead } from '../detection/head';
import type { Bits, WeightBits } from '../graph/bits';
import type { Task } from '../graph/task';
import type { PlanTarget } from '../targets/types';

/** The patch stage: the layers up to and including the one that writes `splitMap` run patch by patch. */
export interface PatchStage {
  /** Name of the feature map that ends the stage; computed whole, one patch after the other. */
  readonly splitMap: string;
  /** Patches of `splitMap`, rows × cols. */
  readonly grid: { readonly rows: number; readonly cols: number };
  /** Feature maps of the stage whose halo is kept between branches instead of recomputed; empty: all recomputed. */
  readonly keep: readonly string[];
  /** Those whose halo is kept within a row of branches and recomputed from row to row. Missing: none. */
  readonly keepColumns?: readonly string[];
  /**
   * The stage is streamed into the stage of the tail that reads `splitMap`: of the map only the rows exist that its
   * next row of patches reads. Missing: it is computed whole.
   */
  readonly streamed?: true;
  /**
   * `static`: the class of a position is fixed by calibration; `runtime`: the firmware decides per input from
   * `classMap`'s values.
   */
  readonly classMode: 'static' | 'runtime';
  /**
   * One string per row of patches, `O` outlier class, `.` regular; for `runtime` the classes found on most calibration
   * images, for display.
   */
  readonly classes: readonly string[];
  /**
   * Parameters of the runtime test: a patch is outlier class when more than `epsilon` of its values lie outside [low,
   * high] (real values).
   */
  readonly runtime: {
    readonly map: string;
    readonly low: number;
    readonly high: number;
    readonly epsilon: number;
  } | null;
}

/**
 * A further stage that runs patch by patch, behind the patch stage or without one. All its patches have the bits of the
 * tail.
 */
export interface TailStage {
  /** Names of the feature maps that it reads; they are there as a whole. */
  readonly from: readonly string[];
  /** Name of the feature map that ends the stage; computed whole, one patch after the other. */
  readonly splitMap: string;
  readonly grid: { readonly rows: number; readonly cols: number };
  /** Feature maps of the stage whose halo is kept between patches instead of recomputed. */
  readonly keep: readonly string[];
  /** As in {@link PatchStage}. */
  readonly keepColumns?: readonly string[];
  /** As in {@link PatchStage}. */
  readonly streamed?: true;
  /**
   * The stage is a convolution and the global average of what it writes: in place of patches it runs in slices of this
   * many channels.
   */
  readonly channels?: number;
}

/** Decision about one feature map. */
export interface MapPlan {
  /** Bits it is stored with in regular branches and in the tail (8 in branches of outlier class). */
  readonly bits: Bits;
  /** Set by a person: the search leaves it alone. */
  readonly locked?: boolean;
}

/** Decision about one layer. */
export interface LayerPlan {
  /** Only for layers with weights. */
  readonly weightBits?: WeightBits;
  /** Bits at which the layer reads its inputs when fewer than they are stored with: it reads a requantized view. */
  readonly inputBits?: Bits;
  readonly locked?: boolean;
}

/** A loss that is expected beyond what 8 bits lose. */
export interface ExpectedLoss {
  readonly expected: number;
  /** 95 % interval; null with few images. */
  readonly interval: { readonly low: number; readonly high: number } | null;
  /** What it is counted in, e.g. `points of top-1`. */
  readonly unit: string;
  readonly images: number;
  /** Whether nothing was fitted to these images; otherwise the estimate is optimistic. */
  readonly heldOut: boolean;
  /** What 8 bits are expected to lose against the float network. */
  readonly at8: number;
  /** 95 % interval of that; null with few images. */
  readonly at8Interval: { readonly low: number; readonly high: number } | null;
  /** What was allowed; null where nothing was said. */
  readonly budget: number | null;
}

/**
 * What ended a search:
 * - `loss`: saving more is expected to lose more than allowed;
 * - `reduction`: what was asked for, or the most that is tried, is reached;
 * - `time`: the latency budget is met;
 * - `bits`: no choice of the allowed bits saves more;
 * - `score`: no step gains entropy score;
 * - `person`: somebody stopped it and kept what it had.
 */
export type SearchLimit = 'loss' | 'reduction' | 'time' | 'bits' | 'score' | 'person';

/**
 * Why a decision has its bits:
 * - `sensitivity`: the measured loss against what the bits save;
 * - `score`: the entropy score;
 * - `flash`, `sram`: so that the weights, or the arena, fit;
 * - `raised`: 16 bits, because what 8 cost here was measured to be worth the instructions;
 * - `slower`: fewer bits would take more instructions on the board's core;
 * - `tie`: the arithmetic or a neighbour needs these bits;
 * - `end`: the application reads or writes the map;
 * - `fewSamples`: an image is one sample for the layer, too few to fit it to fewer bits;
 * - `unread`: no layer with weights reads the map;
 * - `asked`: the options allow no others;
 * - `person`: locked, or edited since.
 */
export type BitsReason =
  | 'sensitivity'
  | 'score'
  | 'flash'
  | 'sram'
  | 'raised'
  | 'slower'
  | 'tie'
  | 'end'
  | 'fewSamples'
  | 'unread'
  | 'asked'
  | 'person';

/** What a search made of one decision. Where a plan has other bits, somebody changed them since. */
export interface BitsAccount {
  readonly bits: Bits;
  readonly by: BitsReason;
  /** What fewer bits here were measured to lose, by bits, in the unit of the plan's loss. */
  readonly losses?: Readonly<Record<string, number>>;
}

/** How the decisions came about and what was said about them: a record, from which nothing is computed. */
export interface PlanAccount {
  readonly loss?: ExpectedLoss;
  readonly limitedBy: SearchLimit;
  /** Everything the user was told. */
  readonly notes: readonly string[];
  /** Board and patches that loss and notes refer to, see `toldOf()`; missing in plans of earlier versions. */
  readonly toldOf?: string;
  /** By feature map. */
  readonly maps: Readonly<Record<string, BitsAccount>>;
  /** By layer with weights: those, and how it reads its input where that is a decision of its own. */
  readonly layers: Readonly<Record<string, { readonly weights: BitsAccount; readonly input?: BitsAccount }>>;
}

/** Every decision. Serialised as the sidecar `<model>.quantmcu.json`; numbers computed from it are not part of it. */
export interface Plan {
  readonly version: 1;
  /** Name and version of the program that wrote it. */
  readonly generator: string;
  readonly model: {
    /** File name relative to the sidecar, with '/' separators. */
    readonly file: string;
    readonly sha256: string;
    /** Values for symbolic dimensions. */
    readonly sizes?: Readonly<Record<string, number>>;
    /** Values that the network ends in, where these are not the file's outputs. */
    readonly outputs?: readonly string[];
  };
  readonly preprocess: Preprocess;
  /** What the outputs are for. Missing: from the last layer and the samples' labels. */
  readonly task?: Task;
  /** How a detector's outputs become boxes. Missing: they are values. */
  readonly detection?: DetectionHead;
  readonly target: PlanTarget;
  readonly search: {
    readonly method: 'entropy' | 'sensitivity' | 'fixed';
    readonly phi: number;
    readonly lambda: number;
    readonly epsilon: number;
    readonly bits: readonly Bits[];
    readonly weights: WeightBits | 'auto';
    /** What the search minimised; missing: BitOPs. */
    readonly objective?: 'latency' | 'sram' | 'flash';
    /** Milliseconds that an inference was allowed to take. */
    readonly latencyBudget?: number;
    /** Reduction of BitOPs, or of what `objective` says, that the search by sensitivity was asked for. */
    readonly bitOpsTarget?: number;
    /**
     * Points of top-1 (percent of the outputs' power where there are no classes) that the search was allowed
     * to lose; it then found `bitOpsTarget`.
     */
    readonly accuracyBudget?: number;
    /** The largest reduction that was tried under the budget. */
    readonly mostReduction?: number;
  };
  readonly calibration: {
    readonly key: string;
    readonly images: number;
    /** Folder as the user gave it, relative to the sidecar where possible. */
    readonly folder: string;
  };
  /** Null: layer by layer. */
  readonly patchStage: PatchStage | null;
  /** Stages of the tail, in order. Missing: none. */
  readonly tailStages?: readonly TailStage[];
  /** By feature map name. A map that is missing has 8 bits. */
  readonly maps: Readonly<Record<string, MapPlan>>;
  /** By layer name. A layer that is missing has 8-bit weights. */
  readonly layers: Readonly<Record<string, LayerPlan>>;
  /** Missing in plans of earlier versions. */
  readonly account?: PlanAccount;
  /** The quantized parameters that belong to these decisions: a binary file next to the sidecar. */
  readonly parameters: { readonly file: string; readonly sha256: string };
}
