import { existsSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Worker, type MessagePort } from 'node:worker_threads';
import { CancelledError, UserError } from '../common/errors';
import type { Progress } from '../common/progress';
import { targetsData, targetsOf, type FloatTargets } from '../compensate/targets';
import { graphMacs } from '../graph/macs';
import { elements } from '../graph/types';
import {
  LocalFitter,
  type FitResult,
  type FitResults,
  type Fitter,
  type FitSetup,
  type FitTask,
  type FittedNetwork,
} from './fitTasks';

/** Each thread holds the maps of some images; more than so many find little to do at once. */
const MOST_THREADS = 4;
/** Products and codes of all images below which threads take longer to start than the work does. */
const LEAST_WORK = 3e7;
/** How often a cancel is looked for while threads work. */
const POLL_MS = 50;
/** Threads that had nothing to do for so long are ended. */
const IDLE_MS = 3000;

/** Work for a thread. */
interface ThreadJob {
  readonly task: FitTask;
}

/** What a thread answers: any number of reports, then a result or an error. */
type ThreadAnswer =
  | { readonly report: readonly [stage: string, done: number, total: number] }
  | { readonly result: FitResults[keyof FitResults] }
  | { readonly error: string; readonly isUsers: boolean };

/**
 * Tasks on one model in this many threads, or in this one where that is 1 or the file of the threads is not there. The
 * threads run no native code, so that they can be stopped at any moment.
 *
 * @param threads as asked for; undefined: as many as the machine has cores, one where the work is small
 */
export function openFitter(
  network: FittedNetwork,
  targets: FloatTargets,
  threads: number | undefined,
  file = path.join(__dirname, 'fitter.js'),
): Fitter {
  const wanted = threads ?? (isSmall(network, targets) ? 1 : os.availableParallelism());
  const count = Math.max(1, Math.min(wanted, MOST_THREADS));
  if (count === 1 || !existsSync(file)) return new LocalFitter(network, targets);
  return new ThreadFitter({ network, targets: targetsData(targets) }, count, file);
}

function isSmall({ graph }: FittedNetwork, { images }: FloatTargets): boolean {
  const codes = graph.maps.reduce((sum, { shape }) => sum + elements(shape), 0);
  return (graphMacs(graph) + codes) * images.length < LEAST_WORK;
}

interface Waiting {
  readonly task: FitTask;
  readonly progress: Progress;
  readonly resolve: (result: FitResults[keyof FitResults]) => void;
  readonly reject: (error: Error) => void;
}

class ThreadFitter implements Fitter {
  private readonly idle: Worker[] = [];
  private readonly busy = new Map<Worker, Waiting>();
  private readonly queue: Waiting[] = [];
  private poll: NodeJS.Timeout | null = null;
  private rest: NodeJS.Timeout | null = null;

  constructor(
    private readonly setup: FitSetup,
    readonly threads: number,
    private readonly file: string,
  ) {}

  run<T extends FitTask>(task: T, progress: Progress): Promise<FitResult<T>> {
    return new Promise((resolve, reject) => {
      this.queue.push({ task, progress, resolve: resolve as Waiting['resolve'], reject });
      this.poll ??= setInterval(() => this.checkCancelled(), POLL_MS);
      this.next();
    });
  }

  private next(): void {
    while (this.queue.length > 0 && this.busy.size < this.threads) {
      const waiting = this.queue.shift()!;
      const thread = this.idle.pop() ?? this.start();
      this.busy.set(thread, waiting);
      thread.postMessage({ task: waiting.task } satisfies ThreadJob);
    }
    if (this.rest) clearTimeout(this.rest);
    this.rest = null;
    if (this.busy.size > 0) return;
    if (this.poll) clearInterval(this.poll);
    this.poll = null;
    this.rest = setTimeout(() => this.end(), IDLE_MS).unref();
    for (const thread of this.idle) thread.unref();
  }

  private start(): Worker {
    const thread = new Worker(this.file, { workerData: this.setup });
    thread.on('message', (answer: ThreadAnswer) => this.answered(thread, answer));
    thread.on('error', (error) => this.died(thread, error.message));
    thread.on('exit', (code) => this.died(thread, `it ended with code ${code}`));
    return thread;
  }

  private answered(thread: Worker, answer: ThreadAnswer): void {
    const waiting = this.busy.get(thread);
    if (!waiting) return;
    if ('report' in answer) {
      // One line for the user: that of the task which has been at work the longest.
      if (this.busy.values().next().value === waiting) waiting.progress.report(...answer.report);
      return;
    }
    this.busy.delete(thread);
    this.idle.push(thread);
    if ('result' in answer) waiting.resolve(answer.result);
    else waiting.reject(answer.isUsers ? new UserError(answer.error) : new Error(answer.error));
    // The caller may have more to do; if not, the threads rest.
    setImmediate(() => this.next());
  }

  private checkCancelled(): void {
    const all = [...this.busy.values(), ...this.queue];
    if (all.some(({ progress }) => progress.isCancelled())) this.fail(new CancelledError());
  }

  private died(thread: Worker, reason: string): void {
    if (!this.busy.has(thread) && !this.idle.includes(thread)) return;
    this.fail(new UserError(`A thread fitting weights stopped: ${reason}. Close other programs and try again.`));
  }

  private fail(error: Error): void {
    const failed = [...this.busy.values(), ...this.queue.splice(0)];
    this.end();
    for (const { reject } of failed) reject(error);
  }

  private end(): void {
    const threads = [...this.busy.keys(), ...this.idle.splice(0)];
    this.busy.clear();
    for (const thread of threads) void thread.terminate();
    if (this.poll) clearInterval(this.poll);
    this.poll = null;
  }
}

/** Serves a thread of {@link openFitter}: does each task as it comes. */
export function serveFits(port: MessagePort, setup: FitSetup): void {
  const { network, targets } = setup;
  const fitter = new LocalFitter(network, targetsOf(network.graph, targets));
  const answer = (a: ThreadAnswer): void => port.postMessage(a);
  // A cancel ends the thread.
  const progress: Progress = {
    report: (stage, done, total) => answer({ report: [stage, done, total] }),
    isCancelled: () => false,
  };
  port.on('message', ({ task }: ThreadJob) => {
    try {
      answer({ result: fitter.doTask(task, progress) });
    } catch (error) {
      answer({ error: error instanceof Error ? error.message : String(error), isUsers: error instanceof UserError });
    }
  });
}
