import type { ArenaRequest } from './layoutArena';
import type { Conflicts } from './conflicts';
import { EjectionSearch } from './ejection';
import { initialOrders } from './orders';
import { groupRequests, Placer, type Groups, type Placement } from './placement';
import { mergeSlots } from './slots';
import { layoutByWindows } from './windows';

/** Looks at a conflict of a request that is being placed, for layouts in some orders. */
const ORDERS = { quick: 80_000, thorough: 400_000 };
/** The same for layouts of slots, which stand for all branches at once. */
const SLOT_ORDERS = { quick: 200_000, thorough: 3_000_000 };
/** Of slots and of all requests window by window. */
const WINDOWS = {
  quick: { work: 1_000_000, patience: 4, repairs: 0 },
  thorough: { work: 6_000_000, patience: 4, repairs: 0 },
};
const SLOT_WINDOWS = {
  quick: { work: 1_000_000, patience: 16, repairs: 12 },
  thorough: { work: 3_000_000, patience: 32, repairs: 24 },
};
/** Of slots and of all requests by ejections, for each of them. */
const SLOT_EJECTIONS = { quick: { work: 4000, heights: 4 }, thorough: { work: 30_000, heights: 7 } };
const EJECTIONS = { quick: { work: 2000, heights: 5 }, thorough: { work: 40_000, heights: 10 } };
/** Requests whose slots are fewer by this share have branches that are worth it. */
const FEW_SLOTS = 0.7;

/** The best layout that is found by several ways, or the first of no more than `enough` bytes. */
export function searchLayout(
  requests: readonly ArenaRequest[],
  conflicts: Conflicts,
  lowerBound: number,
  effort: 'quick' | 'thorough',
  enough = 0,
): Placement {
  const target = Math.max(lowerBound, enough);
  const groups = groupRequests(requests);
  let best: Placement = { offsets: new Float64Array(requests.length), bytes: Infinity };
  const ways = [
    () => bySlots(requests, groups, conflicts, target, effort),
    () => new OrderSearch(requests, conflicts, groups, ORDERS[effort]).initial(target),
    () => layoutByWindows(requests, conflicts, target, best.bytes, WINDOWS[effort]),
  ];
  for (const way of ways) {
    const found = way();
    if (found && found.bytes < best.bytes) best = found;
    if (best.bytes <= target) return best;
  }
  return new EjectionSearch(requests, conflicts).descend(best, target, EJECTIONS[effort]);
}

/** The best layout whose branches are alike; null where this would hardly make it simpler. */
function bySlots(
  requests: readonly ArenaRequest[],
  groups: Groups,
  conflicts: Conflicts,
  target: number,
  effort: 'quick' | 'thorough',
): Placement | null {
  const slots = mergeSlots(requests, groups, conflicts);
  if (slots.requests.length > FEW_SLOTS * requests.length) return null;
  let best: Placement | null = null;
  const take = ({ offsets, bytes }: Placement): boolean => {
    const settled = settle(
      requests,
      conflicts,
      Float64Array.from(slots.slotOf, (slot) => offsets[slot]),
      bytes,
    );
    if (!best || settled.bytes < best.bytes) best = settled;
    return best.bytes <= target;
  };
  const each = slots.requests.map((_, i) => Int32Array.of(i));
  const ordered = new OrderSearch(slots.requests, slots.conflicts, each, SLOT_ORDERS[effort]).run(target);
  if (take(ordered)) return best;
  const byWindows = layoutByWindows(slots.requests, slots.conflicts, target, ordered.bytes, SLOT_WINDOWS[effort]);
  if (byWindows && take(byWindows)) return best;
  take(new EjectionSearch(slots.requests, slots.conflicts).descend(ordered, target, SLOT_EJECTIONS[effort]));
  return best;
}

/** Lets everything fall as far as it can, from what lies lowest on: nothing comes to lie higher. */
function settle(
  requests: readonly ArenaRequest[],
  conflicts: Conflicts,
  offsets: Float64Array,
  bytes: number,
): Placement {
  const order = Int32Array.from(requests.keys()).sort((a, b) => offsets[a] - offsets[b] || a - b);
  const placer = new Placer(
    requests,
    conflicts,
    requests.map((_, i) => Int32Array.of(i)),
  );
  const lower = placer.place(order, false, bytes);
  return lower < bytes ? { offsets: placer.current.slice(), bytes: lower } : { offsets, bytes };
}

/**
 * Iterated greedy: several classic orders, then from the best of them moves of the groups at the top of the arena to
 * earlier places in the order.
 */
class OrderSearch {
  private readonly placer: Placer;
  private readonly groupOf: Int32Array;
  private left: number;
  private best: Placement;
  private bestOrder: Int32Array = new Int32Array(0);
  private bestUpended = false;

  constructor(
    private readonly requests: readonly ArenaRequest[],
    private readonly conflicts: Conflicts,
    private readonly groups: Groups,
    budget: number,
  ) {
    this.groupOf = new Int32Array(requests.length);
    groups.forEach((members, g) => members.forEach((i) => (this.groupOf[i] = g)));
    this.placer = new Placer(requests, conflicts, groups);
    // A request with many conflicts also sorts them.
    let work = requests.length + 1;
    for (let i = 0; i < requests.length; i++) {
      const degree = conflicts.start[i + 1] - conflicts.start[i];
      work += degree * (1 + degree / 32);
    }
    this.left = Math.max(24, Math.min(8000, Math.floor(budget / work)));
    this.best = { offsets: new Float64Array(requests.length), bytes: Infinity };
  }

  run(target: number): Placement {
    this.initial(target);
    return this.improve(target);
  }

  /** The best of the classic orders. */
  initial(target: number): Placement {
    for (const order of initialOrders(this.requests, this.groups)) {
      for (const upended of [false, true])
        if (this.left > 0 && this.best.bytes > target) this.attempt(order, upended, this.best.bytes);
    }
    return this.best;
  }

  private attempt(order: Int32Array, upended: boolean, limit: number): number {
    this.left--;
    const bytes = this.placer.place(order, upended, limit);
    if (bytes < this.best.bytes) {
      this.best = { offsets: this.placer.current.slice(), bytes };
      this.bestOrder = order.slice();
      this.bestUpended = upended;
    }
    return bytes;
  }

  /** What moves find with the work that is left. */
  improve(target: number): Placement {
    const { requests, conflicts, groupOf } = this;
    const n = this.groups.length;
    const random = lcg(n);
    let order = this.bestOrder.slice();
    let upended = this.bestUpended;
    let { bytes } = this.best;
    let top = highest(requests, this.best.offsets, bytes);
    let idle = 0;
    while (this.left > 0 && this.best.bytes > target) {
      const next = order.slice();
      if (idle > PATIENCE) {
        // A dead end: back to the best order, shaken.
        next.set(this.bestOrder);
        for (let swaps = 1 + random(4); swaps > 0; swaps--) swap(next, random(n), random(n));
        order = next;
        upended = random(4) === 0 ? !this.bestUpended : this.bestUpended;
        bytes = this.attempt(next, upended, Infinity);
        top = highest(requests, this.placer.current, bytes);
        idle = 0;
        continue;
      }
      const mover = random(8) > 0 ? top[random(top.length)] : random(requests.length);
      const degree = conflicts.start[mover + 1] - conflicts.start[mover];
      const other =
        degree > 0 && random(4) > 0 ? groupOf[conflicts.other[conflicts.start[mover] + random(degree)]] : next[0];
      moveEarlier(next, groupOf[mover], other);
      const before = this.best.bytes;
      // Equal heights are accepted, so that plateaus are crossed.
      const got = this.attempt(next, upended, bytes);
      idle = this.best.bytes < before ? 0 : idle + 1;
      if (got === Infinity) continue;
      order = next;
      bytes = got;
      top = highest(requests, this.placer.current, got);
    }
    return this.best;
  }
}

/** Moves without a better layout before the search restarts. */
const PATIENCE = 60;

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
