import type { Graph } from '../graph/types';
import type { Stage } from '../schedule/stages';
import type { MemoryEstimator, MemoryModel } from './estimate';
import { StageShapes } from './stageShapes';
import { bandBytes, haloChoices, StreamLinks, type StreamLink } from './streamLinks';
import { TailPlanner, type TailPlan } from './tailPlanner';
import type { Grid } from '../schedule/branches';

/** Stages from the graph's inputs on, each streamed into the next one, and how the layers behind them run. */
export interface StreamPlan {
  readonly links: readonly StreamLink[];
  readonly tail: TailPlan;
  /** Estimated instructions beyond those of running layer by layer. */
  readonly extra: number;
  /** Estimate of the arena while the stream runs. */
  readonly bytes: number;
}

export interface StreamPlannerContext {
  readonly graph: Graph;
  readonly memory: MemoryModel;
  readonly estimator: MemoryEstimator;
  checkCancelled(): void;
}

/** Stages of a stream. */
const MOST_LINKS = 3;
/** Ends of streams that are tried: the first ones behind which the rest fits. */
const MOST_ENDS = 3;
/** Rows and columns of patches of stages behind a stream. */
const MOST_TAIL_CUTS = 10;

/**
 * Streams for memory in which nothing else fits: of the maps between their stages only some rows exist, so that neither
 * these maps nor those inside the stages take their size. What a stage needs while it runs, while those before it run
 * and while those after it run does not depend on how the others run; so the ways to run each are found once, and put
 * together for every memory.
 */
export class StreamPlanner {
  private readonly links: StreamLinks;
  private readonly tails: TailPlanner;
  /** What the graph's inputs take. */
  private readonly inputBytes: number;

  constructor(private readonly context: StreamPlannerContext) {
    const { graph, memory, estimator } = context;
    this.links = new StreamLinks(graph, memory, estimator, () => context.checkCancelled());
    this.tails = new TailPlanner({
      graph,
      memory,
      estimator,
      grids: tailGrids(),
      shapes: (stage) =>
        haloChoices(graph, stage).map(({ keep, keepColumns }) => new StageShapes(graph, stage, keep, [], keepColumns)),
    });
    this.inputBytes = memory.externalInputs ? 0 : estimator.wholeBytes(graph.inputs.map(({ map }) => map));
  }

  /** The stream with the least work in `bytes` by the estimates; null when there is none. */
  cheapest(bytes: number): StreamPlan | null {
    let best: StreamPlan | null = null;
    let ends = 0;
    const { cuts } = this.links;
    for (const [at, end] of cuts.entries()) {
      if (at === 0 || ends >= MOST_ENDS) continue;
      const left = bytes - this.inputBytes - this.context.estimator.wholeBytes([end.splitMap]);
      const tail = left > 0 ? this.tailOf(end, bytes) : null;
      if (!tail) continue;
      ends++;
      this.context.checkCancelled();
      for (const chain of chainsTo(cuts.slice(0, at), end)) {
        const ways = chain.map((to, i) => this.links.between(chain[i - 1] ?? null, to));
        const found = this.cheapestLinks(ways, left, best ? best.extra - tail.extra : Infinity);
        if (found)
          best = { links: found, tail, extra: tail.extra + extraOf(found), bytes: bytes - left + this.mostOf(found) };
      }
    }
    return best;
  }

  /** The way for each stage with the least work together that fits, below some work; null when there is none. */
  private cheapestLinks(ways: readonly (readonly StreamLink[])[], bytes: number, limit: number): StreamLink[] | null {
    if (ways.some((of) => of.length === 0)) return null;
    let best: StreamLink[] | null = null;
    let most = limit;
    const leastOf = (of: readonly StreamLink[], value: (link: StreamLink) => number): number =>
      of.reduce((least, link) => Math.min(least, value(link)), Infinity);
    // What the stages before each one add at least.
    const before = ways.map((_, i) => ({
      extra: ways.slice(0, i).reduce((sum, of) => sum + of[0].extra, 0),
      bytes: ways.slice(0, i).reduce((sum, of) => sum + leastOf(of, resting), 0),
    }));
    /** @param waiting what the later stages need while earlier ones run, at least */
    const choose = (i: number, later: readonly StreamLink[], extra: number, waiting: number): void => {
      if (i < 0) {
        if (this.mostOf(later) <= bytes) [best, most] = [[...later], extra];
        return;
      }
      for (const link of ways[i]) {
        if (extra + link.extra + before[i].extra >= most) break;
        const read = link.reads?.least ?? 0;
        if (link.busy + read + waiting + before[i].bytes <= bytes)
          choose(i - 1, [link, ...later], extra + link.extra, waiting + link.between + read);
      }
    };
    choose(ways.length - 1, [], 0, 0);
    return best;
  }

  /** What the stages need together, without the last one's split map. */
  private mostOf(links: readonly StreamLink[]): number {
    const bands = links.map(({ reads }, i) => (reads ? bandBytes(reads, links[i - 1].grid.rows) : 0));
    return links.reduce((most, link, at) => {
      const others = links.reduce((sum, l, i) => sum + (i < at ? resting(l) : i > at ? l.between + bands[i] : 0), 0);
      return Math.max(most, this.links.busyBytes(link) + bands[at] + others);
    }, 0);
  }

  /** The cheapest way to run what comes after a stage. */
  private tailOf(stage: Stage, bytes: number): TailPlan | null {
    const needed = this.context.estimator.tail(stage);
    return needed <= bytes
      ? { extra: 0, redundantMacs: 0, bytes: needed, stages: [] }
      : this.tails.plan(stage.layers.length, bytes);
  }
}

/** Behind a stream maps are small, and may be cut into single rows and columns. */
function tailGrids(): readonly Grid[] {
  const counts = Array.from({ length: MOST_TAIL_CUTS }, (_, i) => i + 1);
  return counts.flatMap((rows) => counts.map((cols) => ({ rows, cols }))).filter(({ rows, cols }) => rows * cols > 1);
}

/** The stages that end with `end` and with one or two of the cuts before it. */
function* chainsTo(cuts: readonly Stage[], end: Stage): Generator<readonly Stage[]> {
  for (const [i, last] of cuts.entries()) {
    yield [last, end];
    if (MOST_LINKS > 2) for (const first of cuts.slice(0, i)) yield [first, last, end];
  }
}

/** What a stage needs while later ones run. */
function resting({ between, reads }: StreamLink): number {
  return between + (reads?.kept ?? 0);
}

function extraOf(links: readonly StreamLink[]): number {
  return links.reduce((sum, link) => sum + link.extra, 0);
}
