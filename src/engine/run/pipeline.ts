import { promises as fs } from 'node:fs';
import * as path from 'node:path';
import { calibrateCached } from '../calibration/cache';
import { presetPreprocess } from '../calibration/preprocess';
import { listSamples } from '../calibration/samples';
import type { Preprocess } from '../calibration/types';
import { constantBytes } from '../codegen';
import type { DecideOptions } from './decide';
import { UserError } from '../common/errors';
import { GENERATOR } from '../common/generator';
import { isWeighted, type Graph } from '../graph/types';
import { importModel } from '../onnx';
import type { ParetoPoint } from '../patch/pareto';
import { hashBytes, hashFile, readPlan, writeFilesWhole } from '../plan/files';
import { encodeParameters } from '../plan/parametersFile';
import { formatPlan, parametersFileName } from '../plan/sidecar';
import { outlierShare } from '../planned/stage';
import type { Bits, WeightBits } from '../graph/bits';
import type { Plan } from '../plan/types';
import type { PlanTarget } from '../targets/types';
import { programCost, redundantMacsPercent } from '../cost/cost';
import { int8LayerwiseArenaBytes } from '../patch/int8Layerwise';
import { latencyMs } from '../cost/latency';
import type { Program } from '../program/types';
import { checkCancelled, type Progress } from '../common/progress';
import { Quantizer, type Quantized } from './quantizer';
import { targets as boards } from '../targets/targets';

/** How bits are chosen. */
export type SearchMethod = 'sensitivity' | 'entropy';

export interface QuantizeOptions {
  readonly modelPath: string;
  /** The sidecar to write. Locked decisions of one that is already there are kept. */
  readonly planPath: string;
  /** Folder of images or arrays, or an array file. */
  readonly imagesPath: string;
  readonly target: PlanTarget;
  readonly grid: DecideOptions['grid'];
  readonly bits?: readonly Bits[];
  readonly weights: WeightBits | 'auto';
  readonly phi?: number;
  readonly lambda?: number;
  readonly epsilon?: number;
  /** How bits are chosen: by measured sensitivity (default), or by the paper's entropy score, for which `lambda` is. */
  readonly search?: SearchMethod;
  /**
   * Reduction of BitOPs against 8 bits to reach by measured sensitivity, > 1; with an accuracy budget, the most that is
   * tried.
   */
  readonly bitOpsTarget?: number;
  /**
   * Points of top-1 that may be lost (percent of the outputs' power for networks that are no classifiers): the largest
   * reduction that keeps to it, by measured sensitivity.
   */
  readonly accuracyBudget?: number;
  readonly classes: 'static' | 'runtime';
  /** Null: `unit` preset. */
  readonly preprocess: Preprocess | null;
  /** Fit weights to what the integer network computes (see compensate/); unless false. */
  readonly compensate?: boolean;
  /** Use at most so many samples; 0: all. */
  readonly limit: number;
  readonly sizes?: Readonly<Record<string, number>>;
  /** Where calibrations are cached; null: nowhere. */
  readonly cachePath: string | null;
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

export interface QuantizeOutcome {
  readonly summary: QuantizeSummary;
  readonly target: PlanTarget;
  readonly program: Program;
  /** Things the user should know, one line each. */
  readonly notes: readonly string[];
}

/** What `quantize --json` prints. */
export interface QuantizeSummary {
  /** Path of the sidecar. */
  readonly plan: string;
  /** Id of the board. */
  readonly target: string;
  /** Null: layer by layer. */
  readonly patch: {
    /** rows×columns, e.g. `3x3`. */
    readonly grid: string;
    /** Layers of the patch stage. */
    readonly layers: number;
    readonly branches: readonly { readonly row: number; readonly col: number; readonly class: 'outlier' | 'regular' }[];
    /** MACs that are computed more than once, relative to the network's. */
    readonly redundantMacsPercent: number;
  } | null;
  /** MACs of one inference, recomputed halos included. */
  readonly macs: number;
  readonly bitOps: { readonly int8Patch: number; readonly plan: number; readonly reduction: number };
  readonly memory: {
    readonly arenaBytes: number;
    readonly int8LayerwiseArenaBytes: number;
    readonly weightBytes: number;
  };
  /** Estimate for one inference, from a model of the kernels (program/latency.ts); null for cores without one. */
  readonly latencyMs: number | null;
  /** Ways to run the network at the plan's bits, from the least work to the least SRAM. */
  readonly pareto: readonly ParetoPoint[];
  readonly seconds: { readonly calibrate: number; readonly search: number; readonly total: number };
}

/**
 * The whole story: import, calibrate on sample images, decide (VDQS, planner, VDPC), quantize, lower, and write the
 * plan beside its parameters. Either both files are written whole or nothing is.
 *
 * @throws UserError with what is wrong and what to do; CancelledError
 */
export async function quantize(options: QuantizeOptions, progress: Progress): Promise<QuantizeOutcome> {
  const clock = stopwatch();
  progress.report('Reading the model', 0, 0);
  const sha256 = await hashFile(options.modelPath);
  const graph = await importModel(options.modelPath, { sizes: options.sizes });
  const preprocess = options.preprocess ?? presetPreprocess('unit');
  const notes: string[] = [];
  const locked = await lockedDecisions(options.planPath);

  const samples = await listSamples(options.imagesPath, graph, options.limit);
  notes.push(...samples.notes);
  const calibration = await calibrateCached(
    graph,
    options.modelPath,
    samples,
    preprocess,
    options.cachePath,
    progress,
    notes,
  );
  const calibrate = clock();

  const { phi, lambda, epsilon, bits } = DEFAULTS;
  const search = {
    phi,
    lambda,
    epsilon,
    bits,
    ...defined({ bits: options.bits, phi: options.phi, lambda: options.lambda, epsilon: options.epsilon }),
    weights: options.weights,
  };
  // Without weights there are no BitOPs to save.
  const limits = graph.layers.some(isWeighted) ? measuredLimits(options) : null;
  const quantizer = new Quantizer(
    {
      graph,
      modelPath: options.modelPath,
      planPath: options.planPath,
      samples,
      preprocess,
      calibration,
      compensate: options.compensate,
      keepBack: limits?.accuracyBudget !== undefined,
      search: { ...search, target: options.target, grid: options.grid, classes: options.classes, locked },
    },
    progress,
  );
  const { decision, parameters, program, reduction } = await quantizeTo(quantizer, limits, notes);
  notes.push(...decision.notes);
  if (program.arenaBytes > options.target.sramBytes) {
    throw new UserError(
      `Does not fit: the arena takes ${program.arenaBytes} bytes of ${options.target.sramBytes} bytes of SRAM. ` +
        'Allow fewer bits, another grid or more SRAM.',
    );
  }

  const bytes = encodeParameters(graph, parameters);
  const plan: Plan = {
    version: 1,
    generator: GENERATOR,
    model: {
      file: relativeTo(options.planPath, options.modelPath),
      sha256,
      ...(options.sizes ? { sizes: options.sizes } : {}),
    },
    preprocess,
    target: options.target,
    search: {
      method: reduction === undefined ? 'entropy' : 'sensitivity',
      ...defined({
        bitOpsTarget: reduction === undefined ? undefined : Math.round(reduction * 1000) / 1000,
        ...budgetOf(limits),
      }),
      phi: search.phi,
      lambda: search.lambda,
      epsilon: search.epsilon,
      bits: search.bits,
      weights: search.weights,
    },
    calibration: {
      key: calibration.key,
      images: calibration.images,
      folder: relativeTo(options.planPath, options.imagesPath),
    },
    patchStage: decision.patchStage,
    ...(decision.tailStages.length > 0 ? { tailStages: decision.tailStages } : {}),
    maps: decision.maps,
    layers: decision.layers,
    parameters: { file: parametersFileName(options.planPath), sha256: hashBytes(bytes) },
  };
  checkCancelled(progress);
  if ((await hashFile(options.modelPath)) !== sha256)
    throw new UserError(
      `${options.modelPath} changed while it was being quantized, so nothing was written. Quantize it again.`,
    );
  await writeFilesWhole([
    { path: path.join(path.dirname(options.planPath), plan.parameters.file), data: bytes },
    { path: options.planPath, data: formatPlan(plan) },
  ]);
  const summary = summarize(graph, program, plan, options.planPath, decision.pareto, {
    calibrate,
    search: quantizer.searchSeconds,
    total: clock(),
  });
  return { summary, target: options.target, program, notes };
}

/** What a search by measured sensitivity has to keep to; null: by the entropy score. */
interface MeasuredLimits {
  readonly bitOpsTarget?: number;
  readonly accuracyBudget?: number;
}

/**
 * The limits that were given, or the default ones; none where everything stays at 8 bits, and for the entropy score.
 */
function measuredLimits({ search, bits, bitOpsTarget, accuracyBudget }: QuantizeOptions): MeasuredLimits | null {
  if (search === 'entropy') return null;
  if (bitOpsTarget !== undefined || accuracyBudget !== undefined) return { bitOpsTarget, accuracyBudget };
  const free = (bits ?? DEFAULTS.bits).some((b) => b < 8);
  return free ? { bitOpsTarget: DEFAULTS.bitOpsTarget, accuracyBudget: DEFAULTS.accuracyBudget } : null;
}

/** The budget as a plan records it, so that it can be made again. */
function budgetOf(limits: MeasuredLimits | null): Pick<Plan['search'], 'accuracyBudget' | 'mostReduction'> {
  return limits?.accuracyBudget === undefined
    ? {}
    : { accuracyBudget: limits.accuracyBudget, mostReduction: limits.bitOpsTarget };
}

async function quantizeTo(
  quantizer: Quantizer,
  limits: MeasuredLimits | null,
  notes: string[],
): Promise<Quantized & { readonly reduction?: number }> {
  if (limits === null) return quantizer.quantize();
  const { bitOpsTarget, accuracyBudget } = limits;
  if (accuracyBudget !== undefined) return quantizer.quantizeWithin(accuracyBudget, bitOpsTarget, notes);
  return { ...(await quantizer.quantize(bitOpsTarget)), reduction: bitOpsTarget };
}

function summarize(
  graph: Graph,
  program: Program,
  plan: Plan,
  planPath: string,
  pareto: readonly ParetoPoint[],
  seconds: QuantizeSummary['seconds'],
): QuantizeSummary {
  const stage = plan.patchStage;
  const cost = programCost(graph, program, stage ? outlierShare(stage) : 0);
  const board = boards.find((t) => t.id === plan.target.id) ?? null;
  const stageLayers = new Set(program.steps.filter((s) => s.branch !== null).map((s) => s.layer));
  const round = (s: number): number => Math.round(s * 1000) / 1000;
  return {
    plan: planPath,
    target: plan.target.id,
    patch: stage && {
      grid: `${stage.grid.rows}x${stage.grid.cols}`,
      layers: stageLayers.size,
      branches: program.branches.map(({ row, col }) => ({
        row,
        col,
        class: stage.classes[row][col] === 'O' ? 'outlier' : 'regular',
      })),
      redundantMacsPercent: redundantMacsPercent(graph, cost),
    },
    macs: cost.macs,
    bitOps: {
      int8Patch: cost.bitOpsInt8,
      plan: cost.bitOps,
      reduction: cost.bitOps > 0 ? cost.bitOpsInt8 / cost.bitOps : 1,
    },
    memory: {
      arenaBytes: program.arenaBytes,
      int8LayerwiseArenaBytes: int8LayerwiseArenaBytes(graph, plan.target.input === 'external'),
      weightBytes: constantBytes(program),
    },
    latencyMs: board && latencyMs(program, board.core, board.clockMHz, stage ? outlierShare(stage) : 0),
    pareto,
    seconds: { calibrate: round(seconds.calibrate), search: round(seconds.search), total: round(seconds.total) },
  };
}

/**
 * Decisions that a person locked in an earlier plan at the same place; none when there is no file. One that is no plan
 * is somebody's work and not overwritten.
 */
export async function lockedDecisions(planPath: string): Promise<DecideOptions['locked']> {
  const isThere = await fs.access(planPath).then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  try {
    const { maps, layers } = await readPlan(planPath);
    return { maps, layers };
  } catch (error) {
    throw new UserError(
      `${(error as Error).message} The new plan would take its place: correct it, or delete it first.`,
      { cause: error },
    );
  }
}

/** Path as a sidecar names it: relative to itself, with '/'. */
export function relativeTo(planPath: string, file: string): string {
  return (
    path
      .relative(path.dirname(path.resolve(planPath)), path.resolve(file))
      .split(path.sep)
      .join('/') || '.'
  );
}

function defined<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

function stopwatch(): () => number {
  const begin = performance.now();
  return () => (performance.now() - begin) / 1000;
}
