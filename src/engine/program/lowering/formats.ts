import type { Bits } from '../../graph/bits';
import { codeRange } from '../../quantize/histogramError';
import type { MapFormat } from '../../quantize/types';

/**
 * The format of a feature map in one branch: codes of `bits` bits, worth base scale · 2^exponent each. In branches of
 * outlier class a map of b < 8 bits has 8-bit codes with exponent −(8 − b): the same range at finer steps, so that the
 * same weights, biases and multipliers serve both and only shifts differ.
 */
export interface BranchFormat {
  readonly base: MapFormat;
  readonly bits: Bits;
  readonly exponent: number;
}

/** The map as regular branches and the tail have it. */
export function baseFormat(format: MapFormat): BranchFormat {
  return { base: format, bits: format.bits, exponent: 0 };
}

/** The map in a branch of the outlier class: at 8 bits, or at 16 where all branches have it so. */
export function outlierFormat(format: MapFormat): BranchFormat {
  if (format.bits >= 8) return baseFormat(format);
  return { base: format, bits: 8, exponent: format.bits - 8 };
}

/** Real value of one code of channel c. */
export function scaleOf(f: BranchFormat, c: number): number {
  return f.base.scales[f.base.scales.length === 1 ? 0 : c] * 2 ** f.exponent;
}

/** Code of the real value 0 in channel c. */
export function zeroPointOf(f: BranchFormat, c: number): number {
  return f.base.zeroPoints[f.base.zeroPoints.length === 1 ? 0 : c] * 2 ** -f.exponent;
}

/** Whether two formats give every code of every channel the same meaning. */
export function sameFormat(a: BranchFormat, b: BranchFormat): boolean {
  if (a.bits !== b.bits || a.base.signed !== b.base.signed) return false;
  if (a.base === b.base) return a.exponent === b.exponent;
  const n = Math.max(a.base.scales.length, b.base.scales.length, a.base.zeroPoints.length, b.base.zeroPoints.length);
  for (let c = 0; c < n; c++) {
    if (Math.abs(scaleOf(a, c) / scaleOf(b, c) - 1) > 1e-9 || zeroPointOf(a, c) !== zeroPointOf(b, c)) return false;
  }
  return true;
}

/** Smallest and largest code. */
export function rangeOf(f: BranchFormat): { min: number; max: number } {
  return codeRange(f.bits, f.base.signed, f.base.reach);
}

/** Largest magnitude of a code. */
export function largestCode(f: BranchFormat): number {
  const { min, max } = rangeOf(f);
  return Math.max(-min, max);
}
