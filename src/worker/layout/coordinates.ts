import type { LayeredGraph } from './layered';

/**
 * Positions across the ranks after Brandes and Köpf, "Fast and Simple Horizontal Coordinate Assignment" (2001): nodes
 * are aligned with their median neighbours into straight blocks in four ways (from above or below, leaning left or
 * right), each is compacted, and every node takes the mean of its two middle positions. Pieces of long edges stay
 * straight wherever possible.
 */
export function assignCoordinates(graph: LayeredGraph): Float64Array {
  const results: Float64Array[] = [];
  const conflicts = markConflicts(graph);
  for (const down of [true, false]) {
    for (const left of [true, false]) {
      const ranks = (down ? graph.ranks : [...graph.ranks].reverse()).map((rank) =>
        left ? rank : [...rank].reverse(),
      );
      const sides = down
        ? { neighbors: graph.above, opposite: graph.below }
        : { neighbors: graph.below, opposite: graph.above };
      const root = align(ranks, sides, conflicts, down, graph.real);
      const x = compact(ranks, root, graph);
      results.push(left ? x : x.map((value) => -value));
    }
  }
  return straightenTrunk(balance(results, graph), graph);
}

/**
 * Puts the nodes that are alone in their rank, through which everything passes, below each other. Blocks of branches of
 * different lengths drift to one side, block after block; what lies between two such nodes can be moved as a whole, and
 * only edges at the first of them bend otherwise.
 */
function straightenTrunk(x: Float64Array, { ranks }: LayeredGraph): Float64Array {
  const straight = Float64Array.from(x);
  const alone = ranks.flatMap((rank, r) => (rank.length === 1 ? [r] : []));
  alone.slice(1).forEach((to, i) => {
    const from = alone[i];
    const shift = straight[ranks[from][0]] - x[ranks[to][0]];
    for (let r = from + 1; r <= to; r++) for (const node of ranks[r]) straight[node] = x[node] + shift;
  });
  // Behind the last of them, as it was.
  const last = alone[alone.length - 1];
  if (last !== undefined) {
    const shift = straight[ranks[last][0]] - x[ranks[last][0]];
    for (let r = last + 1; r < ranks.length; r++) for (const node of ranks[r]) straight[node] = x[node] + shift;
  }
  return straight;
}

const edgeKey = (upper: number, lower: number): number => upper * 2 ** 26 + lower;

/** Edges that cross a piece of a long edge: they give way. */
function markConflicts({ ranks, above, real }: LayeredGraph): ReadonlySet<number> {
  const marked = new Set<number>();
  const position = positions(ranks);
  for (let r = 1; r < ranks.length; r++) {
    const rank = ranks[r];
    let start = 0;
    let low = 0;
    for (let i = 0; i < rank.length; i++) {
      const inner = rank[i] >= real ? above[rank[i]].find((node) => node >= real) : undefined;
      if (inner === undefined && i < rank.length - 1) continue;
      const high = inner === undefined ? ranks[r - 1].length - 1 : position[inner];
      for (let k = start; k <= i; k++) {
        for (const upper of above[rank[k]]) {
          const at = position[upper];
          if ((at < low || at > high) && !(upper >= real && rank[k] >= real)) marked.add(edgeKey(upper, rank[k]));
        }
      }
      start = i + 1;
      low = high;
    }
  }
  return marked;
}

function positions(ranks: readonly (readonly number[])[]): Int32Array {
  const position = new Int32Array(ranks.reduce((sum, rank) => sum + rank.length, 0));
  for (const rank of ranks)
    rank.forEach((node, index) => {
      position[node] = index;
    });
  return position;
}

/**
 * Joins each node with its median neighbour in the rank before, without crossings. Returns the first node of each
 * node's block.
 */
function align(
  ranks: readonly (readonly number[])[],
  { neighbors, opposite }: { readonly neighbors: LayeredGraph['above']; readonly opposite: LayeredGraph['above'] },
  conflicts: ReadonlySet<number>,
  down: boolean,
  real: number,
): Int32Array {
  const position = positions(ranks);
  const root = Int32Array.from({ length: position.length }, (_, node) => node);
  const taken = new Uint8Array(position.length);
  for (const rank of ranks) {
    let last = -1;
    for (const node of rank) {
      const near = [...neighbors[node]].sort((a, b) => position[a] - position[b]);
      const middle = (near.length - 1) / 2;
      const medians = near.slice(Math.floor(middle), Math.ceil(middle) + 1);
      // A layer is aligned with a layer rather than with a piece of a skip connection, from whichever side one looks:
      // so the trunk of a residual network stays straight.
      if (medians.length === 2 && medians[0] >= real && medians[1] < real) medians.reverse();
      for (const other of medians) {
        if (root[node] !== node || taken[other] !== 0) continue;
        if (node >= real && other < real && opposite[other].some((rival) => rival < real)) continue;
        if (last >= position[other] || conflicts.has(down ? edgeKey(other, node) : edgeKey(node, other))) continue;
        taken[other] = 1;
        root[node] = root[other]!;
        last = position[other]!;
      }
    }
  }
  return root;
}

/**
 * Packs the blocks: each as far to the start as its neighbours allow, then back towards the end as far as those behind
 * it leave room.
 */
function compact(ranks: readonly (readonly number[])[], root: Int32Array, { width, gap }: LayeredGraph): Float64Array {
  const next = new Map<number, Map<number, number>>();
  const waiting = new Int32Array(root.length);
  const connect = (from: number, to: number, distance: number): void => {
    const targets = next.get(from) ?? new Map<number, number>();
    const known = targets.get(to);
    if (known === undefined) waiting[to]++;
    targets.set(to, Math.max(known ?? 0, distance));
    next.set(from, targets);
  };
  for (const rank of ranks) {
    for (let i = 1; i < rank.length; i++) {
      connect(root[rank[i - 1]], root[rank[i]], (width(rank[i - 1]) + width(rank[i])) / 2 + gap);
    }
  }
  const x = new Float64Array(root.length);
  const order: number[] = [];
  for (let node = 0; node < root.length; node++) if (root[node] === node && waiting[node] === 0) order.push(node);
  for (let i = 0; i < order.length; i++) {
    for (const [to, distance] of next.get(order[i]) ?? []) {
      x[to] = Math.max(x[to], x[order[i]] + distance);
      if (--waiting[to] === 0) order.push(to);
    }
  }
  for (let i = order.length - 1; i >= 0; i--) {
    const targets = next.get(order[i]);
    if (targets === undefined) continue;
    let most = Infinity;
    for (const [to, distance] of targets) most = Math.min(most, x[to] - distance);
    x[order[i]] = Math.max(x[order[i]], most);
  }
  return x.map((_, node) => x[root[node]]);
}

/** Shifts the four results onto the narrowest one and takes the mean of the two middle values of each node. */
function balance(results: readonly Float64Array[], { width }: LayeredGraph): Float64Array {
  const bounds = results.map((x) => {
    let low = Infinity;
    let high = -Infinity;
    x.forEach((value, node) => {
      low = Math.min(low, value - width(node) / 2);
      high = Math.max(high, value + width(node) / 2);
    });
    return { low, high };
  });
  const narrow = bounds.reduce((a, b) => (b.high - b.low < a.high - a.low ? b : a));
  const shifts = bounds.map((b, index) => (index % 2 === 0 ? narrow.low - b.low : narrow.high - b.high));
  return results[0].map((_, node) => {
    const values = results.map((x, index) => x[node] + shifts[index]).sort((a, b) => a - b);
    return (values[1] + values[2]) / 2;
  });
}
