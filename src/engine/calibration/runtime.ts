import * as path from 'node:path';
import { UserError, reasonOf } from '../common/errors';
import type { Progress } from '../common/progress';
import type { Graph, MapId, TensorBinding } from '../graph/types';
import type { ObservationProblem, ObservedOutput, Request } from '../inference/frames';
import { giveBack, takeProcess } from '../inference/pool';
import {
  InferenceFailure,
  ProcessEnded,
  type Answered,
  type InferenceProcess,
  type NamedArray,
} from '../inference/process';
import { elementsAsFloat } from './elements';
import { floatToHalf } from './half';
import { statisticsOf } from './outputObserver';
import type { MapStatistics } from './types';

export interface RuntimeOptions {
  /** Threads within an operator; 2 by default. */
  readonly threads?: number;
  /** Looked at while onnxruntime works: a cancel ends its process at once. */
  readonly progress?: Pick<Progress, 'isCancelled'>;
  /** Gets a line when onnxruntime had to be started again. */
  readonly notes?: string[];
}

/** onnxruntime refused the model or crashed on it, with the reason as one line. */
export class RuntimeRefusal extends Error {}

/** The process ended, and with it the statistics that it kept. */
export class ObservationsLost extends Error {}

/** What a session computes. */
export interface RuntimeValuesWanted {
  /** Names of values of the graph to hand over with each run, outputs or not, each once. */
  readonly values: readonly string[];
  /** Values to keep statistics of; these need not be handed over. */
  readonly observed: readonly ObservedOutput[];
}

/** Values by name, in ONNX element order, as float32. They are overwritten by the end of the next run. */
export type RuntimeValues = ReadonlyMap<string, Float32Array>;

/**
 * onnxruntime on the original model file, with chosen inner values as further outputs, in a separate process. When
 * that process ends under a run, it is started again, once, unless it kept statistics.
 */
export class RuntimeSession {
  private readonly values = new Map<string, Float32Array>();
  private restarted = false;
  /** Why statistics cannot be taken of the run that was ended last. */
  problem: ObservationProblem | null = null;

  private constructor(
    private process: InferenceProcess,
    private readonly modelPath: string,
    private readonly inputs: readonly TensorBinding[],
    private readonly outputs: Outputs,
    private readonly options: RuntimeOptions,
  ) {}

  /**
   * @param modelPath ONNX file; external data is searched for next to it
   * @param network how to feed the network's inputs, and which values are outputs of the file already
   * @throws RuntimeRefusal when onnxruntime cannot load the model; UserError when the file cannot be read;
   *   CancelledError
   */
  static async open(
    modelPath: string,
    network: Pick<Graph, 'inputs' | 'outputs'>,
    { values, observed }: RuntimeValuesWanted,
    options: RuntimeOptions = {},
  ): Promise<RuntimeSession> {
    const handed = new Set(values);
    const declared = network.outputs.flatMap((o) => (o.inner ? [] : [o.name]));
    const computed = new Set([...values, ...observed.map(({ value }) => value)]);
    const added = [...computed].filter((v) => !declared.includes(v));
    const outputs = { outputs: added, observed, kept: added.filter((v) => !handed.has(v)) };
    const process = await openModel(modelPath, outputs, options);
    return new RuntimeSession(process, modelPath, network.inputs, outputs, options);
  }

  /**
   * Runs the network once.
   *
   * @param inputs one array per binding, HWC, real values
   * @throws UserError when onnxruntime fails or crashes; CancelledError
   */
  async run(inputs: readonly Float32Array[]): Promise<RuntimeValues> {
    const end = await this.begin(inputs);
    return end();
  }

  /**
   * Begins a run, one at a time; while statistics are kept, one may be begun before the one before is ended. Values
   * stay as they are until the next run is ended.
   *
   * @param inputs as {@link run} takes them
   * @returns when onnxruntime has the inputs: what waits for the values, and throws as {@link run} does
   * @throws as {@link run} does
   */
  async begin(inputs: readonly Float32Array[]): Promise<() => Promise<RuntimeValues>> {
    const feeds = this.inputs.map((binding, i) => feed(binding, inputs[i]));
    let answer!: Promise<Answered>;
    await new Promise<void>((resolve, reject) => {
      answer = this.ask(feeds, resolve);
      answer.catch(reject);
    });
    return async () => {
      const { arrays, problem = null } = await answer;
      this.problem = problem;
      for (const { name, type, data } of arrays)
        this.values.set(name, elementsAsFloat(type, data, this.values.get(name)));
      return this.values;
    };
  }

  /** Statistics of what is observed, over all runs. @throws ObservationsLost; CancelledError */
  async statistics(): Promise<Map<MapId, MapStatistics>> {
    const { observed } = this.outputs;
    if (observed.length === 0) return new Map();
    try {
      const { arrays } = await this.process.request({ kind: 'observed' }, [], this.options.progress);
      return statisticsOf(observed, arrays);
    } catch (error) {
      throw error instanceof ProcessEnded ? this.lost(error) : error;
    }
  }

  /** Closes the model. Its process is kept for the next one for a while, see {@link giveBack}. */
  async dispose(): Promise<void> {
    await giveBack(this.process);
  }

  private lost(cause: ProcessEnded): ObservationsLost {
    return new ObservationsLost(cause.message, { cause });
  }

  private async restart(file: string): Promise<void> {
    try {
      this.process = await openModel(this.modelPath, this.outputs, this.options, true);
    } catch (error) {
      throw error instanceof RuntimeRefusal ? crashedAgain(file, error) : error;
    }
  }

  private async ask(feeds: readonly NamedArray[], onSent: () => void): Promise<Answered> {
    const file = path.basename(this.modelPath);
    try {
      return await this.process.request({ kind: 'run' }, feeds, this.options.progress, onSent);
    } catch (error) {
      if (error instanceof InferenceFailure)
        throw new UserError(`onnxruntime cannot run ${file}: ${reasonOf(error)}.`, { cause: error });
      if (!(error instanceof ProcessEnded)) throw error;
      if (this.outputs.observed.length > 0) throw this.lost(error);
      if (this.restarted) throw crashedAgain(file, error);
      this.restarted = true;
      this.options.notes?.push(
        `The onnxruntime process crashed while running ${file} (${reasonOf(error)}); it was restarted ` +
          'and the image was run again.',
      );
      await this.restart(file);
      return this.ask(feeds, onSent);
    }
  }
}

/** @param cause the process's end */
export function crashedAgain(file: string, cause: Error): UserError {
  return new UserError(
    `The onnxruntime process crashed again while running ${file} (${reasonOf(cause)}). Nothing was written. ` +
      'Free some memory, and check that onnxruntime runs this model outside QuantMCU.',
    { cause },
  );
}

/** What a model is opened with, see {@link Request}. */
type Outputs = Pick<Extract<Request, { kind: 'open' }>, 'outputs' | 'observed' | 'kept'>;

async function openModel(
  modelPath: string,
  outputs: Outputs,
  { threads = 2, progress }: RuntimeOptions,
  isNew = false,
): Promise<InferenceProcess> {
  const { process, rested } = takeProcess(isNew);
  try {
    await process.request({ kind: 'open', model: path.resolve(modelPath), ...outputs, threads }, [], progress);
    return process;
  } catch (error) {
    process.dispose();
    // It may have been ended while it rested, which says nothing of this model.
    if (error instanceof ProcessEnded && rested) return openModel(modelPath, outputs, { threads, progress }, true);
    if (error instanceof ProcessEnded) throw new RuntimeRefusal(`it crashed, ${error.message}`, { cause: error });
    if (!(error instanceof InferenceFailure)) throw error;
    switch (error.kind) {
      case 'unreadable':
        throw new UserError(`Cannot read ${modelPath}: ${reasonOf(error)}.`, { cause: error });
      case 'unloadable':
        throw new UserError(`onnxruntime cannot be loaded: ${reasonOf(error)}. Install QuantMCU again.`, {
          cause: error,
        });
      case 'refused':
        throw new RuntimeRefusal(error.message, { cause: error });
    }
  }
}

function feed(binding: TensorBinding, values: Float32Array): NamedArray {
  const { name, order, elementType: type, dims } = binding;
  const ordered = order === null ? values.slice() : inOrder(values, order);
  switch (type) {
    case 'float32':
      return { name, type, dims, data: ordered };
    case 'float16':
      return { name, type, dims, data: Uint16Array.from(ordered, floatToHalf) };
    case 'uint8':
    case 'int8': {
      const data = type === 'uint8' ? Uint8Array.from(ordered) : Int8Array.from(ordered);
      const wrong = ordered.findIndex((v, i) => data[i] !== v);
      if (wrong >= 0) {
        throw new UserError(
          `The input '${name}' takes ${type} elements, but preprocessing gives ${ordered[wrong]}; ` +
            "choose a preprocessing such as 'raw' that keeps them integers.",
        );
      }
      return { name, type, dims, data };
    }
  }
}

function inOrder(values: Float32Array, order: Int32Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = values[order[i]];
  return out;
}
