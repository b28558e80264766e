import { LOGARITHM, POWER, SIGMOID } from '../../program/detection/math';
import type { Program } from '../../program/types';
import type { Core } from '../../targets/types';
import { levelText } from './renderDetect';

/** `level` of values.c where pointers have 32 bits. */
const LEVEL_BYTES = 240;

interface CodeBytes {
  /** Of heads of one level, whose numbers the compiler puts into the code: of peaks, and of others. */
  readonly peaks: number;
  readonly one: number;
  readonly several: number;
  /** Beyond that, for points. */
  readonly points: number;
}

/**
 * Code of `<name>_detect` by GCC at -O3: the largest of all families of heads in test/firmware/detection.test.ts, which
 * compiles some of them beside these.
 */
const CODE: Partial<Record<Core, CodeBytes>> & { readonly 'cortex-m4': CodeBytes } = {
  'cortex-m0plus': { peaks: 2010, one: 3160, several: 9040, points: 1150 },
  'cortex-m4': { peaks: 1690, one: 2710, several: 7780, points: 960 },
  riscv32: { peaks: 2010, one: 3200, several: 8670, points: 1180 },
};

/** Flash that the boxes' sources take when they are called. */
export interface DetectFlash {
  readonly code: number;
  readonly tables: number;
}

/** Code and tables of a detector's boxes, see renderDetect.ts; of other networks none. */
export function detectFlash(program: Program, core: Core): DetectFlash {
  const { head } = program;
  if (!head) return { code: 0, tables: 0 };
  const { peaks, one, several, points } = CODE[core] ?? CODE['cortex-m4'];
  let tables = 2 * (SIGMOID.length + POWER.length + LOGARITHM.length);
  // Each begins on a word.
  const array = (type: string, values: ArrayLike<number>): string => {
    tables += Math.ceil(((type === 'int32_t' ? 4 : 2) * Math.max(1, values.length)) / 4) * 4;
    return '';
  };
  for (const level of head.levels) levelText(program, level, array);
  const isOne = head.levels.length === 1;
  return {
    code: (isOne ? (head.levels[0].score.peaks ? peaks : one) : several) + (head.points > 0 ? points : 0),
    tables: tables + (isOne ? 0 : LEVEL_BYTES * head.levels.length),
  };
}
