import type { PatchStatistics } from '../calibration/types';
import { nonOutlierBand } from './threshold';

/** Runtime VDPC: what the firmware tests on each patch of each input. */
export interface RuntimeTest {
  /** Real values of the reference map; ±Infinity for φ = 1. */
  readonly low: number;
  readonly high: number;
  /** The patch is outlier class when more than this share of its values lies outside; 0 is the paper's literal rule. */
  readonly epsilon: number;
}

/** Thresholds of the runtime test on the reference map of `statistics`. */
export function runtimeTest(statistics: PatchStatistics, phi: number, epsilon: number): RuntimeTest {
  return { ...nonOutlierBand(statistics, phi), epsilon };
}
