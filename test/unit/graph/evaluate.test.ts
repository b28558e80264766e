import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import { evaluateFloat, evaluateLayer } from '../../../src/engine/graph/evaluate';
import { resizeTaps } from '../../../src/engine/graph/evaluateWindow';
import { graphMacs, layerMacs } from '../../../src/engine/graph/macs';
import { kernelExtent, windowOutput } from '../../../src/engine/graph/shapes';
import type { Layer, Shape } from '../../../src/engine/graph/types';
import { GraphBuilder, squareWindow } from '../../support/graphBuilder';

const POINT = squareWindow(1);
const base = { id: 0, name: '', onnx: [], inputs: [0], output: 1 };

function run(
  layer: Partial<Layer> & { kind: Layer['kind'] },
  inputs: number[][],
  shapes: Shape[],
  output: Shape,
): number[] {
  return [
    ...evaluateLayer(
      { ...base, ...layer } as Layer,
      inputs.map((x) => Float32Array.from(x)),
      shapes,
      output,
    ),
  ];
}

/** Small cases worked out by hand, for what the comparison with onnxruntime reaches only through the importer. */
describe('float evaluation of layers', () => {
  const row = (w: number, c = 1): Shape => ({ h: 1, w, c });

  it('convolves with group, stride, dilation and padding in HWC order', () => {
    const window = {
      ...POINT,
      kernelW: 2,
      strideW: 2,
      dilationW: 2,
      padding: { top: 0, left: 1, bottom: 0, right: 1 },
    };
    // Pixels (1,10) (2,20) (3,30) (4,40); each output channel reads one input channel.
    const y = run(
      {
        kind: 'conv',
        window,
        group: 2,
        weights: Float32Array.of(1, 2, 1, -1),
        bias: Float32Array.of(0.5, 0),
        clamp: { min: null, max: null },
      },
      [[1, 10, 2, 20, 3, 30, 4, 40]],
      [row(4, 2)],
      row(2, 2),
    );
    assert.deepEqual(y, [0 + 2 * 2 + 0.5, 0 - 20, 2 + 2 * 4 + 0.5, 20 - 40]);
  });

  it('clamps weighted layers and sums', () => {
    const clamp = { min: 0, max: 2 };
    assert.deepEqual(
      run(
        { kind: 'fullyConnected', weights: Float32Array.of(1, 1, -1, 0, 1, 0), bias: Float32Array.of(0, 0, 0), clamp },
        [[1, 4]],
        [row(1, 2)],
        row(1, 3),
      ),
      [2, 0, 1],
    );

    assert.deepEqual(
      run(
        { kind: 'add', signs: [1, -1], clamp, inputs: [0, 1] },
        [
          [1, 5, 1, 2],
          [1, 2],
        ],
        [row(2, 2), row(1, 2)],
        row(2, 2),
      ),
      [0, 2, 0, 0],
    );
  });

  it('concatenates along every axis', () => {
    const a = { h: 2, w: 1, c: 1 };

    const cases: [axis: 'h' | 'w' | 'c', second: number[], shape: Shape, output: Shape, expected: number[]][] = [
      ['h', [3, 4], a, { h: 4, w: 1, c: 1 }, [1, 2, 3, 4]],
      ['w', [3, 4], a, { h: 2, w: 2, c: 1 }, [1, 3, 2, 4]],
      ['c', [3, 4, 5, 6], { ...a, c: 2 }, { h: 2, w: 1, c: 3 }, [1, 3, 4, 2, 5, 6]],
    ];
    for (const [axis, second, shape, output, expected] of cases)
      assert.deepEqual(run({ kind: 'concat', axis }, [[1, 2], second], [a, shape], output), expected, axis);
  });

  it('pools with padding that never wins and counts only when asked', () => {
    const window = { ...POINT, kernelW: 2, strideW: 2, padding: { top: 0, left: 1, bottom: 0, right: 0 } };
    assert.deepEqual(run({ kind: 'maxPool', window }, [[-3, -2, -1]], [row(3)], row(2)), [-3, -1]);
    assert.deepEqual(
      run({ kind: 'averagePool', window, countIncludePad: false }, [[-3, -2, -1]], [row(3)], row(2)),
      [-3, -1.5],
    );
    assert.deepEqual(
      run({ kind: 'averagePool', window, countIncludePad: true }, [[-3, -2, -1]], [row(3)], row(2)),
      [-1.5, -1.5],
    );
  });

  it('pads, slices, permutes and applies slopes', () => {
    assert.deepEqual(
      run({ kind: 'pad', padding: { top: 1, left: 0, bottom: 0, right: 1 }, value: 9 }, [[1, 2]], [row(2)], {
        h: 2,
        w: 3,
        c: 1,
      }),
      [9, 9, 9, 1, 2, 9],
    );
    assert.deepEqual(run({ kind: 'slice', begin: 1, end: 2 }, [[1, 2, 3, 4]], [row(2, 2)], row(2, 1)), [2, 4]);
    assert.deepEqual(
      run({ kind: 'permute', permutation: Int32Array.of(2, 0, 1) }, [[5, 6, 7]], [row(3)], row(3)),
      [7, 5, 6],
    );
    assert.deepEqual(
      run({ kind: 'prelu', slopes: Float32Array.of(0.5, 2) }, [[-2, -2, 3, 3]], [row(2, 2)], row(2, 2)),
      [-1, -4, 3, 3],
    );
  });

  it('softmax of each pixel sums to one and survives large values', () => {
    const y = run({ kind: 'softmax' }, [[1000, 1000, -1000, 0]], [row(2, 2)], row(2, 2));
    assert.deepEqual(y, [0.5, 0.5, 0, 1]);
  });

  it('resize taps stay inside and are monotonic', () => {
    const size = fc.integer({ min: 1, max: 20 });
    const coordinates = fc.constantFrom('asymmetric', 'half_pixel', 'pytorch_half_pixel', 'align_corners');
    const rounding = fc.constantFrom('floor', 'ceil', 'round_prefer_floor', 'round_prefer_ceil');
    fc.assert(
      fc.property(
        fc.constantFrom('nearest', 'linear'),
        coordinates,
        rounding,
        size,
        size,
        (mode, c, r, inSize, outSize) => {
          let last = 0;
          for (const { near, far, t } of resizeTaps(
            { mode, coordinates: c, rounding: r },
            outSize / inSize,
            inSize,
            outSize,
          )) {
            assert.ok(near >= 0 && far < inSize && near <= far && far - near <= 1 && t >= 0 && t < 1);
            assert.ok(near + t >= last);
            last = near + t;
          }
        },
      ),
    );
  });

  it('rejects inputs of another size', () => {
    const b = new GraphBuilder();
    const graph = b.build([b.activation(b.input({ h: 2, w: 2, c: 1 }), { name: 'sigmoid' })]);
    assert.throws(() => evaluateFloat(graph, [new Float32Array(3)]), RangeError);
    assert.throws(() => evaluateFloat(graph, []), RangeError);
  });
});

describe('shapes and MACs', () => {
  it('window positions equal counting them', () => {
    const small = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 15 }),
        small,
        small,
        small,
        fc.nat(3),
        fc.nat(3),
        (size, k, s, d, before, after) => {
          const window = {
            ...POINT,
            kernelH: k,
            strideH: s,
            dilationH: d,
            padding: { top: before, left: 0, bottom: after, right: 0 },
          };
          let count = 0;
          for (let at = -before; at + kernelExtent(k, d) <= size + after; at += s) count++;
          assert.equal(Math.max(0, windowOutput(window, size, 1).h), count);
        },
      ),
    );
  });

  it('counts multiplications of weighted layers only', () => {
    const b = new GraphBuilder();
    const window = { ...POINT, kernelH: 3, kernelW: 3, padding: { top: 1, left: 1, bottom: 1, right: 1 } };
    const a = b.conv(b.input({ h: 8, w: 6, c: 4 }), 10, window, 2);
    const d = b.depthwise(a, window);
    const graph = b.build([b.fullyConnected(b.globalAveragePool(d), 5)]);
    const macs = graph.layers.map((layer) => layerMacs(graph, layer));
    assert.deepEqual(macs, [8 * 6 * 10 * 9 * 2, 8 * 6 * 10 * 9, 0, 50]);
    assert.equal(
      graphMacs(graph),
      macs.reduce((p, q) => p + q),
    );
    assert.equal(layerMacs(graph, graph.layers[0], 7), 7 * 10 * 9 * 2);
  });
});
