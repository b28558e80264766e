import { appendFileSync } from 'node:fs';

/**
 * Tells a bench what a fuzz test did: a line of JSON in the file that QUANTMCU_FUZZ_REPORT names; nothing without it.
 */
export function reportFuzz(what: string, inputs: number, accepted: number, refused: number): void {
  const file = process.env.QUANTMCU_FUZZ_REPORT;
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ what, inputs, accepted, refused })}\n`);
}
