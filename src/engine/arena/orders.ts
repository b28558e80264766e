import type { ArenaRequest } from './layoutArena';
import type { Groups } from './placement';

/** Classic orders in which groups of requests may be placed. */
export function initialOrders(requests: readonly ArenaRequest[], groups: Groups): Int32Array[] {
  const most = (of: (i: number) => number) => {
    const values = groups.map((members) => members.reduce((m, i) => Math.max(m, of(i)), -Infinity));
    return (g: number) => values[g];
  };
  const live = most(peakAround(requests));
  const size = most((i) => requests[i].bytes);
  const span = most((i) => requests[i].last - requests[i].first + 1);
  const late = most((i) => requests[i].first);
  const by = (...keys: ((g: number) => number)[]) =>
    Int32Array.from(
      groups
        .map((_, g) => g)
        .sort((a, b) => {
          for (const key of keys) if (key(a) !== key(b)) return key(b) - key(a);
          return a - b;
        }),
    );
  const longest = groups.reduce((m, _, g) => Math.max(m, span(g)), 0);
  // Those that live long at the bottom, where nothing moves, and the short-lived ones above them.
  const longFirst = [2, 4, 8, 16, 32].map((part) => by((g) => Number(span(g) * part >= longest), size));
  return [
    by(size, span),
    by(live, size),
    ...longFirst,
    by(live, span, size),
    by((g) => size(g) * span(g)),
    by((g) => -late(g), size),
  ];
}

/** For every request the most bytes that are alive in one of its steps. */
function peakAround(requests: readonly ArenaRequest[]): (i: number) => number {
  const first = requests.reduce((least, r) => Math.min(least, r.first), 0);
  const last = requests.reduce((most, r) => Math.max(most, r.last), 0);
  const live = new Float64Array(last - first + 2);
  for (const r of requests) {
    live[r.first - first] += r.bytes;
    live[r.last - first + 1] -= r.bytes;
  }
  for (let s = 1; s < live.length; s++) live[s] += live[s - 1];
  const peaks = requests.map((r) =>
    live.subarray(r.first - first, r.last - first + 1).reduce((a, b) => Math.max(a, b), 0),
  );
  return (i) => peaks[i];
}
