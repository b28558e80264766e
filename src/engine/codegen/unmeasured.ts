import { codeTable } from '../cost/codeBytes';
import type { Program } from '../program/types';
import type { Core } from '../targets/types';

/** `qmcu_normalize` by GCC at -O3, with the 64-bit product and the division of cores that have none. */
const NORMALIZE: Partial<Record<Core, number>> & { readonly 'cortex-m4': number } = {
  'cortex-m0plus': 1384 + 400,
  'cortex-m3': 976,
  'cortex-m4': 980,
  'cortex-m55': 1016,
  riscv32: 1008,
};

/** Code of kernels that the core's table of code sizes does not have yet (test/bench/codeSizes.mjs measures it). */
export function unmeasuredCode(program: Program, core: Core): number {
  const isKnown = 'qmcu_normalize' in codeTable(core).functions;
  if (isKnown || !program.steps.some(({ kernel }) => kernel.op === 'normalize')) return 0;
  return NORMALIZE[core] ?? NORMALIZE['cortex-m4'];
}
