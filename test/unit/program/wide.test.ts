import assert from 'node:assert/strict';
import fc from 'fast-check';
import { evaluateFloat } from '../../../src/engine/graph/evaluate';
import { isWeighted, type Graph, type Layer } from '../../../src/engine/graph/types';
import { Executor } from '../../../src/engine/program/interpreter';
import { lower } from '../../../src/engine/program/lower';
import { decodePort } from '../../../src/engine/program/ports';
import { UserError } from '../../../src/engine/common/errors';
import type { Plan } from '../../../src/engine/plan/types';
import { decisionsOf } from '../../../src/engine/planned/decisions';
import type { QuantizedParameters } from '../../../src/engine/quantize/types';
import { quantizeGraph, type BitDecisions } from '../../../src/engine/quantize/quantizeGraph';
import { formatTies } from '../../../src/engine/quantize/ties';
import { inputChannel, rowLayout } from '../../../src/engine/quantize/weights';
import { GraphBuilder, mulberry32, open, squareWindow } from '../../support/graphBuilder';
import { layerNetworks } from '../../support/layerNetworks';
import { all8, calibrateGraph, graphSamples, pixelInput, type GraphSample } from '../../support/quantizedGraph';
import { graphArbitrary } from '../../support/randomGraph';
import { wideBits } from '../../support/randomPlan';

/** The float network that has the weights and biases which quantization rounded: what is left is the maps' error. */
function withRoundedWeights(graph: Graph, parameters: QuantizedParameters): Graph {
  const layers = graph.layers.map((layer): Layer => {
    if (!isWeighted(layer)) return layer;
    const { codes, weightScales, bias } = parameters.layers.get(layer.id)!;
    const { scales } = parameters.views.get(layer.id) ?? parameters.formats.get(layer.inputs[0])!;
    const outC = graph.maps[layer.output].shape.c;
    const channelOf = inputChannel(layer, graph.maps[layer.inputs[0]].shape.c, outC);
    const { stride, count, step } = rowLayout(layer, outC);
    const weights = new Float32Array(codes.length);
    for (let o = 0; o < outC; o++)
      for (let k = 0; k < count; k++) {
        const i = o * stride + k * step;
        weights[i] = (codes[i] * weightScales[o]) / scales[scales.length === 1 ? 0 : channelOf(i)];
      }
    return { ...layer, weights, bias: Float32Array.from(bias) };
  });
  return { ...graph, layers };
}

/** Signal to noise of integer outputs in dB, against the float network, and against that of the rounded weights. */
function ratios(graph: Graph, bits: BitDecisions, seed = 1): { whole: number; maps: number } {
  const samples = graphSamples(graph, 4, seed);
  const parameters = quantizeGraph(graph, calibrateGraph(graph, samples), pixelInput(graph), bits);
  const program = lower(graph, null, parameters, { name: 'net' });
  const executor = new Executor(program);
  const rounded = withRoundedWeights(graph, parameters);
  const float = (sample: GraphSample, of: Graph): Float32Array[] => {
    const maps = evaluateFloat(
      of,
      sample.pixels.map((p) => Float32Array.from(p, (u) => (u - 128) / 64)),
    );
    return graph.outputs.map((o) => maps.get(o.map)!);
  };
  const decoded = samples.map((s) =>
    executor.run(s.pixels).outputs.map((bytes, i) => decodePort(program, program.outputs[i], bytes)),
  );
  return {
    whole: decibels(
      samples.map((s) => float(s, graph)),
      decoded,
    ),
    maps: decibels(
      samples.map((s) => float(s, rounded)),
      decoded,
    ),
  };
}

function decibels(float: Float32Array[][], integer: Float32Array[][]): number {
  let signal = 0;
  let noise = 1e-30;
  float.forEach((outputs, s) =>
    outputs.forEach((values, o) =>
      values.forEach((v, i) => {
        signal += v * v;
        noise += (v - integer[s][o][i]) ** 2;
      }),
    ),
  );
  return 10 * Math.log10(signal / noise);
}

describe('maps of 16 bits', () => {
  for (const [name, make] of Object.entries(layerNetworks)) {
    // Softmax writes 8 bits.
    if (name === 'softmax') continue;
    it(`${name}: with weights that need no rounding, 15 dB closer to float than at 8 bits`, () => {
      const graph = make(new GraphBuilder(mulberry32(7)));
      const [at8, at16] = [ratios(graph, all8), ratios(graph, wideBits(graph))];
      assert.ok(at16.maps > at8.maps + 15, `${at8.maps.toFixed(1)} and ${at16.maps.toFixed(1)} dB`);
      assert.ok(at16.maps > 50, `${at16.maps.toFixed(1)} dB`);
      assert.ok(at16.whole > at8.whole, `all in all ${at8.whole.toFixed(1)} and ${at16.whole.toFixed(1)} dB`);
    });
  }

  it('whole random networks', () => {
    const gains: number[] = [];
    fc.assert(
      fc.property(graphArbitrary({ maxBlocks: 4, exotic: false }), fc.integer({ min: 1, max: 1000 }), (graph, seed) => {
        // Max pooling of the input alone has nothing to gain.
        if (graph.outputs.some(({ map }) => wideBits(graph).mapBits(map) === 8)) return;
        gains.push(ratios(graph, wideBits(graph), seed).maps - ratios(graph, all8, seed).maps);
      }),
      { numRuns: 40, seed: 11 },
    );
    gains.sort((a, b) => a - b);
    assert.ok(
      gains[Math.floor(gains.length / 2)] > 25,
      `median gain ${gains[Math.floor(gains.length / 2)].toFixed(1)} dB`,
    );
    assert.ok(gains[0] > 15, gains.slice(0, 5).join(' '));
  });

  it('sums of thousands of products stay in 32 bits: the codes that they read reach less far', () => {
    const g = new GraphBuilder(mulberry32(3));
    const wide = g.conv(g.input({ h: 3, w: 3, c: 4 }), 300, squareWindow(1), 1, open);
    const graph = g.build([g.conv(wide, 4, squareWindow(3), 1, open)]);
    const { reach } = formatTies(graph);
    assert.deepEqual(
      graph.maps.map(({ id }) => reach[id]),
      [0, Math.floor(2 ** 30 / (127 * 2700)), 32767],
    );
    assert.ok(ratios(graph, wideBits(graph)).maps > 50);
  });

  it('a plan that asks for what cannot be is refused by one line that says what would do', () => {
    const g = new GraphBuilder(mulberry32(3));
    const map = g.conv(g.input({ h: 4, w: 4, c: 3 }), 8, squareWindow(3), 1, open);
    const graph = g.build([g.softmax(g.fullyConnected(map, 5))]);
    const [input, wide, scores] = graph.maps.map(({ name }) => name);
    const refuses = (maps: Plan['maps'], layers: Plan['layers'], message: RegExp): void =>
      assert.throws(
        () => decisionsOf(graph, { maps, layers }, 'plan'),
        (error) => error instanceof UserError && message.test(error.message) && !error.message.includes('\n'),
      );
    refuses({ [input]: { bits: 16 } }, {}, /application writes it with 8/);
    refuses({ [scores]: { bits: 16 } }, {}, /Softmax .* Give it 8 bits/);
    refuses({ [wide]: { bits: 16 } }, { [graph.layers[1].name]: { weightBits: 4 } }, /needs weights of 8/);
    const decisions = decisionsOf(graph, { maps: { [wide]: { bits: 16 } }, layers: {} }, 'plan');
    assert.deepEqual([decisions.mapBits(map), decisions.inputBits(1)], [16, 16]);
  });

  it('a map whose reader would overflow with few more codes than 8 bits have cannot have 16', () => {
    const g = new GraphBuilder(mulberry32(3));
    const map = g.conv(g.input({ h: 16, w: 16, c: 3 }), 40, squareWindow(1), 1, open);
    const graph = g.build([g.fullyConnected(map, 2)]);
    assert.equal(formatTies(graph).reach[map], 0);
  });
});
