// Bytes of the code of a network's steps (NAME.c) by what they consist of: least squares over many networks, with as
// many bytes more that none of them takes more than is told.
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const PARTS = ['runners', 'named', 'runs', 'parts', 'views', 'watched', 'guards'];

/** Networks that are larger than all of these have numbers and places that take longer instructions. */
const MARGIN = 1.04;

/**
 * @param {string} include folder of the runtime
 * @param {{files: {path: string, text: string}[], counts: Record<string, number>, tableBytes: number, structs:
 *   readonly string[]}[]} sources
 * @param {(file: string) => Map<string, {bytes: number}>} sectionsOf
 * @param {Record<string, number>} structs bytes of the parameter structs
 * @returns bytes of each part, and of `network` once
 */
export function measureSteps(include, sources, sectionsOf, structs) {
  const rows = sources.map(({ files, counts, tableBytes, structs: used }) => {
    for (const file of files) writeFileSync(path.join(include, file.path), file.text);
    // A switch may have a table among the constants.
    let bytes = -tableBytes - used.reduce((sum, type) => sum + structs[type], 0);
    for (const [name, section] of sectionsOf(path.join(include, 'net.c')))
      if (!/read_input/.test(name)) bytes += section.bytes;
    return { x: [...PARTS.map((part) => counts[part]), 1], bytes };
  });
  const fitted = leastSquares(rows);
  const foretold = (x) => x.reduce((sum, n, i) => sum + n * fitted[i], 0);
  // What is told may be too much, by the same bytes for all, but not too little.
  const rest = rows.map(({ x, bytes }) => bytes - foretold(x));
  fitted[PARTS.length] += Math.max(...rest);
  console.error(
    `  steps of ${rows.length} networks: at most ${Math.ceil(Math.max(...rest) - Math.min(...rest))} bytes too much`,
  );
  return Object.fromEntries([...PARTS, 'network'].map((part, i) => [part, Math.ceil(10 * MARGIN * fitted[i]) / 10]));
}

/** Coefficients that are not negative, by coordinate descent. */
function leastSquares(rows) {
  const sum = (of) => rows.reduce((total, row) => total + of(row), 0);
  const parts = rows[0].x.map((_, i) => i);
  const gram = parts.map((i) => parts.map((j) => sum(({ x }) => x[i] * x[j])));
  const wanted = parts.map((i) => sum(({ x, bytes }) => x[i] * bytes));
  const result = parts.map(() => 0);
  for (let round = 0; round < 100_000; round++)
    for (const j of parts) {
      const rest = wanted[j] - parts.reduce((total, i) => total + gram[j][i] * result[i], 0);
      if (gram[j][j] > 0) result[j] = Math.max(0, result[j] + rest / gram[j][j]);
    }
  return result;
}
