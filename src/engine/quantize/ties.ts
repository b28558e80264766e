import type { Graph, Layer, MapId } from '../graph/types';
import type { Bits } from '../graph/bits';
import { UnionFind } from './unionFind';
import { nonNegativeMaps } from './nonNegative';

/**
 * What the arithmetic demands of feature maps' formats.
 *
 * - Layers that move codes without computing (max pooling, concatenation, slice, resize, reshape, permute, pad) keep
 *   the format: their maps share bits and, channel by channel, scales.
 * - A layer whose kernel has one table or one multiplier for all channels needs one scale for the whole map.
 * - Maps joined by an Add have proportional scales: scale[m][c] = pattern[c]·factor[m], so that Add needs no table
 *   per channel.
 */
export interface FormatTies {
  /** Signed codes are needed. */
  readonly signed: readonly boolean[];
  /** Representative map of each group of maps that share their bits. */
  readonly bitGroup: readonly MapId[];
  /** For map m, slot of channel c is `slotOffset[m] + c`; slots with equal representatives share one scale. */
  readonly slotOffset: readonly number[];
  readonly slotGroup: Int32Array;
  /** Maps with equal representatives have proportional scales; a map alone in its group is free. */
  readonly patternGroup: readonly MapId[];
  /**
   * Fewest bits that a map can have: channels that a concat or slice addresses begin on a byte, Softmax and
   * rearrangements work on 8 bits.
   */
  readonly leastBits: readonly Bits[];
  /** Concatenations whose inputs differ in sign and must be requantized into the output. */
  readonly mixedConcats: ReadonlySet<number>;
}

/**
 * Derives the ties of a graph.
 * @param oneScale maps that need one scale for all channels for reasons outside of the graph
 */
export function formatTies(graph: Graph, oneScale: ReadonlySet<MapId> = new Set()): FormatTies {
  const signed = nonNegativeMaps(graph).map((n) => !n);
  for (const input of graph.inputs) signed[input.map] = false;
  const slotOffset: number[] = [];
  let slots = 0;
  for (const map of graph.maps) {
    slotOffset.push(slots);
    slots += map.shape.c;
  }
  const slot = new UnionFind(slots);
  const bits = new UnionFind(graph.maps.length);
  const pattern = new UnionFind(graph.maps.length);
  const mixedConcats = new Set<number>();
  const least = graph.maps.map((): Bits => 2);
  const atLeast = (map: MapId, b: Bits): void => {
    least[map] = Math.max(least[map], b) as Bits;
  };
  /** Channel `channel` of the map has to begin on a byte. */
  const onByte = (map: MapId, channel: number): void => atLeast(map, channel % 4 === 0 ? 2 : channel % 2 === 0 ? 4 : 8);

  const wholeMap = (map: MapId): void => {
    const c = graph.maps[map].shape.c;
    for (let k = 1; k < c; k++) slot.union(slotOffset[map], slotOffset[map] + k);
  };
  const sameChannels = (a: MapId, aFrom: number, b: MapId, bFrom: number, count: number): void => {
    for (let k = 0; k < count; k++) slot.union(slotOffset[a] + aFrom + k, slotOffset[b] + bFrom + k);
  };
  const keepFormat = (layer: Layer): void => {
    for (const map of layer.inputs) {
      bits.union(map, layer.output);
      sameChannels(map, 0, layer.output, 0, graph.maps[layer.output].shape.c);
    }
  };

  for (const layer of graph.layers) {
    switch (layer.kind) {
      case 'maxPool':
      case 'resize':
      case 'pad':
        keepFormat(layer);
        break;
      case 'slice':
        onByte(layer.inputs[0], layer.begin);
        bits.union(layer.inputs[0], layer.output);
        sameChannels(layer.inputs[0], layer.begin, layer.output, 0, layer.end - layer.begin);
        break;
      case 'concat': {
        if (layer.axis === 'c') {
          let begin = 0;
          for (const map of layer.inputs) {
            onByte(layer.output, begin);
            begin += graph.maps[map].shape.c;
          }
        }
        if (layer.inputs.some((m) => signed[m] !== signed[layer.output])) {
          mixedConcats.add(layer.id);
          break;
        }
        if (layer.axis !== 'c') {
          keepFormat(layer);
          break;
        }
        let from = 0;
        for (const map of layer.inputs) {
          const c = graph.maps[map].shape.c;
          bits.union(map, layer.output);
          sameChannels(map, 0, layer.output, from, c);
          from += c;
        }
        break;
      }
      case 'reshape':
      case 'permute':
        atLeast(layer.output, 8);
        bits.union(layer.inputs[0], layer.output);
        wholeMap(layer.inputs[0]);
        wholeMap(layer.output);
        slot.union(slotOffset[layer.inputs[0]], slotOffset[layer.output]);
        break;
      case 'activation':
      case 'softmax':
        if (layer.kind === 'softmax') atLeast(layer.output, 8);
        for (const map of layer.inputs) wholeMap(map);
        wholeMap(layer.output);
        break;
      case 'prelu':
        pattern.union(layer.inputs[0], layer.output);
        break;
      case 'add':
        for (const map of layer.inputs) pattern.union(map, layer.output);
        break;
      case 'averagePool': {
        const { h, w } = graph.maps[layer.inputs[0]].shape;
        const global = layer.window.kernelH === h && layer.window.kernelW === w;
        if (!global) {
          wholeMap(layer.inputs[0]);
          wholeMap(layer.output);
        }
        break;
      }
      case 'mul':
      case 'conv':
      case 'depthwise':
      case 'fullyConnected':
        break;
    }
    if ('clamp' in layer && layer.clamp.min !== null && layer.clamp.min !== 0) wholeMap(layer.output);
  }
  // A signed minimum, or anything the application reads, has one scale for the whole map.
  for (const output of graph.outputs) wholeMap(output.map);
  for (const map of oneScale) wholeMap(map);

  const slotGroup = new Int32Array(slots);
  for (let i = 0; i < slots; i++) slotGroup[i] = slot.find(i);
  // Signedness is part of the format: groups that share bits share it, signed winning.
  for (const map of graph.maps) if (signed[map.id]) signed[bits.find(map.id)] = true;
  for (const map of graph.maps) signed[map.id] = signed[bits.find(map.id)];
  // What the application reads and writes has 8 bits.
  for (const { map } of [...graph.inputs, ...graph.outputs]) atLeast(map, 8);
  for (const map of graph.maps) atLeast(bits.find(map.id), least[map.id]);
  for (const map of graph.maps) atLeast(map.id, least[bits.find(map.id)]);
  return {
    signed,
    bitGroup: graph.maps.map((m) => bits.find(m.id)),
    slotOffset,
    slotGroup,
    patternGroup: graph.maps.map((m) => pattern.find(m.id)),
    leastBits: least,
    mixedConcats,
  };
}
