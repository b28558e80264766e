import type { Core } from '../engine/targets/types';

const known: Readonly<Record<Core, true>> = {
  'cortex-m0plus': true,
  'cortex-m3': true,
  'cortex-m4': true,
  'cortex-m7': true,
  'cortex-m33': true,
  'cortex-m55': true,
  'xtensa-lx7': true,
  riscv32: true,
};

/** Cores that a board of the user's own may have. */
export const CORES = Object.keys(known) as readonly Core[];

/** The core of this name, if it is one. */
export function coreOf(name: unknown): Core | undefined {
  return CORES.find((core) => core === name);
}
