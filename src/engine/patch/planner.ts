import { graphMacs } from '../graph/macs';
import type { Graph } from '../graph/types';
import type { ScheduledTailStage } from '../schedule/schedule';
import type { Stage } from '../schedule/stages';
import { choicesOf, gridsOf, keepSets, patches, shapesOf, type Choice } from './choices';
import { MemoryEstimator, type PatchChoice } from './estimate';
import { explainNoFit } from './noFit';
import type { StageShapes } from './stageShapes';
import { StreamPlanner, type StreamPlan } from './streamPlanner';
import { TailPlanner, type TailPlan } from './tailPlanner';
import type { PatchBudgets, PatchCandidate, PatchPlanning, PlannerOptions } from './types';

/**
 * The cheapest way to run a graph in `sramBytes`: split maps × grids × halo strategies of the patch stage, in order of
 * estimated instructions, each with the cheapest stages of the tail (see {@link TailPlanner}); looks at the memory of
 * those that can still improve on the cheaper ones. Where nothing of that fits, stages are streamed into one another
 * (see {@link StreamPlanner}).
 */
export function planPatches(graph: Graph, options: PlannerOptions): PatchPlanning {
  const planner = new Planner(graph, options);
  const best = planner.best(options.sramBytes);
  const pareto = options.firstFit ? [] : planner.pareto();
  const compare = (): readonly PatchCandidate[] => (options.firstFit ? planner.pareto() : pareto);
  if (best) return { best, pareto, compare, noFit: null };
  const bound = pareto.length > 0 ? pareto[pareto.length - 1] : planner.least(options.sramBytes);
  const unstreamed = bound && planner.withLayout(bound, options.sramBytes);
  if (unstreamed && unstreamed.arenaBytes <= options.sramBytes)
    return { best: unstreamed, pareto, compare, noFit: null };
  // Seconds that only the account is worth, not a look at whether something fits.
  const streamed = unstreamed && !options.firstFit ? planner.leastStream() : null;
  const closest = streamed && streamed.arenaBytes < unstreamed!.arenaBytes ? streamed : unstreamed;
  return {
    best: null,
    pareto,
    compare,
    noFit:
      closest &&
      explainNoFit(graph, options, closest, (changed) =>
        planPatches(graph, { ...options, ...changed, firstFit: true }),
      ),
  };
}

/** As {@link planPatches} for one budget after the other, which share their findings; no Pareto set is made. */
export function planForBudgets(graph: Graph, options: Omit<PlannerOptions, 'sramBytes' | 'firstFit'>): PatchBudgets {
  const planner = new Planner(graph, { ...options, sramBytes: 0 });
  return {
    best: (bytes) => planner.best(bytes),
    least: () => planner.least(0),
    leastStream: () => planner.leastStream(),
    streamed: (bytes) => planner.streamed(bytes),
  };
}

/** Neighbors in the Pareto set differ by this much. */
const PARETO_STEP = 0.97;
/** The least arena is found to within this. */
export const LEAST_STEP = 0.995;

/** Shares of the memory for which streams are laid out, until one takes no more than all of it. */
const STREAM_SHARES = [1, 0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.92, 0.9];

/** Layouts to try before the search continues with a little less memory. */
const MOST_LAYOUTS = 2;

/** A candidate and the choice that it was made from. */
interface Sketch {
  readonly candidate: PatchCandidate;
  readonly from: Choice | null;
}

class Planner {
  private readonly estimator: MemoryEstimator;
  private readonly choices: readonly Choice[];
  private readonly tails: TailPlanner | null;
  private knownStreams: StreamPlanner | null | undefined;
  /** What {@link leastStream} found. */
  private foundLeast: PatchCandidate | null | undefined;
  private readonly macs: number;
  /** Bytes of the layouts that were tried: with a little less memory, the same plan often recurs. */
  private readonly layouts = new Map<string, number>();

  constructor(
    private readonly graph: Graph,
    private readonly options: PlannerOptions,
  ) {
    const { memory } = options;
    this.estimator = new MemoryEstimator(graph, memory);
    this.choices = choicesOf(graph, options);
    this.macs = graphMacs(graph);
    this.tails =
      options.stages === 'one'
        ? null
        : new TailPlanner({
            graph,
            memory,
            estimator: this.estimator,
            grids: gridsOf({ ...options, grid: undefined }),
            shapes: (stage) => keepSets(graph, stage, options, () => true).map((keep) => shapesOf(graph, stage, keep)),
          });
  }

  /** Streams, of which most searches need none; null where they are not allowed. */
  private get streams(): StreamPlanner | null {
    if (this.knownStreams !== undefined) return this.knownStreams;
    const { grid, splitMap, strategies, memory, checkCancelled } = this.options;
    const isFree = grid === undefined && splitMap === undefined && strategies?.includes('keep');
    const { graph, estimator } = this;
    this.knownStreams =
      this.tails && isFree
        ? new StreamPlanner({ graph, memory, estimator, checkCancelled: () => checkCancelled?.() })
        : null;
    return this.knownStreams;
  }

  /**
   * The least work in `bytes` whose arena, laid out, actually has that size; null if there is none, or none is found
   * soon.
   */
  best(bytes: number): PatchCandidate | null {
    const search = (oneStage: boolean): ReturnType<Planner['laidOut']> =>
      // A plan for a little less memory costs hardly more, and less time than a long search for the layout that just
      // fits.
      this.laidOut(bytes, 'quick', [1, 0.985, 0.97, 0.95], oneStage) ??
      this.laidOut(bytes, 'thorough', [1, 0.97, 0.93, 0.9], oneStage);
    const found = search(false);
    if (!this.tails || found?.isLeast) return found?.candidate ?? null;
    // Layouts of several stages may have taken more than their bounds where those of one do not.
    const simple = search(true)?.candidate ?? null;
    return found && !(simple && this.isLess(simple, found.candidate))
      ? found.candidate
      : (simple ?? (this.options.isFirstAnswer ? null : this.streamed(bytes)));
  }

  /** The least work in `bytes` with stages that are streamed into one another, its arena laid out. */
  streamed(bytes: number): PatchCandidate | null {
    // Layouts take little less than the estimates: where these are far too large, nothing has to be laid out.
    if (!this.streams?.cheapest(Math.floor(bytes / STREAM_SHARES[STREAM_SHARES.length - 1]))) return null;
    for (const stream of this.laidOutStreams(STREAM_SHARES.map((share) => share * bytes)))
      if (stream.arenaBytes <= bytes) return stream;
    const least = this.leastStream();
    return least && least.arenaBytes <= bytes ? least : null;
  }

  /** Streams for several amounts of memory, laid out one after the other. */
  private *laidOutStreams(budgets: Iterable<number>): Generator<PatchCandidate, void> {
    let last = -1;
    for (const bytes of budgets) {
      const plan = this.streams?.cheapest(Math.floor(bytes)) ?? null;
      if (!plan || plan.extra === last) continue;
      last = plan.extra;
      this.options.checkCancelled?.();
      const candidate = this.streamCandidate(plan);
      const { layout } = this.estimator.layout(candidate.choice, { effort: 'quick' }, candidate.tailStages);
      yield { ...candidate, arenaBytes: layout.bytes };
    }
  }

  /** The stream that needs least, laid out, whatever the memory; null if the graph has none. */
  leastStream(): PatchCandidate | null {
    if (this.foundLeast !== undefined) return this.foundLeast;
    let below = 0;
    let above = this.estimator.layerByLayer();
    let least: PatchCandidate | null = null;
    const { streams } = this;
    if (streams?.cheapest(above)) {
      while (below < Math.floor(above * LEAST_STEP)) {
        const middle = Math.floor((below + above) / 2);
        if (streams.cheapest(middle)) above = middle;
        else below = middle;
      }
      // The layout of a stream that needs a little more may take less.
      for (const stream of this.laidOutStreams(STREAM_SHARES.map((share) => above / share)))
        if (!least || stream.arenaBytes < least.arenaBytes) least = stream;
    }
    return (this.foundLeast = least);
  }

  private streamCandidate({ links, tail, extra, bytes }: StreamPlan): PatchCandidate {
    const stages = links.map(({ shapes: { stage, keep, keepColumns }, grid }, i) => ({
      ...{ stage, grid, keep, keepColumns },
      streamed: i + 1 < links.length,
    }));
    const [first, ...others] = stages;
    const tailStages = [...others, ...tail.stages];
    const redundantMacs = links.reduce(
      (sum, { shapes, grid }) => sum + shapes.macs(grid) - macsOnce(shapes),
      tail.redundantMacs,
    );
    return {
      choice: { ...first, tailStages },
      tailStages,
      arenaBytes: Math.max(bytes, tail.bytes),
      stageBytes: bytes,
      tailBytes: tail.bytes,
      macs: this.macs + redundantMacs,
      redundantMacs,
      extraInstructions: extra,
    };
  }

  /** @returns with `isLeast` when there cannot be less work in `bytes` */
  private laidOut(
    bytes: number,
    effort: 'quick' | 'thorough',
    shares: readonly number[],
    oneStage: boolean,
  ): { readonly candidate: PatchCandidate; readonly isLeast: boolean } | null {
    let tries = 0;
    for (const share of shares) {
      const missed = new Set<Choice | null>();
      // Tails that peak and for which no layout was found, whatever comes before them.
      const missedTails = new Set<string>();
      for (let attempt = 0; attempt < MOST_LAYOUTS; attempt++) {
        const sketch = this.cheapest(Math.floor(bytes * share), oneStage, missed);
        if (!sketch) break;
        this.options.checkCancelled?.();
        const { choice, tailStages } = sketch.candidate;
        const tail = [String(choice?.stage.splitMap), ...tailStages.map(stageKey)].join('; ');
        if (missedTails.has(tail)) break;
        const key = `${bytes} ${effort} ${stageKey(choice)}; ${tail}`;
        let laidOut = this.layouts.get(key);
        if (laidOut === undefined)
          this.layouts.set(
            key,
            (laidOut = this.estimator.layout(choice, { effort, enough: bytes }, tailStages).layout.bytes),
          );
        if (laidOut <= bytes) return { candidate: { ...sketch.candidate, arenaBytes: laidOut }, isLeast: tries === 0 };
        missed.add(sketch.from);
        if (sketch.candidate.tailBytes === sketch.candidate.arenaBytes) missedTails.add(tail);
        tries++;
      }
    }
    return null;
  }

  /** The least work in `bytes` by the bounds; what is `missed` does not count. */
  private cheapest(bytes: number, oneStage = false, missed?: ReadonlySet<Choice | null>): Sketch | null {
    let best: Sketch | null = null;
    const take = (from: Choice | null, tail: TailPlan): void => {
      const candidate = this.candidate(from, tail);
      if (!missed?.has(from) && (!best || this.isLess(candidate, best.candidate))) best = { candidate, from };
    };
    const { grid, splitMap } = this.options;
    const whole = grid === undefined && splitMap === undefined ? this.tailOf(null, bytes, oneStage) : null;
    if (whole?.stages.length === 0) take(null, whole);
    const tails = new Map<StageShapes['stage'], TailPlan | null>();
    let since = 0;
    for (const choice of this.choices) {
      if (best && this.isBehind(choice, (best as Sketch).candidate)) break;
      if (++since % 64 === 0) this.options.checkCancelled?.();
      const { stage } = choice.shapes;
      let tail = tails.get(stage);
      if (tail === undefined) tails.set(stage, (tail = this.tailOf(stage, bytes, oneStage)));
      if (tail && this.estimator.fits(choice, bytes, 0, (shapes, grid) => this.estimator.stage(shapes, grid)))
        take(choice, tail);
    }
    // Stages of the tail alone have no patches that could be classified: only where nothing else is left.
    if (!best && whole) take(null, whole);
    return best;
  }

  /** From layer by layer down to the least arena. */
  pareto(): PatchCandidate[] {
    const found: PatchCandidate[] = [];
    const add = (candidate: PatchCandidate): void => {
      // Without a patch stage there may be less work, though that is not searched first.
      while (found.length > 0 && found[found.length - 1].extraInstructions >= candidate.extraInstructions) found.pop();
      found.push(candidate);
    };
    let last: PatchCandidate | undefined;
    for (
      let next = this.cheapest(Infinity)?.candidate;
      next;
      next = this.cheapest(stepBelow(next, PARETO_STEP))?.candidate
    )
      add((last = next));
    if (last) add(this.leastBelow(last));
    // Outputs that cannot overlap inputs all along, from one stage into the next, are not seen in the parts.
    const whole: PatchCandidate[] = [];
    for (const candidate of found) {
      const bytes = candidate.tailStages.length > 0 ? this.estimator.bytes(candidate.choice, candidate.tailStages) : 0;
      const arenaBytes = Math.max(candidate.arenaBytes, bytes);
      if (whole.length === 0 || arenaBytes < whole[whole.length - 1].arenaBytes)
        whole.push({ ...candidate, arenaBytes });
    }
    return whole;
  }

  /** A candidate with what its layout takes, which may be more than its bound. @param enough bytes to stop at */
  withLayout(candidate: PatchCandidate, enough: number): PatchCandidate {
    const { choice, tailStages, arenaBytes } = candidate;
    const { layout } = this.estimator.layout(choice, { effort: 'thorough', enough }, tailStages);
    return { ...candidate, arenaBytes: Math.max(arenaBytes, layout.bytes) };
  }

  /** The least arena there is, to {@link LEAST_STEP}. @param tooLittle bytes that are known not to be enough */
  least(tooLittle: number): PatchCandidate | null {
    let least = this.cheapest(Infinity)?.candidate ?? null;
    let below = tooLittle;
    while (least && below < stepBelow(least, LEAST_STEP)) {
      const middle = Math.floor((below + least.arenaBytes) / 2);
      const found: PatchCandidate | undefined = this.cheapest(middle)?.candidate;
      if (found) least = found;
      else below = middle;
    }
    return least;
  }

  /** The least arena, known to be within some percent of `candidate`'s. */
  private leastBelow(candidate: PatchCandidate): PatchCandidate {
    for (let last = candidate; ;) {
      const next = this.cheapest(stepBelow(last, LEAST_STEP))?.candidate;
      if (!next) return last;
      last = next;
    }
  }

  private isLess(a: PatchCandidate, b: PatchCandidate): boolean {
    const work = a.extraInstructions - b.extraInstructions;
    return (this.options.least === 'patches' ? patchesOf(a) - patchesOf(b) || work : work) < 0;
  }

  /** Whether a choice, and so all that follow it, cannot be better than what was found. */
  private isBehind(choice: Choice, best: PatchCandidate): boolean {
    if (this.options.least !== 'patches') return choice.extra >= best.extraInstructions;
    return (
      patches(choice.grid) > patchesOf(best) ||
      (patches(choice.grid) === patchesOf(best) && choice.extra >= best.extraInstructions)
    );
  }

  /** The cheapest tail behind a stage (null: the whole graph) in `bytes`. */
  private tailOf(stage: Stage | null, bytes: number, oneStage: boolean): TailPlan | null {
    const needed = stage ? this.estimator.tail(stage) : this.estimator.layerByLayer();
    if (needed <= bytes) return { extra: 0, redundantMacs: 0, bytes: needed, stages: [] };
    if (!this.tails || oneStage || (stage && !this.tails.follows(stage))) return null;
    const plan = this.tails.plan(stage?.layers.length ?? 0, bytes);
    // What the whole tail needs may be more than what its parts need.
    return plan && plan.stages.length > 0 ? plan : null;
  }

  private candidate(choice: Choice | null, tail: TailPlan): PatchCandidate {
    const tailStages = tail.stages;
    let stage = { choice: null as PatchChoice | null, bytes: 0, extra: 0, redundantMacs: 0 };
    if (choice) {
      const { shapes, grid, extra, bytes } = choice;
      const redundantMacs = shapes.macs(grid) - macsOnce(shapes);
      stage = {
        choice: { stage: shapes.stage, grid, keep: shapes.keep, tailStages },
        bytes: bytes!,
        extra,
        redundantMacs,
      };
    }
    const redundantMacs = stage.redundantMacs + tail.redundantMacs;
    return {
      choice: stage.choice,
      tailStages,
      arenaBytes: Math.max(stage.bytes, tail.bytes),
      stageBytes: stage.bytes,
      tailBytes: tail.bytes,
      macs: this.macs + redundantMacs,
      redundantMacs,
      extraInstructions: stage.extra + tail.extra,
    };
  }
}

function macsOnce(shapes: StageShapes): number {
  return shapes.macs({ rows: 1, cols: 1 });
}

/** Bytes that are less than a candidate's arena by some share. */
function stepBelow({ arenaBytes }: PatchCandidate, share: number): number {
  return Math.min(arenaBytes - 1, Math.floor(arenaBytes * share));
}

function stageKey(choice: PatchChoice | ScheduledTailStage | null): string {
  if (!choice) return '';
  const { stage, grid, keep } = choice;
  return (
    `${stage.inputs.join()} ${stage.splitMap} ${grid.rows}×${grid.cols} ${[...keep].join()} ` +
    `${'channels' in choice ? choice.channels : ''}`
  );
}

function patchesOf({ choice }: PatchCandidate): number {
  return choice ? patches(choice.grid) : 0;
}
