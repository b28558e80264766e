import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Region } from '../../../src/engine/graph/region';
import type { Graph, Layer } from '../../../src/engine/graph/types';
import { receptiveField, runsOnPatches } from '../../../src/engine/schedule/receptiveField';
import { GraphBuilder, squareWindow } from '../../support/graphBuilder';
import { graphArbitrary } from '../../support/randomGraph';

/** Pixels of an input that one output pixel depends on, straight from the layer's definition. */
function pixelsRead(graph: Graph, layer: Layer, input: number, oy: number, ox: number): [number, number][] {
  const { h, w } = graph.maps[layer.inputs[input]].shape;
  const pixels: [number, number][] = [];
  if ('window' in layer) {
    const { kernelH, kernelW, strideH, strideW, dilationH, dilationW, padding } = layer.window;
    for (let ky = 0; ky < kernelH; ky++) {
      for (let kx = 0; kx < kernelW; kx++) {
        const y = oy * strideH + ky * dilationH - padding.top;
        const x = ox * strideW + kx * dilationW - padding.left;
        if (y >= 0 && y < h && x >= 0 && x < w) pixels.push([y, x]);
      }
    }
  } else if (layer.kind === 'pad') {
    const y = oy - layer.padding.top;
    const x = ox - layer.padding.left;
    if (y >= 0 && y < h && x >= 0 && x < w) pixels.push([y, x]);
  } else pixels.push([oy, ox]);
  return pixels;
}

function hullOf(pixels: readonly [number, number][]): Region | null {
  if (pixels.length === 0) return null;
  const ys = pixels.map(([y]) => y);
  const xs = pixels.map(([, x]) => x);
  return { y0: Math.min(...ys), x0: Math.min(...xs), y1: Math.max(...ys) + 1, x1: Math.max(...xs) + 1 };
}

describe('patch/receptiveField', () => {
  it('is the smallest rectangle around everything that the region depends on', () => {
    const someRegion = graphArbitrary().chain((graph) =>
      fc.record({
        graph: fc.constant(graph),
        layer: fc.constantFrom(...graph.layers),
        corners: fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()),
      }),
    );
    fc.assert(
      fc.property(someRegion, ({ graph, layer, corners: [a, b, c, d] }) => {
        fc.pre(runsOnPatches(graph, layer));
        const { h, w } = graph.maps[layer.output].shape;
        const y0 = a % h;
        const x0 = b % w;
        const region = { y0, x0, y1: y0 + 1 + (c % (h - y0)), x1: x0 + 1 + (d % (w - x0)) };
        const field = receptiveField(graph, layer, region);
        layer.inputs.forEach((map, input) => {
          const pixels: [number, number][] = [];
          for (let y = region.y0; y < region.y1; y++)
            for (let x = region.x0; x < region.x1; x++) pixels.push(...pixelsRead(graph, layer, input, y, x));
          const hull = hullOf(pixels);
          const { region: found } = field.inputs[input];
          assert.equal(field.inputs[input].map, map);
          if (hull) assert.deepEqual(found, hull);
          else assert.ok(found.y0 === found.y1 || found.x0 === found.x1, 'reads nothing');
        });
      }),
      { numRuns: 1000 },
    );
  });

  it('gives the padding of the call, not of the layer', () => {
    const g = new GraphBuilder();
    const map = g.input({ h: 10, w: 10, c: 1 });
    g.conv(map, 1, squareWindow(5, { strideH: 2, strideW: 2 }));
    const graph = g.build();
    const [layer] = graph.layers;
    const at = (y0: number, x0: number, y1: number, x1: number) => receptiveField(graph, layer, { y0, x0, y1, x1 });
    assert.deepEqual(at(0, 0, 1, 2), {
      inputs: [{ map, region: { y0: 0, x0: 0, y1: 3, x1: 5 } }],
      padTop: 2,
      padLeft: 2,
    });
    assert.deepEqual(at(1, 1, 4, 4), {
      inputs: [{ map, region: { y0: 0, x0: 0, y1: 9, x1: 9 } }],
      padTop: 0,
      padLeft: 0,
    });
    assert.deepEqual(at(4, 4, 5, 5), {
      inputs: [{ map, region: { y0: 6, x0: 6, y1: 10, x1: 10 } }],
      padTop: 0,
      padLeft: 0,
    });
  });

  it('lets broadcasts, fully connected layers, reshape, resize and softmax run on whole maps only', () => {
    const g = new GraphBuilder();
    const map = g.input({ h: 4, w: 4, c: 4 });
    const outputs = [
      g.mul(map, g.globalAveragePool(map)),
      g.fullyConnected(map, 2),
      g.reshape(map, { h: 1, w: 16, c: 4 }),
      g.resize(map, 2),
      g.softmax(map),
      g.concat([map, map], 'h'),
    ];
    const graph = g.build(outputs);
    for (const output of outputs)
      assert.equal(
        runsOnPatches(graph, graph.layers[graph.maps[output].producer!]),
        false,
        graph.layers[graph.maps[output].producer!].kind,
      );
    const whole = receptiveField(graph, graph.layers[graph.maps[outputs[0]].producer!], { y0: 1, x0: 1, y1: 2, x1: 2 });
    assert.deepEqual(
      whole.inputs.map((i) => i.region),
      [
        { y0: 1, x0: 1, y1: 2, x1: 2 },
        { y0: 0, x0: 0, y1: 1, x1: 1 },
      ],
    );
  });
});
