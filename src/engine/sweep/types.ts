import type { Bits, WeightBits } from '../graph/bits';
import type { Plan, PlanAccount } from '../plan/types';
import type { PlanTarget } from '../targets/types';
import type { Preprocess } from '../calibration/types';

/** What is varied from point to point; everything else of a sweep is held. */
export type SweepParameter = 'phi' | 'lambda' | 'bitops-target';

/**
 * The table of sweeps of one model: `<plan stem>.sweeps.json` beside the plan, and the same rows as `<plan
 * stem>.sweeps.csv`. At most one sweep per parameter; a new one takes the old one's place.
 */
export interface SweepTable {
  readonly version: 1;
  /** Name and version of the program that wrote it. */
  readonly generator: string;
  /** The file's name is relative to the table. */
  readonly model: Plan['model'];
  readonly sweeps: readonly Sweep[];
}

export interface Sweep {
  readonly parameter: SweepParameter;
  /** In the order of rising values. */
  readonly points: readonly SweepPoint[];
  /** What all points have in common: with a point's decisions it makes a plan. */
  readonly settings: SweepSettings;
  /** ISO 8601 time at which it was finished. */
  readonly finished: string;
  readonly seconds: number;
}

/** The options of a quantization that do not vary; see `QuantizeOptions`. The varied one's value here is not used. */
export interface SweepSettings {
  readonly target: PlanTarget;
  readonly preprocess: Preprocess;
  readonly grid: 'auto' | 'none' | { readonly rows: number; readonly cols: number };
  readonly bits: readonly Bits[];
  readonly weights: WeightBits | 'auto';
  readonly classes: 'static' | 'runtime';
  readonly phi: number;
  readonly lambda: number;
  readonly epsilon: number;
  /** Reduction of BitOPs to reach by measured sensitivity; missing: bits by the entropy score. */
  readonly bitOpsTarget?: number;
  /** What `bitOpsTarget` is a reduction of; missing: BitOPs. */
  readonly objective?: Plan['search']['objective'];
  /** Whether weights were fitted to what the integer network computes; missing: they were. */
  readonly compensate?: boolean;
  readonly calibration: {
    readonly key: string;
    readonly images: number;
    /** Folder relative to the table where possible. */
    readonly folder: string;
    /** At most so many samples were taken; 0: all. */
    readonly limit: number;
  };
  /**
   * Images that the accuracies were measured on; null where they were not. Folder relative to the table where possible.
   */
  readonly evaluation: { readonly folder: string; readonly limit: number } | null;
}

/** What one value of the parameter gives. */
export interface SweepPoint {
  readonly value: number;
  /**
   * Why there is no plan at this value, as one line for the user; null when there is one. Then `figures` and
   * `decisions` are not null.
   */
  readonly problem: string | null;
  readonly figures: SweepFigures | null;
  readonly outliers: SweepOutliers | null;
  /** Of this point's plan; null when not measured. */
  readonly accuracy: SweepAccuracy | null;
  /**
   * φ sweeps: of the same plan with as many outlier patches at random positions: what the rule is compared with (the
   * paper's Figure 5). Null when not measured, or where no or every patch is outlier class and nothing is random.
   */
  readonly randomAccuracy: SweepAccuracy | null;
  /**
   * Change of the network's output that the search expects: Σ of the measured sensitivities of its decisions (a
   * divergence, not points of accuracy); null by the entropy score.
   */
  readonly predictedLoss: number | null;
  readonly decisions: SweepDecisions | null;
  /** Why there are these decisions; missing without any, and in tables of earlier versions. */
  readonly account?: PointAccount;
  /** Things the user should know about this point, one line each. */
  readonly notes: readonly string[];
}

export interface SweepFigures {
  /** Of one inference, recomputed halos included. */
  readonly macs: number;
  readonly bitOps: number;
  /** BitOPs of the same patches with everything at 8 bits. */
  readonly bitOpsInt8: number;
  /** bitOpsInt8 / bitOps. */
  readonly reduction: number;
  /** SRAM: exact size of the arena. */
  readonly arenaBytes: number;
  /** Flash: weights and tables. */
  readonly weightBytes: number;
  /** Weights, tables and code in the plan's storage forms. */
  readonly flashBytes: number;
  /** Estimate for the target; null for cores without a model. */
  readonly latencyMs: number | null;
}

/** Patch classes of a point's plan. Shares are 0…1. */
export interface SweepOutliers {
  /** Patches of the plan that are outlier class, over all. */
  readonly share: number;
  /** Images × patches that the ε rule marks on the calibration images: what run-time classes would find. */
  readonly marked: number;
  /** The same by the paper's literal rule: any outlier. */
  readonly markedByAny: number;
}

/** Against float on the same images. Shares are 0…1. */
export interface SweepAccuracy {
  readonly images: number;
  /** Null without labels or classes. */
  readonly floatTop1: number | null;
  readonly floatTop5: number | null;
  readonly top1: number | null;
  readonly top5: number | null;
  /** Images on which both choose the same class; null without classes. */
  readonly agreement: number | null;
  /** Signal-to-noise ratio of the outputs against float, dB; null: no noise at all. */
  readonly outputSnr: number | null;
  /** Mean average precision of a detector at an overlap of 0.5; null without known boxes. */
  readonly floatMap50?: number | null;
  readonly map50?: number | null;
  /** Boxes of a detector that have a partner in the float network's. */
  readonly boxAgreement?: number | null;
}

/** Of a plan's account, what is known when a point is made: the loss is estimated when it becomes the plan. */
export type PointAccount = Omit<PlanAccount, 'loss' | 'notes' | 'toldOf'>;

/** What a point decides, in the words of a plan. */
export type SweepDecisions = Pick<Plan, 'patchStage' | 'tailStages' | 'maps' | 'layers'>;
