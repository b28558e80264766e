import type { Graph } from '../graph/types';
import { codeTables } from '../quantize/codeTables';
import type { MapFormat } from '../quantize/types';
import { tapsOf, type LayerSamples } from './layerSamples';

/** Reads the codes of a layer's input map on one image, dense HWC. */
export type CodesOf = (image: number) => Int16Array;

/** Codes are kept with this added, so that they index a table: −128…255 become 0…383. */
const BIAS = 128;
/** Stands for positions outside the map. */
const PADDING = 384;

/** What one layer reads at its sampled pixels. */
export interface LayerTaps {
  readonly groups: number;
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

/** Gathers what a layer reads, image by image. */
export function gatherTaps(graph: Graph, samples: LayerSamples, codesOf: CodesOf): LayerTaps {
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
    return { groups: 1, taps, rows, channels: Int32Array.from({ length: taps }, (_, k) => k % input.c), codes };
  }
  const groups = layer.kind === 'depthwise' ? output.c : layer.group;
  const groupIn = layer.kind === 'depthwise' ? 1 : input.c / groups;
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW, padding } = layer.window;
  const channels = Int32Array.from({ length: groups * taps }, (_, i) => Math.floor(i / taps) * groupIn + (i % groupIn));
  const codes = new Int16Array(groups * taps * rows);
  const at = new Int32Array(samples.pixels[0].length);
  samples.pixels.forEach((pixels, image) => {
    const read = codesOf(image);
    const count = pixels.length;
    const column = image * count;
    for (let ky = 0, k = 0; ky < kernelH; ky++) {
      for (let kx = 0; kx < kernelW; kx++, k += groupIn) {
        for (let i = 0; i < count; i++) {
          const y = Math.floor(pixels[i] / output.w) * strideH - padding.top + ky * dilationH;
          const x = (pixels[i] % output.w) * strideW - padding.left + kx * dilationW;
          at[i] = y >= 0 && y < input.h && x >= 0 && x < input.w ? (y * input.w + x) * input.c : -1;
        }
        for (let g = 0; g < groups; g++) {
          for (let j = 0; j < groupIn; j++) {
            const tap = g * taps + k + j;
            const channel = channels[tap];
            const to = tap * rows + column;
            for (let i = 0; i < count; i++) codes[to + i] = at[i] < 0 ? PADDING : read[at[i] + channel] + BIAS;
          }
        }
      }
    }
  });
  return { groups, taps, rows, channels, codes };
}

/**
 * The same taps as a layer sees them that reads another format: codes for the nearest values, less their zero points, 0
 * on padding. [groups][taps][rows].
 *
 * @param from format of the gathered codes
 */
export function tapsIn({ channels, codes, rows }: LayerTaps, from: MapFormat, to: MapFormat): Int16Array {
  const tables = codeTables(from, to);
  const result = new Int16Array(codes.length);
  const shifted = new Map<number, Int16Array>();
  channels.forEach((channel, tap) => {
    let table = shifted.get(channel);
    if (!table) {
      const zero = to.zeroPoints[to.zeroPoints.length === 1 ? 0 : channel];
      table = new Int16Array(PADDING + 1);
      table.set(
        tables.of(channel).map((code) => code - zero),
        tables.first + BIAS,
      );
      shifted.set(channel, table);
    }
    for (let i = tap * rows; i < (tap + 1) * rows; i++) result[i] = table[codes[i]];
  });
  return result;
}
