import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AttributeValue } from '../../support/onnxBuilder';
import { kinds } from '../../support/onnxOracle';
import { channels, extent, OperatorSuite, runs, seed, weights } from './support/operatorSuite';

/** A window along one axis: kernel, stride, dilation, and padding at both ends. */
const windowAxis = (kernel: number, stride: number) => ({
  k: fc.integer({ min: 1, max: kernel }),
  s: fc.integer({ min: 1, max: stride }),
  d: fc.integer({ min: 1, max: 2 }),
  begin: fc.nat(3),
  end: fc.nat(3),
});

/** Convolutions and pools with random attributes: the imported graph, evaluated in float, equals onnxruntime. */
describe('onnx convolutions and pools against onnxruntime', function () {
  this.timeout(300_000);
  const { compare } = new OperatorSuite();

  it('Conv: groups, strides, dilations, asymmetric pads, auto_pad', async () => {
    const window = fc.record({
      k: fc.integer({ min: 1, max: 3 }),
      s: fc.integer({ min: 1, max: 3 }),
      d: fc.integer({ min: 1, max: 2 }),
      begin: fc.integer({ min: 0, max: 2 }),
      end: fc.integer({ min: 0, max: 2 }),
    });
    const autoPad = fc.constantFrom('NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER');
    await fc.assert(
      fc.asyncProperty(
        extent,
        extent,
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        window,
        window,
        autoPad,
        fc.boolean(),
        seed,
        async (h, w, group, inPer, outPer, v, u, auto, bias, s) => {
          const same = auto.startsWith('SAME');
          // onnxruntime refuses SAME_LOWER where the window is smaller than its step, and windows that do not fit.
          fc.pre(!same || (v.k >= v.s && u.k >= u.s));
          const reach = (win: typeof v): number =>
            (win.k - 1) * win.d + 1 - (auto === 'NOTSET' ? win.begin + win.end : 0);
          fc.pre(same || (reach(v) <= h && reach(u) <= w));
          const attributes: Record<string, AttributeValue | undefined> = {
            group,
            kernel_shape: [v.k, u.k],
            strides: [v.s, u.s],
            dilations: same ? [1, 1] : [v.d, u.d],
            pads: auto === 'NOTSET' ? [v.begin, u.begin, v.end, u.end] : undefined,
            auto_pad: auto,
          };
          const { graph } = await compare(
            [1, group * inPer, h, w],
            13,
            (m, x, random) => {
              const inputs = [x, weights(m, random, [group * outPer, inPer, v.k, u.k])];
              if (bias) inputs.push(weights(m, random, [group * outPer]));
              return m.node('Conv', inputs, attributes);
            },
            { seed: s },
          );
          assert.deepEqual(kinds(graph), [inPer === 1 && outPer === 1 ? 'depthwise' : 'conv']);
        },
      ),
      runs,
    );
  });

  it('ConvTranspose: groups, strides, dilations, pads, output_padding, output_shape', async () => {
    const window = fc.record({ ...windowAxis(5, 3), more: fc.nat(2) });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 6 }),
        fc.integer({ min: 2, max: 6 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        window,
        window,
        fc.constantFrom('NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'output_shape'),
        fc.boolean(),
        seed,
        async (h, w, group, inPer, outPer, v, u, auto, bias, s) => {
          const full = (
            [
              [v, h],
              [u, w],
            ] as const
          ).map(([win, size]) => win.s * (size - 1) + Math.min(win.more, win.s - 1) + (win.k - 1) * win.d + 1);
          const same = auto.startsWith('SAME');
          fc.pre(!same || (full[0] >= h * v.s && full[1] >= w * u.s));
          // The shape inference of ONNX gives up on an output_shape smaller than the input.
          fc.pre(auto !== 'output_shape' || (full[0] - v.begin >= h && full[1] - u.begin >= w));
          fc.pre(auto !== 'NOTSET' || (full[0] > v.begin + v.end && full[1] > u.begin + u.end));
          const attributes: Record<string, AttributeValue | undefined> = {
            group,
            kernel_shape: [v.k, u.k],
            strides: [v.s, u.s],
            dilations: [v.d, u.d],
            output_padding: [Math.min(v.more, v.s - 1), Math.min(u.more, u.s - 1)],
            pads: auto === 'NOTSET' ? [v.begin, u.begin, v.end, u.end] : undefined,
            auto_pad: same ? auto : undefined,
            output_shape: auto === 'output_shape' ? [full[0] - v.begin, full[1] - u.begin] : undefined,
          };
          await compare(
            [1, group * inPer, h, w],
            13,
            (m, x, random) => {
              const y = m.node(
                'ConvTranspose',
                [
                  x,
                  weights(m, random, [group * inPer, outPer, v.k, u.k]),
                  ...(bias ? [weights(m, random, [group * outPer])] : []),
                ],
                attributes,
              );
              return m.node('Conv', [m.node('Relu', [y]), weights(m, random, [2, group * outPer, 1, 1])]);
            },
            { seed: s },
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('ConvTranspose takes in BatchNormalization and Relu; DepthToSpace and SpaceToDepth only move', async () => {
    const up = await compare([1, 3, 4, 5], 13, (m, x, random) => {
      const y = m.node('ConvTranspose', [x, weights(m, random, [3, 4, 2, 2])], { strides: [2, 2] });
      const normal = m.node('BatchNormalization', [
        y,
        weights(m, random, [4]),
        weights(m, random, [4]),
        weights(m, random, [4]),
        m.floats([4], [0.5, 1, 2, 3]),
      ]);
      return m.node('Conv', [m.node('Relu', [normal]), weights(m, random, [2, 4, 3, 3])]);
    });
    assert.deepEqual(kinds(up.graph), ['conv', 'permute', 'conv']);
    const skip = await compare([1, 3, 4, 4], 13, (m, x, random) => {
      const up = m.node(
        'ConvTranspose',
        [m.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] }), weights(m, random, [3, 3, 2, 2])],
        { strides: [2, 2] },
      );
      return m.node('Conv', [
        m.node('Concat', [m.node('Add', [up, x]), up, x], { axis: 1 }),
        weights(m, random, [2, 9, 1, 1]),
      ]);
    });
    assert.deepEqual(kinds(skip.graph), ['maxPool', 'conv', 'permute', 'add', 'concat', 'conv']);
    for (const mode of ['DCR', 'CRD'])
      await compare([1, 12, 3, 4], 13, (m, x, random) =>
        m.node('Conv', [m.node('DepthToSpace', [x], { blocksize: 2, mode }), weights(m, random, [2, 3, 2, 2])]),
      );
    const down = await compare([1, 2, 6, 9], 13, (m, x, random) =>
      m.node('Conv', [
        m.node('SpaceToDepth', [m.node('Relu', [x])], { blocksize: 3 }),
        weights(m, random, [2, 18, 1, 1]),
      ]),
    );
    assert.deepEqual(kinds(down.graph), ['activation', 'permute', 'conv']);
  });

  it('Conv of a sequence (rank 3)', async () => {
    const { graph } = await compare([1, 5, 20], 13, (m, x, random) => {
      const a = m.node('Conv', [x, weights(m, random, [6, 5, 3]), weights(m, random, [6])], {
        strides: [2],
        pads: [1, 1],
      });
      const b = m.node('MaxPool', [m.node('Relu', [a])], { kernel_shape: [2], strides: [2] });
      return m.node('GlobalAveragePool', [b]);
    });
    assert.deepEqual(kinds(graph), ['conv', 'maxPool', 'averagePool']);
  });

  it('ConvTranspose of signals', async () => {
    for (const [k, strides, pads, output] of [
      [3, [2], [1, 1], [1]],
      [4, [2], [1, 1], [0]],
      [5, [3], [0, 2], [0]],
      [3, [1], [1, 1], [0]],
    ] as const)
      await compare([1, 4, 9], 13, (m, x, r) =>
        m.node('ConvTranspose', [x, weights(m, r, [4, 3, k]), weights(m, r, [3])], {
          strides,
          pads,
          output_padding: output,
        }),
      );
    await compare([1, 4, 9], 13, (m, x, r) =>
      m.node('ConvTranspose', [x, weights(m, r, [4, 2, 3])], { strides: [2], group: 2, auto_pad: 'SAME_UPPER' }),
    );
  });

  it('MaxPool and AveragePool: ceil_mode, pads, dilations, count_include_pad', async () => {
    const window = fc.record(windowAxis(4, 4));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('MaxPool', 'AveragePool'),
        extent,
        extent,
        channels,
        window,
        window,
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom('NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID'),
        seed,
        async (op, h, w, c, v, u, ceil, include, auto, s) => {
          const clip = (p: number, k: number): number => Math.min(p, k - 1);
          // onnxruntime's average pooling with dilations counts differently from the specification when padding is
          // involved.
          const dilated = op === 'MaxPool' && auto === 'NOTSET';
          const extents = [v, u].map((win) => (win.k - 1) * (dilated ? win.d : 1) + 1);
          fc.pre(extents[0] <= h && extents[1] <= w);
          fc.pre(!auto.startsWith('SAME') || (v.k >= v.s && u.k >= u.s));
          await compare(
            [1, c, h, w],
            op === 'MaxPool' ? 12 : 19,
            (m, x) =>
              m.node(op, [x], {
                kernel_shape: [v.k, u.k],
                strides: [v.s, u.s],
                ceil_mode: auto === 'NOTSET' ? Number(ceil) : 0,
                auto_pad: auto,
                pads:
                  auto === 'NOTSET'
                    ? [clip(v.begin, v.k), clip(u.begin, u.k), clip(v.end, v.k), clip(u.end, u.k)]
                    : undefined,
                dilations: dilated ? [v.d, u.d] : undefined,
                count_include_pad: op === 'AveragePool' && auto === 'NOTSET' ? Number(include) : undefined,
              }),
            { seed: s },
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  it('global and reducing pools, keepdims and axes as attribute or input', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceSum'),
        fc.constantFrom([2, 3], [-1, -2], [3], [2], [1, 2, 3]),
        fc.constantFrom(0, 1),
        fc.boolean(),
        seed,
        async (op, axes, keepdims, asInput, s) => {
          const { graph } = await compare(
            [1, 4, 5, 6],
            asInput ? 18 : op === 'ReduceSum' ? 11 : 13,
            (m, x, random) => {
              const a = m.node('Conv', [x, weights(m, random, [3, 4, 1, 1])]);
              return asInput ? m.node(op, [a, m.int64s(axes)], { keepdims }) : m.node(op, [a], { axes, keepdims });
            },
            { seed: s },
          );
          if (axes.length === 2) assert.ok(!kinds(graph).includes('permute'));
        },
      ),
      { numRuns: 26 },
    );
    for (const op of ['GlobalAveragePool', 'GlobalMaxPool']) await compare([1, 3, 5, 7], 13, (m, x) => m.node(op, [x]));
  });

  it('LpPool and GlobalLpPool of order 1 and 2, padded, dilated and rounded up', async () => {
    for (const p of [1, 2]) {
      for (const attributes of [
        {},
        { strides: [2, 3] },
        { pads: [1, 0, 1, 2], strides: [2, 2] },
        { auto_pad: 'SAME_UPPER', strides: [2, 2] },
        { ceil_mode: 1, strides: [3, 2], pads: [1, 1, 0, 0] },
        { dilations: [2, 1] },
      ])
        await compare([1, 3, 8, 7], 18, (m, x) => m.node('LpPool', [x], { kernel_shape: [2, 3], p, ...attributes }));
      await compare([1, 3, 11], 13, (m, x) => m.node('LpPool', [x], { kernel_shape: [3], strides: [2], p }));
      await compare([1, 3, 5, 7], 13, (m, x) => m.node('GlobalLpPool', [x], { p }));
      await compare([1, 3, 9], 13, (m, x) => m.node('GlobalLpPool', [x], { p }));
    }
  });
});
