import type { Graph, NormalizeLayer } from '../../graph/types';
import type { Kernel } from '../types';
import { rangeOf, scaleOf, zeroPointOf, type BranchFormat } from './formats';

/** Beyond this the sums of 65536 channels are nothing beside ε. */
const LARGEST_EPSILON = 2 ** 52;

/**
 * The channels of each pixel divided by their size. With x = s·(code − z) and w = 1/C or 1, what stands below is
 * s·√(w/C · (C·Q − S² + ε·C/(w·s²))) when centered, else s·√(w · (Σ(code − z)² + ε/(w·s²))): the input's scale cancels
 * but for ε.
 */
export function normalizeKernel(
  graph: Graph,
  { inputs, centered, mean, epsilon }: NormalizeLayer,
  input: BranchFormat,
  output: BranchFormat,
): Kernel {
  const { c } = graph.maps[inputs[0]].shape;
  const perSum = centered ? c : 1;
  const perMean = mean ? c : 1;
  const gain = Math.sqrt(perMean / perSum) / scaleOf(output, 0);
  const codes = rangeOf(input);
  const preShift = Math.floor(Math.log2((2 ** 31 - 1) / (perSum * (codes.max - codes.min))));
  // The least V of a pixel that is not all alike, as a power of 4, leaves one bit to round.
  const leastShift = 16 - Math.floor(Math.log2(Math.max(1, perSum - 1)) / 2);
  const shift = Math.max(leastShift, 13 - Math.floor(Math.log2(gain)) + preShift);
  const { min, max } = rangeOf(output);
  return {
    op: 'normalize',
    centered,
    zeroIn: zeroPointOf(input, 0),
    zeroOut: zeroPointOf(output, 0),
    epsilon: Math.min(LARGEST_EPSILON, Math.round((epsilon * perMean * perSum) / scaleOf(input, 0) ** 2)),
    multiplier: Math.min(32767, Math.round(gain * 2 ** (shift - preShift + 1))),
    preShift,
    shift,
    min,
    max,
  };
}
