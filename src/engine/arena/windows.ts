import type { ArenaRequest } from './layoutArena';
import type { Conflicts } from './conflicts';
import { groupRequests, type Placement } from './placement';
import { initialOrders } from './orders';

/** Requests that a cut between two windows may go through. */
const MOST_CROSSING = 3;
/** Requests that a window has at least. */
const LEAST_WINDOW = 8;
/** A cut is where no more than this share of the lower bound is alive. */
const MOST_ALIVE = 0.6;
/** Heights that are tried, over the lower bound, until one does not succeed. */
const HEIGHTS = [1.15, 1.1, 1.07, 1.05, 1.035, 1.02, 1.01, 1];

/** How much a search may do. */
export interface WindowEffort {
  /** In looks at a conflict of a request that is being placed. */
  readonly work: number;
  /**
   * Windows that may be looked at per height, with those that are looked at again after another choice before them, for
   * each that there is.
   */
  readonly patience: number;
  /** How often what does not fit is placed earlier, in each order of a window. */
  readonly repairs: number;
}

/** Requests that begin in one window. */
interface Window {
  /** Those that outlive it, largest first. */
  readonly crossing: readonly number[];
  /** Orders of the others to try. */
  readonly orders: readonly Int32Array[];
}

/**
 * Layouts of long programs fall apart in time: between two branches, or two stages, hardly anything is alive. What
 * crosses such a cut is put at an end of the arena, and the rest of each window is laid out by itself in a given
 * height, window after window; where one does not fit, the window before tries another end. Null when the requests have
 * no such cuts, or nothing lower than `limit` is found.
 */
export function layoutByWindows(
  requests: readonly ArenaRequest[],
  conflicts: Conflicts,
  lowerBound: number,
  limit: number,
  effort: WindowEffort,
): Placement | null {
  const windows = cutWindows(requests, lowerBound * MOST_ALIVE);
  if (windows.length < 2) return null;
  let best: Placement | null = null;
  // Loose heights first: they are found at once, and what is found settles, too.
  for (const share of HEIGHTS) {
    const height = Math.ceil(lowerBound * share);
    if (height >= limit) continue;
    const offsets = new WindowPlacer(requests, conflicts, effort).place(windows, height);
    if (!offsets) break;
    best = { offsets, bytes: requests.reduce((top, r, i) => Math.max(top, offsets[i] + r.bytes), 0) };
  }
  return best;
}

function cutWindows(requests: readonly ArenaRequest[], mostAlive: number): Window[] {
  const order = requests.map((_, i) => i).sort((a, b) => requests[a].first - requests[b].first || a - b);
  const windows: Window[] = [];
  let members: number[] = [];
  let alive: number[] = [];
  const close = (end: number): void => {
    const crossing = members
      .filter((i) => requests[i].last >= end)
      .sort((a, b) => requests[b].bytes - requests[a].bytes);
    windows.push({
      crossing,
      orders: ordersOf(
        requests,
        members.filter((i) => requests[i].last < end),
      ),
    });
    members = [];
  };
  for (const i of order) {
    const { first } = requests[i];
    if (members.length >= LEAST_WINDOW && requests[members[members.length - 1]].first < first) {
      alive = alive.filter((j) => requests[j].last >= first);
      if (alive.length <= MOST_CROSSING && alive.reduce((sum, j) => sum + requests[j].bytes, 0) <= mostAlive)
        close(first);
    }
    members.push(i);
    alive.push(i);
  }
  close(Infinity);
  return windows;
}

/** Orders of some of the requests, in which those of a group follow one another. */
function ordersOf(requests: readonly ArenaRequest[], members: readonly number[]): Int32Array[] {
  if (members.length === 0) return [new Int32Array(0)];
  const own = members.map((i) => requests[i]);
  const groups = groupRequests(own);
  const seen = new Set<string>();
  const orders: Int32Array[] = [];
  for (const order of initialOrders(own, groups)) {
    const flat = Int32Array.from([...order].flatMap((g) => [...groups[g]].map((k) => members[k])));
    const key = flat.join();
    if (!seen.has(key)) orders.push(flat);
    seen.add(key);
  }
  return orders;
}

/** Places windows one after the other below a fixed height. */
class WindowPlacer {
  private height = 0;
  private left: number;
  private readonly offsets: Float64Array;
  private readonly low: Float64Array;
  private readonly high: Float64Array;

  constructor(
    private readonly requests: readonly ArenaRequest[],
    private readonly conflicts: Conflicts,
    private readonly effort: WindowEffort,
  ) {
    this.left = effort.work;
    this.offsets = new Float64Array(requests.length).fill(NaN);
    let most = 0;
    for (let i = 0; i < requests.length; i++) most = Math.max(most, conflicts.start[i + 1] - conflicts.start[i]);
    this.low = new Float64Array(most);
    this.high = new Float64Array(most);
  }

  /** Null when it does not succeed, or not with the work that is left. */
  place(windows: readonly Window[], height: number): Float64Array | null {
    this.height = height;
    this.offsets.fill(NaN);
    let looks = this.effort.patience * windows.length;
    // By window, the next combination of ends for what crosses its end.
    const next = windows.map(() => 0);
    let at = 0;
    while (at < windows.length) {
      if (looks-- === 0 || this.left < 0) return null;
      const combinations = 2 ** (windows[at].crossing.length + 1);
      let placed = false;
      // What came last lies at the other end.
      for (; !placed && next[at] < combinations; next[at]++)
        placed = this.placeWindow(windows[at], at % 2 === 0 ? next[at] : next[at] ^ (combinations / 2 - 1));
      if (placed) {
        at++;
        continue;
      }
      this.clear(windows[at]);
      next[at] = 0;
      if (--at < 0) return null;
      this.clear(windows[at]);
    }
    return this.offsets.slice();
  }

  /**
   * @param ends bit k: the k-th crossing request goes to the top; the bit after them: crossing requests go after the
   *   others
   */
  private placeWindow(window: Window, ends: number): boolean {
    this.clear(window);
    const { crossing } = window;
    const isLate = ends >> crossing.length === 1;
    if (!isLate && !this.placeCrossing(crossing, ends)) return false;
    for (const order of window.orders) {
      if (this.left < 0) return false;
      for (const top of [false, true])
        if (this.placeAll(order, top) && (!isLate || this.placeCrossing(crossing, ends))) return true;
      if (isLate) for (const i of crossing) this.offsets[i] = NaN;
    }
    return false;
  }

  private placeCrossing(crossing: readonly number[], ends: number): boolean {
    for (const i of crossing) this.offsets[i] = NaN;
    return crossing.every((i, k) => !Number.isNaN((this.offsets[i] = this.find(i, ((ends >> k) & 1) === 1))));
  }

  /** Places requests in an order; what does not fit goes earlier, and all are placed again. */
  private placeAll(given: Int32Array, top: boolean): boolean {
    let order = given;
    for (let { repairs } = this.effort; ; repairs--) {
      for (const i of order) this.offsets[i] = NaN;
      const failed = order.findIndex((i) => Number.isNaN((this.offsets[i] = this.find(i, top))));
      if (failed < 0) return true;
      if (failed === 0 || repairs === 0 || this.left < 0) return false;
      // Half the way to the front: the largest do not all belong there.
      const to = failed >> 1;
      order = order === given ? given.slice() : order;
      const mover = order[failed];
      order.copyWithin(to + 1, to, failed);
      order[to] = mover;
    }
  }

  private clear({ crossing, orders }: Window): void {
    for (const i of crossing) this.offsets[i] = NaN;
    for (const i of orders[0]) this.offsets[i] = NaN;
  }

  /** The lowest (or highest) offset that all that is placed allows; NaN when there is none below the height. */
  private find(i: number, top: boolean): number {
    const { start, other, below, above } = this.conflicts;
    const { align, bytes } = this.requests[i];
    const { low, high } = this;
    // Offsets strictly between low and high are taken; sorted, for the lowest by low, for the highest by high
    // downwards.
    let count = 0;
    this.left -= start[i + 1] - start[i];
    for (let at = start[i]; at < start[i + 1]; at++) {
      const placed = this.offsets[other[at]];
      if (placed !== placed) continue;
      const l = placed - below[at];
      const h = placed + above[at];
      let slot = count++;
      for (; slot > 0 && (top ? high[slot - 1] < h : low[slot - 1] > l); slot--) {
        low[slot] = low[slot - 1];
        high[slot] = high[slot - 1];
      }
      low[slot] = l;
      high[slot] = h;
    }
    if (top) {
      let offset = Math.floor((this.height - bytes) / align) * align;
      for (let k = 0; k < count; k++)
        if (offset < high[k] && offset > low[k]) offset = Math.floor(low[k] / align) * align;
      return offset >= 0 ? offset : NaN;
    }
    let offset = 0;
    for (let k = 0; k < count; k++)
      if (offset > low[k] && offset < high[k]) offset = Math.ceil(high[k] / align) * align;
    return offset + bytes <= this.height ? offset : NaN;
  }
}
