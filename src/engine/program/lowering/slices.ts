import type { ConstantPool } from '../constants';
import type { ConstantId, Kernel, PerChannel } from '../types';

/** Output channels [begin, end). */
export interface ChannelSlice {
  readonly begin: number;
  readonly end: number;
}

/**
 * The kernel that computes some output channels of a convolution or an average over whole maps. Its tables are cut out
 * of the whole layer's, so that shifts and rounding are the same.
 *
 * @param whole has the constants of the given kernel
 * @param pool gets those of the slice
 * @throws Error for kernels that cannot be cut
 */
export function sliceKernel(
  kernel: Kernel,
  whole: ConstantPool,
  pool: ConstantPool,
  { begin, end }: ChannelSlice,
): Kernel {
  const cut = (id: ConstantId): ConstantId => {
    const { kind, name, bits, signed, values, dims } = whole.constants[id];
    const row = values.length / dims[0];
    return pool.add(kind, name, bits, signed, values.slice(begin * row, end * row), [end - begin, ...dims.slice(1)]);
  };
  const perChannel = (value: number | PerChannel): number | PerChannel =>
    typeof value === 'number' ? value : { constant: cut(value.constant) };
  if (kernel.op === 'averagePool' && kernel.perChannel)
    return { ...kernel, multiplier: cut(kernel.multiplier), offset: cut(kernel.offset) };
  if (kernel.op === 'conv2d' && kernel.group === 1) {
    const { requant, padCodes } = kernel;
    let codes = padCodes;
    if (padCodes !== null) {
      // By input channel: the same for all slices.
      const { kind, name, bits, signed, values, dims } = whole.constants[padCodes];
      codes = pool.add(kind, name, bits, signed, values, dims);
    }
    return {
      ...kernel,
      weights: cut(kernel.weights),
      padCodes: codes,
      requant: {
        ...requant,
        bias: cut(requant.bias),
        multiplier: cut(requant.multiplier),
        max: perChannel(requant.max),
      },
    };
  }
  throw new Error(`A ${kernel.op} cannot run in slices of its channels.`);
}
