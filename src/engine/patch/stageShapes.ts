import { layerMacs } from '../graph/macs';
import { callInstructions, copyInstructions, layerInstructions } from '../program/latency';
import type { Graph, MapId } from '../graph/types';
import { axisParts, patchSpans, type AxisPart, type AxisParts, type Grid } from './branches';
import type { Axis } from './receptiveField';
import type { BitsOf } from './schedule';
import type { Stage } from './stages';

/** One axis of one partition of the split map, summed up for quick looks at many grids. */
interface AxisSummary {
  readonly parts: AxisParts;
  /** By map, the elements that all patches compute together. */
  readonly computed: ReadonlyMap<MapId, number>;
  /** By map, the elements that all patches need together: what is computed and what was kept. */
  readonly needed: ReadonlyMap<MapId, number>;
  /** By map, the most elements that one patch needs. */
  readonly most: ReadonlyMap<MapId, number>;
  /** Patches among which is, for every other, one that is as large in every map and keeps as much of it: one of them decides about memory. */
  readonly largest: readonly number[];
}

/** The regions of a stage under one choice of kept maps, for all grids; rows and columns are worked out once each and combined. */
export class StageShapes {
  private readonly axes = new Map<string, AxisSummary | null>();

  constructor(
    private readonly graph: Graph,
    readonly stage: Stage,
    readonly keep: ReadonlySet<MapId>,
  ) {}

  /** Whether the grid suits the stage. */
  suits({ rows, cols }: Grid): boolean {
    const { h, w } = this.graph.maps[this.stage.splitMap].shape;
    return rows <= h && cols <= w && this.axis('h', rows) !== null && this.axis('w', cols) !== null;
  }

  /** Multiply-accumulates of the stage, recomputed halos included. */
  macs({ rows, cols }: Grid): number {
    const v = this.axis('h', rows)!.computed;
    const u = this.axis('w', cols)!.computed;
    return this.stage.layers.reduce((sum, id) => {
      const layer = this.graph.layers[id];
      return sum + layerMacs(this.graph, layer, v.get(layer.output)! * u.get(layer.output)!);
    }, 0);
  }

  /** Estimated instructions of the stage by grid (see latency.ts): layers with recomputed halos, copies of kept ones, calls. */
  instructions(bits: BitsOf): (grid: Grid) => number {
    const { graph } = this;
    const layers = this.stage.layers.map((id) => {
      const layer = graph.layers[id];
      const inputBits = bits.read(id, 'regular') ?? bits.stored(layer.inputs[0], 'regular');
      return { map: layer.output, perPixel: layerInstructions(graph, layer, 1, inputBits) };
    });
    const kept = [...this.keep].map((map) => ({ map, pixelBytes: Math.ceil((graph.maps[map].shape.c * bits.stored(map, 'regular')) / 8) }));
    return ({ rows, cols }) => {
      const v = this.axis('h', rows)!;
      const u = this.axis('w', cols)!;
      const branches = rows * cols;
      let sum = callInstructions(branches * layers.length);
      for (const { map, perPixel } of layers) sum += v.computed.get(map)! * u.computed.get(map)! * perPixel;
      for (const { map, pixelBytes } of kept) {
        const pixels = v.needed.get(map)! * u.needed.get(map)! - v.computed.get(map)! * u.computed.get(map)!;
        // Each is written to a cache and read back; from the left and from above apart.
        if (pixels > 0) sum += copyInstructions(2 * pixels * pixelBytes, 4 * branches);
      }
      return sum;
    };
  }

  /**
   * Branches (indexes, in order) among which is the one that needs most memory, whatever the bits, and the first and the last branch. With kept halos, whose
   * caches depend on the position too, it may be missed: by a few percent on real networks, by up to a fifth on tiny random ones.
   */
  representatives({ rows, cols }: Grid): number[] {
    const indexes = new Set([0, rows * cols - 1]);
    for (const row of this.axis('h', rows)!.largest) for (const col of this.axis('w', cols)!.largest) indexes.add(row * cols + col);
    return [...indexes].sort((a, b) => a - b);
  }

  /** The most pixels of a map that one branch holds. */
  mostPixels(map: MapId, { rows, cols }: Grid): number {
    return this.axis('h', rows)!.most.get(map)! * this.axis('w', cols)!.most.get(map)!;
  }

  private axis(axis: Axis, count: number): AxisSummary | null {
    const key = `${axis}${count}`;
    let summary = this.axes.get(key);
    if (summary === undefined) {
      const parts = axisParts(this.graph, this.stage, axis, patchSpans(this.graph.maps[this.stage.splitMap].shape[axis], count), this.keep);
      summary = parts && summarize(parts, count, this.keep.size > 0);
      this.axes.set(key, summary);
    }
    return summary;
  }
}

function summarize(parts: AxisParts, count: number, keeps: boolean): AxisSummary {
  const computed = new Map<MapId, number>();
  const needed = new Map<MapId, number>();
  const most = new Map<MapId, number>();
  for (const [map, list] of parts) {
    computed.set(map, list.reduce((sum, { fresh }) => sum + fresh.end - fresh.begin, 0));
    needed.set(map, list.reduce((sum, { need }) => sum + need.end - need.begin, 0));
    most.set(map, list.reduce((m, { need }) => Math.max(m, need.end - need.begin), 0));
  }
  const sizes = Array.from({ length: count }, (_, i) =>
    [...parts.values()].flatMap((list) => {
      const { need, fresh } = list[i];
      const kept = (at: AxisPart | undefined) => (at ? at.fresh.begin - at.need.begin : 0);
      return [need.end - need.begin, fresh.end - fresh.begin, kept(list[i]), kept(list[i + 1])];
    }),
  );
  const covers = (a: readonly number[], b: readonly number[]) => a.every((size, i) => size >= b[i]);
  // Inner patches stand for one another and for the borders, but not the other way round: beside the first branch there is no split map yet, beside the
  // last no input any more.
  const largest: number[] = [];
  const covered = (i: number) => largest.some((j) => covers(sizes[j], sizes[i]));
  for (let i = 1; i < count - 1; i++) {
    if (covered(i)) continue;
    for (let k = largest.length - 1; k >= 0; k--) if (covers(sizes[i], sizes[largest[k]])) largest.splice(k, 1);
    largest.push(i);
  }
  const borders = [...new Set([0, count - 1])].filter((i) => !covered(i));
  largest.push(...borders);
  // What is kept for the rows below grows along the first row, what is left from above shrinks along the last one: the ends count as well.
  if (keeps) for (const i of [1, count - 2, count - 1]) if (i > 0 && i < count && !largest.includes(i)) largest.push(i);
  return { parts, computed, needed, most, largest };
}

