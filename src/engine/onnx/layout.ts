/**
 * How the row-major elements of an ONNX tensor lie in the memory of a feature map.
 *
 * Each ONNX dimension is a list of atoms, outermost first; an atom is a counter of `size` steps that moves `stride`
 * elements in the map's HWC memory. NCHW over an H×W×C map is [[], [C·1], [H·(W·C)], [W·C]]. Transpose permutes the
 * dimensions, Reshape regroups and splits atoms; so chains of them cost nothing, and only what cannot be written this
 * way moves data.
 */
export interface Atom {
  readonly size: number;
  readonly stride: number;
}

export type Layout = readonly (readonly Atom[])[];

/** Drops counters of one step and joins neighbours that count through memory as one. */
export function mergeAtoms(atoms: readonly Atom[]): Atom[] {
  const merged: Atom[] = [];
  for (const atom of atoms) {
    if (atom.size === 1) continue;
    const last = merged[merged.length - 1];
    if (last && last.stride === atom.stride * atom.size)
      merged[merged.length - 1] = { size: last.size * atom.size, stride: atom.stride };
    else merged.push(atom);
  }
  return merged;
}

/** Layout of a tensor whose dimensions, taken in `order` (outermost first), are contiguous in memory. */
export function contiguousLayout(dims: readonly number[], order: readonly number[]): Layout {
  const layout: Atom[][] = dims.map(() => []);
  let stride = 1;
  for (let i = order.length - 1; i >= 0; i--) {
    const dim = order[i];
    if (dims[dim] !== 1) layout[dim] = [{ size: dims[dim], stride }];
    stride *= dims[dim];
  }
  return layout;
}

/** Whether the dimensions taken in `order` run through memory without gaps or jumps. */
export function isContiguous(layout: Layout, order: readonly number[]): boolean {
  const merged = mergeAtoms(order.flatMap((dim) => layout[dim]));
  return merged.length === 0 || (merged.length === 1 && merged[0].stride === 1);
}

/**
 * The layout under new dimensions of the same row-major sequence; null when a new dimension would cut an atom unevenly.
 */
export function regroup(layout: Layout, newDims: readonly number[]): Layout | null {
  const queue = mergeAtoms(layout.flat());
  const result: Atom[][] = [];
  let next = 0;
  for (const dim of newDims) {
    const atoms: Atom[] = [];
    let need = dim;
    while (need > 1) {
      const atom = queue[next];
      if (!atom) return null;
      if (need % atom.size === 0) {
        atoms.push(atom);
        need /= atom.size;
        next++;
      } else if (atom.size % need === 0) {
        atoms.push({ size: need, stride: atom.stride * (atom.size / need) });
        queue[next] = { size: atom.size / need, stride: atom.stride };
        need = 1;
      } else return null;
    }
    result.push(mergeAtoms(atoms));
  }
  return next === queue.length ? result : null;
}

export function sameLayout(a: Layout, b: Layout): boolean {
  return (
    a.length === b.length &&
    a.every(
      (atoms, dim) =>
        atoms.length === b[dim].length &&
        atoms.every((atom, i) => atom.size === b[dim][i].size && atom.stride === b[dim][i].stride),
    )
  );
}

/** Memory offset of every row-major element: ONNX element i is map element table[i]. */
export function orderTable(layout: Layout): Int32Array {
  return offsets(layout.flat());
}

/** Offsets that a list of atoms steps through, outermost first. */
export function offsets(atoms: readonly Atom[]): Int32Array {
  const total = atoms.reduce((product, atom) => product * atom.size, 1);
  const table = new Int32Array(total);
  let filled = 1;
  for (let i = atoms.length - 1; i >= 0; i--) {
    const { size, stride } = atoms[i];
    for (let step = 1; step < size; step++) {
      const at = step * filled;
      for (let j = 0; j < filled; j++) table[at + j] = table[j] + step * stride;
    }
    filled *= size;
  }
  return table;
}

/** Whether the whole tensor is stored in row-major order, so that no table is needed. */
export function isIdentity(layout: Layout): boolean {
  return isContiguous(
    layout,
    layout.map((_, dim) => dim),
  );
}
