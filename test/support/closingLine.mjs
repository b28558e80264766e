/** @typedef {{passed: number, failed: number, skipped: number}} Counts */

/** The line with which every runner closes, e.g. `12 passed, 0 failed, 1 skipped`. @param {Counts} counts */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * Reads the last closing line of a runner's output; undefined if it has none. @param {string} output @returns {Counts |
 * undefined}
 */
export function parseClosingLine(output) {
  const found = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/gm)].at(-1);
  return found && { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3] ?? 0) };
}
