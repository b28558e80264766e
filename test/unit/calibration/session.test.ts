import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { calibrate } from '../../../src/engine/calibration/calibrate';
import { withOutputs } from '../../../src/engine/inference/modelOutputs';
import { presetPreprocess } from '../../../src/engine/calibration/preprocess';
import { listSamples } from '../../../src/engine/calibration/samples';
import { FloatSession } from '../../../src/engine/calibration/session';
import { MapAccumulator } from '../../../src/engine/calibration/statistics';
import { floatOutputs } from '../../../src/engine/calibration/float';
import { UserError } from '../../../src/engine/common/errors';
import { evaluateFloat } from '../../../src/engine/graph/evaluate';
import { elements, type Graph } from '../../../src/engine/graph/types';
import { giveBack, takeProcess } from '../../../src/engine/inference/pool';
import { importModel } from '../../../src/engine/onnx';
import { silentProgress, type Progress } from '../../../src/engine/common/progress';
import { npy } from '../../support/npyWriter';
import { float, ModelFolder, OnnxBuilder, type OnnxType } from '../../support/onnxBuilder';
import { randomArray, randomNumbers } from '../../support/onnxOracle';

/** Conv + Relu6, a SiLU written out (its inner value has no map), a residual Add, pooling and a classifier. */
function smallModel(type: OnnxType = 'float32', options: { opset?: number; sameNames?: boolean } = {}): OnnxBuilder {
  const m = new OnnxBuilder(options.opset ?? 13);
  const random = randomNumbers(3);
  const w = (dims: number[], scale: number): string =>
    m.initializer({
      dims,
      data: randomArray(
        dims.reduce((a, b) => a * b, 1),
        random,
        scale,
      ),
      type,
    });
  const name = (own: string): { name: string } => ({ name: options.sameNames ? 'same' : own });
  const x = m.input('image', [1, 3, 12, 16], type);
  const conv = m.node(
    'Conv',
    [x, w([8, 3, 3, 3], 0.5), w([8], 0.5)],
    { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] },
    name('stem'),
  );
  const relu = m.node('Clip', [conv, m.scalar(0, type), m.scalar(6, type)], {}, name('act'));
  const wide = m.node('Conv', [relu, w([8, 8, 1, 1], 0.5)], { kernel_shape: [1, 1] }, name('wide'));
  const silu = m.node('Mul', [wide, m.node('Sigmoid', [wide], {}, name('gate'))], {}, name('silu'));
  const sum = m.node('Add', [silu, relu], {}, name('sum'));
  const pooled = m.node('Flatten', [m.node('GlobalAveragePool', [sum], {}, name('pool'))], { axis: 1 }, name('flat'));
  const logits = m.node(
    'Gemm',
    [pooled, w([5, 8], 1), w([5], 1)],
    { transB: 1, alpha: float(1) },
    { ...name('head'), outputs: ['logits'] },
  );
  m.output(logits, [1, 5], type);
  return m;
}

function randomInput(graph: Graph, seed: number): Float32Array {
  return Float32Array.from(randomArray(elements(graph.maps[graph.inputs[0].map].shape), randomNumbers(seed), 2));
}

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < actual.length; i++) {
    assert.ok(
      Math.abs(actual[i] - expected[i]) <= tolerance * (1 + Math.abs(expected[i])),
      `${what}[${i}]: ${actual[i]} instead of ${expected[i]}`,
    );
  }
}

describe('float session', function () {
  this.timeout(300_000);
  let folder: ModelFolder;
  beforeEach(() => (folder = new ModelFolder()));
  afterEach(() => folder.remove());

  async function compareAllMaps(file: string, tolerance = 1e-5): Promise<FloatSession> {
    const graph = await importModel(file);
    const stem = graph.layers[0].output;
    const session = await FloatSession.open(graph, file, { maps: graph.maps.map((m) => m.id), preClamp: [stem] });
    for (const seed of [1, 2, 3]) {
      const input = randomInput(graph, seed);
      const expected = evaluateFloat(graph, [input]);
      await session.run([input]);
      for (const map of graph.maps) assertNear(session.hwc(map.id), expected.get(map.id)!, tolerance, map.name);
      assertNear(session.outputs()[0], expected.get(graph.outputs[0].map)!, tolerance, 'output');
      const before = session.preClamp(stem);
      const clamped = expected.get(stem)!;
      const { h, w, c } = graph.maps[stem].shape;
      let outside = 0;
      for (let i = 0; i < clamped.length; i++) {
        const v = before.values[before.layout === 'HWC' ? i : (i % c) * h * w + Math.floor(i / c)];
        if (v < 0 || v > 6) outside++;
        assert.ok(Math.abs(Math.min(6, Math.max(0, v)) - clamped[i]) < 1e-5 + tolerance);
      }
      assert.ok(outside > 0, 'the clamp does something');
    }
    await session.dispose();
    return session;
  }

  it('observes every map of the graph on the original file', async () => {
    const session = await compareAllMaps(folder.write(smallModel()));
    assert.equal(session.note, null);
  });

  it('tells the run before until one that has begun is ended', async () => {
    for (const taps of ['all', 'some'] as const) {
      const file = folder.write(smallModel());
      const graph = await importModel(file);
      const seen: Graph =
        taps === 'all' ? graph : { ...graph, taps: new Map([...graph.taps].filter(([map]) => map % 2 === 0)) };
      const session = await FloatSession.open(seen, file, { maps: graph.maps.map((m) => m.id), preClamp: [] });
      const check = (seed: number, what: string): void => {
        const expected = evaluateFloat(graph, [randomInput(graph, seed)]);
        for (const map of graph.maps)
          assertNear(session.hwc(map.id), expected.get(map.id)!, 1e-5, `${what}: ${map.name}`);
      };
      await session.run([randomInput(graph, 1)]);
      for (const seed of [2, 3, 4]) {
        const end = await session.begin([randomInput(graph, seed)]);
        // Its values come meanwhile.
        await new Promise((resolve) => setTimeout(resolve, 200));
        check(seed - 1, 'before');
        await end();
        check(seed, 'after');
      }
      await session.dispose();
    }
  });

  it('computes maps that no value of the file carries', async () => {
    const file = folder.write(smallModel());
    const graph = await importModel(file);
    const blind: Graph = { ...graph, taps: new Map([...graph.taps].filter(([map]) => map % 2 === 0)) };
    assert.ok(blind.taps.size < graph.taps.size);
    const session = await FloatSession.open(blind, file, {
      maps: blind.maps.map((m) => m.id),
      preClamp: [blind.layers[0].output],
    });
    const input = randomInput(graph, 9);
    const expected = evaluateFloat(graph, [input]);
    await session.run([input]);
    for (const map of graph.maps) assertNear(session.hwc(map.id), expected.get(map.id)!, 1e-5, map.name);
    await session.dispose();
  });

  it('feeds and reads float16 models', async () => {
    await compareAllMaps(folder.write(smallModel('float16')), 0.02);
  });

  it('finds external data beside the model', async () => {
    const m = new OnnxBuilder();
    const values = Float32Array.from(randomArray(4 * 3, randomNumbers(8)));
    writeFileSync(path.join(folder.folder, 'weights.bin'), Buffer.from(values.buffer));
    const w = m.initializer({
      dims: [4, 3, 1, 1],
      data: [],
      external: { location: 'weights.bin', offset: 0, length: values.byteLength },
    });
    m.output(m.node('Relu', [m.node('Conv', [m.input('x', [1, 3, 4, 4]), w], { kernel_shape: [1, 1] })]));
    const file = folder.write(m);
    const graph = await importModel(file);
    const session = await FloatSession.open(graph, file, { maps: [], preClamp: [] });
    const input = randomInput(graph, 4);
    await session.run([input]);
    assertNear(session.outputs()[0], evaluateFloat(graph, [input]).get(graph.outputs[0].map)!, 1e-5, 'output');
    await session.dispose();
  });

  it('evaluates the graph itself where onnxruntime refuses the file', async () => {
    const session = await compareAllMaps(folder.write(smallModel('float32', { sameNames: true })));
    assert.match(session.note ?? '', /onnxruntime does not load this file/);
  });

  it('takes uint8 inputs only when preprocessing keeps them whole', async () => {
    const m = new OnnxBuilder();
    const image = m.node('Cast', [m.input('x', [1, 1, 4, 4], 'uint8')], { to: 1 });
    m.output(m.node('Relu', [m.node('Conv', [image, m.floats([2, 1, 1, 1], [1, -1])], { kernel_shape: [1, 1] })]));
    const file = folder.write(m);
    const graph = await importModel(file);
    const session = await FloatSession.open(graph, file, { maps: [], preClamp: [] });
    await session.run([new Float32Array(16).fill(200)]);
    assert.deepEqual([...session.outputs()[0].subarray(0, 2)], [200, 0]);
    await assert.rejects(
      session.run([new Float32Array(16).fill(0.5)]),
      (e) => e instanceof UserError && /uint8.*raw/.test(e.message),
    );
    await session.dispose();
  });

  it('adds outputs by appending to the bytes', () => {
    assert.deepEqual([...withOutputs(Uint8Array.of(1, 2), ['ab'])], [1, 2, 0x3a, 6, 0x62, 4, 0x0a, 2, 97, 98]);
    const long = withOutputs(new Uint8Array(0), ['x'.repeat(300)]);
    assert.equal(long.length, 300 + 3 + 3 + 3, 'lengths above 127 take two bytes');
    assert.deepEqual([...withOutputs(Uint8Array.of(5), [])], [5]);
  });

  it('calibrates: statistics of all maps equal those of direct evaluation', async () => {
    const file = folder.write(smallModel());
    const graph = await importModel(file);
    const samples = Array.from({ length: 6 }, (_, i) => randomInput(graph, 20 + i));
    // Rows in HWC order.
    folder.write(npy('<f4', [6, 12, 16, 3], Float32Array.from(samples.flatMap((s) => [...s]))), 'x.npy');
    const set = await listSamples(path.join(folder.folder, 'x.npy'), graph);
    const notes: string[] = [];
    const calibration = await calibrate(graph, file, set, presetPreprocess('raw'), 'key', silentProgress, notes);
    assert.deepEqual([calibration.key, calibration.images, calibration.inputKind, notes], ['key', 6, 'real', []]);
    const runs = samples.map((s) => evaluateFloat(graph, [s]));
    for (const map of graph.maps) {
      const s = calibration.maps.get(map.id)!;
      const { c } = map.shape;
      for (let ch = 0; ch < c; ch++) {
        const all = runs.flatMap((r) => [...r.get(map.id)!].filter((_, i) => i % c === ch));
        const mean = all.reduce((a, b) => a + b, 0) / all.length;
        assertNear([s.min[ch], s.max[ch], s.mean[ch]], [Math.min(...all), Math.max(...all), mean], 1e-4, map.name);
        assertNear(
          [s.variance[ch]],
          [all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length],
          1e-3,
          `${map.name} variance`,
        );
      }
    }
    assert.deepEqual([calibration.patches?.source, calibration.patches?.images], ['preActivation', 6]);
    const outputs: number[][] = [];
    for await (const r of floatOutputs(graph, file, set, presetPreprocess('raw'), silentProgress, notes))
      outputs.push([...r.outputs[0]]);
    outputs.forEach((o, i) => assertNear(o, runs[i].get(graph.outputs[0].map)!, 1e-5, `sample ${i}`));
  });

  it('observes where onnxruntime runs as it would observe here, and begins again when its process ends', async () => {
    const file = folder.write(smallModel('float16'));
    const graph = await importModel(file);
    const rows = Array.from({ length: 6 }, (_, i) => [...randomInput(graph, 20 + i)]);
    folder.write(npy('<f4', [6, 12, 16, 3], Float32Array.from(rows.flat())), 'x.npy');
    const set = await listSamples(path.join(folder.folder, 'x.npy'), graph);
    const { process: runner } = takeProcess();
    await giveBack(runner);
    let kills = 1;
    const killing: Progress = {
      ...silentProgress,
      report: (_, done) => {
        if (done === 3 && kills-- > 0) process.kill(runner.pid!, 'SIGKILL');
      },
    };
    const notes: string[] = [];
    const { maps } = await calibrate(graph, file, set, presetPreprocess('raw'), 'key', killing, notes);
    assert.equal(notes.length, 1);
    assert.match(
      notes[0],
      /crashed while running model\.onnx \(SIGKILL\); it was restarted and calibration began again/,
    );

    const session = await FloatSession.open(graph, file, { maps: graph.maps.map((m) => m.id), preClamp: [] });
    const here = graph.maps.map((map) => new MapAccumulator(map));
    for (const row of rows) {
      await session.run([Float32Array.from(row)]);
      for (const map of graph.maps) here[map.id].add(session.map(map.id).values, session.map(map.id).layout);
    }
    await session.dispose();
    for (const map of graph.maps) assert.deepEqual(maps.get(map.id), here[map.id].finish());
  });

  it('says which map is not finite', async () => {
    const m = new OnnxBuilder();
    m.output(
      m.node('Relu', [
        m.node(
          'Conv',
          [m.input('x', [1, 1, 4, 4]), m.floats([1, 1, 1, 1], [3e38])],
          { kernel_shape: [1, 1] },
          { outputs: ['huge'] },
        ),
      ]),
    );
    const file = folder.write(m);
    const graph = await importModel(file);
    folder.write(npy('<f4', [4, 4], new Float32Array(16).fill(100)), 'x.npy');
    const set = await listSamples(path.join(folder.folder, 'x.npy'), graph);
    await assert.rejects(
      calibrate(graph, file, set, presetPreprocess('raw'), 'k', silentProgress, []),
      (e) => e instanceof UserError && /not finite/.test(e.message) && /x\.npy/.test(e.message),
    );
  });
});
