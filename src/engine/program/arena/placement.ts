import type { ArenaRequest } from '../arena';
import type { Conflicts } from './conflicts';

/** A complete layout. */
export interface Placement {
  readonly offsets: Float64Array;
  readonly bytes: number;
}

/** The requests of every group, by first step. */
export type Groups = readonly Int32Array[];

export function groupRequests(requests: readonly ArenaRequest[]): Groups {
  const lists = new Map<string, number[]>();
  requests.forEach(({ group }, i) => {
    const key = group ?? `request ${i}`;
    const list = lists.get(key);
    if (list) list.push(i);
    else lists.set(key, [i]);
  });
  return [...lists.values()].map((list) => Int32Array.from(list.sort((a, b) => requests[a].first - requests[b].first || a - b)));
}

/** Places requests in a given order of groups, each at the lowest offset that those before it allow. Reuses its working memory; offsets of a result are a copy. */
export class Placer {
  private readonly offsets: Float64Array;
  private readonly low: Float64Array;
  private readonly high: Float64Array;

  constructor(
    private readonly requests: readonly ArenaRequest[],
    private readonly conflicts: Conflicts,
    private readonly groups: Groups,
  ) {
    let most = 0;
    for (let i = 0; i < requests.length; i++) most = Math.max(most, conflicts.start[i + 1] - conflicts.start[i]);
    this.offsets = new Float64Array(requests.length);
    this.low = new Float64Array(most);
    this.high = new Float64Array(most);
  }

  /** The highest byte plus one of the layout by `order`, or Infinity as soon as it is known to exceed `limit`. Its offsets are in {@link current}. */
  place(order: Int32Array, limit: number): number {
    this.offsets.fill(-1);
    let bytes = 0;
    for (const group of order) {
      for (const i of this.groups[group]) {
        const offset = this.lowest(i);
        this.offsets[i] = offset;
        bytes = Math.max(bytes, offset + this.requests[i].bytes);
        if (bytes > limit) return Infinity;
      }
    }
    return bytes;
  }

  /** Offsets of the last placement, −1 for requests that it did not reach. Overwritten by the next. */
  get current(): Float64Array {
    return this.offsets;
  }

  private lowest(i: number): number {
    const { start, other, below, above } = this.conflicts;
    const { low, high, offsets } = this;
    // Forbidden offsets lie strictly between low and high; kept sorted by low.
    let count = 0;
    for (let at = start[i]; at < start[i + 1]; at++) {
      const placed = offsets[other[at]];
      if (placed < 0) continue;
      const l = placed - below[at];
      let slot = count++;
      while (slot > 0 && low[slot - 1] > l) {
        low[slot] = low[slot - 1];
        high[slot] = high[slot - 1];
        slot--;
      }
      low[slot] = l;
      high[slot] = placed + above[at];
    }
    const { align } = this.requests[i];
    let offset = 0;
    for (let k = 0; k < count && low[k] < offset; k++) {
      if (high[k] > offset) offset = Math.ceil(high[k] / align) * align;
    }
    return offset;
  }
}
