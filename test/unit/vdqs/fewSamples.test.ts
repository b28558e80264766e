import assert from 'node:assert/strict';
import { hasFewSamples } from '../../../src/engine/vdqs/fewSamples';
import { GraphBuilder, mulberry32, relu, squareWindow } from '../../support/randomGraph';

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
});
