import { assembled } from '../codegen';
import { UserError } from '../common/errors';
import type { Progress } from '../common/progress';
import { counted } from '../common/wording';
import { instructionsMs } from '../cost/latency';
import { headMaps } from '../detection/resolve';
import type { MapId } from '../graph/types';
import { plannedInstructions } from '../planned/work';
import { flashOptions, mostFlashBytes } from '../targets/capacity';
import { boardOf, targetOf } from '../targets/targetFacts';
import { chooseRaised, MOST_MORE } from './chooseRaised';
import type { Decision } from './decisionTypes';
import type { LossEstimator } from './lossEstimator';
import type { ModelQuantizer } from './modelQuantizer';
import type { Quantized } from './quantizer';
import type { QuantizerJob } from './quantizerJob';
import { raisableGroups } from './raisable';
import { raisedDecision, raisedMaps, raisedOutputs } from './raisedDecision';

/** Of a plan's divergence from the float network, what 16 bits have to save together. */
const LEAST_SAVED = 0.05;
/** And so many standard errors of that. */
const LEAST_ERRORS = 2;

/** What raising maps saved on the images that losses are estimated on. */
export interface Saved {
  /** Share of the divergence, and the standard error of it: images are compared one by one. */
  readonly share: number;
  readonly error: number;
  readonly images: number;
}

/** What a plan with 16 bits is made with. */
export interface RaiserTools {
  readonly job: QuantizerJob;
  readonly model: ModelQuantizer;
  readonly estimator: LossEstimator;
  /** Whether weights are fitted. */
  readonly fits: boolean;
}

/**
 * The plan that a search found with 16 bits for the maps that limit its accuracy, where that pays. What the codes of
 * each group of maps cost is measured; the dearest for their instructions are chosen ({@link chooseRaised}); the
 * network is quantized for real with them, patches and fits included; and its divergence from the float network is
 * compared, on images that nothing was fitted to, with that of the plan as it was. What does not help is taken back,
 * half of the chosen groups at a time.
 *
 * @param latencyBudget milliseconds that an inference may take
 * @throws CancelledError
 */
export async function raiseBits<T extends Quantized>(
  tools: RaiserTools,
  found: T,
  latencyBudget: number | undefined,
  progress: Progress,
): Promise<T> {
  const raising = new Raising(tools, found, latencyBudget, progress);
  const chosen = await raising.choose();
  const before = chosen.length > 0 ? await tools.estimator.divergences(found.program, progress) : [];
  let tried: Saved | null = null;
  for (let groups = chosen; groups.length > 0; groups = groups.slice(0, Math.floor(groups.length / 2))) {
    const raised = await raising.quantize(groups);
    if (raised === null) continue;
    const saved = savedOf(before, await tools.estimator.divergences(raised.program, progress));
    const more = raising.instructions(raised.decision) / raising.now - 1;
    if (pays(saved, more)) return { ...found, ...withNotes(raised, raisedNotes(tools, groups, saved, more)) };
    tried ??= saved;
  }
  return { ...found, ...withNotes(found, [noneText(tried)]) };
}

/** Whether what is saved is more than chance, worth having and worth its instructions. */
function pays({ share, error }: Saved, more: number): boolean {
  return share >= Math.max(LEAST_SAVED, more) && share >= LEAST_ERRORS * error;
}

/** @param before divergences by image, as those after */
export function savedOf(before: readonly number[], after: readonly number[]): Saved {
  const images = before.length;
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / images;
  const of = mean(before);
  const differences = before.map((b, i) => b - after[i]);
  const saved = mean(differences);
  const square = mean(differences.map((d) => (d - saved) ** 2));
  // Of a single image nothing is known.
  const error = images > 1 ? Math.sqrt(square / (images - 1)) : Infinity;
  return of > 0 ? { share: saved / of, error: error / of, images } : { share: 0, error: 0, images };
}

/** One plan, and what becomes of it with 16 bits. */
class Raising {
  readonly now: number;
  private readonly most: number;
  private losses: ReadonlyMap<MapId, number> = new Map();

  constructor(
    private readonly tools: RaiserTools,
    private readonly found: Quantized,
    latencyBudget: number | undefined,
    private readonly progress: Progress,
  ) {
    this.now = this.instructions(found.decision);
    const { target } = tools.job.search;
    const perInstruction = instructionsMs(1, boardOf(targetOf(target))) ?? 0;
    const inTime = latencyBudget === undefined || perInstruction === 0 ? Infinity : latencyBudget / perInstruction;
    this.most = Math.min((1 + MOST_MORE) * this.now, Math.max(this.now, inTime));
  }

  /** Estimated instructions of one inference. */
  instructions(decision: Pick<Decision, 'maps' | 'layers' | 'patchStage' | 'tailStages'>): number {
    const { graph, search, planPath } = this.tools.job;
    return plannedInstructions(graph, { ...decision, target: search.target }, planPath).total;
  }

  /** The groups of maps that should have 16 bits, the best first. */
  async choose(): Promise<MapId[]> {
    const { job, model } = this.tools;
    const { graph, head, search } = job;
    const { decision, parameters } = this.found;
    const groups = raisableGroups(graph, decision, search.locked, head ? headMaps(graph, head) : undefined);
    if (groups.length === 0) return [];
    const noise = await model.codeNoise(parameters, groups, this.progress);
    this.losses = new Map(groups.map((group, i) => [group, noise[i] * model.loss.perDivergence]));
    return chooseRaised(
      groups.map((group, i) => ({ group, noise: noise[i] })),
      {
        now: this.now,
        most: this.most,
        instructions: (raised) => this.instructions({ ...decision, maps: raisedMaps(graph, decision.maps, raised) }),
        fits: (raised) => this.fits(raised),
      },
    );
  }

  /** Whether a plan with these groups at 16 bits fits; its weights need not be fitted to know that. */
  private fits(groups: ReadonlySet<MapId>): boolean {
    const { model, job } = this.tools;
    const { target } = job.search;
    try {
      const decision = this.decide([...groups]);
      const program = model.lower(decision, model.withFinerCodes(this.found.parameters, groups), target);
      const { total } = assembled(program, flashOptions(target)).flash;
      const isSmall = program.arenaBytes <= target.sramBytes && total <= mostFlashBytes(target);
      return isSmall && this.instructions(decision) <= this.most;
    } catch (error) {
      if (error instanceof UserError) return false;
      throw error;
    }
  }

  private decide(groups: readonly MapId[]): Decision {
    const { graph, calibration, search } = this.tools.job;
    const losses = new Map(groups.map((group) => [group, this.losses.get(group) ?? 0]));
    return raisedDecision(graph, calibration, search, this.found.decision, losses, this.progress);
  }

  /** The network with these groups at 16 bits; null where it does not fit in the end. */
  async quantize(groups: readonly MapId[]): Promise<Quantized | null> {
    const { model, fits, job } = this.tools;
    const { target } = job.search;
    const decision = this.decide(groups);
    const { parameters, dampings } = await model.compensated(decision, fits, this.progress, this.found.dampings);
    const program = model.lower(decision, parameters, target);
    const { total } = assembled(program, flashOptions(target)).flash;
    return total <= mostFlashBytes(target) ? { decision, parameters, program, dampings } : null;
  }
}

function withNotes(quantized: Quantized, notes: readonly string[]): Quantized {
  const { decision } = quantized;
  return { ...quantized, decision: { ...decision, notes: [...decision.notes, ...notes] } };
}

const percent = (share: number): string => (100 * share).toFixed(1).replace('-', '−');

function raisedNotes({ job: { graph } }: RaiserTools, groups: readonly MapId[], saved: Saved, more: number): string[] {
  const { share, error, images } = saved;
  const outputs = raisedOutputs(graph, new Set(groups));
  const maps = Object.keys(raisedMaps(graph, {}, new Set(groups))).length;
  return [
    `${counted(maps, 'feature map')} ${maps === 1 ? 'has' : 'have'} 16 bits: on ${counted(images, 'image')} the ` +
      `divergence from the float network falls by ${percent(share)} ± ${percent(error)} %, for ` +
      `${percent(Math.abs(more))} % ${more < 0 ? 'fewer' : 'more'} instructions.`,
    ...outputs.map((name) => `Output "${name}" has 16 bits: its codes are int16_t in C.`),
  ];
}

function noneText(tried: Saved | null): string {
  const why =
    tried === null
      ? 'none that may have them is worth its instructions, or fits'
      : `those worth trying change the divergence from the float network by ${percent(-tried.share)} ± ` +
        `${percent(tried.error)} %, which does not pay`;
  return `No feature map was raised to 16 bits: ${why}.`;
}
