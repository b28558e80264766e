import assert from 'node:assert/strict';
import { evaluateFloat } from '../../../src/engine/graph/evaluate';
import { Executor } from '../../../src/engine/program/interpreter';
import { lower } from '../../../src/engine/program/lower';
import { decodePort, inputCodes } from '../../../src/engine/program/ports';
import { quantizeGraph } from '../../../src/engine/quantize/quantizeGraph';
import { all8, calibrateGraph, graphSamples, pixelInput } from '../../support/quantizedGraph';
import { GraphBuilder, mulberry32, relu, squareWindow } from '../../support/graphBuilder';

/** Scores around an offset, so that symmetric codes would leave half of their range unused. */
function scores(offset: number): ReturnType<GraphBuilder['build']> {
  const g = new GraphBuilder(mulberry32(3));
  const map = g.input({ h: 8, w: 8, c: 3 });
  const graph = g.build([g.fullyConnected(g.conv(map, 8, squareWindow(3), 1, relu), 10)]);
  const last = graph.layers[graph.layers.length - 1];
  if (last.kind === 'fullyConnected') last.bias.fill(offset);
  return graph;
}

describe('formats of what leaves a network', () => {
  for (const offset of [0, 20, -20]) {
    it(`cover all that was seen, with room beyond, for scores around ${offset}`, () => {
      const graph = scores(offset);
      const samples = graphSamples(graph, 24, 7);
      const calibration = calibrateGraph(graph, samples);
      const output = graph.outputs[0].map;
      const parameters = quantizeGraph(graph, calibration, pixelInput(graph), all8);
      const { scales, zeroPoints, signed, bits } = parameters.formats.get(output)!;
      assert.deepEqual([scales.length, signed, bits], [1, true, 8]);
      const seen = calibration.maps.get(output)!;
      const low = Math.min(0, ...seen.min);
      const high = Math.max(0, ...seen.max);
      assert.ok((127 - zeroPoints[0]) * scales[0] >= 1.05 * high && (-128 - zeroPoints[0]) * scales[0] <= 1.05 * low);
      // No more codes are left unused than that.
      assert.ok(255 * scales[0] <= 1.11 * (high - low));

      const program = lower(graph, null, parameters, { name: 'm' });
      const executor = new Executor(program);
      let error = 0;
      let count = 0;
      for (const { pixels } of samples) {
        const real = pixels.map((p) => Float32Array.from(p, (u) => (u - 128) / 64));
        const float = evaluateFloat(graph, real).get(output)!;
        const codes = pixels.map((p, i) => inputCodes(program, i, { codes: p, real: real[i] }));
        const values = decodePort(program, program.outputs[0], executor.run(codes).outputs[0]);
        values.forEach((v, i) => (error += (v - float[i]) ** 2));
        count += values.length;
      }
      const spread = Math.sqrt(seen.variance.reduce((a, b) => a + b, 0) / seen.variance.length);
      assert.ok(Math.sqrt(error / count) < 0.05 * spread + scales[0], `${Math.sqrt(error / count)}`);
    });
  }
});
