import { CancelledError } from './errors';

/**
 * How a long computation reports where it is and learns that it should stop. All engine functions that may run for more
 * than a second take one.
 */
export interface Progress {
  /**
   * @param stage what is going on, in words for the user, e.g. `Calibrating`
   * @param done  completed units of this stage
   * @param total units of this stage; 0 when unknown
   * @param overall where the run is as a whole, where that is known
   */
  report(stage: string, done: number, total: number, overall?: Overall): void;
  /** Polled between units of work. */
  isCancelled(): boolean;
  /** Whether what was reached so far is to be kept, where there is such a thing; asked after a cancellation. */
  isKept?(): boolean;
}

/** Where a run of several steps is. */
export interface Overall {
  /** Counted from 1. */
  readonly step: number;
  readonly steps: number;
  /** 0…1. */
  readonly share: number;
  /** Estimated time to the end; null while unknown. */
  readonly msLeft: number | null;
  /** The plans that were tried so far, in that order; missing before the first one. */
  readonly tried?: readonly TriedPlan[];
}

/** A plan that a search has tried. */
export interface TriedPlan {
  /** Estimated instructions of one inference, and its milliseconds; null for cores without a clock. */
  readonly instructions: number;
  readonly ms: number | null;
  /** Expected loss beyond 8 bits, and what is allowed: points of top-1, or percent of the outputs' power. */
  readonly loss: number;
  readonly budget: number;
}

/** A progress that is neither watched nor cancelled. */
export const silentProgress: Progress = { report: () => undefined, isCancelled: () => false };

/** Throws {@link CancelledError} when the user has cancelled; call it between units of work of at most about 100 ms. */
export function checkCancelled(progress: Progress): void {
  if (progress.isCancelled()) throw new CancelledError();
}
