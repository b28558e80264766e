import type { FeatureMap, Graph, MapId } from '../graph/types';
import type { FormatTies } from './ties';
import { UnionFind } from './unionFind';

/** Feature maps whose scales have to be chosen together. */
export interface ScaleComponent {
  readonly maps: readonly MapId[];
  /** Number of independent scales. */
  readonly groups: number;
  /** For each map of `maps`: channel → group. */
  readonly groupOf: readonly Int32Array[];
  /** The maps are tied by Adds only: each may have its own factor on the common scales. */
  readonly proportional: boolean;
}

/** Splits the graph's maps into components; every map is in exactly one. */
export function scaleComponents(graph: Graph, ties: FormatTies): ScaleComponent[] {
  const maps = new UnionFind(graph.maps.length);
  const ownerOfSlot = new Map<number, MapId>();
  const shares = new Set<MapId>();
  for (const map of graph.maps) {
    for (let c = 0; c < map.shape.c; c++) {
      const group = ties.slotGroup[ties.slotOffset[map.id] + c];
      const owner = ownerOfSlot.get(group);
      if (owner === undefined) ownerOfSlot.set(group, map.id);
      else if (owner !== map.id) {
        maps.union(owner, map.id);
        shares.add(owner).add(map.id);
      }
    }
  }
  // Maps that share scales channel by channel with others are not made proportional on top: their Adds get tables
  // instead.
  // Nor are those whose codes are not ours to choose.
  const isFixed = ({ producer }: FeatureMap): boolean => producer === null || graph.layers[producer].kind === 'softmax';
  const free = (m: MapId): boolean => !shares.has(m) && !isFixed(graph.maps[m]);
  const proportionalOf = new Map<MapId, MapId>();
  for (const map of graph.maps) {
    if (!free(map.id)) continue;
    const first = proportionalOf.get(ties.patternGroup[map.id]);
    if (first === undefined) proportionalOf.set(ties.patternGroup[map.id], map.id);
    else if (graph.maps[first].shape.c === map.shape.c) maps.union(first, map.id);
  }
  const members = new Map<number, MapId[]>();
  for (const map of graph.maps) {
    const root = maps.find(map.id);
    const list = members.get(root);
    if (list) list.push(map.id);
    else members.set(root, [map.id]);
  }
  return [...members.values()].map((list) => describe(graph, ties, list, list.length > 1 && list.every(free)));
}

function describe(graph: Graph, ties: FormatTies, maps: MapId[], proportional: boolean): ScaleComponent {
  if (proportional) {
    // Channels that any member keeps together are kept together in all.
    const c = graph.maps[maps[0]].shape.c;
    const channels = new UnionFind(c);
    for (const m of maps) {
      const first = new Map<number, number>();
      for (let k = 0; k < c; k++) {
        const g = ties.slotGroup[ties.slotOffset[m] + k];
        const f = first.get(g);
        if (f === undefined) first.set(g, k);
        else channels.union(f, k);
      }
    }
    const { local, count } = renumber(Array.from({ length: c }, (_, k) => channels.find(k)));
    return { maps, groups: count, groupOf: maps.map(() => local), proportional };
  }
  const ids = new Map<number, number>();
  const groupOf = maps.map((m) => {
    const c = graph.maps[m].shape.c;
    const row = new Int32Array(c);
    for (let k = 0; k < c; k++) {
      const g = ties.slotGroup[ties.slotOffset[m] + k];
      let id = ids.get(g);
      if (id === undefined) {
        id = ids.size;
        ids.set(g, id);
      }
      row[k] = id;
    }
    return row;
  });
  return { maps, groups: ids.size, groupOf, proportional };
}

function renumber(ids: readonly number[]): { local: Int32Array; count: number } {
  const seen = new Map<number, number>();
  const local = Int32Array.from(ids, (id) => {
    let n = seen.get(id);
    if (n === undefined) {
      n = seen.size;
      seen.set(id, n);
    }
    return n;
  });
  return { local, count: seen.size };
}
