import assert from 'node:assert/strict';
import { mayBeScores, taskOf } from '../../../src/engine/graph/task';
import type { ActivationFunction, Graph, MapId } from '../../../src/engine/graph/types';
import { GraphBuilder, mulberry32 } from '../../support/graphBuilder';

/** A network whose last layer writes a vector. */
function vector(length: number, end?: (g: GraphBuilder, map: MapId) => MapId): Graph {
  const g = new GraphBuilder(mulberry32(1));
  const map = g.fullyConnected(g.input({ h: 4, w: 4, c: 1 }), length);
  return g.build([end ? end(g, map) : map]);
}

const then =
  (fn: ActivationFunction) =>
  (g: GraphBuilder, map: MapId): MapId =>
    g.activation(map, fn);

describe('task', () => {
  it('is told by the end of the network', () => {
    assert.equal(
      taskOf(
        vector(10, (g, map) => g.softmax(map)),
        [],
      ),
      'classify',
    );
    assert.equal(taskOf(vector(1, then({ name: 'sigmoid' })), []), 'binary');
    assert.equal(taskOf(vector(1), []), 'regress');
    assert.equal(taskOf(vector(10), []), 'regress', 'an embedding, landmarks or scores: nothing says which');
    assert.equal(taskOf(vector(1000), []), 'classify', "ImageNet's classes");
    const g = new GraphBuilder(mulberry32(1));
    const input = g.input({ h: 4, w: 4, c: 1 });
    const [a, b] = [g.fullyConnected(input, 1000), g.fullyConnected(input, 2)];
    assert.equal(taskOf(g.build([a, b]), [1, 2]), 'regress', 'several outputs');
    const m = new GraphBuilder(mulberry32(1));
    assert.equal(taskOf(m.build([m.softmax(m.input({ h: 4, w: 4, c: 2 }))]), [1]), 'regress', 'a mask');
  });

  it('is told by labels', () => {
    assert.equal(taskOf(vector(10), [3, null, 4]), 'classify');
    assert.equal(taskOf(vector(10), [null, null]), 'regress');
    assert.equal(taskOf(vector(1), [0, 1, 1]), 'binary');
    assert.equal(taskOf(vector(1), [20, 31]), 'regress', 'an age');
    assert.equal(taskOf(vector(10, then({ name: 'sigmoid' })), [3]), 'regress', 'several may be right');
  });

  it('is in doubt only for a vector that was taken for values', () => {
    assert.equal(mayBeScores(vector(10), 'regress'), true);
    assert.equal(mayBeScores(vector(10), 'classify'), false);
    assert.equal(mayBeScores(vector(1), 'regress'), false);
  });
});
