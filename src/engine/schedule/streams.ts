import { regionPixels, type Region } from '../graph/region';
import type { Graph, MapId } from '../graph/types';
import type { ScheduleRecord } from './record';
import type { Located, Part, Run } from './runs';
import type { BitsOf } from './schedule';

/** What one row of patches finds of a streamed map: some whole rows of it. */
interface Band {
  readonly window: Region;
  /** Those of its rows that the band before holds as well; may be empty. */
  readonly kept: Region;
  /** End of what the streamed stage has written once the band is full. */
  readonly written: number;
}

/**
 * Split maps of streamed stages: each exists in bands, one for each row of patches of the stage that reads it. A band
 * is filled by the patches of the streamed stage that write its rows; the rows that the next band holds as well are
 * kept in a cache in between.
 */
export class StreamedMaps {
  private readonly producers = new Map<MapId, Part>();
  private readonly bands = new Map<MapId, readonly (Band | null)[]>();
  /** By map, what is kept for the next band. */
  private readonly caches = new Map<MapId, number>();
  /** By part, rows of patches that have run. */
  private readonly rows = new Map<Part, number>();

  /**
   * @param located where whole maps are: streamed ones are found there as long as their band is open
   * @throws Error where not exactly one later stage reads the split map of a streamed one
   */
  constructor(
    private readonly graph: Graph,
    private readonly record: ScheduleRecord,
    private readonly bits: BitsOf,
    private readonly located: Located,
    parts: readonly Part[],
  ) {
    for (const part of parts) {
      if (!part.scheduled.streamed) continue;
      const { splitMap } = part.scheduled.stage;
      const reader = parts.find(({ scheduled }) => scheduled.stage.inputs.includes(splitMap));
      if (!reader || !isStreamable(graph, splitMap, reader.scheduled))
        throw new Error(`Map ${splitMap} is streamed, but not read by one further stage alone.`);
      this.producers.set(splitMap, part);
      this.bands.set(splitMap, bandsOf(graph, splitMap, part, reader));
    }
  }

  has(map: MapId): boolean {
    return this.producers.has(map);
  }

  /**
   * Opens the bands that a row of patches reads: makes their buffers, copies what was kept, and has the patches run
   * that write the rest.
   *
   * @param run that of the row's first patch
   */
  open(part: Part, row: number, run: Run, emitRow: (part: Part, row: number) => void): void {
    for (const map of part.scheduled.stage.inputs) {
      const band = this.bands.get(map)?.[row];
      if (!band) continue;
      const buffer = this.record.addBuffer('map', map, band.window, this.bits.stored(map, null));
      this.located.set(map, { buffer, channel: 0 });
      this.copy('restore', map, band.kept, run);
      const producer = this.producers.get(map)!;
      for (let next = this.rows.get(producer) ?? 0; ; next++) {
        if (rowEnd(producer, next - 1) >= band.written) break;
        this.rows.set(producer, next + 1);
        emitRow(producer, next);
      }
    }
  }

  /** Keeps what the next rows of patches need of the bands. @param run that of the row's last patch */
  close(part: Part, row: number, run: Run): void {
    for (const map of part.scheduled.stage.inputs) {
      const bands = this.bands.get(map);
      if (!bands?.[row]) continue;
      const next = bands.slice(row + 1).find((band) => band !== null);
      if (next) this.copy('keep', map, next.kept, run);
    }
  }

  private copy(kind: 'keep' | 'restore', map: MapId, region: Region, run: Run): void {
    if (regionPixels(region) === 0) return;
    const band = this.record.access(map, region, this.located);
    const cache =
      kind === 'keep'
        ? this.record.addBuffer('cache', map, region, this.bits.stored(map, null))
        : this.caches.get(map)!;
    this.caches.set(map, cache);
    const kept = { ...band, buffer: cache };
    const [input, output] = kind === 'keep' ? [band, kept] : [kept, band];
    this.record.emit({ kind, layer: this.graph.maps[map].producer!, part: 0, run, inputs: [input], output });
  }
}

/** Whether a stage may read a map in bands: it alone reads it, patch by patch, and the map is no output. */
export function isStreamable(
  graph: Graph,
  map: MapId,
  reader: { readonly stage: Part['scheduled']['stage']; readonly channels?: number },
): boolean {
  const inside = new Set(reader.stage.layers);
  return (
    reader.channels === undefined &&
    reader.stage.inputs.includes(map) &&
    graph.maps[map].consumers.every((id) => inside.has(id)) &&
    graph.outputs.every((output) => output.map !== map)
  );
}

/** By row of the reader's patches; null for those that read nothing that is not there already. */
function bandsOf(graph: Graph, map: MapId, producer: Part, reader: Part): (Band | null)[] {
  const { w } = graph.maps[map].shape;
  const { rows, cols } = reader.scheduled.grid;
  let written = 0;
  let strip = 0;
  const bands = Array.from({ length: rows }, (_, row): Band | null => {
    const { y0, y1 } = reader.branches[row * cols].parts.get(map)!.need;
    if (y1 <= y0) return null;
    const before = written;
    while (written < y1) written = rowEnd(producer, strip++);
    const begin = Math.min(y0, before);
    return {
      window: { y0: begin, x0: 0, y1: written, x1: w },
      kept: { y0: begin, x0: 0, y1: before, x1: w },
      written,
    };
  });
  // Where later patches begin above earlier ones, the bands before theirs hold on to those rows.
  let begin = Infinity;
  return bands.reduceRight<(Band | null)[]>((later, band) => {
    if (!band) return [null, ...later];
    begin = Math.min(begin, band.window.y0);
    const kept = { ...band.kept, y0: Math.min(begin, band.kept.y1) };
    return [{ ...band, window: { ...band.window, y0: begin }, kept }, ...later];
  }, []);
}

/** Where a row of patches ends in the split map. */
function rowEnd({ branches, scheduled: { grid } }: Part, row: number): number {
  return row < 0 ? 0 : branches[row * grid.cols].patch.y1;
}
