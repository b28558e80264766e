import { assembled } from '../codegen';
import { flashOptions, formsFlashBytes, mostFlashBytes } from '../targets/capacity';
import { programCost, type ProgramCost } from '../cost/cost';
import { outlierShare } from '../planned/stage';
import { decide } from './decide';
import { isMixed } from './isMixed';
import { BITOPS_WORTH, planCost } from './planCost';
import type { Decision } from './decisionTypes';
import type { Task } from '../graph/task';
import { plannedInstructions } from '../planned/work';
import type { Dampings } from '../compensate/compensate';
import { LossEstimator } from './lossEstimator';
import { LEAST_SPLIT } from './lossNotes';
import { COMPENSATION_IMAGES, ModelQuantizer } from './modelQuantizer';
import type { Program } from '../program/types';
import type { Progress } from '../common/progress';
import { endRest } from '../inference/pool';
import type { QuantizedParameters } from '../quantize/types';
import { ATTEMPTS, searchWithinBudget, type Attempt } from '../vdqs/accuracyBudget';
import type { PhasedProgress } from './phases';
import { raiseBits } from './raiseBits';
import type { QuantizerJob } from './quantizerJob';
import type { ExpectedLoss, SearchLimit } from '../plan/types';
import { freeChoices } from '../vdqs/freeChoices';
import { instructionsMs } from '../cost/latency';
import { boardOf, targetOf } from '../targets/targetFacts';
import type { Objective } from '../vdqs/decisionCost';
import { foreseenLoss, searchTradeOff } from '../vdqs/searchTradeOff';

/** Share of the images that weights are fitted to if others must be held back. */
const FITTED_SHARE = 0.75;
/** No plan of 4-bit maps and weights reaches more; 2-bit maps may, and are then not all used. */
const MOST_REDUCTION = 4;
/** Share of a plan's flash by which a plan that should leave the whole reserve may miss it: the estimate is closer. */
const RESERVE_MISS = 0.02;

/** Decisions with everything that follows from them. */
export interface Quantized {
  readonly decision: Decision;
  readonly parameters: QuantizedParameters;
  readonly program: Program;
  /** Of the weights' fits. */
  readonly dampings: Dampings;
}

/** What attempts chose, the first of them where several did. */
function knownDampings(earlier: readonly Quantized[]): Dampings | null {
  return earlier.length === 0 ? null : new Map([...earlier].reverse().flatMap(({ dampings }) => [...dampings]));
}

/** What was found for a budget. */
export interface Budgeted extends Quantized {
  readonly objective: Objective;
  readonly reduction: number;
  readonly loss: ExpectedLoss;
  readonly limitedBy: SearchLimit;
}

/**
 * Decides and quantizes, once or for several reductions of BitOPs: what does not depend on the reduction is computed
 * once.
 */
export class Quantizer {
  private readonly model: ModelQuantizer;
  private readonly estimator: LossEstimator;
  /** Time spent on decisions, in seconds. */
  searchSeconds = 0;
  private attempts = 0;
  private countAt8: number | null = null;
  private readonly counts = new WeakMap<Decision, number>();

  constructor(
    private readonly job: QuantizerJob,
    private readonly progress: Progress & Partial<Pick<PhasedProgress, 'enter' | 'tried'>>,
  ) {
    const count = job.samples.samples.length;
    const fitImages = Math.min(COMPENSATION_IMAGES, count < LEAST_SPLIT ? count : Math.ceil(count * FITTED_SHARE));
    this.model = new ModelQuantizer({ ...job, fitImages, file: job.planPath });
    this.estimator = new LossEstimator({ ...job, fitImages, fits: this.fits }, this.model);
  }

  /** See {@link ModelQuantizer.sureTask}. */
  get sureTask(): Task | undefined {
    return this.model.sureTask;
  }

  /**
   * @param reduction of BitOPs, by measured sensitivities; undefined: bits by the entropy score
   * @param dampings of an earlier fit, to be reused
   * @param asked whether the user named the reduction
   * @param search in place of the job's
   * @throws UserError when nothing fits; CancelledError
   */
  async quantize(
    reduction?: number,
    dampings: Dampings | null = null,
    asked = false,
    search = this.job.search,
  ): Promise<Quantized> {
    const { graph, calibration } = this.job;
    const measured =
      reduction === undefined
        ? undefined
        : { ...(await this.model.sensitivities(search.bits, this.progress)), target: reduction };
    const decided = (extraFlashBytes: number): Decision => {
      const begin = performance.now();
      const options = { ...search, measured, targetAsked: asked, extraFlashBytes };
      const decision = decide(graph, calibration, options, this.progress);
      this.searchSeconds += (performance.now() - begin) / 1000;
      return decision;
    };
    return this.fitting(this.fits, decided, dampings);
  }

  /** What a plan is expected to lose, whatever search found it; null where there are no weights to quantize. */
  async lossOf({ program }: Quantized, budget: number | null): Promise<ExpectedLoss | null> {
    return this.estimator.hasWeights ? this.estimator.lossOf(program, budget, this.progress) : null;
  }

  /** Whether losses are counted in right answers. */
  get hasClasses(): boolean {
    return this.estimator.hasClasses;
  }

  /** What a detector's loss is estimated from, as a line for the user; null before it was, and for other networks. */
  get lossBasis(): string | null {
    return this.estimator.basis;
  }

  private get fits(): boolean {
    return this.job.compensate ?? true;
  }

  /**
   * Decisions whose Program fits in the flash. Patches and tables may take more than was estimated: fewer bits of
   * weights make room for them, or the search reports that nothing does.
   */
  private async fitting(
    compensate: boolean,
    decided: (extraFlashBytes: number) => Decision,
    earlier: Dampings | null = null,
  ): Promise<Quantized> {
    const { target, weights } = this.job.search;
    const most = mostFlashBytes(target);
    const unreserved = formsFlashBytes(target);
    let reserveMissed: Quantized | null = null;
    for (let extraFlashBytes = 0; ;) {
      const decision = decided(extraFlashBytes);
      const { parameters, dampings } = await this.model.compensated(decision, compensate, this.progress, earlier);
      const program = this.model.lower(decision, parameters, target);
      const quantized = { decision, parameters, program, dampings };
      const { total } = assembled(program, flashOptions(target)).flash;
      if (total <= unreserved) return quantized;
      if (reserveMissed !== null) return reserveMissed;
      if (total <= most) {
        // Bits that should leave the whole reserve miss it by the estimate's error: one more attempt is worthwhile.
        if (weights !== 'auto' || total - unreserved > RESERVE_MISS * total) return quantized;
        reserveMissed = quantized;
      }
      const limit = total <= most ? unreserved : most;
      extraFlashBytes += total - limit + Math.ceil(total / 200);
    }
  }

  /**
   * Everything at 8 bits, with weights only rounded: available within seconds.
   * @throws UserError when it does not fit; CancelledError
   */
  async first(): Promise<Quantized> {
    const { graph, calibration, search } = this.job;
    return this.fitting(false, (extraFlashBytes) =>
      decide(graph, calibration, { ...search, bits: [8], extraFlashBytes }, this.progress),
    );
  }

  /**
   * The largest reduction, at most `wanted`, that is expected to lose no more than a budget beyond what 8 bits
   * lose, by images that nothing was fitted to.
   *
   * @param budget points of top-1; where there are no classes, percent of the outputs' power that may be error
   * @param onBetter gets every attempt within the budget, each better than the one before
   * @param minimise what was asked for, or time and BitOPs of plans that are about as fast as 8 bits
   */
  async quantizeWithin(
    budget: number,
    wanted: number = MOST_REDUCTION,
    onBetter: (better: Budgeted) => Promise<void> = async () => undefined,
    minimise: 'asked' | 'asFast' = 'asked',
  ): Promise<Budgeted> {
    const { graph } = this.job;
    const search: QuantizerJob['search'] =
      minimise === 'asked' ? this.job.search : { ...this.job.search, objective: 'bitops', asFast: true };
    const { units } = this.model;
    this.progress.enter?.(2);
    const { sensitivities } = await this.model.sensitivities(search.bits, this.progress);
    const perDivergence = await this.estimator.perDivergence(this.progress);
    // What the float network gives is known: its process would keep its memory while weights are fitted.
    endRest();
    const { objective = 'bitops' } = search;
    const cost = planCost(graph, units, search);
    const free = freeChoices(graph, units, search.bits, search.weights);
    const predicted = foreseenLoss(graph, units, sensitivities, free, cost);
    const reachable = searchTradeOff(graph, units, sensitivities, free, 16, cost).reduction;
    const most = Math.min(wanted, reachable);
    let kept: (Budgeted & Attempt) | null = null;
    let reported = Promise.resolve();
    const isBetter = (a: Budgeted, b: Budgeted): boolean => {
      const less = this.counted(b, search) - this.counted(a, search);
      return less > 0 || (less === 0 && a.reduction > b.reduction);
    };
    const attempt = async (reduction: number, earlier: readonly Budgeted[]): Promise<Budgeted & Attempt> => {
      this.enterAttempt();
      const quantized = await this.quantize(reduction, knownDampings(earlier), false, search);
      const lost = await this.estimator.lossOf(quantized.program, budget, this.progress);
      // If fewer bits are slower on the core, the plan keeps 8, whatever the budget.
      const slower = reduction > 1 && !isMixed(quantized.decision);
      const reached = reachable <= wanted ? 'bits' : 'reduction';
      const limitedBy: SearchLimit = slower ? 'bits' : reduction < most ? 'loss' : reached;
      this.tellTried(quantized.decision, lost.expected, budget);
      const told = search.asFast === true ? this.bitOpsReduction(quantized) : reduction;
      const found = { ...quantized, objective, reduction: told, loss: lost, limitedBy, pointsLost: lost.expected };
      // Attempts end in any order; only what is better than all before is reported, one after the other.
      reported = reported.then(async () => {
        if (lost.expected > budget || (kept !== null && !isBetter(found, kept))) return;
        kept = found;
        await onBetter(found);
      });
      await reported;
      return found;
    };
    const { best: last } = await searchWithinBudget(budget, most, predicted, perDivergence, attempt);
    // A larger reduction by the search's sums need not be the faster plan.
    const best = kept ?? last;
    return best;
  }

  /** The same with 16 bits for maps that limit accuracy, where that pays, see {@link raiseBits}. */
  raise<T extends Quantized>(found: T, latencyBudget: number | undefined): Promise<T> {
    const { job, model, estimator, fits, progress } = this;
    return raiseBits({ job, model, estimator, fits }, found, latencyBudget, progress);
  }

  private tellTried(decision: Decision, loss: number, budget: number): void {
    const instructions = this.instructions(decision);
    const ms = instructionsMs(instructions, boardOf(targetOf(this.job.search.target)));
    this.progress.tried?.({ instructions, ms, loss, budget });
  }

  /** Everything at 8 bits but the weights that flash requires fewer of. */
  wideDecision(): Decision {
    const { graph, calibration, search } = this.job;
    return decide(graph, calibration, { ...search, bits: [8] }, this.progress);
  }

  /** Estimated instructions of one inference; once for each decision, which is asked about again and again. */
  instructions(decision: Decision): number {
    const { graph, search, planPath } = this.job;
    let count = this.counts.get(decision);
    if (count === undefined) {
      count = plannedInstructions(graph, { ...decision, target: search.target }, planPath).total;
      this.counts.set(decision, count);
    }
    return count;
  }

  /** Those of {@link wideDecision}. */
  get instructionsAt8(): number {
    return (this.countAt8 ??= this.instructions(this.wideDecision()));
  }

  /** What is compared of plans: instructions, or these and BitOPs; 0 for what the reduction alone compares. */
  private counted(quantized: Quantized, { objective, asFast }: QuantizerJob['search']): number {
    if (objective === 'latency') return this.instructions(quantized.decision);
    if (asFast !== true) return 0;
    return (
      this.instructions(quantized.decision) / this.instructionsAt8 + BITOPS_WORTH / this.bitOpsReduction(quantized)
    );
  }

  private bitOpsReduction(quantized: Quantized): number {
    const { bitOps, bitOpsInt8 } = this.cost(quantized);
    return bitOps > 0 ? bitOpsInt8 / bitOps : 1;
  }

  /** BitOPs of a plan, with recomputed halos and outlier patches, and at 8 bits. */
  cost({ program, decision: { patchStage } }: Quantized): Pick<ProgramCost, 'bitOps' | 'bitOpsInt8'> {
    return programCost(this.job.graph, program, patchStage ? outlierShare(patchStage) : 0);
  }

  /** A second search takes the place of attempts that the first one left. */
  private enterAttempt(): void {
    this.progress.enter?.(3, Math.min(this.attempts++, ATTEMPTS - 1), ATTEMPTS);
  }
}
