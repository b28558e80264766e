import type { Bits } from '../graph/bits';
import type { MapId } from '../graph/types';
import type { Grid } from '../schedule/branches';
import type { ScheduledTailStage } from '../schedule/schedule';
import type { MemoryModel, PatchChoice } from './estimate';

/**
 * How halos are treated. `recompute`: every branch computes all it needs. `keep`: all halos are kept, nothing is
 * computed twice. `hybrid`: those of the narrow maps are kept and wide ones recomputed, for every width that divides
 * them.
 */
export type HaloStrategy = 'recompute' | 'keep' | 'hybrid';

export interface PlannerOptions {
  readonly memory: MemoryModel;
  /** What the arena may take. */
  readonly sramBytes: number;
  /** Largest grid; default 8×8. */
  readonly largestGrid?: Grid;
  /**
   * A quick answer: the deepest stages are left out, streams that nobody asks for, and grids with more columns than
   * rows where both axes are alike. The transposed grid recomputes as much, and as branches run row by row it keeps
   * smaller halos from the left.
   */
  readonly isFirstAnswer?: boolean;
  /** Only this grid of the patch stage. */
  readonly grid?: Grid;
  /** Only the patch stage that ends with this map. */
  readonly splitMap?: MapId;
  /** Default: recompute only. */
  readonly strategies?: readonly HaloStrategy[];
  /** Stages that run patch by patch: at most the one at the beginning, or more of the tail. Default: `several`. */
  readonly stages?: 'one' | 'several';
  /**
   * What a plan minimizes: work (default), or patches of the patch stage, and then work.
   */
  readonly least?: 'work' | 'patches';
  /**
   * Only the best plan: the Pareto set stays empty, and when nothing fits neither the stream that needs least nor
   * remedies are searched.
   */
  readonly firstFit?: boolean;
  /** Called often; may throw. */
  readonly checkCancelled?: () => void;
}

/** A way to run the graph and what it costs. */
export interface PatchCandidate {
  /** Null: without a patch stage. */
  readonly choice: PatchChoice | null;
  /** Stages of the tail that run patch by patch; those of `choice`, where it is not null. */
  readonly tailStages: readonly ScheduledTailStage[];
  /**
   * The larger of the two; what the arena needs. A lower bound that the layout nearly always reaches; exact in {@link
   * PatchPlanning.best}.
   */
  readonly arenaBytes: number;
  readonly stageBytes: number;
  readonly tailBytes: number;
  /** Multiply-accumulates of one inference, recomputed halos included. */
  readonly macs: number;
  /** Those of them that are computed more than once. */
  readonly redundantMacs: number;
  /** Estimated instructions beyond those of running layer by layer: recomputed halos, copies of kept ones, calls. */
  readonly extraInstructions: number;
}

export interface PatchPlanning {
  /** The least work that fits, with the arena actually laid out; null when nothing fits. */
  readonly best: PatchCandidate | null;
  /**
   * From the most SRAM and the least work to the least SRAM: every further one needs less SRAM (by 3 % and more, except
   * for the last) and more work.
   */
  readonly pareto: readonly PatchCandidate[];
  /**
   * The same for a search for the first fit, which left it empty; continues with what that search has found.
   */
  compare(): readonly PatchCandidate[];
  /** Why nothing fits. */
  readonly noFit: NoFit | null;
}

/** Searches of one graph for several budgets. */
export interface PatchBudgets {
  /** The least work in `bytes`, its arena laid out; null when nothing fits. */
  best(bytes: number): PatchCandidate | null;
  /** The least arena, to half a percent and by {@link PatchCandidate.arenaBytes}; null for graphs without a plan. */
  least(): PatchCandidate | null;
  /** The least arena with stages that are streamed into one another, laid out; null for graphs without such a plan. */
  leastStream(): PatchCandidate | null;
  /** The least work in `bytes` of such a plan, laid out; null when none fits. */
  streamed(bytes: number): PatchCandidate | null;
}

/** One change and the arena that it would lead to. */
export interface Remedy {
  /** In words for the user, e.g. `4 bits for feature map "conv1"`. */
  readonly change: string;
  /** Least arena with it, bytes. */
  readonly arenaBytes: number;
  readonly fits: boolean;
}

/** An account of why no plan fits. */
export interface NoFit {
  /** The plan that needs least. */
  readonly closest: PatchCandidate;
  /** By how many bytes it misses. */
  readonly missingBytes: number;
  /** The step at which it peaks. */
  readonly peak: {
    readonly layer: string;
    readonly where: 'stage' | 'tail';
    readonly bytes: number;
    /** What is alive then, largest first. */
    readonly buffers: readonly {
      readonly map: string;
      readonly role: string;
      readonly bits: Bits;
      readonly bytes: number;
    }[];
  };
  /** What would help, those that make it fit first, then by arena. */
  readonly remedies: readonly Remedy[];
}
