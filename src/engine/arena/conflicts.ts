import type { ArenaOverlap, ArenaRequest } from './layoutArena';

/**
 * Pairs of requests that are alive in a common step, as adjacency lists in flat arrays: those of request i are at
 * [start[i], start[i + 1]).
 */
export interface Conflicts {
  readonly start: Int32Array;
  readonly other: Int32Array;
  /** offset(other) − offset(i) must be at least this when i lies below. */
  readonly below: Float64Array;
  /** offset(i) − offset(other) must be at least this when i lies above. */
  readonly above: Float64Array;
}

/** Finds all conflicts by a sweep over the steps. Requests of 0 bytes conflict with nothing. */
export function findConflicts(requests: readonly ArenaRequest[], overlaps: readonly ArenaOverlap[]): Conflicts {
  const n = requests.length;
  const permitted = new Map<number, number>();
  for (const { over, output, distance } of overlaps) permitted.set(output * n + over, distance);
  /** Least distance from a to b when a lies below b. */
  const separation = (a: number, b: number) => Math.min(requests[a].bytes, permitted.get(a * n + b) ?? Infinity);

  const order = requests.map((_, i) => i).sort((a, b) => requests[a].first - requests[b].first || a - b);
  const lists: number[][] = requests.map(() => []);
  let active: number[] = [];
  for (const i of order) {
    if (requests[i].bytes === 0) continue;
    active = active.filter((j) => requests[j].last >= requests[i].first);
    for (const j of active) {
      lists[i].push(j);
      lists[j].push(i);
    }
    active.push(i);
  }
  const start = new Int32Array(n + 1);
  for (let i = 0; i < n; i++) start[i + 1] = start[i] + lists[i].length;
  const other = new Int32Array(start[n]);
  const below = new Float64Array(start[n]);
  const above = new Float64Array(start[n]);
  for (let i = 0; i < n; i++) {
    lists[i].forEach((j, k) => {
      const at = start[i] + k;
      other[at] = j;
      below[at] = separation(i, j);
      above[at] = separation(j, i);
    });
  }
  return { start, other, below, above };
}
