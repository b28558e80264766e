import { instructionsMs } from '../engine/cost/latency';
import type { Core } from '../engine/targets/types';
import type { TargetView } from '../protocol/views';

/** Milliseconds on a board; null for cores without a model of the kernels, and boards that the table does not have. */
export function millisecondsOn(
  { core, clockMHz }: Pick<TargetView, 'core' | 'clockMHz'>,
  instructions: number,
): number | null {
  return clockMHz > 0 ? instructionsMs(instructions, core as Core, clockMHz) : null;
}
