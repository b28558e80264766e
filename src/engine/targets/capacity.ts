import type { PlanTarget } from '../plan/types';
import type { Target } from './types';

/**
 * Flash that code and small tables take beside the weights, an estimate: MobileNetV2 takes 65 KB on a Cortex-M4 at -O2, 24 KB of it kernels made for
 * its layers (test/bench/kernels.md); networks of fewer layers and kinds take less.
 */
export const CODE_BYTES = 56 * 1024;

/** What a board offers to the arena and to weights, or what the user allows of it. */
export function arenaTarget(target: Target, limits: { readonly sramBytes?: number; readonly flashBytes?: number }): PlanTarget {
  const bytes = (name: string): number => target.regions.find((r) => r.name === name)?.bytes ?? 0;
  return { id: target.id, sramBytes: limits.sramBytes ?? bytes(target.arenaRegion), flashBytes: limits.flashBytes ?? bytes(target.flashRegion) };
}
