/** Axis ticks at round values: 1, 2 or 5 times a power of ten, about `count` of them within [low, high]. */
export function niceTicks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const raw = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw * (1 - 1e-9))!;
  const ticks: number[] = [];
  // Adding 0 makes a negative zero an ordinary one.
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) ticks.push(i * step + 0);
  return ticks;
}

/** The range of some values with room around them; of a single value, or of none, one that can be drawn. */
export function paddedRange(values: readonly number[], padding = 0.06, from?: number): readonly [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b), from ?? Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  const room = (high > low ? high - low : Math.abs(high) || 1) * padding;
  return [from === undefined ? low - room : Math.min(from, low), high + room];
}
