/**
 * The graph with runs of layers drawn as one node, so that a network of any size is seen whole at a size that can be
 * read. As little is folded as the room demands: first blocks that repeat exactly, then those that differ only in
 * sizes, finally equal shares of the rest.
 */
import type { LayerView } from '../../src/protocol/views';
import { findRepeats, signatures, singleBorders, type Fold } from './repeats';

/** A node of the drawing: a layer, or layers that are folded. */
export interface GraphNode {
  /** Its position among the nodes, which are in topological order. */
  readonly id: number;
  /** What it stands for, in order; one: the layer itself. */
  readonly layers: readonly LayerView[];
  /** How often a block repeats in it. */
  readonly repeats: number;
  /** Nodes that feed it. */
  readonly inputs: readonly number[];
}

/** A group whose layers are shown, so that it can be folded again. */
export interface OpenGroup {
  readonly key: string;
  readonly nodes: readonly number[];
}

export interface FoldedGraph {
  readonly nodes: readonly GraphNode[];
  /** Nodes that read each node. */
  readonly readers: readonly (readonly number[])[];
  /** Node of each layer. */
  readonly nodeOf: Int32Array;
  readonly open: readonly OpenGroup[];
}

/** A fold and those that are seen when it is opened. */
export interface Group extends Fold {
  readonly inner: readonly Group[];
}

/** Opened at once into its layers up to here; beyond, into its blocks. */
const OPENED_AT_ONCE = 48;

/** Name of a group, which survives recreation of the page. */
export const groupKey = ({ first, last }: Fold): string => `${first}-${last}`;

export const keyOf = (node: GraphNode): string =>
  groupKey({ first: node.layers[0].id, last: node.layers[node.layers.length - 1].id, repeats: node.repeats });

/**
 * What is to be folded so that the network takes at most `capacity` places of a drawing (ranks × the widest rank).
 * @param layers in topological order, whose ids are their positions
 * @param always folds exact repeats also where there is room for all
 */
export function chooseFolds(layers: readonly LayerView[], capacity: number, always = false): readonly Group[] {
  const fits = (groups: readonly Group[]): boolean => places(foldedGraph(layers, groups, new Set())) <= capacity;
  if (!always && fits([])) return [];
  const single = singleBorders(layers);
  const repeats = (exact: boolean): Group[] =>
    findRepeats(signatures(layers, exact), single).map((fold) => ({ ...fold, inner: blocksOf(fold) }));
  const exact = repeats(true);
  if (fits(exact)) return exact;
  const alike = repeats(false);
  if (fits(alike)) return alike;
  let share = Math.ceil(places(foldedGraph(layers, alike, new Set())) / Math.max(1, capacity));
  for (; share < layers.length; share *= 2) {
    const parts = inShares(layers, alike, single, share);
    if (fits(parts)) return parts;
  }
  return inShares(layers, [], single, layers.length);
}

/** The drawing's nodes with these groups folded but for those that are open. */
export function foldedGraph(
  layers: readonly LayerView[],
  groups: readonly Group[],
  opened: ReadonlySet<string>,
): FoldedGraph {
  const runs: { readonly layers: readonly LayerView[]; readonly repeats: number }[] = [];
  const spans: { readonly key: string; readonly from: number; readonly to: number }[] = [];
  const addAll = (from: number, to: number, inside: readonly Group[]): void => {
    let next = from;
    for (const group of inside) {
      for (; next < group.first; next++) runs.push({ layers: [layers[next]], repeats: 1 });
      const key = groupKey(group);
      if (opened.has(key)) {
        const start = runs.length;
        addAll(group.first, group.last, group.inner);
        spans.push({ key, from: start, to: runs.length });
      } else runs.push({ layers: layers.slice(group.first, group.last + 1), repeats: group.repeats });
      next = group.last + 1;
    }
    for (; next <= to; next++) runs.push({ layers: [layers[next]], repeats: 1 });
  };
  addAll(0, layers.length - 1, groups);

  const nodeOf = new Int32Array(layers.length);
  runs.forEach((run, id) => {
    for (const layer of run.layers) nodeOf[layer.id] = id;
  });
  const nodes = runs.map((run, id): GraphNode => {
    const inputs = new Set<number>();
    for (const layer of run.layers)
      for (const input of layer.inputs) if (input >= 0 && input < layer.id) inputs.add(nodeOf[input]);
    inputs.delete(id);
    return { ...run, id, inputs: [...inputs] };
  });
  const readers: number[][] = nodes.map(() => []);
  for (const { id, inputs } of nodes) for (const input of inputs) readers[input].push(id);
  return {
    nodes,
    readers,
    nodeOf,
    open: spans.map(({ key, from, to }) => ({
      key,
      nodes: Array.from({ length: to - from }, (_, i) => from + i),
    })),
  };
}

/** Places of a drawing: ranks by longest path × nodes of the widest one. */
export function places({ nodes }: Pick<FoldedGraph, 'nodes'>): number {
  const rank = new Int32Array(nodes.length);
  const width: number[] = [];
  for (const { id, inputs } of nodes) {
    for (const input of inputs) rank[id] = Math.max(rank[id], rank[input] + 1);
    width[rank[id]] = (width[rank[id]] ?? 0) + 1;
  }
  return width.length * width.reduce((most, n) => Math.max(most, n), 0);
}

/** The blocks of a repeat, where opening it would show too much at once. */
function blocksOf({ first, last, repeats }: Fold): Group[] {
  const block = (last - first + 1) / repeats;
  if (last - first < OPENED_AT_ONCE || block === 1) return shares(first, last, OPENED_AT_ONCE, block);
  return Array.from({ length: repeats }, (_, k) => ({
    first: first + k * block,
    last: first + (k + 1) * block - 1,
    repeats: 1,
    inner: [],
  }));
}

/** Cuts a long run of single layers into at most `most` parts; short ones are left to their layers. */
function shares(first: number, last: number, most: number, block: number): Group[] {
  const count = last - first + 1;
  if (count <= most) return [];
  const size = Math.ceil(count / most / block) * block;
  const parts: Group[] = [];
  for (let from = first; from <= last; from += size) {
    const to = Math.min(last, from + size - 1);
    if (to > from) parts.push({ first: from, last: to, repeats: (to - from + 1) / block, inner: [] });
  }
  return parts;
}

/**
 * The last resort: nodes of a network that repeats nothing go together in equal shares, which end where a single map is
 * alive if there is such a border before they are twice as large.
 */
function inShares(
  layers: readonly LayerView[],
  groups: readonly Group[],
  single: readonly boolean[],
  share: number,
): Group[] {
  const folded: Group[] = [];
  let part: Group[] = [];
  const close = (): void => {
    if (part.length === 1) folded.push(...part.filter(({ first, last }) => last > first));
    else if (part.length > 1)
      folded.push({
        first: part[0].first,
        last: part[part.length - 1].last,
        repeats: 1,
        inner: part.filter(({ first, last }) => last > first),
      });
    part = [];
  };
  const byFirst = new Map(groups.map((group) => [group.first, group]));
  for (let first = 0; first < layers.length;) {
    const node = byFirst.get(first) ?? { first, last: first, repeats: 1, inner: [] };
    part.push(node);
    first = node.last + 1;
    if (part.length >= 2 * share || (part.length >= share && single[first])) close();
  }
  close();
  return folded;
}
