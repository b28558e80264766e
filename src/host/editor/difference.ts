/** The stretch of `before` that has to be replaced to get `after`, whole lines. */
export function difference(
  before: string,
  after: string,
): { readonly start: number; readonly end: number; readonly replacement: string } {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  start = start === 0 ? 0 : before.lastIndexOf('\n', start - 1) + 1;
  let tail = 0;
  while (tail < shorter - start && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  // Back to the end of a line, which both texts share.
  const lineEnd = before.indexOf('\n', before.length - tail);
  tail = lineEnd < 0 ? 0 : before.length - lineEnd;
  return { start, end: before.length - tail, replacement: after.slice(start, after.length - tail) };
}
