/**
 * Where patches lie, as fractions 0…1 of the map's height and width: patch (r, c) covers [rows[r], rows[r+1]) ×
 * [cols[c], cols[c+1]).
 */
export interface PatchBounds {
  readonly rows: readonly number[];
  readonly cols: readonly number[];
}

/** Patches of equal size. */
export function equalBounds(rows: number, cols: number): PatchBounds {
  const even = (n: number): number[] => Array.from({ length: n + 1 }, (_, i) => i / n);
  return { rows: even(rows), cols: even(cols) };
}

/** Bounds of patches that the planner cut: consecutive spans of the split map's rows and columns. */
export function boundsOfSpans(
  rows: readonly { readonly begin: number; readonly end: number }[],
  cols: readonly { readonly begin: number; readonly end: number }[],
): PatchBounds {
  const bounds = (spans: readonly { readonly begin: number; readonly end: number }[]): number[] => {
    const extent = spans[spans.length - 1].end;
    return [0, ...spans.map((s) => s.end / extent)];
  };
  return { rows: bounds(rows), cols: bounds(cols) };
}

/** Number of patches. */
export function patchCount(bounds: PatchBounds): number {
  return (bounds.rows.length - 1) * (bounds.cols.length - 1);
}
