import { UserError } from '../common/errors';
import type { Bits } from '../graph/bits';
import type { Graph, Layer } from '../graph/types';
import type { LayerParameters, MapFormat, QuantizedParameters } from '../quantize/types';

/**
 * The binary file next to a sidecar that holds the quantized parameters: so C can be generated on a machine that has
 * neither images nor time.
 *
 *     8 bytes  "QMCUPAR1"
 *     4 bytes  length of the header, little endian
 *     header   JSON: formats, views and layers with the place of their arrays in the payload
 *     payload  float64 and int32 arrays little endian, int8 arrays; each at a multiple of 8
 */
const MAGIC = 'QMCUPAR1';
const MAX_HEADER = 64 << 20;

interface Place {
  readonly at: number;
  readonly length: number;
}
interface FormatEntry {
  readonly name: string;
  readonly bits: Bits;
  readonly signed: boolean;
  /** Of 16 bits. */
  readonly reach?: number;
  readonly scales: Place;
  readonly zeroPoints: Place;
}
interface LayerEntry {
  readonly name: string;
  readonly weightBits: 8 | 4;
  readonly codes: Place;
  readonly weightScales: Place;
  readonly bias: Place;
}
interface Header {
  readonly formats: readonly FormatEntry[];
  readonly views: readonly FormatEntry[];
  readonly layers: readonly LayerEntry[];
}

/** Scales of real networks lie far inside; products and quotients of a few of them stay normal numbers. */
function isScale(s: number): boolean {
  return s > 1e-60 && s < 1e60;
}

/** Codes of 16 bits are signed and say how far they reach. */
function fitsReach({ bits, signed, reach }: FormatEntry): boolean {
  if (bits !== 16) return reach === undefined;
  return signed && Number.isInteger(reach) && reach! > 0 && reach! <= 32767;
}

/** Serialises parameters; the same parameters always give the same bytes. */
export function encodeParameters(graph: Graph, parameters: QuantizedParameters): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  const place = (array: Float64Array | Int32Array | Int8Array): Place => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const result = { at: size, length: array.length };
    const padded = Math.ceil(bytes.length / 8) * 8;
    const block = new Uint8Array(padded);
    block.set(bytes);
    parts.push(block);
    size += padded;
    return result;
  };
  const format = (name: string, f: MapFormat): FormatEntry => ({
    name,
    bits: f.bits,
    signed: f.signed,
    ...(f.reach === undefined ? {} : { reach: f.reach }),
    scales: place(f.scales),
    zeroPoints: place(f.zeroPoints),
  });
  const header: Header = {
    formats: [...parameters.formats].sort((a, b) => a[0] - b[0]).map(([id, f]) => format(graph.maps[id].name, f)),
    views: [...parameters.views].sort((a, b) => a[0] - b[0]).map(([id, f]) => format(graph.layers[id].name, f)),
    layers: [...parameters.layers]
      .sort((a, b) => a[0] - b[0])
      .map(([id, p]) => ({
        name: graph.layers[id].name,
        weightBits: p.weightBits,
        codes: place(p.codes),
        weightScales: place(p.weightScales),
        bias: place(p.bias),
      })),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = Math.ceil((12 + text.length) / 8) * 8;
  const result = new Uint8Array(start + size);
  result.set(new TextEncoder().encode(MAGIC));
  new DataView(result.buffer).setUint32(8, text.length, true);
  result.set(text, 12);
  let at = start;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/**
 * Reads parameters back and checks that they fit the graph.
 * @param file named in errors
 * @throws UserError if the bytes are damaged or belong to another model
 */
export function decodeParameters(graph: Graph, bytes: Uint8Array, file: string): QuantizedParameters {
  const damaged = (what: string): UserError =>
    new UserError(`${file}: ${what}. Quantize the model again to rewrite it.`);
  try {
    return new Decoder(graph, bytes, damaged).run();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw damaged('its header is damaged');
  }
}

class Decoder {
  private readonly header: Header;
  /** Where the arrays begin. */
  private readonly start: number;

  constructor(
    private readonly graph: Graph,
    private readonly bytes: Uint8Array,
    private readonly damaged: (what: string) => UserError,
  ) {
    if (bytes.length < 12 || new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC)
      throw damaged('not a QuantMCU parameter file');
    const headerLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
    if (headerLength > MAX_HEADER || 12 + headerLength > bytes.length) throw damaged('the file is truncated');
    this.header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, 12 + headerLength))) as Header;
    this.start = Math.ceil((12 + headerLength) / 8) * 8;
  }

  run(): QuantizedParameters {
    const { graph, header, damaged } = this;
    const mapByName = new Map(graph.maps.map((m) => [m.name, m]));
    const layerByName = new Map(graph.layers.map((l) => [l.name, l]));
    const formats = new Map<number, MapFormat>();
    for (const e of header.formats) {
      const map = mapByName.get(e.name);
      if (map) formats.set(map.id, this.format(e, map.shape.c));
    }
    const missing = graph.maps.find((m) => !formats.has(m.id));
    if (missing) throw damaged(`it lacks feature map "${missing.name}"`);
    const views = new Map<number, MapFormat>();
    for (const e of header.views) {
      const layer = layerByName.get(e.name);
      if (layer) views.set(layer.id, this.format(e, graph.maps[layer.inputs[0]].shape.c));
    }
    const layers = new Map<number, LayerParameters>();
    for (const e of header.layers) {
      const layer = layerByName.get(e.name);
      if (layer && 'weights' in layer) layers.set(layer.id, this.weights(e, layer));
    }
    const bare = graph.layers.find((l) => 'weights' in l && !layers.has(l.id));
    if (bare) throw damaged(`it has no weights for layer "${bare.name}"`);
    return { formats, views, layers };
  }

  private take(p: Place, width: 1 | 4 | 8): ArrayBuffer {
    const { start, bytes } = this;
    const begin = start + p.at;
    const end = begin + p.length * width;
    if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end) || p.at < 0 || p.length < 0 || end > bytes.length)
      throw this.damaged('the file is truncated');
    // A Buffer's slice would share its memory.
    return Uint8Array.prototype.slice.call(bytes, begin, end).buffer;
  }

  private format(e: FormatEntry, channels: number): MapFormat {
    const scales = new Float64Array(this.take(e.scales, 8));
    const zeroPoints = new Int32Array(this.take(e.zeroPoints, 4));
    const fits = (n: number): boolean => n === 1 || n === channels;
    if (
      ![16, 8, 4, 2].includes(e.bits) ||
      !fitsReach(e) ||
      !fits(scales.length) ||
      !fits(zeroPoints.length) ||
      !scales.every(isScale) ||
      !zeroPoints.every((z) => Math.abs(z) < 2 ** e.bits)
    ) {
      throw this.damaged(`the format of "${e.name}" does not match the model`);
    }
    const format = { bits: e.bits, signed: Boolean(e.signed), scales, zeroPoints };
    return e.reach === undefined ? format : { ...format, reach: e.reach };
  }

  private weights(e: Header['layers'][number], layer: Extract<Layer, { weights: unknown }>): LayerParameters {
    const outC = this.graph.maps[layer.output].shape.c;
    const codes = new Int8Array(this.take(e.codes, 1));
    const weightScales = new Float64Array(this.take(e.weightScales, 8));
    const bias = new Float64Array(this.take(e.bias, 8));
    const top = e.weightBits === 8 ? 127 : 7;
    if (
      codes.length !== layer.weights.length ||
      weightScales.length !== outC ||
      bias.length !== outC ||
      !codes.every((v) => v >= -top && v <= top) ||
      !weightScales.every(isScale) ||
      !bias.every(Number.isFinite)
    ) {
      throw this.damaged(`the weights of "${e.name}" do not match the model`);
    }
    return { layer: layer.id, weightBits: e.weightBits, codes, weightScales, bias };
  }
}
