import type { Progress } from '../engine/common/progress';

/** Reports more frequent than this are not seen by anybody and cost messages. */
const INTERVAL_MS = 50;

/**
 * A progress that passes on a new stage, the end of one, and otherwise at most a report per interval. `poll` runs
 * before each look at the cancel flag.
 */
export function throttled(target: Progress, poll: () => void, now: () => number = Date.now): Progress {
  let lastStage: string | undefined;
  let lastTime = -Infinity;
  return {
    report: (stage, done, total, overall) => {
      const time = now();
      if (stage === lastStage && done !== total && time - lastTime < INTERVAL_MS) return;
      lastStage = stage;
      lastTime = time;
      target.report(stage, done, total, overall);
    },
    isCancelled: () => {
      poll();
      return target.isCancelled();
    },
    isKept: () => target.isKept?.() ?? false,
  };
}
