import type { ConvLayer, Graph, LayerId } from '../graph/types';
import { coreCosts } from '../cost/kernelCost';
import { callInstructions, sliceInstructions } from '../cost/latency';
import { keepNothing, type Grid } from '../schedule/branches';
import type { Choice } from './choices';
import type { LayerNeeds, MemoryEstimator, MemoryModel } from './estimate';
import { LayerRuns } from './layerRuns';
import type { ScheduledTailStage } from '../schedule/schedule';
import { ARENA_ALIGN } from '../schedule/scheduleArena';
import { Cuts, type Segment } from '../schedule/segments';
import { StageCalls } from './stageCalls';
import type { StageShapes } from './stageShapes';
import { channelStage, type Stage } from '../schedule/stages';

/** Slices of channels before a global average that are tried. */
const MOST_SLICES = 32;

/** A way to run the layers from some position to the end. */
export interface TailPlan {
  /** Estimated instructions beyond those of running layer by layer. */
  readonly extra: number;
  readonly redundantMacs: number;
  /** Lower bound of the arena while these layers run. */
  readonly bytes: number;
  readonly stages: readonly ScheduledTailStage[];
}

/**
 * A plan in the making: its bytes are those of the stages, without the layers that run by themselves, in `runs` of
 * [begin, end).
 */
interface Way extends TailPlan {
  readonly runs: readonly (readonly [LayerId, LayerId])[];
}

export interface TailPlannerContext {
  readonly graph: Graph;
  readonly memory: MemoryModel;
  readonly estimator: MemoryEstimator;
  /** A stage by the ways to treat its halos that are tried. */
  shapes(stage: Stage): readonly StageShapes[];
  readonly grids: readonly Grid[];
}

/**
 * The least work with which a tail runs in this many bytes: every layer by itself or in a stage of its own. What a part
 * needs does not depend on how the others run, and work adds up, so the shortest path over the cuts of the graph is the
 * best choice among the segments of {@link Cuts}.
 */
export class TailPlanner {
  private readonly cuts: Cuts;
  private readonly needs: LayerNeeds;
  private readonly calls: StageCalls;
  private readonly options = new Map<Segment, readonly Choice[]>();
  private budget = -1;
  private runs: LayerRuns;
  /**
   * By position, the cheapest way on from there: with any number of layers by themselves first, or with a stage at
   * once.
   */
  private plans = new Map<LayerId, Way | null>();
  private staged = new Map<LayerId, Way>();

  constructor(private readonly context: TailPlannerContext) {
    this.cuts = new Cuts(context.graph);
    this.needs = context.estimator.layerNeeds();
    this.calls = new StageCalls(context.graph, context.memory);
    this.runs = new LayerRuns(this.needs, -1);
  }

  /** Whether a stage from the graph's inputs ends at a position, so that {@link plan} knows what comes after it. */
  follows(stage: Stage): boolean {
    return this.cuts.isPrefix(stage);
  }

  /** The cheapest way to run the layers from `position` on in `bytes`; null when there is none. */
  plan(position: LayerId, bytes: number): TailPlan | null {
    const { length } = this.needs.alone;
    if (bytes !== this.budget) {
      this.budget = bytes;
      this.runs = new LayerRuns(this.needs, bytes);
      this.plans = new Map();
      this.staged = new Map([[length, nothing]]);
    }
    // From the end backwards, to avoid deep recursion.
    for (let at = length; at >= position; at--) {
      if (this.plans.has(at)) continue;
      const staged = at === length ? null : this.beginWithStage(at);
      if (staged) this.staged.set(at, staged);
      this.plans.set(at, this.best(at));
    }
    const way = this.plans.get(position)!;
    return (
      way && {
        extra: way.extra,
        redundantMacs: way.redundantMacs,
        stages: way.stages,
        bytes: way.runs.reduce((most, [begin, end]) => Math.max(most, this.runs.bytes(begin, end)), way.bytes),
      }
    );
  }

  /** The cheapest way on from a position: layers by themselves as far as they fit, then a stage (or the end). */
  private best(at: LayerId): Way | null {
    const furthest = this.runs.end(at);
    let best: Way | null = null;
    let from = at;
    for (let end = furthest; end >= at; end--) {
      const after = this.staged.get(end);
      if (after && (!best || after.extra < best.extra)) {
        best = after;
        from = end;
      }
      // Nothing is cheaper than running the rest layer by layer.
      if (best?.extra === 0 && best.stages.length === 0) break;
    }
    return best && from > at ? { ...best, runs: [[at, from], ...best.runs] } : best;
  }

  /**
   * The cheapest way on that begins with a stage at the position; null when there is none, or nothing to gain by it.
   */
  private beginWithStage(at: LayerId): Way | null {
    let best: Way | null = null;
    for (const segment of this.cuts.from(at)) {
      const after = this.plans.get(segment.end);
      // Where all layers run by themselves there is nothing to gain.
      if (!after || this.runs.isFree(at, segment.end) || (best && after.extra >= best.extra)) continue;
      const found = this.cheapest(segment, best ? best.extra - after.extra : Infinity);
      if (!found) continue;
      const { shapes, grid, extra, bytes } = found;
      const redundantMacs = shapes.macs(grid) - shapes.macs({ rows: 1, cols: 1 });
      best = {
        extra: after.extra + extra,
        redundantMacs: after.redundantMacs + redundantMacs,
        bytes: Math.max(after.bytes, bytes!),
        stages: [patchesOf(shapes, grid), ...after.stages],
        runs: after.runs,
      };
    }
    const sliced = this.sliced(at);
    return sliced && (!best || sliced.extra < best.extra) ? sliced : best;
  }

  /**
   * A convolution and its global average in as few slices of channels as fit; null when that is not needed or not
   * possible.
   */
  private sliced(at: LayerId): Way | null {
    const { graph, memory, estimator } = this.context;
    const { align = ARENA_ALIGN } = memory;
    const after = this.plans.get(at + 2);
    if (!after || at + 1 >= graph.layers.length || this.runs.isFree(at, at + 2)) return null;
    const stage = channelStage(graph, graph.layers[at + 1]);
    if (stage?.layers[0] !== at) return null;
    const [map] = stage.maps;
    const { h, w, c } = graph.maps[map].shape;
    const bits = memory.bits.stored(map, null);
    const round = (bytes: number): number => Math.ceil(bytes / align) * align;
    // No output overlaps an input that later slices read again.
    const fixed = estimator.wholeBytes(this.cuts.aliveAt(at)) + estimator.wholeBytes([stage.splitMap]);
    for (let slices = 2; slices <= MOST_SLICES; slices++) {
      const channels = Math.ceil(c / slices / 8) * 8;
      const bytes = fixed + round(h * w * Math.ceil((channels * bits) / 8));
      if (bytes > this.budget) continue;
      const count = Math.ceil(c / channels);
      const costs = coreCosts(memory.core ?? 'cortex-m4');
      const conv = graph.layers[at] as ConvLayer;
      const widths = {
        inputBits: memory.bits.read(at, null) ?? memory.bits.stored(stage.inputs[0], null),
        weightBits: memory.bits.weights?.(at) ?? 8,
      };
      // Every slice reads the input again.
      const extra =
        callInstructions(costs, count - 1) + (count - 1) * sliceInstructions(costs, graph, conv, { h, w }, widths);
      return {
        ...after,
        extra: after.extra + extra,
        bytes: Math.max(after.bytes, bytes),
        stages: [{ stage, grid: { rows: 1, cols: 1 }, keep: keepNothing, channels }, ...after.stages],
      };
    }
    return null;
  }

  /** The cheapest option that fits and costs less than `limit`. */
  private cheapest(segment: Segment, limit: number): Choice | null {
    const { estimator } = this.context;
    const through = estimator.wholeBytes(segment.through);
    if (through + estimator.wholeBytes([segment.stage.splitMap]) > this.budget) return null;
    const options = this.optionsOf(segment);
    for (const option of options) {
      if (option.extra >= limit) return null;
      if (estimator.fits(option, this.budget, through, (shapes, grid) => estimator.tailStage(shapes, grid)))
        return option;
    }
    return null;
  }

  private optionsOf(segment: Segment): readonly Choice[] {
    let options = this.options.get(segment);
    if (!options) {
      const { context } = this;
      const all: Choice[] = [];
      for (const shapes of context.shapes(segment.stage)) {
        const work = shapes.instructions(this.calls);
        const once = work({ rows: 1, cols: 1 });
        for (const grid of context.grids)
          if (shapes.suits(grid))
            all.push({ shapes, grid, extra: work(grid) - once, floor: 0, isFloorOfAll: false, bytes: null });
      }
      this.options.set(segment, (options = all.sort((a, b) => a.extra - b.extra)));
    }
    return options;
  }
}

function patchesOf({ stage, keep, keepColumns }: StageShapes, grid: Grid): ScheduledTailStage {
  return { stage, grid, keep, ...(keepColumns.size > 0 ? { keepColumns } : {}) };
}

const nothing: Way = { extra: 0, redundantMacs: 0, bytes: 0, stages: [], runs: [] };
