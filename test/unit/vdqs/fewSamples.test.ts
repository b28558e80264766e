import assert from 'node:assert/strict';
import { hasFewSamples } from '../../../src/engine/vdqs/fewSamples';
import { freeChoices } from '../../../src/engine/vdqs/freeChoices';
import { decisionUnits } from '../../../src/engine/vdqs/units';
import { GraphBuilder, mulberry32, relu, squareWindow } from '../../support/graphBuilder';

describe('layers that an image samples once', () => {
  it('are classifiers, whether fully connected or 1×1 convolutions, but not what has many of the MACs', () => {
    const g = new GraphBuilder(mulberry32(1));
    const map = g.conv(g.input({ h: 32, w: 32, c: 3 }), 16, squareWindow(3), 1, relu);
    const head = g.conv(g.globalAveragePool(map), 10, squareWindow(1), 1, relu);
    const graph = g.build([g.fullyConnected(head, 4)]);
    const marks = graph.layers.filter((l) => l.kind !== 'averagePool').map((l) => hasFewSamples(graph, l.id));
    assert.deepEqual(marks, [false, true, true]);

    const tiny = new GraphBuilder(mulberry32(1));
    const only = tiny.build([tiny.conv(tiny.input({ h: 1, w: 1, c: 8 }), 8, squareWindow(1), 1, relu)]);
    assert.equal(hasFewSamples(only, 0), false);
  });

  it('keep 8 bits in the search, as do what they alone read and maps that no layer with weights reads', () => {
    const g = new GraphBuilder(mulberry32(1));
    const first = g.conv(g.input({ h: 32, w: 32, c: 3 }), 16, squareWindow(3), 1, relu);
    const last = g.conv(first, 16, squareWindow(3), 1, relu);
    const average = g.globalAveragePool(last);
    const graph = g.build([g.fullyConnected(average, 4)]);
    const units = decisionUnits(graph);
    const { bits, weightBits } = freeChoices(graph, units, [8, 4, 2], 'auto');
    const of = (map: number) => bits(units.findIndex((u) => u.maps.includes(map)));
    assert.deepEqual(of(first), [8, 4, 2]);
    assert.deepEqual(of(last), [8], 'the global average reads it');
    assert.deepEqual(of(average), [8], 'the classifier reads it');
    const weighted = graph.layers.filter((l) => l.kind === 'conv' || l.kind === 'fullyConnected');
    assert.deepEqual(
      weighted.map((l) => weightBits(l.id)),
      [[8, 4], [8, 4], [8]],
    );
    assert.deepEqual(freeChoices(graph, units, [8], 4).weightBits(weighted[0].id), [4]);
  });
});
