import { existsSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Worker } from 'node:worker_threads';
import { CancelledError, UserError } from '../common/errors';
import type { Progress } from '../common/progress';
import { IntegerRunner, type RunnerJob, type RunnerResult, type RunnerSetup } from './integerRunner';

/** Runs jobs somewhere; results come in any order. */
export interface Runners {
  /** At most so many jobs are in work at once. */
  readonly capacity: number;
  run(job: RunnerJob): Promise<RunnerResult>;
  close(): Promise<void>;
}

/** Threads that a person's computer is given at most: each holds the Program's constants and an arena. */
const MOST_THREADS = 16;
/** A thread takes about this long to start: fewer samples per thread do not pay. */
const LEAST_SAMPLES = 4;
/** Jobs that wait in a thread, so that it never waits for us. */
const AHEAD = 2;
/** How often a cancel is looked for while threads work. */
const POLL_MS = 50;

/** How many threads to use for this many samples; 1: none beside this one. */
export function threadCount(samples: number, wanted: number | undefined): number {
  const most = Math.max(1, Math.min(wanted ?? os.availableParallelism(), MOST_THREADS));
  return wanted === undefined ? Math.max(1, Math.min(most, Math.floor(samples / LEAST_SAMPLES))) : most;
}

/**
 * Runners in `count` threads, or in this one where `count` is 1 or the file of the threads is not there.
 * The threads run no native code, so that they can be stopped at any moment.
 */
export function openRunners(
  setup: RunnerSetup,
  count: number,
  progress: Progress,
  threadFile = path.join(__dirname, 'evaluator.js'),
): Runners {
  if (count > 1 && existsSync(threadFile)) return new ThreadRunners(setup, count, progress, threadFile);
  const runner = new IntegerRunner(setup);
  return { capacity: 1, run: (job) => runner.run(job), close: () => Promise.resolve() };
}

interface Waiting {
  readonly thread: number;
  readonly resolve: (result: RunnerResult) => void;
  readonly reject: (error: Error) => void;
}

class ThreadRunners implements Runners {
  readonly capacity: number;
  private readonly threads: Worker[];
  private readonly load: number[];
  private readonly waiting = new Map<number, Waiting>();
  private readonly timer: NodeJS.Timeout;
  private failure: Error | null = null;
  private closing = false;

  constructor(setup: RunnerSetup, count: number, progress: Progress, file: string) {
    this.capacity = count * AHEAD;
    this.load = new Array<number>(count).fill(0);
    this.threads = Array.from({ length: count }, () => new Worker(file, { workerData: setup }));
    this.threads.forEach((thread) => {
      thread.on('message', (result: RunnerResult) => {
        const job = this.waiting.get(result.index);
        if (!job) return;
        this.waiting.delete(result.index);
        this.load[job.thread]--;
        job.resolve(result);
      });
      thread.on('error', (error) => this.fail(deadThread(error.message)));
      thread.on('exit', (code) => {
        if (!this.closing) this.fail(deadThread(`it ended with code ${code}`));
      });
    });
    this.timer = setInterval(() => {
      if (progress.isCancelled()) this.fail(new CancelledError());
    }, POLL_MS);
  }

  run(job: RunnerJob): Promise<RunnerResult> {
    return new Promise((resolve, reject) => {
      if (this.failure) {
        reject(this.failure);
        return;
      }
      const thread = this.load.indexOf(Math.min(...this.load));
      this.load[thread]++;
      this.waiting.set(job.index, { thread, resolve, reject });
      this.threads[thread].postMessage(job);
    });
  }

  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.timer);
    await Promise.all(this.threads.map((thread) => thread.terminate()));
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const job of this.waiting.values()) job.reject(this.failure);
    this.waiting.clear();
  }
}

function deadThread(reason: string): UserError {
  return new UserError(
    `An evaluation thread stopped: ${reason}. Try again with fewer threads, or close other programs.`,
  );
}
