import { isWeighted, type Graph, type LayerId, type MapId } from '../graph/types';
import type { Bits } from '../graph/bits';
import { formatTies } from '../quantize/ties';

/**
 * One decision of VDQS: the bits of a group of feature maps that share them, or, where a map has to stay at 8 bits, the
 * bits at which one layer reads it through a requantized view.
 */
export interface DecisionUnit {
  readonly kind: 'stored' | 'view';
  /** Maps whose bits are decided; the map that is read, for a view. */
  readonly maps: readonly MapId[];
  /** Layers with weights that read at these bits. */
  readonly readers: readonly LayerId[];
  /** Fewest bits that the arithmetic allows. */
  readonly leastBits: Bits;
}

/**
 * The decisions that a graph leaves open. 8 bits stay: what the application reads and writes, what Softmax and norms
 * read and write, and maps that an Add or a product joins: a residual path at few bits loses accuracy that no
 * compensation brings back; layers read them through views.
 */
export function decisionUnits(graph: Graph): DecisionUnit[] {
  const { bitGroup, leastBits } = formatTies(graph);
  const wide = new Set<MapId>();
  for (const map of graph.maps) if (leastBits[map.id] === 8) wide.add(bitGroup[map.id]);
  for (const layer of graph.layers) {
    if (layer.kind === 'softmax' || layer.kind === 'normalize') wide.add(bitGroup[layer.inputs[0]]);
    if (layer.kind === 'add' || layer.kind === 'mul')
      for (const map of [...layer.inputs, layer.output]) wide.add(bitGroup[map]);
  }
  const inputs = new Set(graph.inputs.map((i) => i.map));
  const groups = new Map<MapId, { maps: MapId[]; readers: LayerId[] }>();
  const units: DecisionUnit[] = [];
  for (const map of graph.maps) {
    const readers = map.consumers.filter((id) => isWeighted(graph.layers[id]));
    if (!wide.has(bitGroup[map.id])) {
      const group = groups.get(bitGroup[map.id]);
      if (group) {
        group.maps.push(map.id);
        group.readers.push(...readers);
      } else groups.set(bitGroup[map.id], { maps: [map.id], readers: [...readers] });
    } else if (!inputs.has(map.id)) {
      for (const reader of readers) units.push({ kind: 'view', maps: [map.id], readers: [reader], leastBits: 2 });
    }
  }
  for (const group of groups.values()) units.push({ kind: 'stored', ...group, leastBits: leastBits[group.maps[0]] });
  return units.sort((a, b) => a.maps[0] - b.maps[0] || (a.readers[0] ?? 0) - (b.readers[0] ?? 0));
}
