import { type Graph, type Layer, type MapId } from '../graph/types';
import { macsPerPixel } from '../graph/macs';
import { axisExtents, type AxisExtent } from '../cost/kernelCost';
import { callInstructions, copyInstructions, type CallCost } from '../cost/latency';
import {
  axisParts,
  keepNothing,
  keptInRows,
  patchSpans,
  type AxisPart,
  type AxisParts,
  type Grid,
} from '../schedule/branches';
import type { Axis } from '../schedule/receptiveField';
import type { StageCalls } from './stageCalls';
import type { Stage } from '../schedule/stages';

/**
 * One axis of one partition of the split map: by map of the stage (the order of {@link StageShapes.maps}), what each
 * row (or column) of branches does. Entries are [map · count + branch].
 */
export interface AxisNumbers {
  /** Elements that a branch reads, and where they begin. */
  readonly need: Int32Array;
  readonly needBegin: Int32Array;
  /** Elements that it computes; they end where the others do. */
  readonly fresh: Int32Array;
  readonly freshBegin: Int32Array;
  /** Elements that the branches before it compute. */
  readonly freshBefore: Int32Array;
  /** By map, elements that all branches compute and need together. */
  readonly computed: Float64Array;
  readonly needed: Float64Array;
  /** By map, what the branches compute as calls of its layer. */
  readonly extents: readonly AxisExtent[];
  /** By input of the stage, what the branches read of it. */
  readonly inputs: readonly (readonly AxisPart[])[];
}

/**
 * The regions of a stage under one choice of kept maps, for all grids; rows and columns are worked out once each and
 * combined.
 */
export class StageShapes {
  private readonly axes: Record<Axis, (AxisNumbers | null)[]> = { h: [], w: [] };
  /** Inputs that come in tiles, then what the stage's layers write. */
  readonly maps: readonly MapId[];
  private readonly macsOfMap: readonly number[];
  /** Instructions by map, call and grid: successive searches on a graph differ in the calls of a few maps. */
  private readonly known: readonly Map<CallCost, Float64Array>[];
  /** Whether columns are cut like rows. */
  readonly isSquare: boolean;
  /** Maps whose halo is kept on one axis or on both. */
  readonly kept: ReadonlySet<MapId>;

  /**
   * @param tiles the inputs of the stage that branches load
   * @param keepColumns maps whose halo is kept within a row of branches only
   */
  constructor(
    private readonly graph: Graph,
    readonly stage: Stage,
    readonly keep: ReadonlySet<MapId>,
    readonly tiles: readonly MapId[] = [],
    readonly keepColumns: ReadonlySet<MapId> = keepNothing,
  ) {
    this.kept = keptInRows(keep, keepColumns);
    this.maps = [...tiles, ...stage.maps];
    this.macsOfMap = this.maps.map((map) => {
      const { producer } = graph.maps[map];
      if (producer === null) return 0;
      const layer = graph.layers[producer];
      return macsPerPixel(layer, graph.maps[layer.inputs[0]].shape, graph.maps[layer.output].shape);
    });
    this.known = this.maps.map(() => new Map<CallCost, Float64Array>());
    this.isSquare =
      keepColumns.size === 0 &&
      [...stage.inputs, ...stage.maps].every((map) => graph.maps[map].shape.h === graph.maps[map].shape.w) &&
      stage.layers.every((id) => reachesAlike(graph.layers[id]));
  }

  /** Whether the grid suits the stage. */
  suits({ rows, cols }: Grid): boolean {
    const { h, w } = this.graph.maps[this.stage.splitMap].shape;
    return rows <= h && cols <= w && this.axis('h', rows) !== null && this.axis('w', cols) !== null;
  }

  /** The numbers of one axis, for `count` rows or columns; null when these do not suit. */
  axis(axis: Axis, count: number): AxisNumbers | null {
    const known = this.axes[axis][count];
    if (known !== undefined) return known;
    if (axis === 'w' && this.isSquare) return (this.axes.w[count] = this.axis('h', count));
    const { stage, graph } = this;
    const spans = patchSpans(graph.maps[stage.splitMap].shape[axis], count);
    const parts = axisParts(graph, stage, axis, spans, axis === 'h' ? this.keep : this.kept);
    const numbers = parts && axisNumbers(this.maps, stage.inputs, parts, count);
    this.axes[axis][count] = numbers;
    return numbers;
  }

  /** By grid, 0 where they were not asked for. */
  private knownOf(m: number, cost: CallCost): Float64Array {
    let known = this.known[m].get(cost);
    if (!known) this.known[m].set(cost, (known = new Float64Array(KNOWN * KNOWN)));
    return known;
  }

  /** Multiply-accumulates of the stage, recomputed halos included. */
  macs({ rows, cols }: Grid): number {
    const v = this.axis('h', rows)!.computed;
    const u = this.axis('w', cols)!.computed;
    return this.macsOfMap.reduce((sum, macs, m) => sum + macs * v[m] * u[m], 0);
  }

  /**
   * Estimated instructions of the stage by grid (see latency.ts): layers with recomputed halos, copies of kept ones,
   * calls. @param calls of the same graph
   */
  instructions(calls: StageCalls): (grid: Grid) => number {
    const { maps } = this;
    const { costs: k } = calls;
    const costs = maps.map((map) => calls.of(map, this.tiles));
    const kept = maps.flatMap((map, m) => (this.kept.has(map) ? [{ m, bytes: calls.pixelBytes(map) }] : []));
    const known = costs.map((cost, m) => cost && this.knownOf(m, cost));
    return ({ rows, cols }) => {
      const v = this.axis('h', rows)!;
      const u = this.axis('w', cols)!;
      let sum = 0;
      for (let m = 0; m < costs.length; m++) {
        const cost = costs[m];
        if (cost === null) {
          sum += callInstructions(k, v.extents[m].calls * u.extents[m].calls);
          continue;
        }
        const at = rows <= KNOWN && cols <= KNOWN ? (rows - 1) * KNOWN + cols - 1 : -1;
        let instructions = at < 0 ? 0 : known[m]![at];
        if (instructions === 0) {
          const isPart = cols > 1 && (maps[m] === this.stage.splitMap || this.kept.has(maps[m]));
          instructions = cost.instructions({ rows: v.extents[m], cols: u.extents[m], isPart });
          if (at >= 0) known[m]![at] = instructions;
        }
        sum += instructions;
      }
      for (const { m, bytes } of kept) {
        const pixels = v.needed[m] * u.needed[m] - v.computed[m] * u.computed[m];
        // Each is written to a cache and read back, separately from the left and from above.
        const left = u.needed[m] > u.computed[m] ? v.needed[m] * (cols - 1) : 0;
        const above = (v.needed[m] - v.computed[m]) * cols;
        if (pixels > 0) sum += copyInstructions(k, 2 * pixels * bytes, 2 * (left + above), 4 * rows * cols);
      }
      return sum;
    };
  }
}

/** Rows and columns of the largest grid whose instructions are remembered. */
const KNOWN = 8;

/** Whether a layer that runs on patches reads as many columns as rows for each of its own. */
function reachesAlike(layer: Layer): boolean {
  if (layer.kind === 'pad') return layer.padding.top === layer.padding.left;
  if (!('window' in layer)) return true;
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW, padding } = layer.window;
  return kernelH === kernelW && strideH === strideW && dilationH === dilationW && padding.top === padding.left;
}

/** What `count` rows (or columns) of branches do with each map. */
function axisNumbers(maps: readonly MapId[], inputs: readonly MapId[], parts: AxisParts, count: number): AxisNumbers {
  const size = maps.length * count;
  const extents: AxisExtent[] = [];
  const numbers: AxisNumbers = {
    need: new Int32Array(size),
    needBegin: new Int32Array(size),
    fresh: new Int32Array(size),
    freshBegin: new Int32Array(size),
    freshBefore: new Int32Array(size),
    computed: new Float64Array(maps.length),
    needed: new Float64Array(maps.length),
    extents,
    inputs: inputs.map((map) => parts.get(map)!),
  };
  for (const [m, map] of maps.entries()) {
    const computed: number[] = [];
    for (const [i, { need, fresh }] of parts.get(map)!.entries()) {
      const at = m * count + i;
      numbers.needBegin[at] = need.begin;
      numbers.freshBegin[at] = fresh.begin;
      numbers.freshBefore[at] = numbers.computed[m];
      numbers.computed[m] += numbers.fresh[at] = fresh.end - fresh.begin;
      numbers.needed[m] += numbers.need[at] = need.end - need.begin;
      if (numbers.fresh[at] > 0) computed.push(numbers.fresh[at]);
    }
    extents.push(axisExtents(computed));
  }
  return numbers;
}
