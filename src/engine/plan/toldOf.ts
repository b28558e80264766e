import { hashBytes } from './files';
import type { Plan } from './types';

/**
 * SHA-256 of a plan's board and patches, whatever the order of their keys: with its bits, what the loss and the notes
 * of its account depend on.
 */
export function toldOf({
  target,
  patchStage,
  tailStages = [],
}: Pick<Plan, 'target' | 'patchStage' | 'tailStages'>): string {
  const sorted = (_: string, value: unknown): unknown =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return hashBytes(JSON.stringify({ target, patchStage, tailStages }, sorted));
}
