import assert from 'node:assert/strict';
import fc from 'fast-check';
import { layoutLayered } from '../../../src/worker/layout/layered';

const size = { across: 100, along: 40, gapAcross: 20, gapAlong: 20 };

/** Producers for each node, in topological order. */
const networks = fc
  .array(fc.array(fc.nat(1_000_000), { maxLength: 4 }), { minLength: 1, maxLength: 60 })
  .map((nodes) => nodes.map((inputs, index) => (index === 0 ? [] : inputs.map((value) => value % index))));

describe('graph layout', () => {
  it('puts every layer below its producers and no two of a rank on top of each other', () => {
    fc.assert(
      fc.property(networks, (inputs) => {
        const layout = layoutLayered({ inputs, ...size });
        inputs.forEach((producers, node) => {
          for (const producer of producers) assert.ok(layout.rank[producer] < layout.rank[node]);
        });
        for (const rank of layout.ranks) {
          const centers = rank.map((node) => layout.center[node]);
          for (let i = 1; i < centers.length; i++)
            assert.ok(centers[i] - centers[i - 1] >= size.across + size.gapAcross - 1e-6, String(centers));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('draws each edge as an unbroken line from its producer to its reader', () => {
    fc.assert(
      fc.property(networks, (inputs) => {
        const layout = layoutLayered({ inputs, ...size });
        inputs.forEach((producers, node) => {
          for (const producer of new Set(producers)) {
            let at = layout.center[producer];
            for (let r = layout.rank[producer]; r < layout.rank[node]; r++) {
              const piece = layout.pieces[r].find((p) => p.from === producer && p.to === node);
              assert.equal(piece?.start, at);
              at = piece.end;
            }
            assert.equal(at, layout.center[node]);
          }
        });
      }),
      { numRuns: 100 },
    );
  });

  it('keeps the trunk of a residual network straight', () => {
    const inputs = Array.from({ length: 40 }, (_, node) =>
      node === 0 ? [] : node % 5 === 4 ? [node - 1, node - 4] : [node - 1],
    );
    const layout = layoutLayered({ inputs, ...size });
    assert.equal(new Set(layout.center).size, 1);
  });

  it('ignores inputs that would make a cycle', () => {
    const layout = layoutLayered({ inputs: [[1], [0, 1], [2, 99, -1]], ...size });
    assert.deepEqual([...layout.rank], [0, 1, 0]);
  });

  it('draws what is too entangled to route with straight lines, and nothing gets lost', () => {
    const inputs = Array.from({ length: 1500 }, (_, node) =>
      Array.from({ length: Math.min(node, 60) }, (__, k) => Math.floor((k * node) / 60)),
    );
    const layout = layoutLayered({ inputs, ...size });
    const edges = inputs.reduce((sum, producers) => sum + new Set(producers).size, 0);
    const routed = layout.pieces.reduce((sum, pieces) => sum + pieces.filter((piece) => piece.last).length, 0);
    assert.ok(layout.shortcuts.length > 0);
    assert.equal(routed + layout.shortcuts.length, edges);
  });

  it('lays out a chain of 3000 layers without a deep stack', () => {
    const layout = layoutLayered({
      inputs: Array.from({ length: 3000 }, (_, node) => (node === 0 ? [] : [node - 1])),
      ...size,
    });
    assert.equal(layout.ranks.length, 3000);
    assert.equal(new Set(layout.center).size, 1);
  });

  it('keeps a trunk straight through blocks of branches of different lengths', () => {
    const inputs: number[][] = [[]];
    let last = 0;
    const trunk = [0];
    for (let block = 0; block < 40; block++) {
      const ends = [1, 2, 3, 3].map((length) => {
        let end = last;
        for (let i = 0; i < length; i++) end = inputs.push([end]) - 1;
        return end;
      });
      last = inputs.push(ends) - 1;
      trunk.push(last);
    }
    const layout = layoutLayered({ inputs, ...size });
    for (const node of trunk) assert.ok(Math.abs(layout.center[node] - layout.center[0]) < 1e-6);
    assert.ok(layout.max - layout.min < 10 * size.across);
  });
});
