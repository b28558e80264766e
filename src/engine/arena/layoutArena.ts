import { findConflicts } from './conflicts';
import { arenaLowerBound } from './lowerBound';
import { searchLayout } from './search';

/** Memory that something needs from one step to another. */
export interface ArenaRequest {
  readonly bytes: number;
  /** The offset becomes a multiple of it; a power of two. */
  readonly align: number;
  /** Alive from this step to that one, both inclusive. */
  readonly first: number;
  readonly last: number;
  /**
   * Requests of one group play the same part at different times (the same map in every branch): the search treats them
   * alike. They are placed one after the other by first step. Default: each by itself.
   */
  readonly group?: string;
}

/**
 * Permission for an output (a request whose first step is s) to be laid over an input that dies in s (last = s), by
 * index: offset(over) − offset(output) ≥ distance is safe. See overlapDistance().
 */
export interface ArenaOverlap {
  readonly over: number;
  readonly output: number;
  readonly distance: number;
}

export interface ArenaLayout {
  /** Byte offset of every request. */
  readonly offsets: readonly number[];
  /** Highest byte used, plus one. */
  readonly bytes: number;
  /** No layout has fewer bytes. */
  readonly lowerBound: number;
}

export interface ArenaOptions {
  /**
   * Layouts to try before giving up on a better one. `quick` is for inner loops, about a hundred times cheaper.
   * Default: `thorough`.
   */
  readonly effort?: 'quick' | 'thorough';
  /** A layout of no more bytes is as good as a smaller one. Default: the lower bound. */
  readonly enough?: number;
}

/**
 * The smallest layout that a thorough search finds; should it take more than `mostBytes`, one that is content with
 * these, which takes other ways. It finds again whatever a search for `mostBytes` has found for the same requests.
 */
export function layoutWithin(
  requests: readonly ArenaRequest[],
  overlaps: readonly ArenaOverlap[],
  mostBytes: number,
): ArenaLayout {
  let best = layoutArena(requests, overlaps);
  for (const effort of ['quick', 'thorough'] as const) {
    if (best.bytes <= mostBytes || best.lowerBound > mostBytes) break;
    const other = layoutArena(requests, overlaps, { effort, enough: mostBytes });
    if (other.bytes < best.bytes) best = other;
  }
  return best;
}

/**
 * Lays requests out in one arena so that no two that are alive in the same step share a byte, except for the permitted
 * overlaps, with as few bytes as it can find. Deterministic. Stops as soon as the lower bound is reached.
 *
 * Any pair's constraint has one form, "a lies at least s bytes below b, or b at least t bytes below a", permitted
 * overlaps having a smaller s; groups of requests are placed one after the other at the lowest offset that all placed
 * before allow, and the order is searched.
 *
 * @throws Error when an overlap is given for requests that do not meet as described.
 */
export function layoutArena(
  requests: readonly ArenaRequest[],
  overlaps: readonly ArenaOverlap[],
  options: ArenaOptions = {},
): ArenaLayout {
  for (const { over, output } of overlaps) {
    if (requests[over].last !== requests[output].first)
      throw new Error(`Request ${over} does not die in the step in which request ${output} begins.`);
  }
  const conflicts = findConflicts(requests, overlaps);
  const lowerBound = arenaLowerBound(requests, overlaps);
  const best = searchLayout(requests, conflicts, lowerBound, options.effort ?? 'thorough', options.enough);
  return { offsets: Array.from(best.offsets), bytes: best.bytes, lowerBound };
}
