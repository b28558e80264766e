import type { ArenaRequest } from './layoutArena';
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
  return [...lists.values()].map((list) =>
    Int32Array.from(list.sort((a, b) => requests[a].first - requests[b].first || a - b)),
  );
}

/**
 * Places requests in a given order of groups, each as near to one end of the arena as those before it allow: to the
 * bottom, or (upended) to the top. Outputs that are laid over their inputs lie below them, so chains of expansions pack
 * well from the top, others from the bottom.
 */
export class Placer {
  private readonly offsets: Float64Array;
  private readonly low: Float64Array;
  private readonly high: Float64Array;
  /** Separations seen from the top: a request that lies higher begins nearer to it. */
  private readonly upendedBelow: Float64Array;
  private readonly upendedAbove: Float64Array;
  /** The largest alignment. */
  private readonly align: number;

  constructor(
    private readonly requests: readonly ArenaRequest[],
    private readonly conflicts: Conflicts,
    private readonly groups: Groups,
  ) {
    const { start, other, below, above } = conflicts;
    let most = 0;
    this.upendedBelow = new Float64Array(other.length);
    this.upendedAbove = new Float64Array(other.length);
    for (let i = 0; i < requests.length; i++) {
      most = Math.max(most, start[i + 1] - start[i]);
      for (let at = start[i]; at < start[i + 1]; at++) {
        const longer = requests[i].bytes - requests[other[at]].bytes;
        this.upendedBelow[at] = above[at] + longer;
        this.upendedAbove[at] = below[at] - longer;
      }
    }
    this.align = requests.reduce((most, r) => Math.max(most, r.align), 1);
    this.offsets = new Float64Array(requests.length);
    this.low = new Float64Array(most);
    this.high = new Float64Array(most);
  }

  /** The bytes that the layout by `order` takes, or Infinity as soon as they are known to exceed `limit`. */
  place(order: Int32Array, upended: boolean, limit: number): number {
    this.offsets.fill(NaN);
    let bytes = 0;
    for (const group of order) {
      for (const i of this.groups[group]) {
        const offset = this.lowest(i, upended);
        this.offsets[i] = offset;
        bytes = Math.max(bytes, offset + this.requests[i].bytes);
        // Seen from the top, the ends are aligned, which the layout may not need.
        if (bytes > limit + (upended ? this.align : 0)) return Infinity;
      }
    }
    return upended ? this.turn(bytes, limit) : bytes;
  }

  /** Offsets from the top become offsets from the bottom. */
  private turn(bytes: number, limit: number): number {
    const height = Math.ceil(bytes / this.align) * this.align;
    let top = 0;
    for (let i = 0; i < this.requests.length; i++) {
      this.offsets[i] = height - this.offsets[i] - this.requests[i].bytes;
      top = Math.max(top, this.offsets[i] + this.requests[i].bytes);
    }
    return top > limit ? Infinity : top;
  }

  /** Offsets of the last complete placement. Overwritten by the next. */
  get current(): Float64Array {
    return this.offsets;
  }

  private lowest(i: number, upended: boolean): number {
    const { start, other } = this.conflicts;
    const below = upended ? this.upendedBelow : this.conflicts.below;
    const above = upended ? this.upendedAbove : this.conflicts.above;
    const { low, high, offsets } = this;
    // Forbidden offsets lie strictly between low and high; kept sorted by low.
    let count = 0;
    for (let at = start[i]; at < start[i + 1]; at++) {
      const placed = offsets[other[at]];
      if (placed !== placed) continue;
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
    const { align, bytes } = this.requests[i];
    // From the top it is the end that has to be aligned.
    const shift = upended ? bytes : 0;
    const aligned = (offset: number) => Math.ceil((offset + shift) / align) * align - shift;
    let offset = aligned(0);
    for (let k = 0; k < count && low[k] < offset; k++) {
      if (high[k] > offset) offset = aligned(high[k]);
    }
    return offset;
  }
}
