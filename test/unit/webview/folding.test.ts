/* Which layers of the graph fold to one node: blocks that repeat, on networks of any size, and nothing twice. */
import assert from 'node:assert/strict';
import type { LayerView } from '../../../src/protocol/views';
import { chooseFolds, foldedGraph, groupKey, keyOf, places, type FoldedGraph } from '../../../webview/graph/folding';
import { findRepeats, signatures, singleBorders } from '../../../webview/graph/repeats';
import { mulberry32 } from '../../support/graphBuilder';
import { branchedView, chainView } from '../../support/webviewHarness/samples';
import { mobilenetLayers } from '../../support/webviewHarness/mobilenet';

/** Places of a window of 1000 × 500 pixels. */
const screen = 200;

/** A chain whose layers all differ. */
function unlikeChain(count: number): LayerView[] {
  return chainView(count).model.layers.map((layer, id) => ({
    ...layer,
    kind: `kind${id}`,
    inputs: id === 0 ? [] : [id - 1],
  }));
}

/** Any network: each layer reads one or two of those before it. */
function randomLayers(seed: number, count: number): LayerView[] {
  const next = mulberry32(seed);
  const random = (): number => (next() + 1) / 2;
  return chainView(count).model.layers.map((layer, id) => ({
    ...layer,
    kind: ['conv', 'depthwise', 'add'][Math.floor(random() * 3)],
    inputs: id === 0 ? [] : random() < 0.3 ? [id - 1, Math.floor(random() * id)] : [id - 1],
  }));
}

/** Every layer is in one node, in order, and nodes read earlier nodes alone: those of their layers' producers. */
function check(layers: readonly LayerView[], { nodes, nodeOf }: FoldedGraph): void {
  assert.deepEqual(
    nodes.flatMap((node) => node.layers.map(({ id }) => id)),
    layers.map(({ id }) => id),
  );
  for (const node of nodes) {
    assert.ok(node.layers.every(({ id }) => nodeOf[id] === node.id));
    assert.equal(node.layers.length % node.repeats, 0);
    const producers = node.layers.flatMap(({ inputs }) => inputs.map((input) => nodeOf[input]));
    assert.deepEqual(new Set(node.inputs), new Set(producers.filter((id) => id !== node.id)));
    assert.ok(node.inputs.every((id) => id < node.id));
  }
}

const folded = (layers: readonly LayerView[], capacity: number, always?: boolean): FoldedGraph =>
  foldedGraph(layers, chooseFolds(layers, capacity, always), new Set());

describe('folding of the graph', () => {
  it('leaves a network alone that is seen whole', () => {
    const layers = mobilenetLayers();
    const graph = folded(layers, screen);
    check(layers, graph);
    assert.equal(graph.nodes.length, layers.length);
  });

  it('finds the residual blocks of MobileNetV2 by their shapes', () => {
    const layers = mobilenetLayers();
    const graph = folded(layers, screen, true);
    check(layers, graph);
    // Of 2, 3, 4, 3 and 3 blocks in a part the first differs; what follows is alike, if it is more than one.
    const groups = graph.nodes.filter(({ layers: { length } }) => length > 1);
    assert.deepEqual(
      groups.map((node) => [node.repeats, node.layers.length, node.layers[0].name.split('/')[2], node.layers[3].kind]),
      [
        [2, 8, 'features.5', 'add'],
        [3, 12, 'features.8', 'add'],
        [2, 8, 'features.12', 'add'],
        [2, 8, 'features.15', 'add'],
      ],
    );
    for (const { layers: inside } of groups) {
      const half = inside.length / 2;
      if (half % 4 === 0) assert.deepEqual(inside[0].output, inside[half].output);
    }
  });

  it('takes the longest stretch and its shortest block', () => {
    const find = (text: string, cuts = text.length): string[] =>
      findRepeats(
        Int32Array.from(text, (c) => c.charCodeAt(0)),
        Array.from({ length: text.length + 1 }, (_, i) => i % cuts === 0 || i === text.length),
      ).map(({ first, last, repeats }) => `${repeats}×${text.slice(first, first + (last - first + 1) / repeats)}`);
    assert.deepEqual(find('xabababy'), ['3×ab']);
    assert.deepEqual(find('abcabcddd'), ['2×abc', '3×d']);
    assert.deepEqual(find('aabaabaab'), ['3×aab']);
    assert.deepEqual(find('abcdefg'), []);
    assert.deepEqual(find(''), []);
    // A block begins where a single map is alive: of ababa, here at 1.
    assert.deepEqual(findRepeats(Int32Array.from([1, 2, 1, 2, 1]), [true, true, false, true, false, true]), [
      { first: 1, last: 4, repeats: 2 },
    ]);
  });

  it('knows where a single map is alive', () => {
    const layers = chainView(8).model.layers;
    // The add at 6 reads 2 and 5: across 4, 5 and 6 both live on.
    assert.deepEqual(singleBorders(layers), [true, true, true, true, false, false, false, true, true]);
    const exact = signatures(layers, true);
    assert.equal(exact[1], exact[5]);
    assert.notEqual(exact[0], exact[1]);
  });

  it('folds a thousand layers to one screen, whatever they are', () => {
    const networks: [string, readonly LayerView[]][] = [
      ['blocks', chainView(1000).model.layers],
      ['branches', branchedView(100).model.layers],
      ['nothing alike', unlikeChain(1000)],
      ...Array.from({ length: 6 }, (_, i): [string, readonly LayerView[]] => [`random ${i}`, randomLayers(i, 1000)]),
      ['ten thousand', unlikeChain(10_000)],
    ];
    for (const [name, layers] of networks) {
      const graph = folded(layers, screen);
      check(layers, graph);
      assert.ok(places(graph) <= screen, `${name}: ${graph.nodes.length} nodes, ${places(graph)} places`);
    }
    assert.ok(folded(unlikeChain(1000), screen).nodes.length > screen / 2, 'no more than it must');
  });

  it('opens a group to its layers or blocks, down to every layer', () => {
    for (const layers of [chainView(1000).model.layers, unlikeChain(1000), randomLayers(7, 600)]) {
      const groups = chooseFolds(layers, screen);
      const opened = new Set<string>();
      let graph = foldedGraph(layers, groups, opened);
      const before = graph.nodes.length;
      for (let group; (group = graph.nodes.find(({ layers: { length } }) => length > 1));) {
        const key = keyOf(group);
        opened.add(key);
        graph = foldedGraph(layers, groups, opened);
        check(layers, graph);
        const open = graph.open.find((other) => other.key === key)!;
        assert.ok(open.nodes.length > 1 && open.nodes.length <= 142, `${key}: ${open.nodes.length}`);
        assert.deepEqual(
          open.nodes.flatMap((node) => graph.nodes[node].layers.map(({ id }) => id)),
          group.layers.map(({ id }) => id),
        );
      }
      assert.equal(graph.nodes.length, layers.length);
      assert.equal(foldedGraph(layers, groups, new Set()).nodes.length, before);
    }
    assert.equal(groupKey({ first: 3, last: 9, repeats: 1 }), '3-9');
  });
});
