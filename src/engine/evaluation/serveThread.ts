import type { MessagePort } from 'node:worker_threads';
import { IntegerRunner, type RunnerJob, type RunnerSetup } from './integerRunner';

/**
 * Serves a thread of {@link openRunners}: answers each job with its result, one after the other. An error that belongs
 * to no sample ends the thread.
 */
export function serveThread(port: MessagePort, setup: RunnerSetup): void {
  const runner = new IntegerRunner(setup);
  let last = Promise.resolve();
  port.on('message', (job: RunnerJob) => {
    last = last.then(async () => {
      const result = await runner.run(job);
      port.postMessage(
        result,
        result.problem === null
          ? [...new Set([...result.reals, ...result.outputs].map((a) => a.buffer as ArrayBuffer))]
          : [],
      );
    });
    last.catch((error: unknown) =>
      setImmediate(() => {
        throw error;
      }),
    );
  });
}
