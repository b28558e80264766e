import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { silentProgress } from '../../src/engine/common/progress';
import type { TensorBinding } from '../../src/engine/graph/types';
import { importModel } from '../../src/engine/onnx';
import { openPlan, type OpenedPlan } from '../../src/engine/planned/open';
import { generateSources } from '../../src/engine/run/generate';
import { quantize } from '../../src/engine/run/quantize';
import type { QuantizeOptions } from '../../src/engine/run/options';
import { Executor } from '../../src/engine/program/interpreter';
import type { Port, Program } from '../../src/engine/program/types';
import { buildForHost } from '../firmware/support/hostBuild';
import { npy, zip } from './npyWriter';
import { floatToHalf } from './onnxBuilder';
import { randomNumbers } from './onnxOracle';

/** What a network computes as firmware, beside onnxruntime on the same samples. */
export interface FirmwareResult {
  /** By output of the model: signal-to-noise ratio in dB over all samples, in the order of the ONNX tensors. */
  readonly snr: readonly number[];
  readonly opened: OpenedPlan;
  readonly notes: readonly string[];
  /** The generated header. */
  readonly header: string;
}

export interface FirmwareOptions extends Partial<QuantizeOptions> {
  /** Samples to calibrate on; a few of them are compared. */
  readonly samples?: number;
  readonly seed?: number;
  /** Sample values lie in [−scale, scale), or are what this gives. */
  readonly scale?: number | ((random: () => number) => number);
  /** Compile the generated C and take its bytes; otherwise the interpreter's. */
  readonly compiled?: boolean;
}

/** Samples that are compared. */
const COMPARED = 4;

/**
 * Quantizes a model on random arrays, runs it as firmware would — elements go in and come out in the order that the
 * program's ports state — and compares every output, element by element of the ONNX tensor, with onnxruntime on the
 * original file.
 *
 * @param folder gets the samples, the plan and, when compiled, the sources
 */
export async function asFirmware(
  modelPath: string,
  folder: string,
  options: FirmwareOptions = {},
): Promise<FirmwareResult> {
  const { samples = 24, seed = 1, scale = 1, compiled = false, ...others } = options;
  mkdirSync(folder, { recursive: true });
  const { inputs } = await importModel(modelPath, { sizes: others.sizes });
  const random = randomNumbers(seed);
  const arrays = inputs.map((binding) => sampleValues(binding, samples, random, scale));
  const imagesPath = path.join(folder, 'samples.npz');
  writeFileSync(
    imagesPath,
    zip(Object.fromEntries(inputs.map((b, i) => [`${b.name}.npy`, sampleFile(b, arrays[i], samples)]))),
  );
  const planPath = path.join(folder, 'plan.quantmcu.json');
  const { summary } = await quantize(
    {
      modelPath,
      planPath,
      imagesPath,
      target: { id: 'custom', sramBytes: 4 << 20, flashBytes: 16 << 20 },
      grid: 'auto',
      bits: [8],
      weights: 8,
      classes: 'static',
      preprocess: {
        preset: 'custom',
        resize: 'stretch',
        cropFraction: 1,
        fill: 0,
        channels: 'rgb',
        scale: 1,
        mean: [0],
        std: [1],
      },
      limit: 0,
      // Outputs are compared as the network has them.
      head: 'none',
      cachePath: null,
      ...others,
    },
    silentProgress,
  );
  const opened = await openPlan(planPath);
  const { program } = opened;
  const chosen = Array.from({ length: Math.min(COMPARED, samples) }, (_, i) => i);
  const memory = chosen.map((n) =>
    program.inputs.map((port, i) => toMemory(program, port, row(arrays[i], inputs[i], n))),
  );
  const { files } = generateSources(opened);
  const results = compiled ? compileAndRun(path.join(folder, 'c'), program, files, memory) : interpret(program, memory);
  const session = await InferenceSession.create(modelPath, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  const signal = program.outputs.map(() => 0);
  const noise = program.outputs.map(() => 0);
  try {
    for (const n of chosen) {
      const expected = await session.run(
        Object.fromEntries(inputs.map((b, i) => [b.name, tensorOf(b, row(arrays[i], b, n))])),
      );
      program.outputs.forEach((port, k) => {
        const reference = Float32Array.from(expected[port.name].data as ArrayLike<number>);
        const own = fromMemory(program, port, results[n][k]);
        if (own.length !== reference.length)
          throw new Error(`${port.name} has ${own.length} elements instead of ${reference.length}`);
        for (let i = 0; i < own.length; i++) {
          signal[k] += reference[i] ** 2;
          noise[k] += (reference[i] - own[i]) ** 2;
        }
      });
    }
  } finally {
    await session.release();
  }
  const snr = signal.map((s, k) => (noise[k] === 0 ? Infinity : 10 * Math.log10(s / noise[k])));
  return { snr, opened, notes: summary.notes, header: files.find((f) => f.path === `${program.name}.h`)!.text };
}

function interpret(program: Program, memory: readonly (readonly Uint8Array[])[]): Uint8Array[][] {
  const executor = new Executor(program);
  return memory.map((m) => executor.run(m).outputs.map((o) => o.slice()));
}

function compileAndRun(
  folder: string,
  program: Program,
  files: Parameters<typeof buildForHost>[2],
  memory: readonly (readonly Uint8Array[])[],
): Uint8Array[][] {
  const run = buildForHost(folder, program, files).run(memory);
  if (run.selftest !== 0 || !run.guardsWhole) throw new Error(`self-test ${run.selftest}, guards ${run.guardsWhole}`);
  interpret(program, memory).forEach((outputs, n) =>
    outputs.forEach((bytes, k) => {
      if (Buffer.compare(Buffer.from(bytes), Buffer.from(run.outputs[n][k])) !== 0)
        throw new Error(`sample ${n}, output ${k}: C and interpreter differ`);
    }),
  );
  return run.outputs;
}

const count = (dims: readonly number[]): number => dims.reduce((product, d) => product * d, 1);

function sampleValues(
  { dims, elementType }: TensorBinding,
  samples: number,
  random: () => number,
  scale: NonNullable<FirmwareOptions['scale']>,
): Float32Array {
  const whole = elementType === 'uint8' || elementType === 'int8';
  const offset = elementType === 'uint8' ? 128 : 0;
  return Float32Array.from({ length: samples * count(dims) }, () =>
    whole ? Math.floor(random() * 127) + offset : typeof scale === 'number' ? random() * scale : scale(random),
  );
}

function sampleFile({ dims, elementType }: TensorBinding, values: Float32Array, samples: number): Buffer {
  const shape = [samples, ...(dims.length > 1 && dims[0] === 1 ? dims.slice(1) : dims)];
  if (elementType === 'uint8') return npy('|u1', shape, Uint8Array.from(values));
  if (elementType === 'int8') return npy('|i1', shape, Int8Array.from(values));
  return npy('<f4', shape, values);
}

function row(values: Float32Array, { dims }: TensorBinding, n: number): Float32Array {
  return values.subarray(n * count(dims), (n + 1) * count(dims));
}

function tensorOf({ elementType, dims }: TensorBinding, values: Float32Array): Tensor {
  if (elementType === 'uint8') return new Tensor('uint8', Uint8Array.from(values), dims);
  if (elementType === 'int8') return new Tensor('int8', Int8Array.from(values), dims);
  if (elementType === 'float16') return new Tensor('float16', Uint16Array.from(values, floatToHalf), dims);
  return new Tensor('float32', values, dims);
}

/** Place in memory of every element of the ONNX tensor, by the order that the port states. */
function placesOf({ dims, memory }: Port): Int32Array {
  const strides = new Array<number>(dims.length);
  let stride = 1;
  for (let i = memory.length - 1; i >= 0; i--) {
    strides[memory[i]] = stride;
    stride *= dims[memory[i]];
  }
  const places = new Int32Array(stride);
  const index = dims.map(() => 0);
  for (let i = 0; i < stride; i++) {
    places[i] = index.reduce((sum, at, dim) => sum + at * strides[dim], 0);
    for (let dim = dims.length - 1; dim >= 0 && ++index[dim] === dims[dim]; dim--) index[dim] = 0;
  }
  return places;
}

function toMemory(program: Program, port: Port, values: Float32Array): Uint8Array {
  const { bytes, channels } = program.buffers[port.buffer];
  const out = new Uint8Array(bytes);
  placesOf(port).forEach((place, i) => {
    const c = port.scales.length === 1 ? 0 : place % channels;
    const code = Math.round(values[i] / port.scales[c]) + port.zeroPoints[port.zeroPoints.length === 1 ? 0 : c];
    out[place] = Math.max(port.signed ? -128 : 0, Math.min(port.signed ? 127 : 255, code));
  });
  return out;
}

function fromMemory(program: Program, port: Port, bytes: Uint8Array): Float32Array {
  const { channels, bits } = program.buffers[port.buffer];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from(placesOf(port), (place) => {
    const c = port.scales.length === 1 ? 0 : place % channels;
    const code = bits === 16 ? view.getInt16(2 * place, true) : port.signed ? (bytes[place] << 24) >> 24 : bytes[place];
    return port.scales[c] * (code - port.zeroPoints[port.zeroPoints.length === 1 ? 0 : c]);
  });
}
