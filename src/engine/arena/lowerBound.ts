import type { ArenaOverlap, ArenaRequest } from './layoutArena';

/** Bytes that the requests alive in one step need at least. */
export interface StepNeed {
  /** Holds from this step until the next entry's. */
  readonly step: number;
  readonly bytes: number;
}

/** Bytes that no layout undercuts: the largest need of one step, or what a chain of overlaps needs. */
export function arenaLowerBound(requests: readonly ArenaRequest[], overlaps: readonly ArenaOverlap[]): number {
  const inOneStep = stepNeeds(requests, overlaps).reduce((most, { bytes }) => Math.max(most, bytes), 0);
  return chainNeeds(requests, overlaps, inOneStep).reduce((most, { bytes }) => Math.max(most, bytes), inOneStep);
}

/**
 * The least bytes of every step, in order. Requests alive in a step are disjoint except for permitted overlaps. An
 * output of n bytes and the dying inputs that are laid over it, s bytes together and none closer to its start than d,
 * cover at least max(n, d + s) bytes; those that are not laid over it add their bytes; the cheapest choice counts.
 */
export function stepNeeds(requests: readonly ArenaRequest[], overlaps: readonly ArenaOverlap[]): StepNeed[] {
  const changes = liveChanges(requests);
  const savings = savedBytes(requests, overlaps);
  let live = 0;
  return [...changes.keys()]
    .sort((a, b) => a - b)
    .map((step) => {
      live += changes.get(step)!;
      // An input dies in a step with overlaps, so the step after it has its own entry.
      return { step, bytes: live - (savings.get(step) ?? 0) };
    });
}

function liveChanges(requests: readonly ArenaRequest[]): Map<number, number> {
  const changes = new Map<number, number>();
  const add = (step: number, bytes: number) => changes.set(step, (changes.get(step) ?? 0) + bytes);
  for (const { first, last, bytes } of requests) {
    add(first, bytes);
    add(last + 1, -bytes);
  }
  return changes;
}

/** By step, the most that permitted overlaps can save. */
function savedBytes(requests: readonly ArenaRequest[], overlaps: readonly ArenaOverlap[]): Map<number, number> {
  const byOutput = new Map<number, ArenaOverlap[]>();
  for (const overlap of overlaps) {
    const pairs = byOutput.get(overlap.output);
    if (pairs) pairs.push(overlap);
    else byOutput.set(overlap.output, [overlap]);
  }
  const saved = new Map<number, number>();
  for (const [output, pairs] of byOutput) {
    const step = requests[output].first;
    const sorted = pairs.length > 1 ? [...pairs].sort((a, b) => b.distance - a.distance) : pairs;
    let best = 0;
    // Whichever inputs are laid over the output, the one nearest to its start decides; all farther ones may join for
    // nothing.
    let together = 0;
    for (const { over, distance } of sorted) {
      together += requests[over].bytes;
      best = Math.max(best, requests[output].bytes + together - Math.max(requests[output].bytes, distance + together));
    }
    saved.set(step, (saved.get(step) ?? 0) + best);
  }
  return saved;
}

const MAX_CHAIN_STEPS = 200_000;

/** A chain of overlapping requests and the bytes that its steps need when they follow one another. */
export interface ChainNeed {
  /** The steps in which the chain's first request dies and its last one begins. */
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
}

/**
 * Overlaps only ever lead downwards: the output of the output of a request that are laid over one another begin lower
 * and lower. So along a chain of k steps either all overlaps are used, and the first request lies above the sum of the
 * distances, or one is not, and its step needs both in full.
 *
 * @returns the chains that need more than `least`; of those that begin with the same request only what needs more
 *   than the shorter ones
 */
export function chainNeeds(
  requests: readonly ArenaRequest[],
  overlaps: readonly ArenaOverlap[],
  least = 0,
): ChainNeed[] {
  const saved = savedBytes(requests, overlaps);
  const live = new Map<number, number>();
  let sum = 0;
  const changes = liveChanges(requests);
  for (const step of [...changes.keys()].sort((a, b) => a - b)) live.set(step, (sum += changes.get(step)!));

  const perStep = new Map<number, number>();
  for (const { output } of overlaps)
    perStep.set(requests[output].first, (perStep.get(requests[output].first) ?? 0) + 1);
  const next = new Map<number, { output: number; distance: number; apart: number }[]>();
  for (const { over, output, distance } of overlaps) {
    const step = requests[output].first;
    // With several overlaps in one step the others may still save something: count all of it.
    const apart = live.get(step)! - (perStep.get(step)! > 1 ? saved.get(step)! : 0);
    const align = Math.min(requests[over].align, requests[output].align);
    const pairs = next.get(over) ?? [];
    pairs.push({ output, distance: Math.ceil(distance / align) * align, apart });
    next.set(over, pairs);
  }
  const needs: ChainNeed[] = [];
  // Chains that are cut short give a lower bound, too; in networks of thousands of layers all of them together are too
  // long.
  let steps = MAX_CHAIN_STEPS;
  for (const start of next.keys()) {
    const first = requests[start].last;
    let at = start;
    let distance = 0;
    let apart = Infinity;
    let most = least;
    // Should a step have several outputs, any of them makes a chain; the first will do.
    for (let pairs = next.get(at); pairs && apart > most && steps > 0; pairs = next.get(at)) {
      steps--;
      distance += pairs[0].distance;
      apart = Math.min(apart, pairs[0].apart);
      const bytes = Math.min(requests[start].bytes + distance, apart);
      at = pairs[0].output;
      if (bytes > most) needs.push({ first, last: requests[at].first, bytes: (most = bytes) });
    }
  }
  return needs;
}
