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

/**
 * A line that says which test failed and why, whole enough to find the fault without the rest of the output.
 * @param {string} title @param {string} message
 */
export function failureLine(title, message) {
  const text = message.replace(/\s+/g, ' ').trim();
  return `Failed: ${title.replace(/\s+/g, ' ')}: ${text.length > 900 ? `${text.slice(0, 900)}…` : text}`;
}

/** The failure lines of a runner's output. @param {string} output @returns {string[]} */
export function failureLines(output) {
  return output.match(/^Failed: .*$/gm) ?? [];
}
