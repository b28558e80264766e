import type { LayerId } from '../graph/types';
import type { LayerNeeds } from './estimate';

/** Which layers can run individually, one after the other, in this many bytes. */
export class LayerRuns {
  /** By position, the end of the longest run that begins there. */
  private readonly ends: Int32Array;
  /** By position, layers before it that do not fit by themselves, or are part of a chain that does not. */
  private readonly tight: Int32Array;

  constructor(
    private readonly needs: LayerNeeds,
    budget: number,
  ) {
    const { alone, chains } = needs;
    const { length } = alone;
    const limits = new Int32Array(length + 1).fill(length);
    const marks = new Int32Array(length + 1);
    for (const { first, last, bytes } of chains) {
      if (bytes <= budget) continue;
      limits[first] = Math.min(limits[first], last);
      marks[first]++;
      marks[last + 1 <= length ? last + 1 : length]--;
    }
    this.tight = new Int32Array(length + 1);
    for (let at = 0, open = 0; at < length; at++) {
      open += marks[at];
      this.tight[at + 1] = this.tight[at] + (open > 0 || alone[at] > budget ? 1 : 0);
    }
    this.ends = new Int32Array(length + 1).fill(length);
    for (let at = length - 1; at >= 0; at--)
      this.ends[at] = alone[at] > budget ? at : Math.min(this.ends[at + 1], Math.max(at, limits[at]));
  }

  /** The end of the longest run from a position on; the position itself when not even its layer fits. */
  end(at: LayerId): LayerId {
    return this.ends[at];
  }

  /** Whether the layers [begin, end) can run by themselves whatever runs before and after them. */
  isFree(begin: LayerId, end: LayerId): boolean {
    return this.tight[end] === this.tight[begin];
  }

  /** What the layers [begin, end) need when they run by themselves. */
  bytes(begin: LayerId, end: LayerId): number {
    let most = 0;
    for (let at = begin; at < end; at++) most = Math.max(most, this.needs.alone[at]);
    for (const { first, last, bytes } of this.needs.chains)
      if (first >= begin && last < end) most = Math.max(most, bytes);
    return most;
  }
}
