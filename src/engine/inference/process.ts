import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import type { Duplex } from 'node:stream';
import { CancelledError, UserError, reasonOf } from '../common/errors';
import type { Progress } from '../common/progress';
import { arrayFor, bytesOf, frameHead } from './frames';
import type { AnswerHead, ArrayHead, ElementArray, FailureKind, ObservationProblem, Request } from './frames';

/** How often a cancel is looked for while an answer is awaited. */
const POLL_MS = 50;
/** What is kept of the process's last words. */
const STDERR_CHARACTERS = 2000;

/** The process ended without being asked to: native code crashed or the system stopped it. */
export class ProcessEnded extends Error {}

/** An answer that says no. */
export class InferenceFailure extends Error {
  constructor(
    readonly kind: FailureKind,
    reason: string,
  ) {
    super(reason);
  }
}

/** A named array on its way to or from the process. */
export interface NamedArray extends Omit<ArrayHead, 'bytes'> {
  readonly data: ElementArray;
}

/** An answer that says yes. */
export interface Answered {
  readonly arrays: readonly NamedArray[];
  /** Of a run whose outputs are observed. */
  readonly problem?: ObservationProblem;
}

interface Pending {
  readonly resolve: (answer: Answered) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A separate process that runs onnxruntime on one model at a time: a crash in native code ends it and nothing else,
 * its memory is given back whole, and it can be stopped in the midst of a run. Several may run in parallel. It ends
 * with {@link dispose}, and when this process ends, however that happens. An idle one keeps no process alive.
 */
export class InferenceProcess {
  private readonly child: ChildProcess;
  private readonly reader: AnswerReader;
  /** Those who wait for answers, in the order in which they asked. */
  private readonly pending: Pending[] = [];
  private ended: Error | null = null;
  private stderr = '';

  /** @param entry the bundled src/inference.ts */
  constructor(entry = path.join(__dirname, 'inference.js')) {
    if (!existsSync(entry)) throw new UserError(`${entry} is missing; install QuantMCU again.`);
    this.child = spawn(process.execPath, [entry], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
      windowsHide: true,
      // In VS Code, execPath is Electron's, which runs as Node if told so. The library would send usage data over the
      // network and keep an id of this device in the home folder.
      env: { ...process.env, NODE_OPTIONS: '', ELECTRON_RUN_AS_NODE: '1', ORT_DISABLE_TELEMETRY: '1' },
    });
    this.reader = new AnswerReader((head, arrays) => this.answered(head, arrays));
    this.child.on('error', (error) =>
      this.end(new UserError(`The onnxruntime process cannot be started: ${reasonOf(error)}.`)),
    );
    this.child.on('close', (code, signal) => this.end(new ProcessEnded(this.lastWords(code, signal))));
    this.child.stderr?.on('data', (text: Buffer) => {
      this.stderr = (this.stderr + text.toString('utf8')).slice(-STDERR_CHARACTERS);
    });
    // What fails on the pipes shows as the process's end.
    for (const stream of this.child.stdio) stream?.on('error', () => undefined);
    this.child.stdio[4]?.on('data', (bytes: Buffer) => this.reader.take(bytes));
    this.hold(false);
  }

  /** Its number in the system; undefined if it could not be started. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Whether it can be asked: it has not ended, and nobody waits for an answer. */
  get isIdle(): boolean {
    return this.ended === null && this.pending.length === 0;
  }

  /** Closes the model, and gives back the memory of its answers. @throws as {@link request} does */
  async release(): Promise<void> {
    await this.request({ kind: 'close' }, []);
    this.reader.forget();
  }

  /**
   * Asks and waits for the answer. A request may follow before the answer to the one before has come.
   *
   * @param onSent called when the process has all of the request
   * @returns the answer, its arrays in memory that is used again for the one after the next
   * @throws InferenceFailure when the answer is a no; ProcessEnded; CancelledError, which ends the process
   */
  async request(
    request: Request,
    arrays: readonly NamedArray[],
    progress?: Pick<Progress, 'isCancelled'>,
    onSent?: () => void,
  ): Promise<Answered> {
    if (this.ended) throw this.ended;
    const timer = setInterval(() => {
      if (progress?.isCancelled()) this.stop(new CancelledError());
    }, POLL_MS);
    this.hold(true);
    try {
      return await new Promise((resolve, reject) => {
        this.pending.push({ resolve, reject });
        const heads = arrays.map(({ name, type, dims, data }) => ({ name, type, dims, bytes: data.byteLength }));
        const pipe = this.child.stdio[3] as Duplex;
        const pieces = [frameHead({ ...request, arrays: heads }), ...arrays.map(({ data }) => bytesOf(data))];
        pieces.forEach((bytes, i) =>
          pipe.write(bytes, (error) => {
            if (!error && i === pieces.length - 1) onSent?.();
          }),
        );
      });
    } finally {
      clearInterval(timer);
      if (this.pending.length === 0) this.hold(false);
    }
  }

  /** Ends the process, whatever it is doing. */
  dispose(): void {
    this.stop(new Error('The process for onnxruntime was stopped.'));
  }

  private stop(reason: Error): void {
    this.end(reason);
    this.child.kill('SIGKILL');
    for (const stream of this.child.stdio) stream?.destroy();
  }

  private answered(head: AnswerHead, arrays: readonly NamedArray[]): void {
    const pending = this.pending.shift();
    if (head.failure) pending?.reject(new InferenceFailure(head.failure.kind, head.failure.reason));
    else pending?.resolve({ arrays, problem: head.problem });
  }

  private end(reason: Error): void {
    this.ended ??= reason;
    for (const { reject } of this.pending.splice(0)) reject(this.ended);
  }

  private lastWords(code: number | null, signal: NodeJS.Signals | null): string {
    const how = signal ?? `code ${code}`;
    const words = this.stderr.trim().split('\n').at(-1) ?? '';
    return words === '' ? how : `${how}: ${words.slice(0, 300)}`;
  }

  /** Whether this process lives on for the sake of the other one. */
  private hold(on: boolean): void {
    for (const handle of [this.child, ...this.child.stdio] as ({ ref?(): void; unref?(): void } | null)[]) {
      if (on) handle?.ref?.();
      else handle?.unref?.();
    }
  }
}

/**
 * Puts frames together from what comes through the pipe. Answers take turns at two sets of arrays: one stays as it is
 * while the next one comes.
 */
class AnswerReader {
  private readonly sets = [new Map<string, ElementArray>(), new Map<string, ElementArray>()];
  private readonly length = Buffer.alloc(4);
  private head: AnswerHead | null = null;
  private results: NamedArray[] = [];
  /** What is being filled, and how far. */
  private target: Uint8Array = this.length;
  private at = 0;

  constructor(private readonly onAnswer: (head: AnswerHead, arrays: readonly NamedArray[]) => void) {}

  /** Between two answers: gives back the memory of the last ones. */
  forget(): void {
    for (const set of this.sets) set.clear();
  }

  take(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const n = Math.min(bytes.length - from, this.target.length - this.at);
      this.target.set(bytes.subarray(from, from + n), this.at);
      from += n;
      this.at += n;
      while (this.at === this.target.length) this.next();
    }
  }

  /** The target is full: what comes next? */
  private next(): void {
    this.at = 0;
    if (this.target === this.length) {
      this.target = new Uint8Array(this.length.readUInt32LE());
      return;
    }
    this.head ??= JSON.parse(Buffer.from(this.target).toString('utf8')) as AnswerHead;
    if (this.results.length < this.head.arrays.length) {
      const { name, type, dims, bytes } = this.head.arrays[this.results.length];
      let data = this.sets[0].get(name);
      if (data?.byteLength !== bytes) this.sets[0].set(name, (data = arrayFor({ type, bytes })));
      this.results.push({ name, type, dims, data });
      this.target = bytesOf(data);
      return;
    }
    const { head, results } = this;
    this.head = null;
    this.results = [];
    this.target = this.length;
    this.sets.reverse();
    this.onAnswer(head, results);
  }
}
