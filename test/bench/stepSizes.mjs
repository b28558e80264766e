// Bytes of the code of a network's steps (NAME.c) by what they consist of: least squares over many networks, raised
// until none of them takes more than is told.
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const PARTS = ['parts', 'views', 'watched', 'guards'];

/**
 * @param {string} include folder of the runtime
 * @param {{files: {path: string, text: string}[], counts: Record<string, number>}[]} sources
 * @param {(file: string) => Map<string, {bytes: number}>} sectionsOf
 * @returns bytes of each part, and of `network` once
 */
export function measureSteps(include, sources, sectionsOf) {
  const rows = sources.map(({ files, counts }) => {
    for (const file of files) writeFileSync(path.join(include, file.path), file.text);
    let bytes = 0;
    for (const [name, section] of sectionsOf(path.join(include, 'net.c')))
      if (!/rodata|read_input/.test(name)) bytes += section.bytes;
    return { x: [...PARTS.map((part) => counts[part]), 1], bytes };
  });
  const fitted = leastSquares(rows);
  const foretold = (x) => x.reduce((sum, n, i) => sum + n * fitted[i], 0);
  const raise = Math.max(...rows.map(({ x, bytes }) => bytes / foretold(x)));
  const errors = rows.map(({ x, bytes }) => (100 * (raise * foretold(x) - bytes)) / bytes);
  console.error(`  steps of ${rows.length} networks: at most ${Math.max(...errors).toFixed(1)} % too much`);
  return Object.fromEntries([...PARTS, 'network'].map((part, i) => [part, Math.ceil(10 * raise * fitted[i]) / 10]));
}

/** Coefficients that are not negative, by coordinate descent; small networks count as much as large ones. */
function leastSquares(rows) {
  const scaled = rows.map(({ x, bytes }) => x.map((n) => n / bytes));
  const sum = (of) => scaled.reduce((total, x) => total + of(x), 0);
  const parts = scaled[0].map((_, i) => i);
  const gram = parts.map((i) => parts.map((j) => sum((x) => x[i] * x[j])));
  const wanted = parts.map((i) => sum((x) => x[i]));
  const result = parts.map(() => 0);
  for (let round = 0; round < 100_000; round++)
    for (const j of parts) {
      const rest = wanted[j] - parts.reduce((total, i) => total + gram[j][i] * result[i], 0);
      if (gram[j][j] > 0) result[j] = Math.max(0, result[j] + rest / gram[j][j]);
    }
  return result;
}
