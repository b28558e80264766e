import * as fs from 'node:fs';
import * as path from 'node:path';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { ARRAYS, arrayFor, bytesOf, frameHead, reasonOf } from './frames';
import type {
  AnswerHead,
  ElementArray,
  ElementType,
  FailureKind,
  ObservationProblem,
  ObservedOutput,
  Request,
  RequestHead,
} from './frames';
import { withOutputs } from './modelOutputs';
import type { NamedArray } from './process';

/** Where the pipes are found in this process. */
const REQUESTS_FD = 3;
const ANSWERS_FD = 4;

/** Keeps statistics of outputs. */
export interface OutputObserver {
  /**
   * Takes in the outputs of a run, by name.
   * @returns why it cannot; the statistics are then of no use
   */
  take(
    outputs: ReadonlyMap<string, { readonly type: ElementType; readonly data: ElementArray }>,
  ): ObservationProblem | null;
  results(): NamedArray[];
}

export type ObserverOf = (observed: readonly ObservedOutput[]) => OutputObserver;

type Runtime = typeof import('onnxruntime-node');

class Failure extends Error {
  constructor(
    readonly kind: FailureKind,
    cause: unknown,
  ) {
    super(reasonOf(cause), { cause });
  }
}

/**
 * The whole life of the process that runs onnxruntime: answers requests, one after the other, until the pipe of
 * requests is closed. Reads and writes block, there is nothing else to do. The package is loaded here and nowhere else,
 * before the first request comes.
 *
 * @param observerOf makes what keeps statistics of outputs
 */
export async function serveInference(observerOf: ObserverOf): Promise<void> {
  const server = new Server(await load(), observerOf);
  for (let request = readRequest(); request !== null; request = readRequest()) {
    let answer: Answer;
    try {
      answer = await server.answer(request);
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure('refused', error);
      answer = { head: { failure: { kind: failure.kind, reason: failure.message }, arrays: [] }, arrays: [] };
    }
    write(frameHead(answer.head));
    for (const array of answer.arrays) write(bytesOf(array));
  }
}

async function load(): Promise<Runtime | Failure> {
  try {
    return await import('onnxruntime-node');
  } catch (error) {
    return new Failure('unloadable', error);
  }
}

interface Received {
  readonly head: RequestHead;
  readonly arrays: readonly ElementArray[];
}

interface Answer {
  readonly head: AnswerHead;
  readonly arrays: readonly ElementArray[];
}

function answerOf(arrays: readonly NamedArray[], problem?: ObservationProblem): Answer {
  const heads = arrays.map(({ name, type, dims, data }) => ({ name, type, dims, bytes: data.byteLength }));
  return { head: { failure: null, arrays: heads, problem }, arrays: arrays.map(({ data }) => data) };
}

const EMPTY = answerOf([]);

/** More elements than any input that a microcontroller could hold. */
const MOST_ELEMENTS = 2 ** 24;

/** For an input that no node reads, which onnxruntime requires nevertheless. */
function zeros(ort: Runtime, input: InferenceSession.ValueMetadata): Tensor {
  if (!input.isTensor) throw new Error(`its input "${input.name}" is not a tensor`);
  const dims = input.shape.map((d) => (typeof d === 'number' && d >= 0 ? d : 1));
  const count = dims.reduce((product, d) => product * d, 1);
  if (count > MOST_ELEMENTS)
    throw new Error(`its input "${input.name}" of ${dims.join('×')} is not read by any node; remove it from the model`);
  const { name, type } = input;
  if (type === 'string') return new ort.Tensor(type, new Array<string>(count).fill(''), dims);
  if (!Object.hasOwn(ARRAYS, type))
    throw new Error(`its input "${name}" is not read by any node; remove it from the model`);
  return new ort.Tensor(type as 'float32', new ARRAYS[type as ElementType](count) as Float32Array, dims);
}

class Server {
  private session: InferenceSession | null = null;
  /** Output tensors that onnxruntime writes into again and again, once their shapes are known from the first run. */
  private buffers: Record<string, Tensor> | null = null;
  private keeps = true;

  private observer: OutputObserver | null = null;
  private kept: ReadonlySet<string> = new Set();

  /** @param runtime the package, or why it cannot be loaded */
  constructor(
    private readonly runtime: Runtime | Failure,
    private readonly observerOf: ObserverOf,
  ) {}

  async answer({ head, arrays }: Received): Promise<Answer> {
    switch (head.kind) {
      case 'open':
        await this.open(head);
        return EMPTY;
      case 'run':
        return this.run(head, arrays);
      case 'observed':
        return answerOf(this.observer?.results() ?? []);
      case 'close':
        await this.close();
        return EMPTY;
    }
  }

  private async close(): Promise<void> {
    const { session } = this;
    this.session = null;
    this.buffers = null;
    this.keeps = true;
    this.observer = null;
    await session?.release();
  }

  private async open(request: Extract<Request, { kind: 'open' }>): Promise<void> {
    await this.close();
    let model: Uint8Array;
    try {
      model = fs.readFileSync(request.model);
    } catch (error) {
      throw new Failure('unreadable', error);
    }
    if (this.runtime instanceof Failure) throw this.runtime;
    this.observer = request.observed.length === 0 ? null : this.observerOf(request.observed);
    this.kept = new Set(request.kept);
    this.session = await this.runtime.InferenceSession.create(withOutputs(model, request.outputs), {
      intraOpNumThreads: request.threads,
      interOpNumThreads: 1,
      // Errors reach us as exceptions.
      logSeverityLevel: 4,
      extra: {
        session: {
          model_external_initializers_file_folder_path: path.dirname(path.resolve(request.model)),
          // Its threads wait without turning in circles: whoever asked has work for the other cores.
          intra_op: { allow_spinning: '0' },
        },
      },
    });
  }

  private async run(head: RequestHead, arrays: readonly ElementArray[]): Promise<Answer> {
    const { runtime: ort, session } = this;
    if (ort instanceof Failure || !session) throw new Error('no model is open');
    const feeds: Record<string, Tensor> = {};
    head.arrays.forEach(({ name, type, dims }, i) => {
      feeds[name] = new ort.Tensor(type, arrays[i] as Float32Array, dims);
    });
    for (const input of session.inputMetadata)
      if (!Object.hasOwn(feeds, input.name)) feeds[input.name] = zeros(ort, input);
    const outputs = Object.entries(await this.results(ort, session, feeds)).map(([name, tensor]): NamedArray => ({
      name,
      type: tensor.type as ElementType,
      dims: [...tensor.dims],
      data: elementsOf(name, tensor),
    }));
    const problem = this.observer?.take(new Map(outputs.map((output) => [output.name, output])));
    return answerOf(
      outputs.filter(({ name }) => !this.kept.has(name)),
      problem ?? undefined,
    );
  }

  /** Runs the model into tensors of our own, where onnxruntime takes them. */
  private async results(
    ort: Runtime,
    session: InferenceSession,
    feeds: Record<string, Tensor>,
  ): Promise<Record<string, Tensor>> {
    if (this.buffers !== null) {
      try {
        await session.run(feeds, this.buffers);
        return this.buffers;
      } catch {
        // It compares their shapes with those that it inferred, which may be wrong where pooling rounds up.
        this.buffers = null;
        this.keeps = false;
      }
    }
    const results = (await session.run(feeds)) as Record<string, Tensor>;
    if (this.keeps) this.buffers = ownBuffers(ort, results);
    return this.buffers ?? results;
  }
}

/** The first results are copied: their memory belongs to onnxruntime, ours is handed to it for every further run. */
function ownBuffers(ort: Runtime, results: Record<string, Tensor>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(results).map(([name, t]) => [
      name,
      new ort.Tensor(t.type as 'float32', elementsOf(name, t).slice() as Float32Array, t.dims) as Tensor,
    ]),
  );
}

function elementsOf(name: string, { type, data }: Tensor): ElementArray {
  if (!(type in ARRAYS) || Array.isArray(data)) throw new Error(`'${name}' has elements of type ${type}`);
  return data as unknown as ElementArray;
}

/** The next request, or null at the end of the pipe. */
function readRequest(): Received | null {
  const length = Buffer.alloc(4);
  if (!read(length)) return null;
  const json = Buffer.alloc(length.readUInt32LE());
  if (!read(json)) return null;
  const head = JSON.parse(json.toString('utf8')) as RequestHead;
  const arrays: ElementArray[] = [];
  for (const array of head.arrays) {
    const elements = arrayFor(array);
    if (!read(bytesOf(elements))) return null;
    arrays.push(elements);
  }
  return { head, arrays };
}

/** Fills the buffer; false at the end of the pipe. */
function read(buffer: Uint8Array): boolean {
  for (let at = 0; at < buffer.length;) {
    const got = readSome(buffer, at);
    if (got === 0) return false;
    at += got;
  }
  return true;
}

function readSome(buffer: Uint8Array, at: number): number {
  try {
    return fs.readSync(REQUESTS_FD, buffer, at, buffer.length - at, null);
  } catch (error) {
    // Windows says so when the other end is closed.
    if ((error as NodeJS.ErrnoException).code === 'EOF') return 0;
    throw error;
  }
}

function write(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += fs.writeSync(ANSWERS_FD, bytes, at, bytes.length - at);
}
