import type { Bits } from '../graph/bits';

/*
 * What is used of the runtime's kernels, as the macros of src/firmware/common/qmcu_core.h say it: with them the
 * compiler leaves out formats of maps, bits of weights and ways to compute a layer that no layer has.
 */

/** The macros, and what each of them is where nothing is known. */
export const ALL_USES = {
  QMCU_USED_FORMATS: 191,
  QMCU_CONV2D_INPUTS: 63,
  QMCU_CONV2D_BLOCKS: 3,
  QMCU_CONV2D_ANY: 1,
  QMCU_CONV2D_LONG: 1,
  QMCU_CONV2D_PIXELS: 7,
  QMCU_CONV2D_PIXELS_4: 7,
  QMCU_CONV2D_PARTS: 1,
  QMCU_CONV2D_BOUNDED: 1,
  QMCU_CONV2D_BIAS_SHIFTS: 1,
  QMCU_CONV2D_PACKED: 15,
  QMCU_DEPTHWISE2D_INPUTS: 63,
  QMCU_DEPTHWISE2D_WEIGHTS: 3,
  QMCU_DEPTHWISE2D_TAPS: 1,
  QMCU_DEPTHWISE2D_ROWS: 15,
  QMCU_DEPTHWISE2D_PLANES: 7,
  QMCU_ADD_INPUTS: 3,
  QMCU_ADD_OUTPUTS: 3,
  QMCU_ADD_NARROW: 7,
} as const;

export type UseMacro = keyof typeof ALL_USES;

/** Bits of each macro. */
export type RuntimeUses = Readonly<Record<UseMacro, number>>;

/** Numbers of a column that find room on the stack, see QMCU_COLUMN_BYTES. */
export const COLUMN_CODES = 1024;

/** Nothing yet. */
export function noUses(): Record<UseMacro, number> {
  return { ...mapped(() => 0) };
}

/** Whether some map or weights have fewer than 8 bits. */
export function hasFewBits({ QMCU_USED_FORMATS: formats }: RuntimeUses): boolean {
  return (formats & 15) !== 0;
}

/** What several programs use together; undefined where that is not known of one. */
export function joinUses(all: readonly (RuntimeUses | undefined)[]): RuntimeUses | undefined {
  let joined: RuntimeUses | undefined;
  for (const uses of all) {
    if (!uses) return undefined;
    const before: RuntimeUses = joined ?? uses;
    joined = mapped((macro) => before[macro] | uses[macro]);
  }
  return joined;
}

/** A manifest's entry; undefined where it is none, or damaged. */
export function readUses(entry: unknown): RuntimeUses | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const values = entry as Partial<Record<UseMacro, unknown>>;
  const valid = Object.entries(ALL_USES).every(([macro, all]) => {
    const value = values[macro as UseMacro];
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= all;
  });
  return valid ? mapped((macro) => values[macro] as number) : undefined;
}

/** The macros' definitions. */
export function usesDefines(uses: RuntimeUses): string {
  return Object.keys(ALL_USES)
    .map((macro) => `#define ${macro} ${uses[macro as UseMacro]}u\n`)
    .join('');
}

/** The preprocessor's condition of a runtime that was compiled for too little. */
export function lacksUses(uses: RuntimeUses): string {
  const terms = Object.entries(uses)
    .filter(([, bits]) => bits !== 0)
    .map(([macro, bits]) => `(${macro} & ${bits}u) != ${bits}u`);
  return terms.length === 0 ? '0' : `defined(QMCU_USED_FORMATS) && \\\n    (${terms.join(' || \\\n     ')})`;
}

function mapped(value: (macro: UseMacro) => number): RuntimeUses {
  return Object.fromEntries((Object.keys(ALL_USES) as UseMacro[]).map((macro) => [macro, value(macro)])) as Record<
    UseMacro,
    number
  >;
}

/** 1 << QMCU_U8 and so on. */
export function formatBit(bits: Bits, signed: boolean): number {
  return 1 << (2 * Math.log2(bits / 2) + (signed ? 1 : 0));
}

/**
 * Pixels that qmcu_convolve_any may compute at a time: all that there are, in each row or on the whole. What blocks of
 * four leave over goes one by one: a function for two is larger than what it saves.
 */
export function pixelBlocks(height: number, width: number, byBlocks: boolean): number {
  const all = height * width;
  const blocks = (n: number): number => (n >= 4 ? 7 : n >= 2 ? 3 : n);
  if (!byBlocks) return blocks(width) | blocks(all);
  const rest = (n: number): number => (n % 4 === 0 || (n % 4 === 3 && width >= 4) ? 0 : 1);
  return rest(width) | rest(all);
}
