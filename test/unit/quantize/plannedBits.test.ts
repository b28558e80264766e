import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Graph, MapId } from '../../../src/engine/graph/types';
import { Executor } from '../../../src/engine/program/interpreter';
import { lower } from '../../../src/engine/program/lower';
import { decodePort, inputCodes } from '../../../src/engine/program/ports';
import { quantizeGraph } from '../../../src/engine/quantize/quantizeGraph';
import { all8, calibrateGraph, graphSamples, pixelInput } from '../../support/quantizedGraph';
import { GraphBuilder, mulberry32, open, relu, squareWindow } from '../../support/graphBuilder';
import { graphArbitrary } from '../../support/randomGraph';
import { randomBits } from '../../support/randomPlan';

describe('formats of maps', () => {
  it('have the bits that the plan gives to each map and view, whatever joins them', () => {
    let narrow = 0;
    fc.assert(
      fc.property(graphArbitrary({ maxBlocks: 5, size: 8 }), fc.nat(1e6), (graph, seed) => {
        const bits = randomBits(graph, mulberry32(seed));
        const { formats, views } = quantizeGraph(
          graph,
          calibrateGraph(graph, graphSamples(graph, 1, 1)),
          pixelInput(graph),
          bits,
        );
        for (const { id, name } of graph.maps) assert.equal(formats.get(id)!.bits, bits.mapBits(id), name);
        for (const [layer, { bits: read }] of views) assert.equal(read, bits.inputBits(layer));
        if (graph.maps.some(({ id }) => bits.mapBits(id) < 8)) narrow++;
      }),
      { numRuns: 100 },
    );
    assert.ok(narrow > 30, `${narrow} plans had fewer bits`);
  });

  it('have bits of their own where a sum joins a function of few bits to maps of many', () => {
    const g = new GraphBuilder(mulberry32(2));
    const map = g.activation(g.conv(g.input({ h: 6, w: 6, c: 3 }), 4, squareWindow(1)), { name: 'hardSwish' });
    const sum = g.addMaps([map, g.conv(map, 4, squareWindow(1))], open);
    const graph = g.build([g.fullyConnected(sum, 3)]);
    for (const few of graph.maps.slice(2, -1)) {
      const mapBits = (m: number): 4 | 8 => (m === few.id ? 4 : 8);
      const { formats } = quantizeGraph(graph, calibrateGraph(graph, graphSamples(graph, 4, 1)), pixelInput(graph), {
        ...all8,
        mapBits,
        inputBits: (l) => mapBits(graph.layers[l].inputs[0]),
      });
      assert.deepEqual(
        graph.maps.map((m) => formats.get(m.id)!.bits),
        graph.maps.map((m) => mapBits(m.id)),
      );
    }
  });

  for (const [what, join] of [
    ['are added to', (g, map, shares) => g.addMaps([map, shares], open)],
    ['stand beside', (g, map, shares) => g.concat([g.conv(map, 6, squareWindow(1), 1, relu), shares])],
    ['stand beside, behind a sum', (g, map, shares) => g.concat([shares, g.addMaps([map, map], relu)])],
  ] as [string, (g: GraphBuilder, map: MapId, shares: MapId) => MapId][]) {
    for (const isLast of [false, true]) {
      it(`hold all values that probabilities ${what}${isLast ? ', as outputs' : ''}`, () => {
        const g = new GraphBuilder(mulberry32(5));
        const map = g.conv(g.input({ h: 6, w: 6, c: 3 }), 6, squareWindow(3));
        const joined = join(g, map, g.softmax(g.conv(map, 6, squareWindow(1))));
        const decibels = signalToNoise(g.build([isLast ? joined : g.conv(joined, 4, squareWindow(1))]));
        assert.ok(decibels > 30, `${decibels} dB`);
      });
    }
  }
});

/** Power of a network's output over the power of its error at 8 bits, in dB. */
function signalToNoise(graph: Graph): number {
  const samples = graphSamples(graph, 8, 7);
  const parameters = quantizeGraph(graph, calibrateGraph(graph, samples), pixelInput(graph), all8);
  const program = lower(graph, null, parameters, { name: 'm' });
  const executor = new Executor(program);
  let error = 0;
  let power = 0;
  for (const { pixels, maps } of samples) {
    const codes = pixels.map((p, i) =>
      inputCodes(program, i, { codes: p, real: Float32Array.from(p, (u) => (u - 128) / 64) }),
    );
    const values = decodePort(program, program.outputs[0], executor.run(codes).outputs[0]);
    const float = maps.get(graph.outputs[0].map)!;
    values.forEach((v, i) => {
      error += (v - float[i]) ** 2;
      power += float[i] ** 2;
    });
  }
  return 10 * Math.log10(power / error);
}
