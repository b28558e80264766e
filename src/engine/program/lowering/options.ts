import type { InputPlace } from '../../graph/bits';
import type { ScheduledStage, ScheduledTailStage } from '../../schedule/schedule';

/** The patch stage of a Plan on its graph, ready to be lowered. */
export interface LoweringStage extends ScheduledStage {
  /**
   * For runtime classes: a patch is outlier class when more than `epsilon` of the map's values lie outside [low, high].
   */
  readonly runtime: { readonly low: number; readonly high: number; readonly epsilon: number } | null;
}

export interface LowerOptions {
  /** C identifier of the network. */
  readonly name: string;
  /** Alignment of buffers in the arena, a power of two. */
  readonly align?: number;
  /** Where the inputs are. Default: in the arena. */
  readonly input?: InputPlace;
  /**
   * What the arena should take at most: where the smallest layout that is found takes more, others are tried. Default:
   * no limit.
   */
  readonly sramBytes?: number;
  /** Stages of the tail that run patch by patch as well. */
  readonly tailStages?: readonly ScheduledTailStage[];
}
