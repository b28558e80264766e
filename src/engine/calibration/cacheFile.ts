import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import { elements, type Graph } from '../graph/types';
import type { Calibration, MapStatistics, PatchStatistics } from './types';

/**
 * The cache's file: 8 bytes of magic, SHA-256 of the rest, then deflated: length of a JSON header (uint32), the header,
 * the arrays in the order of the header's maps. Float arrays are little-endian doubles, counts are LEB128 varints, most
 * of which are the one byte 0.
 */
const MAGIC = 'QMCUCAL1';
const MAX_INFLATED_BYTES = 1024 * 1024 * 1024;

interface Header {
  readonly key: string;
  readonly images: number;
  readonly inputKind: Calibration['inputKind'];
  readonly notes: readonly string[];
  readonly maps: readonly { readonly map: number; readonly name: string; readonly bins: number }[];
  readonly patches: Omit<PatchStatistics, 'counts'> | null;
}

const FLOATS = ['min', 'max', 'mean', 'variance', 'lo', 'width'] as const;

/** @param notes what calibration told the user, kept with it */
export async function encodeCalibration(calibration: Calibration, notes: readonly string[]): Promise<Buffer> {
  const maps = [...calibration.maps.values()];
  let patches: Header['patches'] = null;
  if (calibration.patches !== null) {
    const { counts: _counts, ...rest } = calibration.patches;
    patches = rest;
  }
  const { key, images, inputKind } = calibration;
  const header: Header = {
    key,
    images,
    inputKind,
    notes,
    maps: maps.map(({ map, name, bins }) => ({ map, name, bins })),
    patches,
  };
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const parts: Uint8Array[] = [length, json];
  for (const statistics of maps) {
    for (const field of FLOATS) parts.push(doubles(statistics[field]));
    parts.push(varints(statistics.histograms), varints(statistics.zeros ?? new Uint32Array(statistics.shape.c)));
  }
  if (calibration.patches !== null) parts.push(varints(calibration.patches.counts));
  const body = await promisify(deflateRaw)(Buffer.concat(parts), { level: 1 });
  return Buffer.concat([Buffer.from(MAGIC, 'latin1'), createHash('sha256').update(body).digest(), body]);
}

/**
 * What {@link encodeCalibration} wrote; null when the bytes are damaged, another version's, or of another key or graph.
 */
export async function decodeCalibration(
  bytes: Buffer,
  key: string,
  graph: Graph,
): Promise<{ calibration: Calibration; notes: readonly string[] } | null> {
  if (bytes.length < 40 || bytes.toString('latin1', 0, 8) !== MAGIC) return null;
  const deflated = bytes.subarray(40);
  if (!createHash('sha256').update(deflated).digest().equals(bytes.subarray(8, 40))) return null;
  try {
    const body = await promisify(inflateRaw)(deflated, { maxOutputLength: MAX_INFLATED_BYTES });
    const reader = new Reader(body);
    const header = JSON.parse(reader.text()) as Header;
    if (header.key !== key || header.maps.length !== graph.maps.length) return null;
    const maps = new Map<number, MapStatistics>();
    for (const { map, name, bins } of header.maps) {
      const own = graph.maps[map];
      if (own === undefined || own.name !== name || maps.has(map)) return null;
      const { shape } = own;
      const [min, max, mean, variance, lo, width] = FLOATS.map(() => reader.doubles(shape.c));
      maps.set(map, {
        map,
        name,
        shape,
        min,
        max,
        mean,
        variance,
        bins,
        lo,
        width,
        histograms: reader.counts(shape.c * bins),
        zeros: reader.counts(shape.c),
      });
    }
    const p = header.patches;
    if (p !== null && (graph.maps[p.map] === undefined || elements(graph.maps[p.map].shape) === 0)) return null;
    const patches = p === null ? null : { ...p, counts: reader.counts(p.images * p.cellRows * p.cellCols * p.bins) };
    if (!reader.atEnd()) return null;
    return {
      calibration: { key, images: header.images, inputKind: header.inputKind, maps, patches },
      notes: header.notes,
    };
  } catch {
    return null;
  }
}

function doubles(values: Float64Array): Uint8Array {
  const out = Buffer.alloc(values.length * 8);
  values.forEach((v, i) => out.writeDoubleLE(v, i * 8));
  return out;
}

function varints(values: Uint32Array): Uint8Array {
  let size = values.length;
  for (let i = 0; i < values.length; i++) for (let v = values[i] >>> 7; v > 0; v >>>= 7) size++;
  const out = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    let v = values[i];
    for (; v > 127; v >>>= 7) out[at++] = (v & 127) | 128;
    out[at++] = v;
  }
  return out;
}

/** Reads front to back; throws when the bytes end too early. */
class Reader {
  private at = 0;

  constructor(private readonly bytes: Buffer) {}

  text(): string {
    const length = this.bytes.readUInt32LE(this.at);
    const end = this.at + 4 + length;
    if (end > this.bytes.length) throw new RangeError('too short');
    const text = this.bytes.toString('utf8', this.at + 4, end);
    this.at = end;
    return text;
  }

  doubles(length: number): Float64Array {
    const out = new Float64Array(length);
    for (let i = 0; i < length; i++) out[i] = this.bytes.readDoubleLE(this.at + i * 8);
    this.at += length * 8;
    return out;
  }

  counts(length: number): Uint32Array {
    // Each count takes at least one byte, so a header that claims more than there are is refused before memory is
    // taken.
    if (!(length >= 0 && length <= this.bytes.length - this.at)) throw new RangeError('too short');
    const out = new Uint32Array(length);
    const { bytes } = this;
    let at = this.at;
    for (let i = 0; i < length; i++) {
      // Most are: 0 above all.
      if (bytes[at] < 128) {
        out[i] = bytes[at++];
        continue;
      }
      let value = 0;
      let scale = 1;
      for (;;) {
        const b = bytes[at++];
        if (b === undefined || scale > 2 ** 28) throw new RangeError('damaged');
        value += (b & 127) * scale;
        if (b < 128) break;
        scale *= 128;
      }
      out[i] = value;
    }
    this.at = at;
    return out;
  }

  atEnd(): boolean {
    return this.at === this.bytes.length;
  }
}
