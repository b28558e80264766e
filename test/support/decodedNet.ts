/* A network of three grids with random weights, on which exports of detectors are built. */
import { OnnxBuilder } from './onnxBuilder';
import { randomArray, randomNumbers } from './onnxOracle';

export const SIDE = 64;
export const STRIDES = [8, 16, 32];

/** A network of three grids with a builder, and its convolutions. */
export class Net {
  readonly m = new OnnxBuilder(13);
  private readonly random: () => number;
  readonly features: string[] = [];

  constructor(seed: number) {
    this.random = randomNumbers(seed);
    let x = this.m.input('images', [1, 3, SIDE, SIDE]);
    let channels = 3;
    for (const stride of [8, 2, 2]) {
      x = this.m.node('Relu', [this.conv(x, channels, 12, stride === 8 ? 9 : 3, stride)]);
      channels = 12;
      this.features.push(x);
    }
  }

  /** @param scale of the weights */
  conv(x: string, inC: number, outC: number, kernel: number, stride = 1, scale = 0.3): string {
    const weights = this.m.floats(
      [outC, inC, kernel, kernel],
      randomArray(outC * inC * kernel ** 2, this.random, scale),
    );
    const bias = this.m.floats([outC], randomArray(outC, this.random, 1));
    const pad = Math.floor((kernel - 1) / 2);
    return this.m.node('Conv', [x, weights, bias], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    });
  }

  /** Raw channels of a level. */
  raw(level: number, channels: number): string {
    return this.conv(this.features[level], 12, channels, 1);
  }

  reshape(x: string, dims: readonly number[]): string {
    return this.m.node('Reshape', [x, this.m.int64s(dims)]);
  }

  transpose(x: string, perm: readonly number[]): string {
    return this.m.node('Transpose', [x], { perm });
  }

  slice(x: string, begin: number, end: number, axis: number): string {
    const { m } = this;
    return m.node('Slice', [x, m.int64s([begin]), m.int64s([end]), m.int64s([axis])]);
  }

  concat(parts: readonly string[], axis: number): string {
    return this.m.node('Concat', parts, { axis });
  }

  op(opType: string, a: string, b: string | number): string {
    return this.m.node(opType, [a, typeof b === 'number' ? this.m.scalar(b) : b]);
  }
}

export const sideOf = (stride: number): number => SIDE / stride;

/** x and y of each cell, row by row. */
export function gridOf(stride: number, offset: number): number[] {
  const n = sideOf(stride);
  return Array.from({ length: n * n }, (_, i) => [(i % n) + offset, Math.floor(i / n) + offset]).flat();
}
