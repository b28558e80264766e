import type { WeightBits } from '../graph/bits';
import { isWeighted, type Graph, type LayerId } from '../graph/types';
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

/**
 * Flash of a network before it is quantized, an estimate: weights at their bits, a bias and a multiplier of 4 bytes for
 * every output channel, and code.
 */
export function graphFlashBytes(graph: Graph, weightBits: (layer: LayerId) => WeightBits): number {
  return graph.layers
    .filter(isWeighted)
    .reduce(
      (sum, { id, weights, bias }) => sum + Math.ceil((weights.length * weightBits(id)) / 8) + bias.length * 8,
      graphCodeBytes(graph),
    );
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
