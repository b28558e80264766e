import { madeKernelKey, UNROLLED_LENGTH, UNSHARED_ARGS } from '../../src/engine/cost/madeKernels';

/** A kernel made for a layer, as C. */
interface GridKernel {
  readonly macro: string;
  readonly args: readonly (string | number)[];
  readonly key: string;
  /** Its declaration, with NAME in place of its name. */
  readonly prototype: string;
}

const FORMATS = ['U8', 'S8', 'U4', 'S4', 'U2', 'S2'] as const;

/** Kernels with every combination of arguments that their code depends on. */
export function kernelGrid(): GridKernel[] {
  const grid: GridKernel[] = [];
  const params = (kind: string, more = ''): string =>
    `void NAME(const qmcu_${kind}_params *params, const qmcu_map *in, const qmcu_map *out${more});`;
  const add = (macro: string, args: readonly (string | number)[], prototype: string): void => {
    grid.push({ macro, args, key: madeKernelKey({ macro, args }), prototype });
  };
  for (const format of FORMATS) {
    for (const bounded of format.startsWith('U') ? [0, 1] : [0]) {
      const written = [`QMCU_${format}`, `${bounded}u`];
      for (const weightBits of [8, 4]) {
        const lengths =
          format === 'U8' && bounded === 0 ? [...Array(UNROLLED_LENGTH).keys()].map((k) => k + 1) : [16, 27];
        for (const length of [...lengths, 144, 240, ...(weightBits === 4 ? [64, 100, 130] : [])])
          add(
            'QMCU_SPECIAL_CONV2D',
            [`${length}u`, `${weightBits}u`, ...written, '0u', '3u', '6u', 0, 32],
            params('conv2d'),
          );
        add('QMCU_SPECIAL_CONV2D', ['144u', `${weightBits}u`, ...written, '2u', '3u', '6u', 0, 32], params('conv2d'));
        add(
          'QMCU_SPECIAL_LONG_CONV2D',
          ['576u', `${weightBits}u`, ...written, '0u', '3u', '6u', 0, 32],
          params('conv2d', ', int16_t *scratch'),
        );
      }
      for (const kind of ['HALVES', 'WORDS'])
        for (const always of [0, 1])
          for (const unroll of format === 'U8' && bounded === 0 ? [2, 4, 6, 8, 12, 16, 20, 24, 28, 32] : [16, 32])
            for (const times of [1, 4]) {
              const length = unroll * times;
              const unit = unroll % 8 === 0 ? 8 : 4;
              const limits = always
                ? '(0u)'
                : `(${Array.from({ length: Math.max(1, length / unit) }, (_, i) => `${90000 - i}u`).join(', ')})`;
              const args = [
                `QMCU_PACK_${kind}`,
                `${length}u`,
                `${length}u`,
                `${Math.min(unit, length)}u`,
                `${unroll}u`,
                `${always}u`,
                ...written,
                '3u',
                '6u',
                32,
                limits,
              ];
              add('QMCU_SPECIAL_PACKED', args, params('conv2d'));
            }
      for (const kind of ['HALVES', 'WORDS'])
        for (const unroll of [4, 8]) {
          const lengths = ['48u', '48u', '4u', `${unroll}u`, '0u'];
          const args = [`QMCU_PACK_${kind}`, ...lengths, ...written, '3u', '5u', 32, '(90000u, 80000u)'];
          add('QMCU_SPECIAL_SHARED_PACKED', args, params('conv2d'));
        }
      for (const pixelBytes of [32, 0]) {
        for (const kernel of [3, 5])
          for (const stride of [1, 2])
            add(
              'QMCU_SPECIAL_DEPTHWISE2D',
              [`${kernel}u`, `${stride}u`, '8u', ...written, '1u', '6u', pixelBytes],
              params('depthwise2d'),
            );
        add('QMCU_SPECIAL_POLYNOMIAL', ['8u', ...written, '1u', '6u', pixelBytes], params('depthwise2d'));
      }
    }
  }
  return grid;
}

/** The same kernel with another value in place of what its block does not depend on. */
export function alikeKernel(kernel: GridKernel): GridKernel {
  const unshared = UNSHARED_ARGS[kernel.macro] ?? [];
  const other = (arg: string | number): string | number =>
    String(arg).startsWith('(') ? String(arg).replace('(', '(1') : '2u';
  return { ...kernel, args: kernel.args.map((arg, i) => (unshared.includes(i) ? other(arg) : arg)) };
}
