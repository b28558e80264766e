import type { Calibration } from '../calibration/types';
import { UserError } from '../common/errors';
import { resolveHead, type ResolvedHead } from '../detection/resolve';
import type { Graph } from '../graph/types';
import { importModel } from '../onnx';
import { withHead } from '../program/detection/lowerHead';
import { lower } from '../program/lower';
import type { LoweringStage } from '../program/lowering/options';
import type { Program } from '../program/types';
import { quantizeGraph, type BitDecisions } from '../quantize/quantizeGraph';
import type { QuantizedParameters } from '../quantize/types';
import { toIdentifier } from '../codegen';
import { readLabels } from './labels';
import { decisionsOf, fitsDecisions } from './decisions';
import { besidePlan, hashBytes, hashModel, modelPathOf, readParameters, readPlan } from '../plan/files';
import { inputFormats } from './inputs';
import { decodeParameters } from '../plan/parametersFile';
import { oneScaleMaps, resolveStage, resolveTailStages } from './stage';
import type { Plan } from '../plan/types';

/** A sidecar with everything that belongs to it, lowered. */
export interface OpenedPlan {
  readonly planPath: string;
  readonly plan: Plan;
  readonly modelPath: string;
  readonly graph: Graph;
  readonly stage: LoweringStage | null;
  readonly parameters: QuantizedParameters;
  /**
   * The parameters are the plan's file's; false where they were computed from the calibration, without error
   * compensation, because that does not belong to these bits.
   */
  readonly stored: boolean;
  readonly program: Program;
  /** A detector's head; null: its outputs are values. */
  readonly head: ResolvedHead | null;
  /** Names of the classes, if a file next to the model has them. Text, possibly hostile. */
  readonly labels?: readonly string[];
}

/** A model as a plan needs it. */
export interface PlanModel {
  /** Of the model's file. */
  readonly sha256: string;
  readonly graph: Graph;
}

export interface OpenPlanOptions {
  /** The plan's decisions where they differ from the file's, e.g. those of an editor that has not been saved. */
  readonly plan?: Plan;
  /** Gives the model, for callers that keep it; else it is read. */
  readonly model?: (modelPath: string, model: Plan['model']) => Promise<PlanModel>;
  /**
   * Finds the calibration with this key, if it is still cached: needed when bits were edited by hand since the
   * parameters were written.
   */
  readonly calibration?: (key: string, graph: Graph) => Promise<Calibration | null>;
}

/**
 * Opens a plan: reads the sidecar, imports its model, reads the quantized parameters (or computes them again when bits
 * were edited), and lowers.
 *
 * @throws UserError if the model is gone or changed, or something does not fit
 */
export async function openPlan(planPath: string, options: OpenPlanOptions = {}): Promise<OpenedPlan> {
  const plan = options.plan ?? (await readPlan(planPath));
  const modelPath = modelPathOf(planPath, plan);
  const { sha256, graph: known } = options.model
    ? await options.model(modelPath, plan.model)
    : { sha256: await hashModel(modelPath), graph: null };
  if (sha256 !== plan.model.sha256)
    throw new UserError(`${modelPath} has changed since ${planPath} was made. Quantize it again.`);
  const graph = known ?? (await importModel(modelPath, plan.model));
  const head = plan.detection ? resolveHead(graph, plan.detection, planPath) : null;
  const decisions = decisionsOf(graph, plan, planPath);
  const stage = resolveStage(graph, plan.patchStage, planPath);
  const { parameters, stored } = await parametersOf(graph, plan, planPath, decisions, options);
  const lowered = lower(graph, stage, parameters, {
    name: toIdentifier(plan.model.file),
    input: plan.target.input,
    sramBytes: plan.target.sramBytes,
    tailStages: resolveTailStages(graph, plan, planPath),
  });
  const program = withHead(lowered, head, plan.preprocess);
  const labels = await readLabels(modelPath);
  return { planPath, plan, modelPath, graph, stage, parameters, stored, program, head, labels };
}

async function parametersOf(
  graph: Graph,
  plan: Plan,
  planPath: string,
  decisions: BitDecisions,
  options: OpenPlanOptions,
): Promise<Pick<OpenedPlan, 'parameters' | 'stored'>> {
  const file = besidePlan(planPath, plan.parameters.file);
  const bytes = await readParameters(planPath, plan.parameters);
  let belongs = false;
  if (bytes && hashBytes(bytes) === plan.parameters.sha256) {
    const parameters = decodeParameters(graph, bytes, file);
    if (fitsDecisions(graph, parameters, decisions)) return { parameters, stored: true };
    belongs = true;
  }
  const calibration = (await options.calibration?.(plan.calibration.key, graph)) ?? null;
  if (!calibration) {
    const why =
      bytes === null
        ? `${file} is missing`
        : !belongs
          ? `${file} does not belong to this plan`
          : `bits in ${planPath} were edited`;
    throw new UserError(
      `${why}, and the calibration is not cached on this machine. Quantize the model again with its sample ` +
        `images (${plan.calibration.folder}).`,
    );
  }
  return {
    parameters: quantizeGraph(
      graph,
      calibration,
      inputFormats(graph, plan.preprocess, calibration, calibration.inputKind),
      decisions,
      oneScaleMaps(graph, plan.patchStage),
    ),
    stored: false,
  };
}
