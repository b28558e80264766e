import type { ArenaOverlap, ArenaRequest } from '../arena';

/**
 * Bytes that no layout undercuts: the largest need of one step. Requests alive in a step are disjoint except for permitted overlaps. An output of
 * n bytes and the dying inputs that are laid over it, s bytes together and none closer to its start than d, cover at least
 * max(n, d + s) bytes; those that are not laid over it add their bytes; the cheapest choice counts.
 */
export function arenaLowerBound(requests: readonly ArenaRequest[], overlaps: readonly ArenaOverlap[]): number {
  const events = new Map<number, number>();
  const add = (step: number, bytes: number) => events.set(step, (events.get(step) ?? 0) + bytes);
  for (const { first, last, bytes } of requests) {
    add(first, bytes);
    add(last + 1, -bytes);
  }
  const savings = savedBytes(requests, overlaps);
  let live = 0;
  let bound = 0;
  for (const step of [...events.keys()].sort((a, b) => a - b)) {
    live += events.get(step)!;
    // Steps up to the next event hold the same. A step with overlaps is alone: an input dies in it, so the next step has an event.
    bound = Math.max(bound, live - (savings.get(step) ?? 0));
  }
  return bound;
}

/** By step, the most that permitted overlaps can save. */
function savedBytes(requests: readonly ArenaRequest[], overlaps: readonly ArenaOverlap[]): Map<number, number> {
  const byOutput = new Map<number, ArenaOverlap[]>();
  for (const overlap of overlaps) byOutput.set(overlap.output, [...(byOutput.get(overlap.output) ?? []), overlap]);
  const saved = new Map<number, number>();
  for (const [output, pairs] of byOutput) {
    const step = requests[output].first;
    const sorted = [...pairs].sort((a, b) => b.distance - a.distance);
    let best = 0;
    // Whichever inputs are laid over the output, the one nearest to its start decides; all farther ones may join for nothing.
    let together = 0;
    for (const { over, distance } of sorted) {
      together += requests[over].bytes;
      best = Math.max(best, requests[output].bytes + together - Math.max(requests[output].bytes, distance + together));
    }
    saved.set(step, (saved.get(step) ?? 0) + best);
  }
  return saved;
}
