import type { Preprocess } from '../calibration/types';
import type { DetectionHead } from '../detection/head';
import type { Bits, WeightBits } from '../graph/bits';
import type { Task } from '../graph/task';
import type { Graph } from '../graph/types';
import type { Grid } from '../schedule/branches';
import type { PlanTarget } from '../targets/types';
import type { Objective } from '../vdqs/decisionCost';

/** How bits are chosen. */
export type SearchMethod = 'sensitivity' | 'entropy';

/** What a user may set for the search: one type from the command line and the editor down to decide(). */
export interface SearchOptions {
  readonly grid: 'auto' | 'none' | Grid;
  /** Candidate bits of feature maps, 8 among them; 16 for maps that limit accuracy, see raiseBits.ts. */
  readonly bits?: readonly Bits[];
  readonly weights: WeightBits | 'auto';
  readonly phi?: number;
  /** Of the entropy score. */
  readonly lambda?: number;
  readonly epsilon?: number;
  readonly classes: 'static' | 'runtime';
  /**
   * Whether halos of patches may be kept between branches; missing: where that is cheaper. The paper's patches, and
   * classes decided at run time, recompute them.
   */
  readonly halos?: 'auto' | 'recompute';
  /** What the outputs are for; missing: from the last layer and the samples' labels. */
  readonly task?: Task;
  /**
   * A detector's head: a preset's name, a JSON file or the description itself; `none`: its outputs are values. Missing:
   * from the outputs.
   */
  readonly head?: string | DetectionHead;
  /** How bits are chosen: by measured sensitivity (default), or by the paper's entropy score, for which `lambda` is. */
  readonly search?: SearchMethod;
  /**
   * What is minimised: time on the board's core, BitOPs (the paper's measure; default where a reduction of them is
   * asked for), SRAM or flash. Missing: time and BitOPs together.
   */
  readonly objective?: Objective;
  /** Milliseconds that an inference may take: only as many bits are lowered as that needs. */
  readonly latencyBudget?: number;
  /**
   * Reduction of BitOPs (of the objective, where one is given) against 8 bits to reach by measured sensitivity, > 1;
   * with an accuracy budget, the largest one tried.
   */
  readonly bitOpsTarget?: number;
  /**
   * Points of top-1 that may be lost (percent of the outputs' power where there are no classes): the largest reduction
   * within it, by measured sensitivity.
   */
  readonly accuracyBudget?: number;
}

/** A run of quantize(): a model, its images and board, and the search's settings. */
export interface QuantizeOptions extends SearchOptions {
  readonly modelPath: string;
  /** The sidecar to write. Locked decisions of an existing one are kept. */
  readonly planPath: string;
  /** Overwrite files that are not ours, and keep no decisions of an existing plan. */
  readonly force?: boolean;
  /** Folder of images or arrays, or an array file. */
  readonly imagesPath: string;
  readonly target: PlanTarget;
  /** Null: the one under which the float network does best, or for a detector the one its head needs. */
  readonly preprocess: Preprocess | null;
  /**
   * Write the plan at 8 bits as soon as there is one, and every better one, where there is no plan yet. The caller that
   * cancels must remove them, unless they are kept.
   */
  readonly early?: boolean;
  /** Fit weights to what the integer network computes (see compensate/); unless false. */
  readonly compensate?: boolean;
  /** Threads to use at once; missing: one for each core. The plan does not depend on it. */
  readonly threads?: number;
  /** Use at most this many samples; 0: all. */
  readonly limit: number;
  /** Values for symbolic dimensions. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Where calibrations are cached; null: nowhere. */
  readonly cachePath: string | null;
  /** Gives the model, for callers that may have read it already; missing: it is read. */
  readonly model?: () => Promise<{ readonly sha256: string; readonly graph: Graph }>;
}

/** Defaults of the search, supported by test/bench/accuracy. */
export const DEFAULTS = {
  bits: [8, 4] as readonly Bits[],
  phi: 0.999,
  lambda: 0.5,
  epsilon: 0.01,
  bitOpsTarget: 2.2,
  accuracyBudget: 1,
} as const;
