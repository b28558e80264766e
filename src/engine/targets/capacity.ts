import type { Graph } from '../graph/types';
import type { PlanTarget } from './types';
import type { Target } from './types';

/** Code of the runtime and of one inference. */
const RUNTIME_BYTES = 50 * 1024;
/** Code that a kernel made for one layer adds. */
const KERNEL_BYTES = 768;

/**
 * Flash that code takes beside weights and tables, an estimate for a Cortex-M4 at -O3 with a kernel for every layer
 * (test/bench/flash.md): other cores, -O2 and `--optimize size` take less.
 *
 * @param windowed convolutions and depthwise convolutions of the network
 */
export function codeBytes(windowed: number): number {
  return RUNTIME_BYTES + KERNEL_BYTES * windowed;
}

/** {@link codeBytes} of a network. */
export function graphCodeBytes(graph: Graph): number {
  return codeBytes(graph.layers.filter(({ kind }) => kind === 'conv' || kind === 'depthwise').length);
}

/** What a board offers to the arena and to weights, or what the user allows of it. */
export function arenaTarget(
  target: Target,
  limits: { readonly sramBytes?: number; readonly flashBytes?: number },
): PlanTarget {
  const bytes = (name: string): number => target.regions.find((r) => r.name === name)?.bytes ?? 0;
  return {
    id: target.id,
    sramBytes: limits.sramBytes ?? bytes(target.arenaRegion),
    flashBytes: limits.flashBytes ?? bytes(target.flashRegion),
  };
}
