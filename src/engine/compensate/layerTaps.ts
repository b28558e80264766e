import type { Graph, WeightedLayer } from '../graph/types';
import { codeTables } from '../quantize/codeTables';
import type { MapFormat } from '../quantize/types';
import { tapsOf, type LayerSamples } from './layerSamples';
import { algebra, Algebra } from './simd/algebra';

/** Reads the codes of a layer's input map on one image, dense HWC. */
export type CodesOf = (image: number) => Int16Array;

/** Codes are kept with this added, so that they index a table: −128…255 become 0…383. */
const BIAS = 128;
/** Stands for positions outside the map. */
const PADDING = 384;

/** Groups of a layer that are gathered together. */
export interface GroupRange {
  readonly firstGroup: number;
  readonly groups: number;
}

/** What some groups of a layer read at its sampled pixels. */
export interface LayerTaps extends GroupRange {
  /** Taps of an output: kernel positions × input channels of its group. */
  readonly taps: number;
  readonly rows: number;
  /** Input channel of each tap of each group, [groups][taps]. */
  readonly channels: Int32Array;
  /**
   * [groups][taps][rows], taps in the weights' order [kH][kW][channel]: codes + {@link BIAS}; {@link PADDING} outside
   * the map.
   */
  readonly codes: Int16Array;
}

/** Codes that are gathered at once where a layer has several groups: depthwise layers have many, and each is small. */
const CODES_AT_ONCE = 1 << 22;

/** Parts of a layer's groups that are gathered one after the other, all of them together. */
export function groupRanges(graph: Graph, { layer, rows }: LayerSamples): GroupRange[] {
  const groups = groupsOf(graph, layer);
  const atOnce = Math.max(1, Math.floor(CODES_AT_ONCE / (tapsOf(graph, layer) * rows)));
  return Array.from({ length: Math.ceil(groups / atOnce) }, (_, i) => ({
    firstGroup: i * atOnce,
    groups: Math.min(atOnce, groups - i * atOnce),
  }));
}

/** Groups of channels that are computed apart; all of a depthwise layer's. */
export function groupsOf(graph: Graph, layer: WeightedLayer): number {
  if (layer.kind === 'fullyConnected') return 1;
  return layer.kind === 'depthwise' ? graph.maps[layer.output].shape.c : layer.group;
}

/** Gathers what some groups of a layer read, image by image. */
export function gatherTaps(
  graph: Graph,
  samples: LayerSamples,
  { firstGroup, groups }: GroupRange,
  codesOf: CodesOf,
  simd: Algebra | null = algebra(),
): LayerTaps {
  const { layer, rows } = samples;
  const input = graph.maps[layer.inputs[0]].shape;
  const output = graph.maps[layer.output].shape;
  const taps = tapsOf(graph, layer);
  if (layer.kind === 'fullyConnected') {
    const codes = new Int16Array(taps * rows);
    for (let row = 0; row < rows; row++) {
      const read = codesOf(row);
      for (let k = 0; k < taps; k++) codes[k * rows + row] = read[k] + BIAS;
    }
    const channels = Int32Array.from({ length: taps }, (_, k) => k % input.c);
    return { firstGroup, groups, taps, rows, channels, codes };
  }
  const groupIn = layer.kind === 'depthwise' ? 1 : input.c / layer.group;
  const firstChannel = firstGroup * groupIn;
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW, padding } = layer.window;
  const channels = Int32Array.from({ length: groups * taps }, (_, i) => {
    return firstChannel + Math.floor(i / taps) * groupIn + (i % groupIn);
  });
  const count = samples.pixels[0].length;
  const size = { map: input.h * input.w * input.c, channels: input.c, pixels: count, codes: groups * taps * rows };
  const gatherer =
    simd !== null && Algebra.fits(SimdGatherer.bytes(size)) ? new SimdGatherer(size, simd) : new PlainGatherer(size);
  const at = new Int32Array(count);
  samples.pixels.forEach((pixels, image) => {
    gatherer.read(codesOf(image));
    const column = image * count;
    for (let ky = 0, k = 0; ky < kernelH; ky++) {
      for (let kx = 0; kx < kernelW; kx++, k += groupIn) {
        for (let i = 0; i < count; i++) {
          const y = Math.floor(pixels[i] / output.w) * strideH - padding.top + ky * dilationH;
          const x = (pixels[i] % output.w) * strideW - padding.left + kx * dilationW;
          at[i] = y >= 0 && y < input.h && x >= 0 && x < input.w ? (y * input.w + x) * input.c : -1;
        }
        if (groupIn === 1) gatherer.take(at, firstChannel, groups, k * rows + column, taps * rows);
        else
          for (let g = 0; g < groups; g++)
            gatherer.take(at, firstChannel + g * groupIn, groupIn, (g * taps + k) * rows + column, rows);
      }
    }
  });
  return { firstGroup, groups, taps, rows, channels, codes: gatherer.codes() };
}

/** How much is gathered: codes of a map and its channels, pixels of an image, and codes in all. */
interface GatheredSize {
  readonly map: number;
  readonly channels: number;
  readonly pixels: number;
  readonly codes: number;
}

/** Collects {@link LayerTaps.codes} from one map after the other. */
interface Gatherer {
  read(map: Int16Array): void;
  /**
   * @param at where the pixels are in the map, −1 outside of it
   * @param to where the first channel's codes go; those of the next are `step` further on
   */
  take(at: Int32Array, firstChannel: number, channels: number, to: number, step: number): void;
  codes(): Int16Array;
}

/** In TypeScript: the reference, and the implementation where there is no SIMD. */
class PlainGatherer implements Gatherer {
  private map: Int16Array = new Int16Array(0);
  private readonly gathered: Int16Array;

  constructor({ codes }: GatheredSize) {
    this.gathered = new Int16Array(codes);
  }

  read(map: Int16Array): void {
    this.map = map;
  }

  take(at: Int32Array, firstChannel: number, channels: number, to: number, step: number): void {
    const { map, gathered } = this;
    for (let j = 0, first = to, c = firstChannel; j < channels; j++, first += step, c++)
      for (let i = 0; i < at.length; i++) gathered[first + i] = at[i] < 0 ? PADDING : map[at[i] + c] + BIAS;
  }

  codes(): Int16Array {
    return this.gathered;
  }
}

/** In WebAssembly, whose memory it takes from its beginning. */
class SimdGatherer implements Gatherer {
  private readonly map: number;
  private readonly at: number;
  private readonly out: number;

  constructor(
    private readonly size: GatheredSize,
    private readonly simd: Algebra,
  ) {
    simd.clear();
    // A pixel outside the map follows it.
    this.map = simd.place((size.map + size.channels) * 2);
    this.at = simd.place(size.pixels * 4);
    this.out = simd.place(size.codes * 2);
    simd.int16(this.map, size.map + size.channels).fill(PADDING - BIAS, size.map);
  }

  static bytes({ map, channels, pixels, codes }: GatheredSize): number {
    return (map + channels + codes) * 2 + pixels * 4 + 64;
  }

  read(map: Int16Array): void {
    this.simd.int16(this.map, this.size.map).set(map.subarray(0, this.size.map));
  }

  take(at: Int32Array, firstChannel: number, channels: number, to: number, step: number): void {
    const { simd, size } = this;
    const bytes = simd.int32(this.at, at.length);
    for (let i = 0; i < at.length; i++) bytes[i] = (at[i] < 0 ? size.map : at[i]) * 2;
    simd.functions.gather(this.map + firstChannel * 2, this.at, at.length, channels, BIAS, this.out + to * 2, step * 2);
  }

  codes(): Int16Array {
    return this.simd.int16(this.out, this.size.codes).slice();
  }
}

/**
 * The same taps as a layer sees them that reads another format: codes for the nearest values, less their zero points, 0
 * on padding. [groups][taps][rows].
 *
 * @param from format of the gathered codes
 */
export function tapsIn(
  { channels, codes, rows }: LayerTaps,
  from: MapFormat,
  to: MapFormat,
  simd: Algebra | null = algebra(),
): Int16Array {
  const result = new Int16Array(codes.length);
  const zeroOf = (channel: number): number => to.zeroPoints[to.zeroPoints.length === 1 ? 0 : channel];
  const tableOf = from === to && simd !== null ? null : shiftedTables(from, to, zeroOf);
  simd?.clear();
  const row = simd?.place(rows * 2) ?? 0;
  const placed = simd?.place((PADDING + 1) * 2) ?? 0;
  const changed = simd?.int16(row, rows);
  channels.forEach((channel, tap) => {
    const first = tap * rows;
    if (simd !== null && changed) {
      changed.set(codes.subarray(first, first + rows));
      if (tableOf === null) simd.functions.lessZero(row, rows, PADDING, BIAS + zeroOf(channel));
      else {
        simd.int16(placed, PADDING + 1).set(tableOf(channel));
        simd.functions.translate(row, rows, placed);
      }
      result.set(changed, first);
    } else {
      const table = tableOf!(channel);
      for (let i = first; i < first + rows; i++) result[i] = table[codes[i]];
    }
  });
  return result;
}

/** Tables from gathered codes to codes of another format less their zero points, by channel. */
function shiftedTables(
  from: MapFormat,
  to: MapFormat,
  zeroOf: (channel: number) => number,
): (channel: number) => Int16Array {
  const tables = codeTables(from, to);
  const shifted = new Map<number, Int16Array>();
  return (channel) => {
    let table = shifted.get(channel);
    if (!table) {
      const zero = zeroOf(channel);
      const codes = tables.of(channel);
      table = new Int16Array(PADDING + 1);
      for (let i = 0, first = tables.first + BIAS; i < codes.length; i++) table[first + i] = codes[i] - zero;
      shifted.set(channel, table);
    }
    return table;
  };
}
