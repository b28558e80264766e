import assert from 'node:assert/strict';
import { asFirmware, type FirmwareOptions, type FirmwareResult } from '../support/asFirmware';
import { ModelFolder, OnnxBuilder } from '../support/onnxBuilder';
import { randomArray, randomNumbers } from '../support/onnxOracle';
import { removeFolder, scratchFolder } from './support/hostBuild';

/** A model under construction, with weights from a seed. */
class Network {
  readonly m: OnnxBuilder;
  private readonly random = randomNumbers(7);

  constructor(opset = 13) {
    this.m = new OnnxBuilder(opset);
  }

  weights(...dims: number[]): string {
    const count = dims.reduce((product, d) => product * d, 1);
    return this.m.floats(dims, randomArray(count, this.random, 1.5 / Math.sqrt(count / dims[0])));
  }

  conv(x: string, inC: number, outC: number, kernel = 3): string {
    const pad = (kernel - 1) / 2;
    const w = this.weights(outC, inC, kernel, kernel);
    return this.m.node('Conv', [x, w, this.weights(outC)], { pads: [pad, pad, pad, pad] });
  }

  /** The output y: x read as `split`, its dimensions in another order, then read as `dims`. */
  reordered(x: string, split: readonly number[], perm: readonly number[], dims: readonly number[]): void {
    const parts = this.m.node('Reshape', [x, this.m.int64s(split)]);
    const moved = this.m.node('Transpose', [parts], { perm });
    this.m.output(this.m.node('Reshape', [moved, this.m.int64s(dims)], {}, { outputs: ['y'] }));
  }
}

/** Shape, order and values of the generated C's inputs and outputs are those of the ONNX tensors. */
describe('inputs and outputs of the C beside the ONNX tensors', function () {
  this.timeout(300_000);
  const models = new ModelFolder();
  after(() => models.remove());

  async function run(network: Network, options: FirmwareOptions = {}): Promise<FirmwareResult> {
    const folder = scratchFolder('tensors');
    const result = await asFirmware(models.write(network.m), folder, { compiled: true, ...options });
    removeFolder(folder);
    return result;
  }

  async function holds(network: Network, header: RegExp, least = 28): Promise<FirmwareResult> {
    const result = await run(network);
    result.snr.forEach((snr, i) => assert.ok(snr > least, `output ${i}: ${snr} dB`));
    assert.match(result.header, header);
    return result;
  }

  it('final Transpose of rows and columns', async () => {
    const n = new Network();
    n.m.output(
      n.m.node('Transpose', [n.conv(n.m.input('x', [1, 3, 8, 6]), 3, 4)], { perm: [0, 1, 3, 2] }, { outputs: ['y'] }),
    );
    await holds(n, /y: ONNX tensor 1x4x6x8, stored channels last as 6x8x4 \(its dimensions 2, 3, 1\)/);
  });

  it('final Transpose to channels last, which costs nothing', async () => {
    const n = new Network();
    n.m.output(
      n.m.node('Transpose', [n.conv(n.m.input('x', [1, 3, 8, 6]), 3, 4)], { perm: [0, 2, 3, 1] }, { outputs: ['y'] }),
    );
    const { opened } = await holds(n, /y: ONNX tensor 1x8x6x4, stored in that order/);
    assert.deepEqual(
      opened.graph.layers.map((l) => l.kind),
      ['conv'],
    );
  });

  for (const mode of ['DCR', 'CRD'])
    it(`final DepthToSpace ${mode}`, async () => {
      const n = new Network();
      n.m.output(
        n.m.node(
          'DepthToSpace',
          [n.conv(n.m.input('x', [1, 2, 6, 5]), 2, 12)],
          { blocksize: 2, mode },
          { outputs: ['y'] },
        ),
      );
      await holds(n, /y: ONNX tensor 1x3x12x10, stored channels last as 12x10x3/);
    });

  it('final transposed convolution', async () => {
    const n = new Network();
    const x = n.conv(n.m.input('x', [1, 2, 6, 5]), 2, 4);
    n.m.output(n.m.node('ConvTranspose', [x, n.weights(4, 3, 2, 2)], { strides: [2, 2] }, { outputs: ['y'] }));
    await holds(n, /y: ONNX tensor 1x3x12x10, stored channels last as 12x10x3/);
  });

  it('final channel shuffle', async () => {
    const n = new Network();
    const x = n.conv(n.m.input('x', [1, 2, 6, 5]), 2, 6);
    n.reordered(x, [1, 2, 3, 6, 5], [0, 2, 1, 3, 4], [1, 6, 6, 5]);
    await holds(n, /y: ONNX tensor 1x6x6x5, stored channels last as 6x5x6/);
  });

  it('head of a detector: boxes by anchor, row, column', async () => {
    const n = new Network();
    const x = n.conv(n.m.input('x', [1, 3, 6, 6]), 3, 14);
    n.reordered(x, [1, 2, 7, 6, 6], [0, 1, 3, 4, 2], [1, 72, 7]);
    await holds(n, /y: ONNX tensor 1x72x7, stored in that order/);
  });

  it('first Transpose, SpaceToDepth and planar Reshape: the application fills in the ONNX tensor', async () => {
    const transposed = new Network();
    const t = transposed.m.node('Transpose', [transposed.m.input('x', [1, 2, 8, 6])], { perm: [0, 1, 3, 2] });
    transposed.m.output(transposed.conv(t, 2, 4));
    await holds(transposed, /x: ONNX tensor 1x2x8x6, stored channels last as 8x6x2/);
    const blocks = new Network();
    const b = blocks.m.node('SpaceToDepth', [blocks.m.input('x', [1, 3, 8, 6])], { blocksize: 2 });
    blocks.m.output(blocks.conv(b, 12, 4));
    await holds(blocks, /x: ONNX tensor 1x3x8x6, stored channels last as 8x6x3/);
    const planes = new Network();
    const p = planes.m.node('Reshape', [planes.m.input('x', [1, 96]), planes.m.int64s([1, 2, 8, 6])]);
    planes.m.output(planes.conv(p, 2, 4));
    await holds(planes, /x: ONNX tensor 1x96, stored in that order/);
  });

  it('a signal stays as its convolutions have it, which header and notes say', async () => {
    const n = new Network();
    const x = n.m.node('Conv', [n.m.input('x', [1, 3, 20]), n.weights(5, 3, 3)], { pads: [1, 1] });
    n.m.output(n.m.node('Relu', [x], {}, { outputs: ['y'] }));
    const { notes } = await holds(n, /x: ONNX tensor 1x3x20, stored channels last as 20x3 \(its dimensions 2, 1\)/);
    assert.ok(
      notes.includes('Output "y": ONNX tensor 1×5×20, stored channels last as 20×5 (its dimensions 2, 1).'),
      notes.join('\n'),
    );
  });

  it('crops, flips, reflecting padding, tiles and channels in another order move codes', async () => {
    const n = new Network(18);
    const slice = (x: string, start: number, end: number, axis: number, step: number): string =>
      n.m.node('Slice', [x, n.m.int64s([start]), n.m.int64s([end]), n.m.int64s([axis]), n.m.int64s([step])]);
    const x = n.conv(n.m.input('x', [1, 3, 10, 9]), 3, 6);
    const cropped = slice(slice(x, 1, 9, 2, 1), -1, -100, 3, -1);
    const padded = n.m.node('Pad', [cropped, n.m.int64s([0, 0, 2, 1, 0, 0, 1, 2])], { mode: 'reflect' });
    const mixed = n.m.node('Gather', [padded, n.m.int64s([5, 0, 3, 3])], { axis: 1 });
    n.m.output(n.m.node('Tile', [mixed, n.m.int64s([1, 2, 1, 2])], {}, { outputs: ['y'] }));
    n.m.output(slice(n.conv(slice(padded, 1, 11, 2, 3), 6, 5), 4, -100, 1, -2));
    await holds(n, /y: ONNX tensor 1x8x11x24, stored channels last as 11x24x8/);
  });

  it('channels of the input joined with computed ones', async () => {
    const n = new Network();
    const input = n.m.input('x', [1, 2, 6, 6]);
    const wide = n.m.node('Mul', [n.conv(input, 2, 3), n.m.scalar(6)]);
    n.m.output(n.m.node('Concat', [wide, input], { axis: 1 }, { outputs: ['y'] }));
    await holds(n, /y: ONNX tensor 1x5x6x6/);
  });

  it('several inputs and outputs, one of them read on inside', async () => {
    const n = new Network();
    const a = n.conv(n.m.input('a', [1, 2, 6, 6]), 2, 4);
    const b = n.m.node('Gemm', [n.m.input('b', [1, 5]), n.weights(5, 4)]);
    const scaled = n.m.node('Mul', [a, n.m.node('Reshape', [b, n.m.int64s([1, 4, 1, 1])])], {}, { outputs: ['inner'] });
    n.m.output(scaled).output(n.m.node('Transpose', [scaled], { perm: [0, 1, 3, 2] }));
    n.m.output(n.m.node('Softmax', [n.conv(scaled, 4, 3)], { axis: 1 }, { outputs: ['mask'] }));
    await holds(n, /inner: ONNX tensor 1x4x6x6, stored channels last as 6x6x4/, 24);
  });

  const unsqueezed = (n: Network, x: string, ...axes: number[]): string => n.m.node('Unsqueeze', [x, n.m.int64s(axes)]);
  const unbatched: Readonly<Record<string, readonly [number[], (n: Network, x: string) => string, RegExp]>> = {
    'an image, channels first': [
      [3, 8, 6],
      (n, x) => n.conv(unsqueezed(n, x, 0), 3, 4),
      /x: ONNX tensor 3x8x6, stored channels last as 8x6x3 \(its dimensions 1, 2, 0\)/,
    ],
    'an image, channels last': [
      [8, 6, 3],
      (n, x) => n.conv(n.m.node('Transpose', [unsqueezed(n, x, 0)], { perm: [0, 3, 1, 2] }), 3, 4),
      /x: ONNX tensor 8x6x3, stored in that order/,
    ],
    'an image, turned before it gets its batch': [
      [8, 6, 3],
      (n, x) => n.conv(unsqueezed(n, n.m.node('Transpose', [x], { perm: [2, 0, 1] }), 0), 3, 4),
      /x: ONNX tensor 8x6x3, stored in that order/,
    ],
    'a normalized image': [
      [3, 8, 6],
      (n, x) => {
        const centered = n.m.node('Sub', [x, n.m.floats([3, 1, 1], [0.1, 0.2, -0.1])]);
        return n.conv(n.m.node('Reshape', [centered, n.m.int64s([1, 3, 8, 6])]), 3, 4);
      },
      /x: ONNX tensor 3x8x6, stored channels last/,
    ],
    'a gray image': [
      [8, 6],
      (n, x) => n.conv(unsqueezed(n, x, 0, 1), 1, 4),
      /x: ONNX tensor 8x6, stored in that order/,
    ],
    'a signal': [
      [4, 20],
      (n, x) => n.m.node('Conv', [unsqueezed(n, x, 0), n.weights(6, 4, 3)]),
      /x: ONNX tensor 4x20, stored channels last as 20x4 \(its dimensions 1, 0\)/,
    ],
  };
  for (const [name, [dims, build, header]] of Object.entries(unbatched))
    it(`${name} that the graph gives its batch dimension`, async () => {
      const n = new Network();
      n.m.output(build(n, n.m.input('x', dims)));
      const { opened } = await holds(n, header);
      assert.ok(opened.graph.layers.every((l) => l.kind === 'conv' || l.kind === 'depthwise'));
    });

  it('a batch that the graph keeps is refused for what it is', async () => {
    for (const [dims, build] of [
      [[3, 8, 20], (n, x) => n.m.node('Conv', [x, n.weights(6, 8, 3)])],
      [[5, 6, 8], (n, x) => n.m.node('Conv', [unsqueezed(n, x, 2), n.weights(4, 6, 1, 3)])],
      [[4, 12], (n, x) => n.m.node('Gemm', [x, n.weights(12, 3)])],
    ] as [number[], (n: Network, x: string) => string][]) {
      const n = new Network();
      n.m.output(build(n, n.m.input('x', dims)));
      await assert.rejects(run(n), /batch of \d.*(batch 1|1×3×8×20)/s);
    }
  });
});
