import * as path from 'node:path';
import { calibrateCached } from '../calibration/cache';
import { listSamples } from '../calibration/samples';
import { UserError } from '../common/errors';
import { GENERATOR } from '../common/generator';
import { checkCancelled, type Progress } from '../common/progress';
import { isWeighted } from '../graph/types';
import { importModel } from '../onnx';
import { hashBytes, hashFile, writeFilesWhole } from '../plan/files';
import { encodeParameters } from '../plan/parametersFile';
import { relativeTo } from '../plan/relativeTo';
import { formatPlan, parametersFileName } from '../plan/sidecar';
import type { Plan } from '../plan/types';
import { orderNotes } from '../program/portOrder';
import type { Program } from '../program/types';
import { chooseDetection } from './chooseDetection';
import { lockedDecisions } from './lockedDecisions';
import { DEFAULTS, type QuantizeOptions } from './options';
import { Quantizer, type Quantized } from './quantizer';
import type { QuantizeSummary } from './quantizeSummary';
import { summarize } from './summarize';

/** Said where a vector of scores may have been taken for values. */
const VALUES_NOTE =
  'The output is taken for values, for the network does not end in Softmax and the samples have no labels. If it ' +
  'holds scores of classes, give --task classify (setting quantmcu.task), or labels.';

/** What a run of {@link quantize} gives. */
export interface QuantizeOutcome {
  readonly summary: QuantizeSummary;
  readonly program: Program;
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
  const notes: string[] = [];
  const { task, head, preprocess } = await chooseDetection(graph, options, notes);
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
      task,
      head,
      compensate: options.compensate,
      threads: options.threads,
      keepBack: limits?.accuracyBudget !== undefined,
      search: { ...search, target: options.target, grid: options.grid, classes: options.classes, locked },
    },
    progress,
  );
  const { sureTask } = quantizer;
  if (sureTask === undefined) notes.push(VALUES_NOTE);
  const { decision, parameters, program, reduction } = await quantizeTo(quantizer, limits, notes);
  notes.push(...decision.notes, ...orderNotes(program.inputs, program.outputs));
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
    ...(sureTask ? { task: sureTask } : {}),
    ...(head ? { detection: head.head } : {}),
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
  const seconds = { calibrate, search: quantizer.searchSeconds, total: clock() };
  const summary = summarize({
    graph,
    program,
    plan,
    planPath: options.planPath,
    pareto: decision.pareto,
    notes,
    seconds,
  });
  return { summary, program };
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

function defined<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

function stopwatch(): () => number {
  const begin = performance.now();
  return () => (performance.now() - begin) / 1000;
}
