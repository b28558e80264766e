import * as path from 'node:path';
import type { Calibration, Preprocess } from '../calibration/types';
import { UserError } from '../common/errors';
import { GENERATOR } from '../common/generator';
import type { ResolvedHead } from '../detection/resolve';
import type { Task } from '../graph/task';
import type { Graph } from '../graph/types';
import { hashBytes, hashFile, writePlanWhole } from '../plan/files';
import { encodeParameters } from '../plan/parametersFile';
import { modelOf } from '../plan/modelOf';
import { relativeTo } from '../plan/relativeTo';
import { formatPlan, parametersFileName } from '../plan/sidecar';
import { toldOf } from '../plan/toldOf';
import type { ExpectedLoss, Plan, PlanAccount } from '../plan/types';
import type { Objective } from '../vdqs/decisionCost';
import { defined } from './defined';
import type { QuantizeOptions } from './options';
import type { Quantized } from './quantizer';
import type { QuantizeSummary } from './quantizeSummary';

/** What a search by measured sensitivity minimises, and its limits. */
export interface MeasuredLimits {
  readonly objective: Objective;
  readonly latencyBudget?: number;
  readonly bitOpsTarget?: number;
  readonly accuracyBudget?: number;
  /** Where time, which nobody asked for, is not worth the accuracy, other things may be. */
  readonly worthwhile?: boolean;
}

/** The parameters of a search as a plan records them. */
export type SearchParameters = Pick<Plan['search'], 'phi' | 'lambda' | 'epsilon' | 'bits' | 'weights'>;

/** The result of a search, as a plan records it. */
export type SearchOutcome = Pick<QuantizeSummary, 'loss' | 'limitedBy' | 'notes'>;

/** Everything in a plan that does not depend on the search. */
export interface PlanContext {
  readonly options: QuantizeOptions;
  readonly graph: Graph;
  /** Of the model when it was read. */
  readonly sha256: string;
  readonly preprocess: Preprocess;
  readonly task: Task | undefined;
  readonly head: ResolvedHead | null | undefined;
  readonly search: SearchParameters;
  /** Null: bits by the entropy score. */
  readonly limits: MeasuredLimits | null;
  readonly calibration: Calibration;
}

/** What a search found; without a reduction, bits are by the entropy score. */
export type Searched = Quantized & {
  readonly reduction?: number;
  /** What was minimised, where it is not what was asked for. */
  readonly objective?: Objective;
};

/** Writes a plan with its parameters, once, or repeatedly as the search finds better ones. */
export class PlanWriter {
  /** SHA-256 of the sidecar as it was written last; null: not yet. */
  private written: string | null = null;

  constructor(private readonly context: PlanContext) {}

  /**
   * Either both files are written whole or nothing is.
   * @param found with the reduction that it was made for; without one, bits are by the entropy score
   * @param outcome of the search; missing for an intermediate plan
   * @throws UserError where the model, or a plan that was written before, has been changed since
   */
  async write(found: Searched, outcome?: SearchOutcome): Promise<Plan> {
    const { options, graph, sha256 } = this.context;
    const bytes = encodeParameters(graph, found.parameters);
    const plan = this.planOf(found, hashBytes(bytes), outcome);
    if ((await hashFile(options.modelPath)) !== sha256)
      throw new UserError(
        `${options.modelPath} changed while it was being quantized, so nothing was written. Quantize it again.`,
      );
    if (this.written !== null && (await hashFile(options.planPath).catch(() => null)) !== this.written)
      throw new UserError(
        `${options.planPath} was changed during the search. The search was stopped and your change kept.`,
      );
    const text = formatPlan(plan);
    await writePlanWhole(
      { path: options.planPath, data: text },
      { path: path.join(path.dirname(options.planPath), plan.parameters.file), data: bytes },
    );
    this.written = hashBytes(text);
    return plan;
  }

  private planOf(found: Searched, parametersHash: string, outcome: SearchOutcome | undefined): Plan {
    const { options, graph, sha256, preprocess, task, head, search, limits, calibration } = this.context;
    const { decision, reduction, objective = limits?.objective } = found;
    const { patchStage, tailStages } = decision;
    const told = { target: options.target, patchStage, tailStages };
    return {
      version: 1,
      generator: GENERATOR,
      model: modelOf(options.planPath, { ...options, sha256 }, graph),
      preprocess,
      ...(task ? { task } : {}),
      ...(head ? { detection: head.head } : {}),
      target: options.target,
      search: {
        method: reduction === undefined ? 'entropy' : 'sensitivity',
        ...(objective && objective !== 'bitops' ? { objective } : {}),
        ...defined({
          latencyBudget: limits?.latencyBudget,
          bitOpsTarget: reduction === undefined ? undefined : Math.round(reduction * 1000) / 1000,
          ...budgetOf(limits),
        }),
        ...search,
      },
      calibration: {
        key: calibration.key,
        images: calibration.images,
        folder: relativeTo(options.planPath, options.imagesPath),
      },
      patchStage,
      ...(tailStages.length > 0 ? { tailStages } : {}),
      maps: decision.maps,
      layers: decision.layers,
      ...(outcome ? { account: accountOf(outcome, decision, told) } : {}),
      parameters: { file: parametersFileName(options.planPath), sha256: parametersHash },
    };
  }
}

/** The budget as a plan records it, so that the plan can be reproduced. */
function budgetOf(limits: MeasuredLimits | null): Pick<Plan['search'], 'accuracyBudget' | 'mostReduction'> {
  return limits?.accuracyBudget === undefined
    ? {}
    : { accuracyBudget: limits.accuracyBudget, mostReduction: limits.bitOpsTarget };
}

/**
 * How decisions were made, as a plan records it.
 * @param told the board and patches that the outcome belongs to
 */
export function accountOf(
  { loss, limitedBy, notes }: SearchOutcome,
  { reasons }: Pick<Quantized['decision'], 'reasons'>,
  told: Pick<Plan, 'target' | 'patchStage' | 'tailStages'>,
): PlanAccount {
  return { ...(loss === null ? {} : { loss: shortened(loss) }), limitedBy, notes, toldOf: toldOf(told), ...reasons };
}

/** Four digits are all that is known. */
function shortened(loss: ExpectedLoss): ExpectedLoss {
  const short = (value: number): number => Number(value.toPrecision(4));
  const both = (interval: ExpectedLoss['interval']): ExpectedLoss['interval'] =>
    interval && { low: short(interval.low), high: short(interval.high) };
  const { expected, interval, at8, at8Interval } = loss;
  return {
    ...loss,
    expected: short(expected),
    interval: both(interval),
    at8: short(at8),
    at8Interval: both(at8Interval),
  };
}
