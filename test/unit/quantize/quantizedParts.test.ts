import assert from 'node:assert/strict';
import fc from 'fast-check';
import { QuantizedParts } from '../../../src/engine/quantize/quantizedParts';
import { quantizeGraph } from '../../../src/engine/quantize/quantizeGraph';
import { calibrateGraph, graphSamples, pixelInput } from '../../support/quantizedGraph';
import { graphArbitrary } from '../../support/randomGraph';
import { randomPlan } from '../../support/randomPlan';

describe('quantized parts', () => {
  it('are what quantizing again gives, whatever bits were there before, and made again only where bits differ', () => {
    let again = 0;
    let kept = 0;
    fc.assert(
      fc.property(
        graphArbitrary({ maxBlocks: 4 }),
        fc.array(fc.nat(1e6), { minLength: 2, maxLength: 8 }),
        (graph, seeds) => {
          const calibration = calibrateGraph(graph, graphSamples(graph, 2, 1));
          const inputs = pixelInput(graph);
          const parts = new QuantizedParts();
          const seen = new Set<unknown>();
          for (const seed of [...seeds, seeds[0]]) {
            const { decisions } = randomPlan(graph, seed);
            const result = quantizeGraph(graph, calibration, inputs, decisions, undefined, parts);
            assert.deepEqual(result, quantizeGraph(graph, calibration, inputs, decisions));
            for (const layer of result.layers.values()) {
              if (seen.has(layer)) kept++;
              else again++;
              seen.add(layer);
            }
          }
        },
      ),
      { numRuns: 30 },
    );
    assert.ok(kept > again / 4, `${kept} kept, ${again} made`);
  });
});
