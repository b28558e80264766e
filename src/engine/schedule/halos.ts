import { intersectRegions, regionPixels, type Region } from '../graph/region';
import type { Graph, LayerId, MapId } from '../graph/types';
import type { BranchPart, StageBranch } from './branches';
import type { ScheduleRecord } from './record';
import type { Part, Run } from './runs';
import type { BitsOf } from './schedule';

/** Halos that branches keep for later ones, in separate caches. */
export class HaloCaches {
  /** By stage, map and branch: the cache that the next branches read. */
  private readonly caches = new Map<string, number>();

  constructor(
    private readonly graph: Graph,
    private readonly record: ScheduleRecord,
    private readonly bits: BitsOf,
  ) {}

  clear(): void {
    this.caches.clear();
  }

  /**
   * Copies what earlier branches kept of a map into the branch's buffer: the rows above and the columns left of the
   * fresh part.
   */
  restore(layer: LayerId, map: MapId, part: BranchPart, run: Run): void {
    for (const [key, region] of [
      [cacheKey(run.part!, map, run.branch!.row - 1, run.branch!.col, 'rows'), aboveFresh(part)],
      [cacheKey(run.part!, map, run.branch!.row, run.branch!.col - 1, 'cols'), leftOfFresh(part)],
    ] as const) {
      const buffer = this.caches.get(key);
      if (buffer === undefined || regionPixels(region) === 0) continue;
      const output = this.record.access(map, region, run.located);
      this.record.emit({ kind: 'restore', layer, part: 0, run, inputs: [{ ...output, buffer, channel: 0 }], output });
    }
  }

  /** Copies what the branch below and the branch to the right will need of a map into caches of its size. */
  keep(layer: LayerId, map: MapId, part: BranchPart, run: Run): void {
    const { row, col } = run.branch!;
    const { scheduled, branches } = run.part!;
    const { cols } = scheduled.grid;
    const below = branches[(row + 1) * cols + col]?.parts.get(map);
    const right = col + 1 < cols ? branches[row * cols + col + 1].parts.get(map) : undefined;
    for (const [key, region] of [
      [cacheKey(run.part!, map, row, col, 'rows'), below && intersectRegions(part.need, aboveFresh(below))],
      [cacheKey(run.part!, map, row, col, 'cols'), right && intersectRegions(part.need, leftOfFresh(right))],
    ] as const) {
      if (!region || regionPixels(region) === 0) continue;
      const input = this.record.access(map, region, run.located);
      // Both paths that a branch can take at run time fill the same cache.
      // All branches, whatever their class, share what is kept: with the widths of the regular class.
      const kept: Run = run.scope === null ? run : { ...run, scope: 'regular' };
      const buffer =
        this.caches.get(key) ??
        this.record.addBuffer(
          'cache',
          map,
          region,
          run.scope === null ? this.record.buffers[input.buffer].bits : this.bits.stored(map, 'regular'),
          { run: kept },
        );
      this.caches.set(key, buffer);
      this.record.emit({
        kind: 'keep',
        layer,
        part: 0,
        run,
        inputs: [input],
        output: { ...input, buffer, channel: 0 },
      });
    }
  }

  /**
   * Makes the caches that the branch finds, and returns others of the same map that are alive at the same time: of
   * columns to the right from above, to the left for below.
   */
  standIn(at: Part, map: MapId, branch: StageBranch, step: number): number[] {
    const { scheduled, branches } = at;
    const { row, col } = branch;
    const { cols } = scheduled.grid;
    const part = branch.parts.get(map)!;
    const below = branches[branch.index + cols]?.parts.get(map);
    const bits = this.bits.stored(map, 'regular');
    const width = this.graph.maps[map].shape.w;
    const add = (region: Region): number[] => {
      if (regionPixels(region) === 0) return [];
      const id = this.record.addBuffer('cache', map, region, bits);
      this.record.touch(id, step);
      return [id];
    };
    const above = aboveFresh(part);
    const left = leftOfFresh(part);
    for (const id of row > 0 ? add(above) : []) this.caches.set(cacheKey(at, map, row - 1, col, 'rows'), id);
    for (const id of col > 0 ? add(left) : []) this.caches.set(cacheKey(at, map, row, col - 1, 'cols'), id);
    return [
      ...(row > 0 ? add({ ...above, x0: part.fresh.x1, x1: width }) : []),
      ...(below ? add({ ...intersectRegions(part.need, aboveFresh(below)), x0: 0, x1: part.fresh.x0 }) : []),
    ];
  }
}

function cacheKey({ index }: Part, map: MapId, row: number, col: number, axis: 'rows' | 'cols'): string {
  return `${index} ${map} ${row} ${col} ${axis}`;
}

/**
 * The rows of a branch's part that the branch above has computed, in the columns that are fresh here: columns left of
 * them come with {@link leftOfFresh}.
 */
function aboveFresh({ need, fresh }: BranchPart): Region {
  return { y0: need.y0, x0: fresh.x0, y1: fresh.y0, x1: fresh.x1 };
}

/** The columns of a branch's part that the branch to the left has in its buffer, over all rows. */
function leftOfFresh({ need, fresh }: BranchPart): Region {
  return { y0: need.y0, x0: need.x0, y1: need.y1, x1: fresh.x0 };
}
