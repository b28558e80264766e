import { isWeighted, type ActivationLayer, type ConcatLayer, type Graph, type Layer, type MapId } from '../graph/types';
import type { Bits } from '../graph/bits';
import { UnionFind } from './unionFind';
import { nonNegativeMaps } from './nonNegative';
import { wideReach } from './wideReach';

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
   * Fewest bits that a map can have: channels that a concat or slice addresses begin on a byte; Softmax, norms
   * and rearrangements work on 8 bits.
   */
  readonly leastBits: readonly Bits[];
  /**
   * Of every map the largest magnitude of a 16-bit code with which the sums of its readers stay in 32 bits, whatever
   * their 8-bit weights are; 0 where a map may not have 16 bits, see {@link wideReach}.
   */
  readonly reach: readonly number[];
  /**
   * Concatenations whose inputs must be requantized into the output: they differ in sign, or some have codes of a
   * fixed format, as the application gives them or Softmax writes them, and others do not.
   */
  readonly mixedConcats: ReadonlySet<number>;
}

/**
 * Derives the ties of a graph.
 * @param oneScale maps that need one scale for all channels for reasons outside of the graph
 * @param heads    outputs whose channels may have their own scales
 */
export function formatTies(
  graph: Graph,
  oneScale: ReadonlySet<MapId> = new Set(),
  heads?: ReadonlyMap<MapId, unknown>,
): FormatTies {
  if (oneScale.size > 0 || heads) return findTies(graph, oneScale, heads);
  let ties = plainTies.get(graph);
  if (!ties) plainTies.set(graph, (ties = findTies(graph, oneScale)));
  return ties;
}

/** Ties of the graph alone, by graph: who plans, prices and lowers it asks for them at every step. */
const plainTies = new WeakMap<Graph, FormatTies>();

function findTies(graph: Graph, oneScale: ReadonlySet<MapId>, heads?: ReadonlyMap<MapId, unknown>): FormatTies {
  const ties = new TieFinder(graph);
  for (const layer of graph.layers) {
    ties.addLayer(layer);
    if ('clamp' in layer && layer.clamp.min !== null && layer.clamp.min !== 0) ties.wholeMap(layer.output);
  }
  // A signed minimum, or anything the application reads, has one scale for the whole map.
  for (const { map } of graph.outputs) if (!heads?.has(map)) ties.wholeMap(map);
  for (const map of oneScale) ties.wholeMap(map);
  return ties.finish();
}

class TieFinder {
  private readonly signed: boolean[];
  private readonly slotOffset: number[] = [];
  private readonly slot: UnionFind;
  private readonly bits: UnionFind;
  private readonly pattern: UnionFind;
  private readonly mixedConcats = new Set<number>();
  private readonly fixed: readonly FixedCodes[];
  private readonly least: Bits[];

  constructor(private readonly graph: Graph) {
    this.signed = nonNegativeMaps(graph).map((n) => !n);
    this.fixed = fixedCodes(graph);
    for (const input of graph.inputs) this.signed[input.map] = false;
    let slots = 0;
    for (const map of graph.maps) {
      this.slotOffset.push(slots);
      slots += map.shape.c;
    }
    this.slot = new UnionFind(slots);
    this.bits = new UnionFind(graph.maps.length);
    this.pattern = new UnionFind(graph.maps.length);
    this.least = graph.maps.map((): Bits => 2);
  }

  addLayer(layer: Layer): void {
    switch (layer.kind) {
      case 'maxPool':
      case 'resize':
      case 'pad':
        this.keepFormat(layer);
        break;
      case 'slice':
        this.onByte(layer.inputs[0], layer.begin);
        this.bits.union(layer.inputs[0], layer.output);
        this.sameChannels(layer.inputs[0], layer.begin, layer.output, 0, layer.end - layer.begin);
        break;
      case 'concat':
        this.addConcat(layer);
        break;
      case 'reshape':
      case 'permute':
        this.atLeast(layer.output, 8);
        this.bits.union(layer.inputs[0], layer.output);
        this.wholeMap(layer.inputs[0]);
        this.wholeMap(layer.output);
        this.slot.union(this.slotOffset[layer.inputs[0]], this.slotOffset[layer.output]);
        break;
      case 'activation':
        if (this.keepsProportions(layer)) {
          this.pattern.union(layer.inputs[0], layer.output);
          break;
        }
        for (const map of layer.inputs) this.wholeMap(map);
        this.wholeMap(layer.output);
        break;
      case 'softmax':
      case 'normalize':
        this.atLeast(layer.output, 8);
        for (const map of layer.inputs) this.wholeMap(map);
        this.wholeMap(layer.output);
        break;
      case 'prelu':
        this.pattern.union(layer.inputs[0], layer.output);
        break;
      case 'add':
        for (const map of layer.inputs) this.pattern.union(map, layer.output);
        break;
      case 'averagePool': {
        const { h, w } = this.graph.maps[layer.inputs[0]].shape;
        const global = layer.window.kernelH === h && layer.window.kernelW === w;
        if (!global) {
          this.wholeMap(layer.inputs[0]);
          this.wholeMap(layer.output);
        }
        break;
      }
      case 'mul':
      case 'conv':
      case 'depthwise':
      case 'fullyConnected':
        break;
    }
  }

  /**
   * Whether one table serves channels of different scales: LeakyRelu of a multiple is the multiple of LeakyRelu, so
   * scales before and behind it need only be proportional. Maps that move elsewhere unchanged are left out.
   */
  private keepsProportions({ fn, inputs: [input], output }: ActivationLayer): boolean {
    const { maps, layers, outputs } = this.graph;
    const { producer, consumers } = maps[input];
    return (
      fn.name === 'leakyRelu' &&
      fn.alpha > 0 &&
      fn.alpha < 1 &&
      producer !== null &&
      isWeighted(layers[producer]) &&
      consumers.length === 1 &&
      maps[output].consumers.every((id) => isWeighted(layers[id])) &&
      !outputs.some((o) => o.map === input || o.map === output)
    );
  }

  /** One scale for all channels of a map. */
  wholeMap(map: MapId): void {
    const { slot, slotOffset } = this;
    const { c } = this.graph.maps[map].shape;
    for (let k = 1; k < c; k++) slot.union(slotOffset[map], slotOffset[map] + k);
  }

  finish(): FormatTies {
    const { graph, signed, slot, bits, pattern, least } = this;
    const slots = graph.maps.reduce((sum, map) => sum + map.shape.c, 0);
    const slotGroup = new Int32Array(slots);
    for (let i = 0; i < slots; i++) slotGroup[i] = slot.find(i);
    // Signedness is part of the format: groups that share bits share it, signed winning.
    for (const map of graph.maps) if (signed[map.id]) signed[bits.find(map.id)] = true;
    for (const map of graph.maps) signed[map.id] = signed[bits.find(map.id)];
    // What the application reads and writes has 8 bits.
    for (const { map } of [...graph.inputs, ...graph.outputs]) this.atLeast(map, 8);
    for (const map of graph.maps) this.atLeast(bits.find(map.id), least[map.id]);
    for (const map of graph.maps) this.atLeast(map.id, least[bits.find(map.id)]);
    return {
      signed,
      bitGroup: graph.maps.map((m) => bits.find(m.id)),
      slotOffset: this.slotOffset,
      slotGroup,
      patternGroup: graph.maps.map((m) => pattern.find(m.id)),
      leastBits: least,
      reach: wideReach(graph, (map) => bits.find(map)),
      mixedConcats: this.mixedConcats,
    };
  }

  private addConcat(layer: ConcatLayer): void {
    if (layer.axis === 'c') {
      let begin = 0;
      for (const map of layer.inputs) {
        this.onByte(layer.output, begin);
        begin += this.graph.maps[map].shape.c;
      }
    }
    if (
      layer.inputs.some((m) => this.signed[m] !== this.signed[layer.output]) ||
      layer.inputs.some((m) => this.fixed[m] !== null && this.fixed[m] !== this.fixed[layer.output])
    ) {
      this.mixedConcats.add(layer.id);
      return;
    }
    if (layer.axis !== 'c') {
      this.keepFormat(layer);
      return;
    }
    let from = 0;
    for (const map of layer.inputs) {
      const c = this.graph.maps[map].shape.c;
      this.bits.union(map, layer.output);
      this.sameChannels(map, 0, layer.output, from, c);
      from += c;
    }
  }

  private keepFormat(layer: Layer): void {
    for (const map of layer.inputs) {
      this.bits.union(map, layer.output);
      this.sameChannels(map, 0, layer.output, 0, this.graph.maps[layer.output].shape.c);
    }
  }

  private sameChannels(a: MapId, aFrom: number, b: MapId, bFrom: number, count: number): void {
    const { slot, slotOffset } = this;
    for (let k = 0; k < count; k++) slot.union(slotOffset[a] + aFrom + k, slotOffset[b] + bFrom + k);
  }

  private atLeast(map: MapId, bits: Bits): void {
    this.least[map] = Math.max(this.least[map], bits) as Bits;
  }

  /** Channel `channel` of the map has to begin on a byte. */
  private onByte(map: MapId, channel: number): void {
    this.atLeast(map, channel % 4 === 0 ? 2 : channel % 2 === 0 ? 4 : 8);
  }
}

/** Whose choice the codes of a map are, where they are not the quantizer's. */
type FixedCodes = 'input' | 'softmax' | null;

/** Of every map: whether it holds nothing but codes of the graph's inputs, or of softmaxes, moved. */
function fixedCodes(graph: Graph): FixedCodes[] {
  const fixed = graph.maps.map(({ producer }): FixedCodes => (producer === null ? 'input' : null));
  for (const layer of graph.layers) {
    const [first, ...others] = layer.inputs.map((map) => fixed[map]);
    const moves = ['maxPool', 'resize', 'slice', 'concat', 'reshape', 'permute'].includes(layer.kind);
    if (layer.kind === 'softmax') fixed[layer.output] = 'softmax';
    else if (moves && others.every((other) => other === first)) fixed[layer.output] = first;
  }
  return fixed;
}
