import { OnnxBuilder } from './onnxBuilder';
import { randomNumbers } from './onnxOracle';

/**
 * A network whose accuracy one pair of maps limits at 8 bits: a residual sum and its hard-swish, whose codes have one
 * scale for all channels, hold one channel of a hundred times the others' range, which the outputs hardly weigh.
 * Most of the work is in front of them.
 */
export function wideRangeNetwork(): OnnxBuilder {
  const m = new OnnxBuilder(14);
  const random = randomNumbers(5);
  const floats = (dims: readonly number[], scale: (i: number) => number): string =>
    m.floats(
      dims,
      Float32Array.from({ length: dims.reduce((a, b) => a * b) }, (_, i) => (2 * random() - 1) * scale(i)),
    );
  const conv = (input: string, to: number, from: number, size: number, range: (channel: number) => number): string => {
    const taps = from * size * size;
    const weights = floats([to, from, size, size], (i) => range(Math.floor(i / taps)) * Math.sqrt(3 / taps));
    const bias = floats([to], () => 0.1);
    return m.node('Conv', [input, weights, bias], {
      kernel_shape: [size, size],
      pads: new Array(4).fill((size - 1) / 2),
    });
  };
  let x = m.node('Relu', [conv(m.input('x', [1, 3, 12, 12]), 16, 3, 3, () => 1)]);
  for (let i = 0; i < 3; i++) x = m.node('Relu', [conv(x, 16, 16, 3, () => 1.4)]);
  const range = (channel: number): number => (channel === 0 ? 100 : 1);
  const sum = m.node('Add', [conv(x, 8, 16, 1, range), conv(x, 8, 16, 1, range)]);
  const pooled = m.node('GlobalAveragePool', [m.node('HardSwish', [sum])]);
  const weights = floats([8, 6], (i) => (i < 6 ? 1e-4 : 1));
  return m.output(m.node('Gemm', [m.node('Flatten', [pooled]), weights]), [1, 6]);
}
