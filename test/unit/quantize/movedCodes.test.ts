import assert from 'node:assert/strict';
import type { Graph } from '../../../src/engine/graph/types';
import { importModel } from '../../../src/engine/onnx';
import { Executor } from '../../../src/engine/program/interpreter';
import { lower } from '../../../src/engine/program/lower';
import { decodePort } from '../../../src/engine/program/ports';
import { quantizeGraph } from '../../../src/engine/quantize/quantizeGraph';
import { ModelFolder, OnnxBuilder } from '../../support/onnxBuilder';
import { randomNumbers, randomFloats } from '../../support/onnxOracle';
import { calibrateGraph, graphSamples, pixelInput } from '../../support/quantizedGraph';

/** Maps that share codes with the input or with each other. */
describe('formats of maps that only move codes', () => {
  let folder: ModelFolder;
  before(() => (folder = new ModelFolder()));
  after(() => folder.remove());

  const random = randomNumbers(5);
  const weights = (m: OnnxBuilder, dims: readonly number[]): string => randomFloats(m, random, dims);

  async function graphOf(build: (m: OnnxBuilder, x: string) => string): Promise<Graph> {
    const m = new OnnxBuilder(13);
    m.output(build(m, m.input('x', [1, 3, 12, 12])));
    return importModel(folder.write(m));
  }

  /** Decibels of the integer network's output against float. */
  function fidelity(graph: Graph): number {
    const samples = graphSamples(graph, 6, 3);
    const parameters = quantizeGraph(graph, calibrateGraph(graph, samples), pixelInput(graph), {
      mapBits: () => 8,
      weightBits: () => 8,
      inputBits: () => 8,
    });
    for (const [map, format] of parameters.formats) {
      assert.ok(
        [1, graph.maps[map].shape.c].includes(format.scales.length),
        `${graph.maps[map].name} has ${format.scales.length} scales`,
      );
      assert.ok(format.scales.every((s) => s > 0 && Number.isFinite(s)));
    }
    const program = lower(graph, null, parameters, { name: 'net' });
    const executor = new Executor(program);
    let signal = 0;
    let noise = 0;
    for (const { pixels, maps } of samples) {
      const integer = decodePort(program, program.outputs[0], executor.run(pixels).outputs[0]);
      maps.get(graph.outputs[0].map)!.forEach((v, i) => {
        signal += v * v;
        noise += (v - integer[i]) ** 2;
      });
    }
    return 10 * Math.log10(signal / noise);
  }

  /** Every second pixel along one axis from `begin` on. */
  const half = (m: OnnxBuilder, x: string, axis: number, begin: number): string =>
    m.node('Slice', [x, m.int64s([begin]), m.int64s([1000]), m.int64s([axis]), m.int64s([2])]);

  it('gives pixels moved to channels (Focus) the scales of their own channels', async () => {
    const graph = await graphOf((m, x) => {
      const parts = [0, 1].flatMap((row) => [0, 1].map((column) => half(m, half(m, x, 2, row), 3, column)));
      return m.node('Conv', [m.node('Concat', parts, { axis: 1 }), weights(m, [5, 12, 3, 3])], { pads: [1, 1, 1, 1] });
    });
    assert.ok(fidelity(graph) > 30);
  });

  it('gives channels beside the pixels scales of their own', async () => {
    const graph = await graphOf((m, x) => {
      const pooled = m.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
      const bright = m.node('Conv', [x, weights(m, [4, 3, 2, 2])], { strides: [2, 2] });
      return m.node('Conv', [m.node('Concat', [bright, pooled], { axis: 1 }), weights(m, [5, 7, 1, 1])]);
    });
    assert.ok(fidelity(graph) > 30);
  });

  it('keeps codes apart where padding makes unsigned ones signed', async () => {
    const graph = await graphOf((m, x) => {
      const a = m.node('Relu', [m.node('Conv', [x, weights(m, [4, 3, 3, 3])])]);
      const padded = m.node('Pad', [
        m.node('MaxPool', [a], { kernel_shape: [2, 2] }),
        m.int64s([0, 0, 1, 1, 0, 0, 1, 1]),
        m.scalar(-1),
      ]);
      return m.node('Conv', [padded, weights(m, [5, 4, 3, 3])]);
    });
    assert.ok(fidelity(graph) > 30);
  });
});
