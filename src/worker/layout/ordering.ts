import type { LayeredGraph } from './layered';

/**
 * Sorts each rank by the mean position of its neighbours, sweeping down and up, and keeps the order with the fewest
 * crossings.
 */
export function orderRanks(graph: LayeredGraph): void {
  const { ranks, above, below } = graph;
  if (ranks.every((rank) => rank.length < 2)) return;
  const position = new Float64Array(above.length);
  const number = (rank: readonly number[]): void =>
    rank.forEach((node, index) => {
      position[node] = index;
    });
  ranks.forEach(number);
  let best = ranks.map((rank) => [...rank]);
  let fewest = crossings(graph, position);
  const sweeps = above.length > 20_000 ? 4 : 12;
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep++) {
    const down = sweep % 2 === 0;
    for (let i = 0; i < ranks.length; i++) {
      const rank = ranks[down ? i : ranks.length - 1 - i];
      const neighbors = down ? above : below;
      const mean = new Map(rank.map((node) => [node, barycenter(neighbors[node], position, position[node])]));
      // Equal means keep their order on even pairs of sweeps and swap it on odd ones, which leaves local optima.
      const turn = sweep % 4 < 2 ? 1 : -1;
      rank.sort((a, b) => mean.get(a)! - mean.get(b)! || turn * (position[a] - position[b]));
      number(rank);
    }
    const now = crossings(graph, position);
    if (now < fewest) {
      fewest = now;
      best = ranks.map((rank) => [...rank]);
    }
  }
  best.forEach((rank, index) => ranks[index].splice(0, rank.length, ...rank));
}

function barycenter(neighbors: readonly number[], position: Float64Array, otherwise: number): number {
  if (neighbors.length === 0) return otherwise;
  let sum = 0;
  for (const node of neighbors) sum += position[node];
  return sum / neighbors.length;
}

/** Crossings between all neighbouring ranks, counted with a tree of partial sums (Barth, Jünger, Mutzel 2002). */
function crossings({ ranks, below }: LayeredGraph, position: Float64Array): number {
  let total = 0;
  for (let r = 0; r + 1 < ranks.length; r++) {
    const ends: number[] = [];
    for (const node of ranks[r]) ends.push(...below[node].map((target) => position[target]).sort((a, b) => a - b));
    const size = ranks[r + 1].length;
    const tree = new Int32Array(size + 1);
    for (let i = ends.length - 1; i >= 0; i--) {
      for (let k = ends[i]; k > 0; k -= k & -k) total += tree[k];
      for (let k = ends[i] + 1; k <= size; k += k & -k) tree[k]++;
    }
  }
  return total;
}
