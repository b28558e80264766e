/**
 * Rank of each node: the longest path from a source, and sources that are read late only moved down to just above their
 * first reader, so that a constant branch does not cross the whole drawing. Nodes are numbered in topological order.
 */
export function rankNodes(count: number, edges: readonly (readonly [number, number])[]): Int32Array {
  const rank = new Int32Array(count);
  const incoming = new Int32Array(count);
  const firstReader = new Int32Array(count).fill(-1);
  const byTarget = [...edges].sort((a, b) => a[1] - b[1]);
  for (const [from, to] of byTarget) {
    rank[to] = Math.max(rank[to], rank[from] + 1);
    incoming[to]++;
  }
  for (const [from, to] of byTarget) {
    if (firstReader[from] === -1 || rank[to] < firstReader[from]) firstReader[from] = rank[to]!;
  }
  for (let node = 0; node < count; node++) {
    if (incoming[node] === 0 && firstReader[node] > 0) rank[node] = firstReader[node] - 1;
  }
  return rank;
}
