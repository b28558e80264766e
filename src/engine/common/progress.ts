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
   */
  report(stage: string, done: number, total: number): void;
  /** Polled between units of work. */
  isCancelled(): boolean;
}

/** A progress that nobody watches and nobody cancels. */
export const silentProgress: Progress = { report: () => undefined, isCancelled: () => false };

/** Throws {@link CancelledError} when the user has cancelled; call it between units of work of at most about 100 ms. */
export function checkCancelled(progress: Progress): void {
  if (progress.isCancelled()) throw new CancelledError();
}
