import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import * as os from 'node:os';
import * as path from 'node:path';
import { loadSamples } from '../../../src/engine/calibration/inputs';
import { presetPreprocess } from '../../../src/engine/calibration/preprocess';
import { listSamples } from '../../../src/engine/calibration/samples';
import { UserError } from '../../../src/engine/common/errors';
import { topIndices } from '../../../src/engine/evaluation/compareOutputs';
import { exportQdq } from '../../../src/engine/export/qdq';
import type { Graph, TensorBinding } from '../../../src/engine/graph/types';
import { importModel } from '../../../src/engine/onnx';
import type { QuantizeOptions } from '../../../src/engine/run/options';
import { quantize } from '../../../src/engine/run/quantize';
import { openPlan, type OpenedPlan } from '../../../src/engine/planned/open';
import type { Bits } from '../../../src/engine/graph/bits';
import { Executor } from '../../../src/engine/program/interpreter';
import { lower } from '../../../src/engine/program/lower';
import { decodePort, inputCodes } from '../../../src/engine/program/ports';
import { silentProgress } from '../../../src/engine/common/progress';
import { quantizeGraph } from '../../../src/engine/quantize/quantizeGraph';
import { formatTies } from '../../../src/engine/quantize/ties';
import { ModelFolder, OnnxBuilder, float } from '../../support/onnxBuilder';
import { projectRoot } from '../../support/paths';
import { calibrateGraph, graphSamples, pixelInput } from '../../support/quantizedGraph';
import { mulberry32 } from '../../support/graphBuilder';
import { randomGraph } from '../../support/randomGraph';
import { needSharedData } from '../../support/sharedData';

/** The exported network in onnxruntime; values are HWC. */
class Exported {
  private constructor(
    private readonly session: InferenceSession,
    private readonly graph: Graph,
  ) {}

  static async open(graph: Graph, bytes: Uint8Array): Promise<Exported> {
    return new Exported(await InferenceSession.create(bytes, { logSeverityLevel: 4, intraOpNumThreads: 1 }), graph);
  }

  async run(inputs: readonly Float32Array[]): Promise<Float32Array[]> {
    const { graph, session } = this;
    const feeds = Object.fromEntries(
      graph.inputs.map(({ name, dims, order }, i) => [
        name,
        new Tensor('float32', order === null ? inputs[i] : Float32Array.from(order, (k) => inputs[i][k]), dims),
      ]),
    );
    const results = (await session.run(feeds)) as Record<string, Tensor>;
    return graph.outputs.map((binding) => this.hwc(binding, results[binding.name]));
  }

  async close(): Promise<void> {
    await this.session.release();
  }

  private hwc({ order, dims }: TensorBinding, tensor: Tensor): Float32Array {
    assert.deepEqual(tensor.dims, dims);
    const values = tensor.data as Float32Array;
    const hwc = new Float32Array(values.length);
    values.forEach((v, k) => {
      hwc[order === null ? k : order[k]] = v;
    });
    return hwc;
  }
}

/** 10·log10(Σ a² / Σ (a − b)²). */
function decibels(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let signal = 0;
  let noise = 0;
  a.forEach((values, k) =>
    values.forEach((v, i) => {
      signal += v * v;
      noise += (v - b[k][i]) ** 2;
    }),
  );
  return noise === 0 ? Infinity : 10 * Math.log10(signal / noise);
}

/**
 * How close the exported network comes to the integer one, and the integer one to float, on two images; null for what
 * onnxruntime does not run.
 */
async function compare(
  graph: Graph,
  seed: number,
  choose: (i: number) => Bits,
): Promise<{ exported: number; integer: number } | null> {
  const samples = graphSamples(graph, 4, seed);
  const { bitGroup, leastBits } = formatTies(graph);
  const fixed = new Set(graph.maps.filter((m) => leastBits[m.id] === 8).map((m) => bitGroup[m.id]));
  const mapBits = (map: number): Bits =>
    fixed.has(bitGroup[map]) ? 8 : (Math.max(choose(bitGroup[map]), leastBits[map]) as Bits);
  const parameters = quantizeGraph(graph, calibrateGraph(graph, samples), pixelInput(graph), {
    mapBits,
    weightBits: (layer) => (choose(layer + 99) < 8 ? 4 : 8),
    inputBits: (layer) => Math.min(choose(layer + 7) < 8 ? 4 : 8, mapBits(graph.layers[layer].inputs[0])) as Bits,
  });
  const program = lower(graph, null, parameters, { name: 'net' });
  const executor = new Executor(program);
  let bytes: Uint8Array;
  try {
    ({ bytes } = exportQdq({
      graph,
      parameters,
      plan: { preprocess: presetPreprocess('unit'), patchStage: null },
    } as unknown as OpenedPlan));
  } catch (error) {
    if (error instanceof UserError && /cannot be exported: onnxruntime/.test(error.message)) return null;
    throw error;
  }
  const network = await Exported.open(graph, bytes);
  const integer: Float32Array[] = [];
  const exported: Float32Array[] = [];
  const float: Float32Array[] = [];
  for (const { pixels, maps } of samples.slice(0, 2)) {
    exported.push(...(await network.run(graph.inputs.map(({ map }) => maps.get(map)!))));
    integer.push(...executor.run(pixels).outputs.map((o, i) => decodePort(program, program.outputs[i], o)));
    float.push(...graph.outputs.map(({ map }) => maps.get(map)!));
  }
  await network.close();
  return { exported: decibels(integer, exported), integer: decibels(float, integer) };
}

/**
 * Share of images on which the exported network and the firmware's arithmetic have the same first class, and how close
 * their outputs are.
 */
async function agreement(opened: OpenedPlan, images: string, limit: number): Promise<{ same: number; snr: number }> {
  const { graph, program, plan } = opened;
  const set = await listSamples(images, graph, limit);
  const network = await Exported.open(graph, exportQdq(opened).bytes);
  const executor = new Executor(program);
  const integer: Float32Array[] = [];
  const exported: Float32Array[] = [];
  for await (const { inputs } of loadSamples(set, graph, plan.preprocess, '', silentProgress, [])) {
    exported.push((await network.run(inputs.map((i) => i.real)))[0]);
    integer.push(
      decodePort(
        program,
        program.outputs[0],
        executor.run(inputs.map((input, i) => inputCodes(program, i, input))).outputs[0],
      ),
    );
  }
  await network.close();
  return {
    same:
      integer.filter((values, i) => topIndices(values, 1)[0] === topIndices(exported[i], 1)[0]).length / integer.length,
    snr: decibels(integer, exported),
  };
}

describe('QDQ export', function () {
  this.timeout(180_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'quantmcu-qdq-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('gives functions of one value the values of the integer arithmetic', async () => {
    const models = new ModelFolder();
    const functions: [string, number, ((m: OnnxBuilder, x: string) => string)?][] = [
      ['Elu', 13],
      ['Selu', 13],
      ['Celu', 13, (m, x) => m.node('Celu', [x], { alpha: float(0.4) })],
      ['Softplus', 13],
      ['Softsign', 13],
      ['Erf', 13],
      ['Exp', 13],
      ['Abs', 13],
      ['Gelu', 20],
      ['Mish', 18],
      ['Sqrt', 13, (m, x) => m.node('Sqrt', [m.node('Abs', [x])])],
      ['Log', 13, (m, x) => m.node('Log', [m.node('Sigmoid', [x])])],
      ['Pow', 13, (m, x) => m.node('Pow', [x, m.scalar(2)])],
    ];
    try {
      for (const [name, opset, build] of functions) {
        const m = new OnnxBuilder(opset);
        const a = m.node('Conv', [
          m.input('x', [1, 3, 8, 8]),
          m.floats([4, 3, 1, 1], [0.4, -0.3, 0.2, 0.5, 0.1, -0.6, -0.2, 0.3, 0.7, 0.1, 0.2, 0.3]),
        ]);
        m.output(build ? build(m, a) : m.node(name, [a]));
        const result = await compare(await importModel(models.write(m)), 5, () => 8);
        assert.ok(
          result && result.exported > 40 && result.integer > 25,
          `${name}: ${result?.exported.toFixed(1)} dB from the integer network, which is ` +
            `${result?.integer.toFixed(1)} dB from float`,
        );
      }
    } finally {
      models.remove();
    }
  });

  for (const mixed of [false, true]) {
    it(
      'gives networks of every kind of layer the values of the integer arithmetic at ' +
        `${mixed ? 'mixed bits' : '8 bits'}, but for single codes`,
      async () => {
        let compared = 0;
        let exact = 0;
        await fc.assert(
          fc.asyncProperty(
            fc.integer({ min: 0, max: 0x7fffffff }),
            fc.integer({ min: 1, max: 6 }),
            async (seed, blocks) => {
              const random = mulberry32(seed);
              const picks = Array.from({ length: 512 }, () => ([8, 8, 4, 2] as const)[Math.floor((random() + 1) * 2)]);
              const result = await compare(
                randomGraph(seed, { blocks }),
                seed,
                mixed ? (i) => picks[i % picks.length] : () => 8,
              );
              if (!result) return;
              compared++;
              // Single codes differ by one where a multiplier of 15 bits, or a float, comes to the other side of a
              // half.
              if (result.exported > 90) exact++;
              assert.ok(
                result.exported > Math.min(40, result.integer - 3),
                `${result.exported.toFixed(1)} dB from the integer network, which is ${result.integer.toFixed(1)} ` +
                  'dB from float',
              );
              // Always the same networks: how many codes differ is a matter of chance.
            },
          ),
          { numRuns: 40, seed: 20240325 },
        );
        assert.ok(compared > 25, `only ${compared} networks could be compared`);
        assert.ok(exact >= 0.7 * compared, `only ${exact} of ${compared} have the same codes throughout`);
      },
    );
  }

  it('is a model that QuantMCU reads, too, with the inputs and outputs of the original', async () => {
    const graph = randomGraph(30, { blocks: 1 });
    const samples = graphSamples(graph, 2, 1);
    const parameters = quantizeGraph(graph, calibrateGraph(graph, samples), pixelInput(graph), {
      mapBits: () => 8,
      weightBits: () => 8,
      inputBits: () => 8,
    });
    const models = new ModelFolder();
    try {
      const { bytes } = exportQdq({
        graph,
        parameters,
        plan: { preprocess: presetPreprocess('unit'), patchStage: null },
      } as unknown as OpenedPlan);
      const again = await importModel(models.write(bytes));
      const bindings = (g: Graph): unknown[] => [...g.inputs, ...g.outputs].map(({ name, dims }) => [name, dims]);
      assert.deepEqual(bindings(again), bindings(graph));
    } finally {
      models.remove();
    }
  });

  const quantized = async (
    options: Pick<QuantizeOptions, 'modelPath' | 'imagesPath' | 'preprocess' | 'bits' | 'weights' | 'grid' | 'limit'> &
      Partial<QuantizeOptions>,
  ): Promise<OpenedPlan> => {
    const planPath = path.join(folder, `${path.basename(options.modelPath)}.quantmcu.json`);
    await quantize(
      {
        ...options,
        planPath,
        target: { id: 'custom', sramBytes: 4 << 20, flashBytes: 16 << 20 },
        classes: 'static',
        compensate: false,
        cachePath: null,
      },
      silentProgress,
    );
    return openPlan(planPath);
  };

  it('chooses the classes that the firmware chooses on the sample model', async () => {
    const sample = path.join(projectRoot, 'media/sample');
    const opened = await quantized({
      modelPath: path.join(sample, 'gauge.onnx'),
      imagesPath: path.join(sample, 'images'),
      preprocess: null,
      bits: [8, 4],
      weights: 'auto',
      // With few maps of 4 bits: where a rounding falls the other way, theirs is a fifteenth of the range.
      objective: 'latency',
      grid: 'none',
      limit: 8,
    });
    const { same, snr } = await agreement(opened, path.join(sample, 'fresh'), 32);
    assert.ok(same >= 0.96 && snr > 25, `${same} of the classes, ${snr} dB`);
  });

  it('chooses the classes that the firmware chooses on MobileNetV2', async function () {
    const modelPath = needSharedData(this, 'models', 'mobilenetv2_1.0_224_tv.onnx');
    const imagesPath = needSharedData(this, 'images', 'imagenet_sample');
    const opened = await quantized({
      modelPath,
      imagesPath,
      preprocess: presetPreprocess('imagenet'),
      bits: [8],
      weights: 8,
      grid: 'none',
      limit: 8,
    });
    const { same, snr } = await agreement(opened, needSharedData(this, 'images', 'imagenet_val'), 40);
    console.log(`      same class on ${(100 * same).toFixed(1)} % of 40 images, ${snr.toFixed(1)} dB`);
    assert.ok(same >= 0.95 && snr > 20, `${same} of the classes, ${snr} dB`);
  });
});
