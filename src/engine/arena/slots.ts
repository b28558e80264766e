import type { ArenaRequest } from './layoutArena';
import type { Conflicts } from './conflicts';
import type { Groups } from './placement';

/**
 * Requests of one group share a slot when they are alike in size and in lifetime, the smaller at least so much of the
 * larger: rows of a halo outlive columns.
 */
const ALIKE = { bytes: 0.6, steps: 0.5 };

/**
 * Requests of one group that are never alive together and so can have one place for all of them: the same halo of one
 * branch after the other.
 */
export interface Slots {
  /** By request. */
  readonly slotOf: Int32Array;
  /** As large as the largest of its members. */
  readonly requests: readonly ArenaRequest[];
  /** What the members ask for, all together. */
  readonly conflicts: Conflicts;
}

/**
 * Divides every group into as few slots as its lifetimes allow, those of equal size together. A layout of slots is one
 * of their members; there are far fewer of them, and what lives on from branch to branch leaves no holes of other
 * sizes.
 */
export function mergeSlots(requests: readonly ArenaRequest[], groups: Groups, conflicts: Conflicts): Slots {
  const slotOf = new Int32Array(requests.length);
  const slots: { bytes: number; align: number; first: number; last: number; group: string; steps: number }[] = [];
  for (const members of groups) {
    const own: number[] = [];
    for (const i of members) {
      const { bytes, align, first, last, group } = requests[i];
      const steps = last - first + 1;
      const free = own.filter(
        (s) =>
          slots[s].last < first &&
          isAlike(slots[s].bytes, bytes, ALIKE.bytes) &&
          isAlike(slots[s].steps, steps, ALIKE.steps),
      );
      if (free.length === 0) {
        own.push(slots.length);
        slotOf[i] = slots.length;
        slots.push({ bytes, align, first, last, group: `${group ?? i} ${slots.length}`, steps });
        continue;
      }
      // The nearest in size, of those the one that was in use last.
      const best = free.reduce((a, b) => {
        const nearer = Math.abs(slots[a].bytes - bytes) - Math.abs(slots[b].bytes - bytes);
        return nearer < 0 || (nearer === 0 && slots[a].last >= slots[b].last) ? a : b;
      });
      slotOf[i] = best;
      slots[best].bytes = Math.max(slots[best].bytes, bytes);
      slots[best].align = Math.max(slots[best].align, align);
      slots[best].last = last;
    }
  }
  return { slotOf, requests: slots, conflicts: slotConflicts(slotOf, slots.length, conflicts) };
}

function isAlike(a: number, b: number, share: number): boolean {
  return Math.min(a, b) >= share * Math.max(a, b);
}

function slotConflicts(slotOf: Int32Array, count: number, { start, other, below, above }: Conflicts): Conflicts {
  const found: Map<number, { below: number; above: number }>[] = Array.from(
    { length: count },
    () => new Map<number, { below: number; above: number }>(),
  );
  for (let i = 0; i < slotOf.length; i++) {
    const own = found[slotOf[i]];
    for (let at = start[i]; at < start[i + 1]; at++) {
      const known = own.get(slotOf[other[at]]);
      if (!known) own.set(slotOf[other[at]], { below: below[at], above: above[at] });
      else {
        known.below = Math.max(known.below, below[at]);
        known.above = Math.max(known.above, above[at]);
      }
    }
  }
  const starts = new Int32Array(count + 1);
  found.forEach((own, s) => (starts[s + 1] = starts[s] + own.size));
  const result = {
    start: starts,
    other: new Int32Array(starts[count]),
    below: new Float64Array(starts[count]),
    above: new Float64Array(starts[count]),
  };
  found.forEach((own, s) => {
    let at = starts[s];
    for (const [slot, separation] of own) {
      result.other[at] = slot;
      result.below[at] = separation.below;
      result.above[at] = separation.above;
      at++;
    }
  });
  return result;
}
