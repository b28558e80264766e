import type { ArenaRequest } from '../arena';
import type { Conflicts } from './conflicts';
import { initialOrders } from './orders';
import { groupRequests, Placer, type Placement } from './placement';
import { layoutByWindows } from './windows';

/** Work of the two efforts, in looks at a conflict of a request that is being placed. */
const budget = { quick: 80_000, thorough: 12_000_000 };

/**
 * Iterated greedy: several classic orders, then from the best of them moves of the groups at the top of the arena to earlier places in the order.
 */
export function searchLayout(requests: readonly ArenaRequest[], conflicts: Conflicts, lowerBound: number, effort: 'quick' | 'thorough'): Placement {
  const groups = groupRequests(requests);
  const groupOf = new Int32Array(requests.length);
  groups.forEach((members, g) => members.forEach((i) => (groupOf[i] = g)));
  const n = groups.length;
  const placer = new Placer(requests, conflicts, groups);
  // A request with many conflicts also sorts them.
  let work = requests.length + 1;
  for (let i = 0; i < requests.length; i++) {
    const degree = conflicts.start[i + 1] - conflicts.start[i];
    work += degree * (1 + degree / 32);
  }
  let left = Math.max(24, Math.min(8000, Math.floor(budget[effort] / work)));
  let best: Placement = { offsets: new Float64Array(requests.length), bytes: Infinity };
  let bestOrder: Int32Array = new Int32Array(0);
  let bestUpended = false;
  const attempt = (order: Int32Array, upended: boolean, limit: number): number => {
    left--;
    const bytes = placer.place(order, upended, limit);
    if (bytes < best.bytes) {
      best = { offsets: placer.current.slice(), bytes };
      bestOrder = order.slice();
      bestUpended = upended;
    }
    return bytes;
  };
  for (const order of initialOrders(requests, groups)) {
    for (const upended of [false, true]) if (left > 0 && best.bytes > lowerBound) attempt(order, upended, best.bytes);
  }
  if (best.bytes <= lowerBound) return best;
  const byWindows = layoutByWindows(requests, conflicts, lowerBound, best.bytes, effort);
  // Where a layout falls apart in time, moves of groups all over it find nothing better.
  if (byWindows) return byWindows;

  const random = lcg(n);
  const topOf = (offsets: Float64Array, bytes: number) => highest(requests, offsets, bytes);
  let order = bestOrder.slice();
  let upended = bestUpended;
  let bytes = best.bytes;
  let top = topOf(best.offsets, bytes);
  let idle = 0;
  while (left > 0 && best.bytes > lowerBound) {
    const next = order.slice();
    if (idle > patience) {
      // A dead end: back to the best order, shaken.
      next.set(bestOrder);
      for (let swaps = 1 + random(4); swaps > 0; swaps--) swap(next, random(n), random(n));
      order = next;
      upended = random(4) === 0 ? !bestUpended : bestUpended;
      bytes = attempt(next, upended, Infinity);
      top = topOf(placer.current, bytes);
      idle = 0;
      continue;
    }
    const mover = random(8) > 0 ? top[random(top.length)] : random(requests.length);
    const degree = conflicts.start[mover + 1] - conflicts.start[mover];
    const other = degree > 0 && random(4) > 0 ? groupOf[conflicts.other[conflicts.start[mover] + random(degree)]] : next[0];
    moveEarlier(next, groupOf[mover], other);
    const before = best.bytes;
    // Equal heights are accepted, so that plateaus are crossed.
    const got = attempt(next, upended, bytes);
    idle = best.bytes < before ? 0 : idle + 1;
    if (got === Infinity) continue;
    order = next;
    bytes = got;
    top = topOf(placer.current, got);
  }
  return best;
}

/** Moves without a better layout before the search starts anew. */
const patience = 60;

function swap(order: Int32Array, a: number, b: number): void {
  const x = order[a];
  order[a] = order[b];
  order[b] = x;
}

/** The requests that reach the top. */
function highest(requests: readonly ArenaRequest[], offsets: Float64Array, bytes: number): number[] {
  const top: number[] = [];
  for (let i = 0; i < requests.length; i++) if (offsets[i] + requests[i].bytes === bytes) top.push(i);
  return top;
}

/** Moves a group to just before `other`; if it is there already, `other` to just before it. */
function moveEarlier(order: Int32Array, mover: number, other: number): void {
  const a = order.indexOf(mover);
  const b = order.indexOf(other);
  const from = Math.max(a, b);
  const to = Math.min(a, b);
  const moved = order[from];
  order.copyWithin(to + 1, to, from);
  order[to] = moved;
}

/** A small deterministic generator: random(n) is in [0, n). */
function lcg(seed: number): (n: number) => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * n);
  };
}
