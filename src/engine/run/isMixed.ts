import type { Plan } from '../plan/types';

/** Whether anything has fewer than 8 bits. */
export function isMixed({ maps, layers }: Pick<Plan, 'maps' | 'layers'>): boolean {
  return (
    Object.values(maps).some(({ bits }) => bits < 8) ||
    Object.values(layers).some(({ weightBits = 8, inputBits = 8 }) => weightBits < 8 || inputBits < 8)
  );
}
