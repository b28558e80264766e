import { InferenceProcess } from './process';

/** A process that nobody wants for so long is ended. */
const IDLE_MS = 15_000;

/** The one that rests, with what ends it. */
let resting: { readonly process: InferenceProcess; readonly end: NodeJS.Timeout } | null = null;
let isWatching = false;

/**
 * A process that no one else uses: the one that rests, which has onnxruntime loaded already, else a new one.
 * @param isNew only a new one, after one that had rested failed
 */
export function takeProcess(isNew = false): { readonly process: InferenceProcess; readonly rested: boolean } {
  const found = resting;
  if (found !== null) clearTimeout(found.end);
  resting = null;
  if (found?.process.isIdle && !isNew) return { process: found.process, rested: true };
  found?.process.dispose();
  return { process: new InferenceProcess(), rested: false };
}

/**
 * Ends the use of a process: its model is released, and it rests for the next one. At most one does; another one, and
 * one that is at work or has failed, is ended.
 */
export async function giveBack(process: InferenceProcess): Promise<void> {
  try {
    if (!process.isIdle) throw new Error('the process is at work or has ended');
    await process.release();
  } catch {
    process.dispose();
    return;
  }
  rest(process, IDLE_MS);
}

/**
 * Starts a process ahead of the first model, so that it has loaded onnxruntime by then.
 * @param idleMs how long it waits for the model
 */
export function prepareProcess(idleMs = IDLE_MS): void {
  if (resting !== null) return;
  try {
    rest(new InferenceProcess(), idleMs);
  } catch {
    // Whoever opens the model is told why it cannot be started.
  }
}

function rest(process: InferenceProcess, idleMs: number): void {
  if (resting !== null) {
    process.dispose();
    return;
  }
  const end = setTimeout(endRest, idleMs);
  // It keeps nobody from ending.
  end.unref();
  resting = { process, end };
  if (!isWatching) globalThis.process.once('exit', endRest);
  isWatching = true;
}

/** Ends the process that rests, where no model is to follow: its memory is wanted elsewhere. */
export function endRest(): void {
  if (resting === null) return;
  clearTimeout(resting.end);
  resting.process.dispose();
  resting = null;
}
