/** A digit of a mixed-radix counter over a rearrangement's elements, and how far in the input a step of it goes. */
export interface Counter {
  readonly size: number;
  readonly stride: number;
}

/** As many as the kernel keeps (QMCU_PERMUTE_COUNTERS). */
const MOST_COUNTERS = 8;

/**
 * The fewest counters that step through a permutation from its first element on, outermost first: those of a
 * transposition, a flip, or of what channel shuffles and depth-to-space do. Null for an order that no few counters
 * make.
 */
export function findCounters(permutation: Int32Array): Counter[] | null {
  const total = permutation.length;
  if (total === 0) return null;
  const first = permutation[0];
  if (total === 1) return [{ size: 1, stride: 0 }];
  const counters: Counter[] = [];
  // Elements below `inner` follow the counters found so far.
  for (let inner = 1; inner < total;) {
    const stride = permutation[inner] - first;
    let size = 2;
    while (size * inner < total && permutation[size * inner] === first + size * stride) size++;
    while (size > 1 && total % (size * inner) !== 0) size--;
    if (size === 1 || counters.length === MOST_COUNTERS) return null;
    counters.unshift({ size, stride });
    inner *= size;
  }
  const made = permutationOf(counters, first);
  return permutation.every((from, i) => from === made[i]) ? counters : null;
}

/** The table that counters step through, beginning with element `first`. */
export function permutationOf(counters: readonly Counter[], first: number): Int32Array {
  const table = new Int32Array(counters.reduce((product, { size }) => product * size, 1));
  let filled = 1;
  table[0] = first;
  for (const { size, stride } of [...counters].reverse()) {
    for (let digit = 1; digit < size; digit++)
      for (let i = 0; i < filled; i++) table[digit * filled + i] = table[i] + digit * stride;
    filled *= size;
  }
  return table;
}

/** Counters as a program's constant has them: sizes and strides in turn. */
export function countersOf(values: ArrayLike<number>): Counter[] {
  return Array.from({ length: values.length / 2 }, (_, i) => ({ size: values[2 * i], stride: values[2 * i + 1] }));
}
