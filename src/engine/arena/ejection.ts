import type { ArenaRequest } from './layoutArena';
import type { Conflicts } from './conflicts';
import type { Placement } from './placement';

/** How much a request that found no free place weighs more, where all weigh 1 at the beginning. */
const FAILED = 3;
/** Neighbors that are moved to other free places after each request that had to push others out. */
const SHAKEN = 4;
/** Few requests may take as many looks all the same. */
const LEAST_WORK = 200_000;
/** A layout within so much of a height that was not reached is not improved any more. */
const CLOSE = 0.002;

/** How much a search may do. */
export interface EjectionEffort {
  /** Looks at a conflict for each height and request. */
  readonly work: number;
  /** Heights to try. */
  readonly heights: number;
}

/**
 * Guided ejection search (Nagata and Bräysy, "A powerful route minimization heuristic…", 2009, there for vehicle
 * routes; here for places in an arena): what reaches beyond a fixed height is taken out; then one request after the
 * other is put back where those that are in its way weigh least, and these are taken out in turn. Whatever found no
 * free place weighs more from then on, so that what is hard to place settles first, and only what is around a conflict
 * ever moves. Always gives the same layout for the same arguments.
 */
export class EjectionSearch {
  private readonly offsets: Float64Array;
  private readonly weights: Float64Array;
  /** Of the request at hand: offsets strictly between are taken by `who`. */
  private readonly low: Float64Array;
  private readonly high: Float64Array;
  private readonly who: Int32Array;
  private state = 0;
  /** Looks at a conflict that are left. */
  private left = 0;

  constructor(
    private readonly requests: readonly ArenaRequest[],
    private readonly conflicts: Conflicts,
  ) {
    const { start } = conflicts;
    let most = 0;
    for (let i = 0; i < requests.length; i++) most = Math.max(most, start[i + 1] - start[i]);
    this.offsets = new Float64Array(requests.length);
    this.weights = new Float64Array(requests.length);
    this.low = new Float64Array(most);
    this.high = new Float64Array(most);
    this.who = new Int32Array(most);
  }

  /**
   * The lowest layout that is found from `start` on: of `target` bytes, or by halving what is between heights that were
   * reached and were not.
   */
  descend(start: Placement, target: number, { work, heights }: EjectionEffort): Placement {
    let best = start;
    let failed = target - 1;
    for (let attempt = 0; attempt < heights && best.bytes > target; attempt++) {
      const height = attempt === 0 ? target : Math.floor((failed + best.bytes) / 2);
      if (height <= failed || best.bytes - failed <= CLOSE * target) break;
      const offsets = this.run(best.offsets, height, Math.max(LEAST_WORK, work * this.requests.length));
      if (offsets)
        best = { offsets, bytes: this.requests.reduce((top, r, i) => Math.max(top, offsets[i] + r.bytes), 0) };
      else failed = height;
    }
    return best;
  }

  /** A layout of at most `height` bytes, changed from `start`; null when none is found with so much work. */
  run(start: Float64Array, height: number, work: number): Float64Array | null {
    const { requests, offsets } = this;
    offsets.set(start);
    this.weights.fill(1);
    this.state = requests.length;
    this.left = work;
    const out: number[] = [];
    for (let i = 0; i < requests.length; i++) {
      if (requests[i].bytes > height) return null;
      if (offsets[i] + requests[i].bytes <= height) continue;
      offsets[i] = NaN;
      out.push(i);
    }
    while (out.length > 0) {
      this.insert(this.hardest(out), height, out);
      if (this.left < 0) return null;
    }
    return offsets.slice();
  }

  /** Takes the request with the most bytes × weight off the list. */
  private hardest(out: number[]): number {
    const { requests, weights } = this;
    let at = 0;
    for (let k = 1; k < out.length; k++)
      if (requests[out[k]].bytes * weights[out[k]] >= requests[out[at]].bytes * weights[out[at]]) at = k;
    const chosen = out[at];
    out[at] = out[out.length - 1];
    out.pop();
    return chosen;
  }

  /** Places a request where it is cheapest and takes out what is in the way; then its neighbors may move. */
  private insert(i: number, height: number, out: number[]): void {
    const { offsets, weights, low, high, who } = this;
    const { start, other } = this.conflicts;
    const count = this.gather(i);
    const place = this.cheapest(i, count, height, Infinity, 0);
    offsets[i] = place;
    let ejected = 0;
    for (let k = 0; k < count; k++) {
      if (place <= low[k] || place >= high[k]) continue;
      offsets[who[k]] = NaN;
      out.push(who[k]);
      ejected++;
    }
    if (ejected === 0) return;
    weights[i] += FAILED;
    const degree = start[i + 1] - start[i];
    for (let moves = 0; moves < SHAKEN; moves++) {
      const j = other[start[i] + this.random(degree)];
      if (!Number.isNaN(offsets[j])) offsets[j] = this.cheapest(j, this.gather(j), height, 0, offsets[j]);
    }
  }

  /** Finds what is placed and may be in the way of a request. @returns how many */
  private gather(i: number): number {
    const { offsets, low, high, who } = this;
    const { start, other, below, above } = this.conflicts;
    let count = 0;
    for (let at = start[i]; at < start[i + 1]; at++) {
      const placed = offsets[other[at]];
      if (placed !== placed) continue;
      low[count] = placed - below[at];
      high[count] = placed + above[at];
      who[count++] = other[at];
    }
    this.left -= start[i + 1] - start[i];
    return count;
  }

  /**
   * One of the places where what was gathered and is in the way weighs least, no more than `most`; as likely stays
   * `known` where it weighs as much.
   */
  private cheapest(i: number, count: number, height: number, most: number, known: number): number {
    const { low, high, who, weights } = this;
    const { align, bytes } = this.requests[i];
    const top = Math.floor((height - bytes) / align) * align;
    let best = most;
    let chosen = known;
    let ties = most === 0 ? 1 : 0;
    // At an end of the arena, or next to one of the others.
    for (let c = -2; c < 2 * count; c++) {
      const place =
        c === -2
          ? 0
          : c === -1
            ? top
            : c % 2 === 0
              ? Math.ceil(high[c >> 1] / align) * align
              : Math.floor(low[c >> 1] / align) * align;
      if (place < 0 || place > top) continue;
      let weight = 0;
      let k = 0;
      for (; k < count && weight <= best; k++) if (place > low[k] && place < high[k]) weight += weights[who[k]];
      this.left -= k;
      if (weight > best) continue;
      if (weight < best) ties = 0;
      best = weight;
      if (this.random(++ties) === 0) chosen = place;
    }
    return chosen;
  }

  /** A number in [0, n), by a small deterministic generator. */
  private random(n: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 4294967296) * n);
  }
}
