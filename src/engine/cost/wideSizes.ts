import type { Core } from '../targets/types';

/** Files of src/firmware/common that hold kernels for 16 bits. */
type WideFile = 'weighted' | 'depthwise2d' | 'elementwise' | 'pool';

/** The file of each kernel; the others are element-wise. */
const FILES: Readonly<Record<string, WideFile>> = {
  qmcu_conv2d_s16: 'weighted',
  qmcu_fully_connected_s16: 'weighted',
  qmcu_depthwise2d_s16: 'depthwise2d',
  qmcu_max_pool_s16: 'pool',
  qmcu_average_pool_s16: 'pool',
  qmcu_resize_s16: 'pool',
};

/** Bytes of these files by GCC at -O3 (`node test/bench/wide.mjs` → test/bench/wide.md). */
const SIZES: Readonly<Record<'m4' | 'm0plus' | 'm3' | 'm55' | 'riscv32', Readonly<Record<WideFile, number>>>> = {
  m4: { weighted: 4584, depthwise2d: 2052, elementwise: 2196, pool: 1600 },
  m0plus: { weighted: 5110, depthwise2d: 2628, elementwise: 1962, pool: 1900 },
  m3: { weighted: 4084, depthwise2d: 2086, elementwise: 2208, pool: 1600 },
  m55: { weighted: 4028, depthwise2d: 2184, elementwise: 2448, pool: 1700 },
  riscv32: { weighted: 4794, depthwise2d: 2424, elementwise: 2382, pool: 1700 },
};

/** What they call of others: packing of codes, and of the C library. */
const CALLED_BYTES = 1000;

/** Bytes of the kernels for 16 bits among these functions, each file as a whole. */
export function wideBytes(core: Core, functions: Iterable<string>): number {
  const files = new Set<WideFile>();
  for (const fn of functions) if (fn.endsWith('_s16')) files.add(FILES[fn] ?? 'elementwise');
  if (files.size === 0) return 0;
  const sizes = SIZES[sizesOf(core)];
  return [...files].reduce((sum, file) => sum + sizes[file], CALLED_BYTES);
}

function sizesOf(core: Core): keyof typeof SIZES {
  switch (core) {
    case 'cortex-m0plus':
      return 'm0plus';
    case 'cortex-m3':
      return 'm3';
    case 'cortex-m55':
      return 'm55';
    case 'riscv32':
    case 'xtensa-lx7':
      return 'riscv32';
    default:
      return 'm4';
  }
}
