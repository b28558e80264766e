import type { ParetoPoint } from '../patch/pareto';
import type { LayerPlan, MapPlan, PatchStage, TailStage } from '../plan/types';
import type { PlanTarget } from '../targets/types';
import type { Objective } from '../vdqs/decisionCost';
import type { Sensitivities } from '../vdqs/sensitivity';
import type { DecisionUnit } from '../vdqs/units';
import type { BitsAccounts } from './bitReasons';
import type { SearchOptions } from './options';

/** What the search may choose from, and what it must respect: {@link SearchOptions} with all defaults in. */
export interface DecideOptions
  extends
    Required<Pick<SearchOptions, 'bits' | 'phi' | 'lambda' | 'epsilon'>>,
    Pick<SearchOptions, 'grid' | 'weights' | 'classes' | 'halos'> {
  readonly target: PlanTarget;
  /** What the Program of an earlier decision took beyond the estimate. Default: 0. */
  readonly extraFlashBytes?: number;
  /** What is minimised; missing: BitOPs. */
  readonly objective?: Objective;
  /** Whether BitOPs are minimised together with time, by plans that are about as fast as 8 bits. */
  readonly asFast?: boolean;
  /**
   * Measured sensitivities and the reduction of the objective's cost to reach with them; undefined: the entropy score.
   */
  readonly measured?: {
    readonly units: readonly DecisionUnit[];
    readonly sensitivities: Sensitivities;
    readonly target: number;
    /** The reported loss per unit of sensitivity, see OutputLoss; missing: 1. */
    readonly perDivergence?: number;
  };
  /** Whether the measured target is one that the user named; only then is it worth reporting that it cannot be reached.
   * */
  readonly targetAsked?: boolean;
  /** Decisions of an earlier plan that a person locked. */
  readonly locked?: {
    readonly maps: Readonly<Record<string, MapPlan>>;
    readonly layers: Readonly<Record<string, LayerPlan>>;
  };
}

/** The decisions, named as a plan has them. */
export interface Decision {
  readonly patchStage: PatchStage | null;
  readonly tailStages: readonly TailStage[];
  readonly maps: Record<string, MapPlan>;
  readonly layers: Record<string, LayerPlan>;
  /** Of the objective's cost by the choice of bits, without recomputed halos; undefined for the entropy score. */
  readonly reduction?: number;
  /** Why each of them has its bits. */
  readonly reasons: BitsAccounts;
  /**
   * Ways to run the network at these bits, from the least work to the least SRAM; arenas are lower bounds that layouts
   * nearly always reach. Found when asked for: of a search's many decisions, those of the last one are reported.
   * @throws CancelledError
   */
  readonly pareto: () => readonly ParetoPoint[];
  readonly notes: readonly string[];
}
