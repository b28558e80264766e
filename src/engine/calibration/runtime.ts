import { promises as fs } from 'node:fs';
import * as path from 'node:path';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { UserError } from '../common/errors';
import type { Graph, TensorBinding } from '../graph/types';
import { halfToFloat } from '../onnx/tensorData';
import { floatToHalf } from './half';
import { withOutputs } from './modelOutputs';

export interface RuntimeOptions {
  /** Threads within an operator; 2 by default. */
  readonly threads?: number;
}

/** onnxruntime refused the model, with its reason as one line. */
export class RuntimeRefusal extends Error {}

/** Values by name, in ONNX element order, as float32. They are overwritten by the next run. */
export type RuntimeValues = ReadonlyMap<string, Float32Array>;

/**
 * onnxruntime on the original model file, with chosen inner values as further outputs. The package is loaded here and
 * nowhere else, when the first session is opened.
 */
export class RuntimeSession {
  /** Output tensors that onnxruntime writes into again and again, once their shapes are known from the first run. */
  private buffers: Record<string, Tensor> | null = null;
  private readonly values = new Map<string, Float32Array>();

  private constructor(
    private readonly ort: typeof import('onnxruntime-node'),
    private readonly session: InferenceSession,
    private readonly inputs: readonly TensorBinding[],
    private readonly file: string,
  ) {}

  /**
   * @param modelPath ONNX file; external data is looked for beside it
   * @param network how to feed the network's inputs, and which values are outputs of the file already
   * @param values names of values of the graph to observe, outputs or not, each once
   * @throws RuntimeRefusal when onnxruntime cannot load the model; UserError when the file cannot be read
   */
  static async open(
    modelPath: string,
    network: Pick<Graph, 'inputs' | 'outputs'>,
    values: readonly string[],
    options: RuntimeOptions = {},
  ): Promise<RuntimeSession> {
    let model: Uint8Array;
    try {
      model = await fs.readFile(modelPath);
    } catch (error) {
      throw new UserError(`Cannot read ${modelPath}: ${reason(error)}`, { cause: error });
    }
    // The library would send usage data over the network and keep an id of this device in the home folder. A worker
    // thread's environment is a copy that native code does not see: there the host has set this before.
    process.env.ORT_DISABLE_TELEMETRY = '1';
    const ort = await import('onnxruntime-node');
    const declared = new Set(network.outputs.map((o) => o.name));
    try {
      const session = await ort.InferenceSession.create(
        withOutputs(
          model,
          values.filter((v) => !declared.has(v)),
        ),
        {
          intraOpNumThreads: options.threads ?? 2,
          interOpNumThreads: 1,
          // Warnings go to stdout and stderr, which belong to the caller; errors reach us as exceptions.
          logSeverityLevel: 4,
          extra: { session: { model_external_initializers_file_folder_path: path.dirname(path.resolve(modelPath)) } },
        },
      );
      return new RuntimeSession(ort, session, network.inputs, path.basename(modelPath));
    } catch (error) {
      throw new RuntimeRefusal(reason(error), { cause: error });
    }
  }

  /**
   * Runs the network once.
   *
   * @param inputs one array per binding, HWC, real values
   * @throws UserError when onnxruntime fails
   */
  async run(inputs: readonly Float32Array[]): Promise<RuntimeValues> {
    const feeds: Record<string, Tensor> = {};
    this.inputs.forEach((binding, i) => {
      feeds[binding.name] = this.feed(binding, inputs[i]);
    });
    let results: Record<string, unknown>;
    try {
      results = this.buffers === null ? await this.session.run(feeds) : await this.session.run(feeds, this.buffers);
    } catch (error) {
      throw new UserError(`onnxruntime cannot run ${this.file}: ${reason(error)}`, { cause: error });
    }
    if (this.buffers === null) this.keepBuffers(results as Record<string, Tensor>);
    for (const [name, tensor] of Object.entries(this.buffers!))
      this.values.set(name, toFloat(tensor, this.values.get(name)));
    return this.values;
  }

  /** Frees the native session. */
  async dispose(): Promise<void> {
    await this.session.release();
  }

  private keepBuffers(results: Record<string, Tensor>): void {
    // The first results are copied: their memory belongs to onnxruntime, ours is handed to it for every further run.
    this.buffers = Object.fromEntries(
      Object.entries(results).map(([name, t]) => [
        name,
        new this.ort.Tensor(t.type, (t.data as Float32Array).slice(), t.dims),
      ]),
    );
  }

  private feed(binding: TensorBinding, values: Float32Array): Tensor {
    const { order, elementType, dims } = binding;
    const at = order === null ? (i: number) => values[i] : (i: number) => values[order[i]];
    const n = values.length;
    switch (elementType) {
      case 'float32': {
        const data = new Float32Array(n);
        for (let i = 0; i < n; i++) data[i] = at(i);
        return new this.ort.Tensor('float32', data, dims);
      }
      case 'float16': {
        const data = new Uint16Array(n);
        for (let i = 0; i < n; i++) data[i] = floatToHalf(at(i));
        return new this.ort.Tensor('float16', data, dims);
      }
      case 'uint8':
      case 'int8': {
        const data = elementType === 'uint8' ? new Uint8Array(n) : new Int8Array(n);
        for (let i = 0; i < n; i++) {
          data[i] = at(i);
          if (data[i] !== at(i)) {
            throw new UserError(
              `The input '${binding.name}' takes ${elementType} elements, but preprocessing gives ${at(i)}; ` +
                "choose a preprocessing such as 'raw' that keeps them whole.",
            );
          }
        }
        return new this.ort.Tensor(elementType, data, dims);
      }
    }
  }
}

function toFloat(tensor: Tensor, reuse: Float32Array | undefined): Float32Array {
  const data: unknown = tensor.data;
  if (data instanceof Float32Array) return data;
  if (tensor.type === 'float16' && data instanceof Uint16Array) {
    const out = reuse ?? new Float32Array(data.length);
    for (let i = 0; i < data.length; i++) out[i] = halfToFloat(data[i]);
    return out;
  }
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return Float32Array.from(data as BigInt64Array, Number);
  return Float32Array.from(data as ArrayLike<number>);
}

function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0].slice(0, 300);
}
