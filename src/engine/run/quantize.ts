import * as path from 'node:path';
import { calibrateCached } from '../calibration/cache';
import type { Preprocess } from '../calibration/types';
import { loadPreprocess } from '../calibration/preprocess';
import { listSamples } from '../calibration/samples';
import { CancelledError, UserError } from '../common/errors';
import { checkCancelled, type Progress } from '../common/progress';
import { programCost } from '../cost/cost';
import { graphFlashBytes } from '../cost/graphFlash';
import { searchedBits } from '../graph/bits';
import { isWeighted, type Graph } from '../graph/types';
import { assembled } from '../codegen/flash';
import { flashOptions, mostFlashBytes } from '../targets/capacity';
import { coreOf } from '../targets/targets';
import { noFlashFit } from './bitState';
import type { ParetoPoint } from '../patch/pareto';
import { assertReplaceable } from '../plan/ownFile';
import { parametersFileName } from '../plan/sidecar';
import { outlierShare } from '../planned/stage';
import { orderNotes } from '../program/portOrder';
import type { Program } from '../program/types';
import { chooseDetection } from './chooseDetection';
import { findPreprocess, preprocessNote } from './findPreprocess';
import { measuredLimits, quantizeTo, type Found } from './limits';
import { lockedDecisions } from './lockedDecisions';
import { DEFAULTS, type QuantizeOptions } from './options';
import { isMixed } from './isMixed';
import { Quantizer } from './quantizer';
import { defined } from './defined';
import { flashNotes } from './flashNotes';
import { PhasedProgress } from './phases';
import { PlanWriter, type MeasuredLimits, type SearchOutcome, type SearchParameters } from './planWriter';
import type { QuantizeSummary } from './quantizeSummary';
import { readNetwork } from './readNetwork';
import { summarize } from './summarize';
import { endNote, lossNotes } from './lossNotes';

/** A note for a vector of scores that may have been treated as values. */
const VALUES_NOTE =
  'The output is treated as values, since the network does not end in Softmax and the samples have no labels. ' +
  'If it holds class scores, set --task classify (setting quantmcu.task) or provide labels.';

/** What a run of {@link quantize} gives. */
export interface QuantizeOutcome {
  readonly summary: QuantizeSummary;
  readonly program: Program;
}

/**
 * The whole story: import, calibrate on sample images, decide (VDQS, planner, VDPC), quantize, lower, and write the
 * plan with its parameters. Either both files are written whole or nothing is.
 *
 * @throws UserError with what is wrong and what to do; CancelledError
 */
export async function quantize(options: QuantizeOptions, target: Progress): Promise<QuantizeOutcome> {
  const clock = stopwatch();
  const progress = new PhasedProgress(target, raises(options) ? [...PHASES, RAISING] : PHASES);
  progress.report('Reading the model', 0, 0);
  await assertOwn(options);
  const { sha256, graph, cut } = await readNetwork(options, options.model);
  const notes: string[] = [];
  refuseHopeless(graph, options);
  const { task, head, preprocess: plain } = await chooseDetection(graph, options, notes, cut);
  const preprocess = options.preprocess || head ? plain : await findOrTake(plain, graph, options, progress, notes);
  const locked = options.force ? undefined : await lockedDecisions(options.planPath);

  const samples = await listSamples(options.imagesPath, graph, options.limit);
  notes.push(...samples.notes);
  const { modelPath, cachePath } = options;
  const calibration = await calibrateCached(graph, modelPath, samples, preprocess, cachePath, progress, notes);
  const calibrate = clock();

  const search = searchParameters(options);
  // Without weights there are no BitOPs to save.
  const limits = graph.layers.some(isWeighted) ? measuredLimits(options) : null;
  const objective = limits?.objective ?? 'bitops';
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
      search: {
        ...search,
        bits: searchedBits(search.bits),
        objective,
        target: options.target,
        grid: options.grid,
        classes: options.classes,
        halos: options.halos,
        locked,
      },
    },
    progress,
  );
  const { sureTask } = quantizer;
  if (sureTask === undefined) notes.push(VALUES_NOTE);
  const facts = { options, graph, sha256, preprocess, task: sureTask, head, search, limits, calibration };
  const writer = new PlanWriter(facts);
  // An existing plan is only replaced by a finished one.
  const early = options.early === true && locked === undefined;
  const live = options.early ? { writer: early ? writer : null } : null;
  const found = await searchLive(graph, quantizer, options, limits, notes, live, progress);
  notes.push(...found.decision.notes, ...orderNotes(found.program.inputs, found.program.outputs));
  checkFits(found.program, options);
  const { total } = assembled(found.program, flashOptions(options.target)).flash;
  notes.push(...flashNotes(total, options.target));
  if (!found.keptEarly) checkCancelled(progress);
  const outcome = await told(graph, quantizer, options, found, limits, notes);
  const pareto = comparedTo(found, progress);
  const plan = await writer.write(found, outcome);
  const seconds = { calibrate, search: quantizer.searchSeconds, total: clock() };
  const { program } = found;
  const { planPath } = options;
  const summary = summarize({ graph, program, plan, planPath, pareto, ...outcome, seconds });
  return { summary, program };
}

/** Other ways to run the network at the bits that were found; none where the run was ended early. */
function comparedTo({ decision, keptEarly }: Found, progress: Progress): readonly ParetoPoint[] {
  if (keptEarly) return [];
  progress.report('Comparing plans', 0, 0);
  return decision.pareto();
}

/** What a search found in words: the loss, and why it ended. */
async function told(
  graph: Graph,
  quantizer: Quantizer,
  options: QuantizeOptions,
  found: Found,
  limits: MeasuredLimits | null,
  notes: readonly string[],
): Promise<SearchOutcome> {
  const { decision, program, reduction, limitedBy = 'person', keptEarly = false } = found;
  const mixed = isMixed(decision);
  const isRaised = raises(options) && Object.values(decision.maps).some(({ bits }) => bits === 16);
  const isFree = searchedBits(options.bits ?? DEFAULTS.bits).length > 1;
  // What 16 bits gave says why the others are 8.
  const isSaid = raises(options) && limitedBy === 'bits' && !isFree;
  const budget = limits?.accuracyBudget ?? null;
  const loss = found.loss ?? (keptEarly ? null : await quantizer.lossOf(found, budget));
  const cost = programCost(graph, program, decision.patchStage ? outlierShare(decision.patchStage) : 0);
  const end = endNote({
    limitedBy,
    reduction,
    isAsked: options.bitOpsTarget !== undefined,
    bitOpsReduction: cost.bitOps > 0 ? cost.bitOpsInt8 / cost.bitOps : 1,
    mixed,
    isFree,
    objective: found.objective ?? limits?.objective ?? 'bitops',
    kept: loss === null || budget === null || loss.expected <= budget,
  });
  return {
    loss,
    limitedBy,
    notes: [
      ...notes,
      ...(loss === null ? [] : lossNotes(loss, mixed || isRaised, quantizer.hasClasses)),
      ...(loss === null || quantizer.lossBasis === null ? [] : [quantizer.lossBasis]),
      ...(end === null || (loss === null && !keptEarly) || isSaid ? [] : [end]),
    ],
  };
}

/** The preprocessing that the float network does best under; `otherwise` where nothing can be said. */
async function findOrTake(
  otherwise: Preprocess,
  graph: Graph,
  { modelPath, imagesPath, task }: QuantizeOptions,
  progress: Progress,
  notes: string[],
): Promise<Preprocess> {
  const found = await findPreprocess(graph, modelPath, imagesPath, progress, task);
  if (!found) {
    notes.push(
      `Preprocessing: ${otherwise.preset}, by default, since it can be found only for classifiers with one ` +
        'image as input. Set --preprocess if the network was trained differently.',
    );
    return otherwise;
  }
  notes.push(preprocessNote(found));
  return loadPreprocess(found.scores[0].name);
}

/** How the time of a run is shared by calibration, the first plan, measuring, and the search. */
const PHASES = [15, 6, 34, 45];
/** That of raising maps to 16 bits, where it is allowed. */
const RAISING = 30;

/**
 * The search, from the plan at 8 bits to fewer. If it is stopped and its result is to be kept, that is what was found.
 *
 * @param live begins with the plan at 8 bits, and writes every better one at once where there is a writer; null:
 *   neither
 */
async function searchLive(
  graph: Graph,
  quantizer: Quantizer,
  options: QuantizeOptions,
  limits: MeasuredLimits | null,
  notes: string[],
  live: { readonly writer: PlanWriter | null } | null,
  progress: PhasedProgress,
): Promise<Found> {
  let best: Found | null = null;
  try {
    if (limits !== null && live !== null) {
      progress.enter(1);
      const begun = performance.now();
      best = await firstPlan(quantizer);
      if (best && live.writer) {
        await live.writer.write(best);
        await letShow(performance.now() - begun, progress);
      }
    }
    progress.enter(2);
    const found = await quantizeTo(graph, quantizer, options, limits, notes, async (better) => {
      best = better;
      await live?.writer?.write(better);
    });
    if (!raises(options)) return found;
    best = found;
    progress.enter(PHASES.length);
    // What was estimated is the loss of the plan as it was.
    return { ...(await quantizer.raise(found, limits?.latencyBudget)), loss: undefined };
  } catch (error) {
    if (!(error instanceof CancelledError && progress.isKept() && best)) throw error;
    return { ...best, limitedBy: 'person', keptEarly: true };
  }
}

/** The longest wait for a view, and how often it looks for a cancel, in milliseconds. */
const MOST_SHOW_MS = 2000;
const LOOK_MS = 100;

/**
 * Leaves the processors to the view of the first plan: a person waits for that, and the search takes longer.
 * @param planMs how long the plan took: no longer is waited, as small networks are shown at once
 */
async function letShow(planMs: number, progress: Progress): Promise<void> {
  const end = performance.now() + Math.min(planMs, MOST_SHOW_MS);
  for (let left = end - performance.now(); left > 0; left = end - performance.now()) {
    checkCancelled(progress);
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, LOOK_MS)));
  }
}

/** The plan at 8 bits; null where it does not fit. */
async function firstPlan(quantizer: Quantizer): Promise<Found | null> {
  try {
    return { ...(await quantizer.first()), reduction: 1 };
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** An estimate may exceed what is linked by this much. */
const ESTIMATE_MARGIN = 0.95;

/** Whether maps that limit accuracy may have 16 bits. */
function raises({ bits = DEFAULTS.bits }: QuantizeOptions): boolean {
  return bits.includes(16);
}

/** A network whose weights at the fewest bits are too much for the flash is refused before anything is computed. */
function refuseHopeless(graph: Graph, { target, weights }: QuantizeOptions): void {
  const least = graphFlashBytes(graph, () => (weights === 8 ? 8 : 4), coreOf(target));
  if (least * ESTIMATE_MARGIN > mostFlashBytes(target)) throw noFlashFit(least, target, weights);
}

function checkFits({ arenaBytes }: Program, { target: { sramBytes } }: QuantizeOptions): void {
  if (arenaBytes > sramBytes)
    throw new UserError(
      `Does not fit: the arena takes ${arenaBytes} of ${sramBytes} bytes of SRAM. Allow fewer bits, another ` +
        'grid or more SRAM.',
    );
}

/** Nobody else's file is overwritten; this is reported before an hour's work. */
async function assertOwn({ planPath, force }: QuantizeOptions): Promise<void> {
  // Problems of a file named like a plan are reported where its decisions are read.
  await assertReplaceable(planPath, 'plan', force || planPath.endsWith('.quantmcu.json'));
  await assertReplaceable(path.join(path.dirname(planPath), parametersFileName(planPath)), 'parameters', force);
}

/** What was given for the search, and defaults. */
function searchParameters(options: QuantizeOptions): SearchParameters {
  const { phi, lambda, epsilon, bits } = DEFAULTS;
  const given = { bits: options.bits, phi: options.phi, lambda: options.lambda, epsilon: options.epsilon };
  return { phi, lambda, epsilon, bits, ...defined(given), weights: options.weights };
}

function stopwatch(): () => number {
  const begin = performance.now();
  return () => (performance.now() - begin) / 1000;
}
