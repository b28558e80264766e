import type { Graph, MapId } from '../graph/types';
import { macsPerPixel } from '../graph/macs';
import { callInstructions, copyInstructions, layerInstructions } from '../program/latency';
import { axisParts, patchSpans, type Grid } from './branches';
import type { Axis } from './receptiveField';
import type { BitsOf } from './schedule';
import type { Stage } from './stages';

/**
 * One axis of one partition of the split map: by map of the stage (the order of `stage.maps`), what each row (or column) of branches does. Entries are
 * [map · count + branch].
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
}

/** The regions of a stage under one choice of kept maps, for all grids; rows and columns are worked out once each and combined. */
export class StageShapes {
  private readonly axes: Record<Axis, (AxisNumbers | null)[]> = { h: [], w: [] };
  private readonly macsOfMap: readonly number[];

  constructor(
    private readonly graph: Graph,
    readonly stage: Stage,
    readonly keep: ReadonlySet<MapId>,
  ) {
    this.macsOfMap = stage.layers.map((id) => {
      const layer = graph.layers[id];
      return macsPerPixel(layer, graph.maps[layer.inputs[0]].shape, graph.maps[layer.output].shape);
    });
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
    const { stage, graph, keep } = this;
    const parts = axisParts(graph, stage, axis, patchSpans(graph.maps[stage.splitMap].shape[axis], count), keep);
    let numbers: AxisNumbers | null = null;
    if (parts) {
      const size = stage.maps.length * count;
      numbers = {
        need: new Int32Array(size), needBegin: new Int32Array(size), fresh: new Int32Array(size), freshBegin: new Int32Array(size), freshBefore: new Int32Array(size),
        computed: new Float64Array(stage.maps.length), needed: new Float64Array(stage.maps.length),
      };
      for (const [m, map] of stage.maps.entries()) {
        for (const [i, { need, fresh }] of parts.get(map)!.entries()) {
          const at = m * count + i;
          numbers.needBegin[at] = need.begin;
          numbers.freshBegin[at] = fresh.begin;
          numbers.freshBefore[at] = numbers.computed[m];
          numbers.computed[m] += numbers.fresh[at] = fresh.end - fresh.begin;
          numbers.needed[m] += numbers.need[at] = need.end - need.begin;
        }
      }
    }
    this.axes[axis][count] = numbers;
    return numbers;
  }

  /** Multiply-accumulates of the stage, recomputed halos included. */
  macs({ rows, cols }: Grid): number {
    const v = this.axis('h', rows)!.computed;
    const u = this.axis('w', cols)!.computed;
    return this.macsOfMap.reduce((sum, macs, m) => sum + macs * v[m] * u[m], 0);
  }

  /** Estimated instructions of the stage by grid (see latency.ts): layers with recomputed halos, copies of kept ones, calls. */
  instructions(bits: BitsOf): (grid: Grid) => number {
    const { graph, stage } = this;
    const perPixel = Float64Array.from(stage.layers, (id) => {
      const layer = graph.layers[id];
      return layerInstructions(graph, layer, 1, bits.read(id, 'regular') ?? bits.stored(layer.inputs[0], 'regular'));
    });
    const kept = stage.maps.flatMap((map, m) => (this.keep.has(map) ? [{ m, pixelBytes: Math.ceil((graph.maps[map].shape.c * bits.stored(map, 'regular')) / 8) }] : []));
    return ({ rows, cols }) => {
      const v = this.axis('h', rows)!;
      const u = this.axis('w', cols)!;
      const branches = rows * cols;
      let sum = callInstructions(branches * perPixel.length);
      for (let m = 0; m < perPixel.length; m++) sum += v.computed[m] * u.computed[m] * perPixel[m];
      for (const { m, pixelBytes } of kept) {
        const pixels = v.needed[m] * u.needed[m] - v.computed[m] * u.computed[m];
        // Each is written to a cache and read back; from the left and from above apart.
        if (pixels > 0) sum += copyInstructions(2 * pixels * pixelBytes, 4 * branches);
      }
      return sum;
    };
  }
}
