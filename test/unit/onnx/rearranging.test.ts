import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import { OnnxBuilder, float } from '../../support/onnxBuilder';
import { kinds } from '../../support/onnxOracle';
import { extent, OperatorSuite, seed, weights } from './support/operatorSuite';

/** What pads, cuts, resizes and rearranges maps: the imported graph, evaluated in float, equals onnxruntime. */
describe('onnx operators that rearrange against onnxruntime', function () {
  this.timeout(300_000);
  const { compare } = new OperatorSuite();

  it('Pad: image borders, channels, values, opset 2 and 13', async () => {
    const conv = (m: OnnxBuilder, x: string, r: () => number): string =>
      m.node('Conv', [x, weights(m, r, [2, 3, 3, 3])], { strides: [2, 2] });
    const folded = await compare([1, 3, 6, 6], 13, (m, x, r) =>
      conv(m, m.node('Pad', [x, m.int64s([0, 0, 1, 0, 0, 0, 0, 1])]), r),
    );
    assert.deepEqual(kinds(folded.graph), ['conv']);
    const attribute = await compare([1, 3, 6, 6], 2, (m, x, r) =>
      conv(m, m.node('Pad', [x], { pads: [0, 0, 1, 1, 0, 0, 1, 1] }), r),
    );
    assert.deepEqual(kinds(attribute.graph), ['conv']);
    const nonZero = await compare([1, 3, 6, 6], 13, (m, x, r) =>
      conv(m, m.node('Pad', [x, m.int64s([0, 0, 1, 1, 0, 0, 2, 1]), m.scalar(0.5)]), r),
    );
    assert.deepEqual(kinds(nonZero.graph), ['pad', 'conv']);
    const average = await compare([1, 3, 6, 6], 13, (m, x) =>
      m.node('AveragePool', [m.node('Pad', [x, m.int64s([0, 0, 1, 1, 0, 0, 1, 1])])], {
        kernel_shape: [3, 3],
        strides: [2, 2],
      }),
    );
    assert.deepEqual(kinds(average.graph), ['averagePool']);
    const max = await compare([1, 3, 6, 6], 13, (m, x) =>
      m.node('MaxPool', [m.node('Pad', [x, m.int64s([0, 0, 1, 1, 0, 0, 1, 1])])], {
        kernel_shape: [3, 3],
        strides: [2, 2],
      }),
    );
    assert.deepEqual(kinds(max.graph), ['pad', 'maxPool']);
    await compare([1, 3, 6, 6], 13, (m, x) => m.node('Pad', [x, m.int64s([0, 1, 1, 0, 0, 2, 0, 1]), m.scalar(-0.25)]));
    await compare([1, 3, 6, 6], 18, (m, x) => m.node('Pad', [x, m.int64s([1, 2]), m.scalar(0.5), m.int64s([3])]));
  });

  it('Pad: reflect, edge and wrap, crops by negative pads, values that are no images', async () => {
    for (const mode of ['reflect', 'edge'])
      for (const pads of [
        [0, 0, 2, 1, 0, 0, 3, 4],
        [0, 0, 0, 3, 0, 0, 0, 0],
        [0, 2, 0, 0, 0, 1, 0, 0],
      ])
        await compare([1, 3, 6, 7], 18, (m, x) => m.node('Pad', [m.node('Relu', [x]), m.int64s(pads)], { mode }));
    await compare([1, 3, 6, 5], 19, (m, x) => m.node('Pad', [x, m.int64s([0, 0, 2, 4, 0, 0, 1, 3])], { mode: 'wrap' }));
    await compare([1, 4, 9], 18, (m, x) => m.node('Pad', [x, m.int64s([0, 0, 3, 0, 0, 2])], { mode: 'reflect' }));
    await compare([1, 3, 6, 7], 13, (m, x) => m.node('Pad', [x, m.int64s([0, 0, -1, 2, 0, 0, -2, -3])]));
    await compare([1, 5, 6, 7], 13, (m, x) => m.node('Pad', [x, m.int64s([0, -1, 0, 0, 0, -2, 0, 0])]));
    await compare([1, 12], 13, (m, x) => m.node('Pad', [m.node('Relu', [x]), m.int64s([0, 2, 0, 3]), m.scalar(0.5)]));
  });

  it('Resize: modes, coordinates, rounding, scales and sizes', async () => {
    const scale = fc.constantFrom(0.5, 0.6, 1, 1.5, 2, 2.3, 3);
    const size = fc.integer({ min: 1, max: 13 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('nearest', 'linear'),
        fc.constantFrom('half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'),
        fc.constantFrom('round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'),
        fc.option(fc.tuple(scale, scale)),
        size,
        size,
        extent,
        extent,
        fc.constantFrom(11, 13, 19),
        seed,
        async (mode, coordinates, rounding, scales, outH, outW, h, w, opset, s) => {
          // At ties of inexact scales onnxruntime's round_prefer_ceil goes its own way.
          fc.pre(
            rounding !== 'round_prefer_ceil' || (scales !== null && !scales.includes(0.6) && !scales.includes(2.3)),
          );
          await compare(
            [1, 3, h, w],
            opset,
            (m, v) => {
              const x = m.node('Tanh', [v]);
              const roi = opset < 13 ? m.floats([0], []) : '';
              const inputs = scales
                ? [x, roi, m.floats([4], [1, 1, ...scales])]
                : [x, roi, opset < 13 ? m.floats([0], []) : '', m.int64s([1, 3, outH, outW])];
              return m.node('Resize', inputs, {
                mode,
                coordinate_transformation_mode: coordinates,
                nearest_mode: mode === 'nearest' ? rounding : undefined,
              });
            },
            { seed: s },
          );
        },
      ),
      { numRuns: 120 },
    );
  });

  it('Upsample and Resize of opset 10; Resize by axes', async () => {
    for (const mode of ['nearest', 'linear']) {
      await compare([1, 2, 4, 5], 7, (m, x) => m.node('Upsample', [x], { mode, scales: float([1, 1, 2, 3]) }));
      await compare([1, 2, 4, 5], 9, (m, x) => m.node('Upsample', [x, m.floats([4], [1, 1, 2, 2])], { mode }));
      await compare([1, 2, 6, 8], 10, (m, x) => m.node('Resize', [x, m.floats([4], [1, 1, 0.5, 0.5])], { mode }));
    }
    await compare([1, 2, 4, 5], 18, (m, x) =>
      m.node('Resize', [x, '', '', m.int64s([8, 15])], { mode: 'linear', axes: [2, 3] }),
    );
    await compare([1, 2, 4, 5], 18, (m, x) =>
      m.node('Resize', [x, '', '', m.int64s([8, 15])], {
        mode: 'nearest',
        axes: [2, 3],
        keep_aspect_ratio_policy: 'not_larger',
      }),
    );
  });

  it('Slice backwards, Gather in any order, Tile and Expand', async () => {
    const slice = (m: OnnxBuilder, x: string, start: number, end: number, axis: number, step: number): string =>
      m.node('Slice', [x, m.int64s([start]), m.int64s([end]), m.int64s([axis]), m.int64s([step])]);
    for (const axis of [1, 2, 3])
      for (const [start, end, step] of [
        [-1, -100, -1],
        [5, 0, -2],
        [1, 5, 2],
      ])
        await compare([1, 7, 6, 8], 13, (m, x) => slice(m, m.node('Relu', [x]), start, end, axis, step));
    await compare([1, 40, 3, 4], 13, (m, x) => slice(m, x, -1, -100, 1, -1), { tolerance: 0 });
    await compare([1, 6, 9], 13, (m, x) => slice(m, slice(m, x, -1, -100, 2, -1), 0, 9, 2, 3), { tolerance: 0 });
    await compare([1, 9, 6], 13, (m, x) => m.node('Softmax', [slice(m, x, 8, 0, 1, -3)]));
    for (const [axis, list] of [
      [1, [2, 0, 1, 2]],
      [2, [5, 5, 0]],
      [3, [0, 3, 1]],
      [1, Array.from({ length: 24 }, (_, i) => (7 * i) % 5)],
    ] as const)
      await compare([1, 5, 6, 4], 13, (m, x) => m.node('Gather', [x, m.int64s(list)], { axis }));
    await compare([1, 5, 6, 4], 13, (m, x) =>
      m.node('Softmax', [
        m.node('Gather', [x, m.initializer({ dims: [2, 2], data: [3, 0, 1, 1], type: 'int64' })], { axis: 2 }),
      ]),
    );
    await compare([1, 3, 4, 5], 13, (m, x) => m.node('Tile', [x, m.int64s([1, 2, 3, 2])]));
    await compare([1, 3, 1, 1], 13, (m, x) => m.node('Tile', [m.node('Relu', [x]), m.int64s([1, 1, 4, 5])]));
    await compare([1, 6], 13, (m, x) => m.node('Tile', [x, m.int64s([1, 3])]));
    await compare([1, 4, 1], 13, (m, x) => m.node('Expand', [m.node('Relu', [x]), m.int64s([1, 4, 7])]));
  });

  it('Slice and Split: channels, steps, crops, negative bounds', async () => {
    const slice = (x: readonly number[], starts: number[], ends: number[], axes: number[], steps: number[]) =>
      compare(x, 13, (m, v) =>
        m.node('Slice', [m.node('Relu', [v]), m.int64s(starts), m.int64s(ends), m.int64s(axes), m.int64s(steps)]),
      );
    assert.deepEqual(kinds((await slice([1, 6, 5, 5], [1], [-1], [1], [1])).graph), ['activation', 'slice']);
    await slice([1, 6, 5, 5], [2], [Number.MAX_SAFE_INTEGER], [-3], [1]);
    assert.deepEqual(kinds((await slice([1, 6, 7, 7], [0, 0], [9, 9], [2, 3], [2, 2])).graph), [
      'activation',
      'maxPool',
      'maxPool',
    ]);
    await slice([1, 6, 8, 8], [1, 0], [9, 9], [2, 3], [2, 3]);
    await slice([1, 6, 8, 8], [1, 2], [7, 6], [2, 3], [1, 1]);
    await compare([1, 6, 4, 4], 9, (m, x) => m.node('Slice', [x], { starts: [2], ends: [5], axes: [1] }));
    for (const opset of [11, 13, 18]) {
      await compare([1, 6, 4, 4], opset, (m, x) => {
        const sizes = opset === 11 ? { split: [2, 4] } : opset === 18 ? { num_outputs: 2 } : {};
        m.node('Split', opset === 13 ? [x, m.int64s([2, 4])] : [x], { axis: 1, ...sizes }, { outputs: ['a', 'b'] });
        return m.node('Concat', ['b', 'a'], { axis: 1 });
      });
    }
    await compare([1, 6, 4, 4], 13, (m, x) => m.node('Gather', [x, m.int64s([3, 4])], { axis: 1 }));
    await compare([1, 6, 4, 4], 13, (m, x) => m.node('Gather', [x, m.scalar(2, 'int64')], { axis: 1 }));
  });

  it('Concat along every axis', async () => {
    for (const axis of [1, 2, 3, -3]) {
      const { graph } = await compare([1, 3, 4, 5], 13, (m, x) =>
        m.node('Concat', [m.node('Relu', [x]), m.node('Neg', [x]), x], { axis }),
      );
      assert.equal(graph.layers[graph.layers.length - 1].kind, 'concat');
      assert.ok(!kinds(graph).includes('permute'));
    }
    await compare([1, 3, 4, 5], 13, (m, x) => {
      const flat = (y: string, n: number): string =>
        m.node('Reshape', [m.node('Transpose', [y], { perm: [0, 2, 3, 1] }), m.int64s([1, -1, n])]);
      return m.node(
        'Softmax',
        [
          m.node(
            'Concat',
            [
              flat(m.node('Concat', [x, x], { axis: 1 }), 2),
              flat(m.node('Concat', [x, m.node('Neg', [x])], { axis: 1 }), 2),
            ],
            { axis: 1 },
          ),
        ],
        { axis: 2 },
      );
    });
    await compare([1, 3, 4, 5], 13, (m, x) =>
      m.node('Concat', [m.node('Flatten', [x]), m.node('Flatten', [m.node('GlobalAveragePool', [x])])], { axis: 1 }),
    );
  });

  it('chains of Transpose and Reshape between layers', async () => {
    const step = fc.oneof(
      fc.record({ op: fc.constant('Transpose' as const), pick: fc.array(fc.nat(), { minLength: 5, maxLength: 5 }) }),
      fc.record({ op: fc.constant('Reshape' as const), pick: fc.array(fc.nat(), { minLength: 5, maxLength: 5 }) }),
      fc.record({ op: fc.constant('Relu' as const), pick: fc.constant([0]) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), seed, async (steps, s) => {
        await compare(
          [1, 4, 6, 2],
          13,
          (m, x, random) => {
            let value = m.node('Conv', [x, weights(m, random, [6, 4, 1, 1])]);
            let dims = [1, 6, 6, 2];
            for (const { op, pick } of steps) {
              if (op === 'Relu') value = m.node('Relu', [value]);
              else if (op === 'Transpose') {
                const perm = dims.map((_, i) => i).sort((a, b) => (pick[a % 5] % 7) - (pick[b % 5] % 7));
                dims = perm.map((p) => dims[p]);
                value = m.node('Transpose', [value], { perm });
              } else {
                dims = factor(72, pick);
                value = m.node('Reshape', [value, m.int64s(dims)]);
              }
            }
            return m.node('MatMul', [m.node('Reshape', [value, m.int64s([1, 72])]), weights(m, random, [72, 3])]);
          },
          { seed: s },
        );
      }),
      { numRuns: 80 },
    );
  });

  /** Random dimensions with the given product. */
  function factor(total: number, pick: readonly number[]): number[] {
    const dims: number[] = [];
    let rest = total;
    for (const p of pick.slice(0, 3)) {
      const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((d) => rest % d === 0);
      const d = divisors[p % divisors.length];
      dims.push(d);
      rest /= d;
    }
    return [...dims, rest];
  }

  it('channel shuffle', async () => {
    await compare([1, 6, 5, 4], 13, (m, x, random) => {
      const grouped = m.node('Conv', [x, weights(m, random, [6, 3, 1, 1])], { group: 2 });
      const split = m.node('Reshape', [grouped, m.int64s([1, 2, 3, 5, 4])]);
      const shuffled = m.node('Reshape', [
        m.node('Transpose', [split], { perm: [0, 2, 1, 3, 4] }),
        m.int64s([1, 6, 5, 4]),
      ]);
      return m.node('Conv', [m.node('Relu', [shuffled]), weights(m, random, [6, 1, 3, 3])], {
        group: 6,
        pads: [1, 1, 1, 1],
      });
    });
  });

  it('squeezes, unsqueezes and flattens', async () => {
    await compare([1, 3, 4, 5], 11, (m, x) => m.node('Squeeze', [m.node('GlobalAveragePool', [x])], { axes: [2, 3] }));
    await compare([1, 3, 4, 5], 13, (m, x) =>
      m.node('Squeeze', [m.node('GlobalAveragePool', [x]), m.int64s([-1, -2])]),
    );
    await compare([1, 3, 4, 5], 13, (m, x) => m.node('Squeeze', [m.node('GlobalAveragePool', [x])]));
    await compare([1, 3, 5], 13, (m, x, r) =>
      m.node('Conv', [m.node('Unsqueeze', [x, m.int64s([2])]), weights(m, r, [2, 3, 1, 3])]),
    );
    for (const axis of [0, 1, 2, 4, -2])
      await compare([1, 3, 4, 5], 13, (m, x) => m.node('Flatten', [m.node('Relu', [x])], { axis }));
    await compare([1, 3, 4, 5], 13, (m, x) => m.node('Expand', [m.node('Relu', [x]), m.int64s([1, 1, 5])]));
  });
});
