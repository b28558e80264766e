import assert from 'node:assert/strict';
import type { Graph, MapId, Shape } from '../../../src/engine/graph/types';
import { Executor } from '../../../src/engine/program/interpreter';
import { lower } from '../../../src/engine/program/lower';
import { decodePort, inputCodes } from '../../../src/engine/program/ports';
import { quantizeGraph } from '../../../src/engine/quantize/quantizeGraph';
import { all8, calibrateGraph, graphSamples, pixelInput } from '../../support/quantizedGraph';
import { GraphBuilder, mulberry32, relu, squareWindow } from '../../support/graphBuilder';

/** A convolution, then a Softmax over its channels; logits close to each other where they are `flat`. */
function shares(shape: Shape, channels: number, flat: boolean, scale = 1): { graph: Graph; softmax: MapId } {
  const g = new GraphBuilder(mulberry32(5));
  const features = g.conv(g.input(shape), channels, squareWindow(1));
  const softmax = g.softmax(features);
  const graph = g.build([softmax]);
  const [layer] = graph.layers;
  if (layer.kind === 'conv') for (let i = 0; i < layer.weights.length; i++) layer.weights[i] *= flat ? 0.02 : scale;
  return { graph, softmax };
}

function snr(graph: Graph, map: MapId): { db: number; one: number; saturated: number } {
  const samples = graphSamples(graph, 16, 3);
  const parameters = quantizeGraph(graph, calibrateGraph(graph, samples.slice(0, 8)), pixelInput(graph), all8);
  const program = lower(graph, null, parameters, { name: 'm' });
  const executor = new Executor(program);
  let [power, error, saturated] = [0, 0, 0];
  for (const { pixels, maps } of samples.slice(8)) {
    const float = maps.get(map)!;
    const codes = pixels.map((p, i) => inputCodes(program, i, { codes: p, real: Float32Array.from(p) }));
    const values = decodePort(program, program.outputs[0], executor.run(codes).outputs[0]);
    const most = 255 * parameters.formats.get(map)!.scales[0];
    float.forEach((v, i) => {
      power += v ** 2;
      error += (values[i] - v) ** 2;
      if (v > most) saturated++;
    });
  }
  return { db: 10 * Math.log10(power / error), one: 1 / parameters.formats.get(map)!.scales[0], saturated };
}

describe('formats of what a Softmax writes', () => {
  it('follow the largest share where all are small, whatever their number', () => {
    for (const channels of [16, 66, 300]) {
      const { graph, softmax } = shares({ h: 4, w: 4, c: 3 }, channels, true);
      const { db, one, saturated } = snr(graph, softmax);
      assert.ok(one > 256 && one <= 32768 && Number.isInteger(Math.round(one * 1e6) / 1e6), `${one}`);
      // Codes of at least a quarter of their range: 36 dB and more, where 1/256 leaves 10 of 300 channels.
      assert.ok(db > 30, `${channels} channels: ${db} dB`);
      assert.equal(saturated, 0);
    }
  });

  it('stay 1/256 where a large share was seen, and for a vector that the network ends in', () => {
    const wide = shares({ h: 4, w: 4, c: 3 }, 4, false, 3);
    assert.equal(snr(wide.graph, wide.softmax).one, 256);
    const vector = shares({ h: 1, w: 1, c: 3 }, 66, true);
    assert.equal(snr(vector.graph, vector.softmax).one, 256);
  });

  it('stay 1/256 for the outputs of a detector', () => {
    const { graph, softmax } = shares({ h: 4, w: 4, c: 3 }, 66, true);
    const calibration = calibrateGraph(graph, graphSamples(graph, 8, 3));
    const heads = new Map([[softmax, new Float64Array(66).fill(-Infinity)]]);
    const { formats } = quantizeGraph(graph, calibration, pixelInput(graph), { ...all8, heads });
    assert.deepEqual([...formats.get(softmax)!.scales], [1 / 256]);
  });

  it('saturate beyond what has a code', () => {
    const g = new GraphBuilder(mulberry32(5));
    const softmax = g.softmax(g.input({ h: 2, w: 2, c: 8 }));
    const graph = g.build([g.conv(softmax, 4, squareWindow(1), 1, relu), softmax]);
    const format = pixelInput(graph);
    const calibration = calibrateGraph(graph, graphSamples(graph, 1, 3));
    const seen = calibration.maps.get(softmax)!;
    const flat = { ...seen, max: seen.max.map(() => 0.125) };
    const parameters = quantizeGraph(
      graph,
      { ...calibration, maps: new Map([...calibration.maps, [softmax, flat]]) },
      format,
      all8,
    );
    assert.equal(Math.round(1 / parameters.formats.get(softmax)!.scales[0]), 1020);
    const program = lower(graph, null, parameters, { name: 'm' });
    const codes = Uint8Array.from({ length: 32 }, (_, i) => (i % 8 === 3 ? 255 : 0));
    const { outputs } = new Executor(program).run([codes]);
    const port = program.outputs.findIndex(({ name }) => name === graph.maps[softmax].name);
    assert.deepEqual(
      [...outputs[port]].map((code, i) => (i % 8 === 3 ? code === 255 : code < 30)),
      Array(32).fill(true),
    );
  });
});
