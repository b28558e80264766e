import { classifyPatches } from '../run/classifyPatches';
import { CancelledError, UserError } from '../common/errors';
import { evaluate } from '../run/evaluate';
import type { FloatCache } from '../evaluation/floatCache';
import { decisionsOf } from '../planned/decisions';
import { classRows, resolveStage, resolveTailStages } from '../planned/stage';
import type { PatchStage } from '../plan/types';
import { checkCancelled, type Progress } from '../common/progress';
import type { QuantizedParameters } from '../quantize/types';
import { randomClasses } from '../vdpc/random';
import { accuracyOf } from './accuracy';
import { figuresOf, outliersOf } from './figures';
import { predictedLoss } from './predictedLoss';
import type { SweepSession } from './session';
import type { PointAccount, SweepAccuracy, SweepDecisions, SweepPoint, SweepSettings } from './types';

/** Images to measure on, with the float outputs of earlier points. */
export interface Measuring {
  readonly imagesPath: string;
  readonly limit: number;
  readonly float: FloatCache;
}

/** What all points of a sweep are made with. */
export interface PointMaker {
  readonly session: SweepSession;
  readonly settings: SweepSettings;
  readonly measuring: Measuring | null;
  readonly progress: Progress;
}

/** Seed of the random assignments, so that the same sweep gives the same table. */
const RANDOM_SEED = 1;

/** A point's decisions, and what is reported about them. */
export interface Decided extends SweepDecisions {
  readonly account?: PointAccount;
  readonly notes: readonly string[];
}

/** A point whose decisions are found by `decisions`; where that says that nothing fits, a point with its problem. */
export async function makePoint(
  maker: PointMaker,
  value: number,
  phi: number,
  decisions: () => Promise<Decided>,
  parameters: (decisions: SweepDecisions) => Promise<QuantizedParameters>,
): Promise<SweepPoint> {
  const { session, settings, progress } = maker;
  checkCancelled(progress);
  try {
    const { notes, account, ...rest } = await decisions();
    const chosen: SweepDecisions = {
      patchStage: rest.patchStage,
      ...(rest.tailStages?.length ? { tailStages: rest.tailStages } : {}),
      maps: rest.maps,
      layers: rest.layers,
    };
    const quantized = await parameters(chosen);
    const program = session.quantizer.lower(chosen, quantized, settings.target);
    if (program.arenaBytes > settings.target.sramBytes)
      throw new UserError(
        `Does not fit: the arena takes ${program.arenaBytes} of ${settings.target.sramBytes} bytes of SRAM.`,
      );
    const measured =
      settings.bitOpsTarget === undefined ? null : await session.quantizer.sensitivities(settings.bits, progress);
    return {
      value,
      problem: null,
      figures: figuresOf(session.graph, program, chosen.patchStage, settings.target),
      outliers: outliersOf(session.graph, session.calibration.patches, chosen.patchStage, phi, settings.epsilon),
      accuracy: await measure(maker, chosen, quantized),
      randomAccuracy: null,
      predictedLoss:
        measured && predictedLoss(session.graph, measured.units, measured.sensitivities, chosen, session.model.file),
      decisions: chosen,
      ...(account ? { account } : {}),
      notes,
    };
  } catch (error) {
    if (!(error instanceof UserError) || error instanceof CancelledError) throw error;
    return pointWithout(value, error.message);
  }
}

/** A value at which there is no plan, and why. */
export function pointWithout(value: number, problem: string): SweepPoint {
  const none = { figures: null, outliers: null, accuracy: null, randomAccuracy: null };
  return { value, problem, ...none, predictedLoss: null, decisions: null, notes: [] };
}

/** Classes of a plan's patches at another φ; everything else stays. */
export function atPhi(
  {
    session: {
      graph,
      calibration,
      model: { file },
    },
    settings,
  }: PointMaker,
  base: SweepDecisions,
  phi: number,
): SweepDecisions & { notes: string[] } {
  const notes: string[] = [];
  const stage = resolveStage(graph, base.patchStage, file);
  if (!stage) return { ...base, notes };
  const choice = { ...stage, tailStages: resolveTailStages(graph, base, file) };
  const bits = decisionsOf(graph, base, file);
  return { ...base, patchStage: classifyPatches(graph, calibration, choice, bits, { ...settings, phi }, notes), notes };
}

/**
 * Accuracy of a point's plan with its outlier patches at random positions; null where nothing is random or measured.
 */
export async function measureRandom(
  maker: PointMaker,
  { patchStage, ...others }: SweepDecisions,
  parameters: QuantizedParameters,
): Promise<SweepAccuracy | null> {
  const stage = patchStage && randomStage(patchStage);
  return stage && maker.measuring ? measure(maker, { ...others, patchStage: stage }, parameters) : null;
}

function randomStage(stage: PatchStage): PatchStage | null {
  const { rows, cols } = stage.grid;
  const outliers = [...stage.classes.join('')].filter((c) => c === 'O').length;
  if (stage.classMode === 'runtime' || outliers === 0 || outliers === rows * cols) return null;
  return { ...stage, classes: classRows(randomClasses(rows * cols, outliers, RANDOM_SEED), cols) };
}

async function measure(
  { session, settings, measuring, progress }: PointMaker,
  decisions: SweepDecisions,
  parameters: QuantizedParameters,
): Promise<SweepAccuracy | null> {
  if (!measuring) return null;
  const program = session.quantizer.lower(decisions, parameters, settings.target);
  const {
    model: { modelPath },
    graph,
  } = session;
  return accuracyOf(
    await evaluate(graph, modelPath, program, settings.preprocess, measuring.imagesPath, measuring.limit, progress, {
      task: session.quantizer.sureTask,
      floatCache: measuring.float,
      detection: session.head ? { head: session.head } : undefined,
    }),
  );
}
