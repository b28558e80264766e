import type { Clamp } from '../../graph/types';
import { scaleOf, zeroPointOf, type BranchFormat } from './formats';

/**
 * Lowest code that the layer's clamp allows. A bound other than 0 implies one scale for the whole map (see
 * quantize/ties.ts).
 */
export function lowerClamp(clamp: Clamp, output: BranchFormat, min: number): number {
  if (clamp.min === null) return min;
  return Math.max(min, Math.round(clamp.min / scaleOf(output, 0)) + zeroPointOf(output, 0));
}

/** Highest code that the layer's clamp allows, per channel. */
export function upperClamp(clamp: Clamp, output: BranchFormat, channels: number, max: number): Int32Array {
  return Int32Array.from({ length: channels }, (_, c) => {
    if (clamp.max === null) return max;
    return Math.min(max, Math.round(clamp.max / scaleOf(output, c)) + zeroPointOf(output, c));
  });
}
