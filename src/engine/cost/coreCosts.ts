import type { Core } from '../targets/types';
import { M4_COEFFICIENTS, M55_COEFFICIENTS, type Coefficients, type VectorCoefficients } from './coefficients';
import { M0PLUS_WIDE, M3_WIDE, M4_WIDE, M55_WIDE, RV32_WIDE, type WideCosts } from './wideCosts';
import { M0PLUS_COEFFICIENTS, M3_COEFFICIENTS, RV32_COEFFICIENTS } from './plainCoefficients';

export type { Coefficients };

/** How convolutions of few bits are computed, where they have their own kernels. */
export type FewBits = 'packed' | 'eights' | 'none';

/** What a core's instructions and cycles are estimated with. */
export interface CoreCosts {
  /** Instructions, see kernelCost.ts. */
  readonly coefficients: Coefficients | VectorCoefficients;
  /** Of calls of which some map has 16 bits. */
  readonly wide: WideCosts;
  /**
   * `packed`: 4-bit weights in words of two channels (DSP). `eights`: eight pixels in four words wherever codes or
   * weights have 4 bits (cores without DSP and vectors).
   */
  readonly fewBits: FewBits;
  /**
   * Output channels of those convolutions that share unpacked codes where columns come in parts; the longest column
   * that does not.
   */
  readonly part: { readonly channels: number; readonly taps: number };
  /** Cycles per instruction of whole networks, from memory without wait states. */
  readonly cyclesPerInstruction: number;
  /** Relative uncertainty of the instructions of whole networks, and of the cycles of an instruction. */
  readonly instructionError: number;
  readonly cycleError: number;
  /** Where the cycles come from. */
  readonly source: string;
}

const DSP = {
  coefficients: M4_COEFFICIENTS,
  wide: M4_WIDE,
  fewBits: 'packed',
  part: { channels: 64, taps: 256 },
  // Of plans that nothing was fitted to, see test/bench/latency.md.
  instructionError: 0.04,
} as const;

const PLAIN = { fewBits: 'eights', part: { channels: 48, taps: 128 }, instructionError: 0.05 } as const;

/**
 * Instructions by coefficients that `node test/bench/latency.mjs --core CORE` fits by least squares of the relative
 * error to exact counts on the emulated core at -O3; test/bench/latency.md has the errors. Cycles from the tables of
 * the cores' manuals (test/firmware/counting/timing.h) where Arm publishes one.
 */
export const CORE_COSTS: Readonly<Record<Core, CoreCosts>> = {
  'cortex-m0plus': {
    ...PLAIN,
    coefficients: M0PLUS_COEFFICIENTS,
    wide: M0PLUS_WIDE,
    cyclesPerInstruction: 1.34,
    cycleError: 0.03,
    source: 'DDI 0484, instruction set summary; single-cycle multiplier',
  },
  'cortex-m3': {
    ...PLAIN,
    coefficients: M3_COEFFICIENTS,
    wide: M3_WIDE,
    cyclesPerInstruction: 1.85,
    cycleError: 0.05,
    source: 'DDI 0337, instruction set summary',
  },
  'cortex-m4': {
    ...DSP,
    cyclesPerInstruction: 1.42,
    cycleError: 0.04,
    source: 'DDI 0439, instruction set summary',
  },
  'cortex-m33': {
    ...DSP,
    cyclesPerInstruction: 1.42,
    cycleError: 0.1,
    source: 'as the Cortex-M4: Arm publishes no table',
  },
  'cortex-m7': {
    ...DSP,
    cyclesPerInstruction: 0.9,
    cycleError: 0.25,
    source:
      'dual issue as a factor: MCUNet by TinyEngine takes 280 ms on an STM32H743 (its README), about 2.0 cycles ' +
      'per MAC ' +
      'of 2.2 instructions',
  },
  'cortex-m55': {
    coefficients: M55_COEFFICIENTS,
    wide: M55_WIDE,
    fewBits: 'none',
    part: { channels: 64, taps: 256 },
    instructionError: 0.05,
    cyclesPerInstruction: 1.4,
    cycleError: 0.3,
    source: 'two cycles for a vector instruction (two beats at a time) that overlap with the next one as a factor',
  },
  riscv32: {
    ...PLAIN,
    coefficients: RV32_COEFFICIENTS,
    wide: RV32_WIDE,
    cyclesPerInstruction: 1.3,
    cycleError: 0.2,
    source:
      'four stages in order, one cycle for a multiplication, two for loads that are used at once and taken branches',
  },
  'xtensa-lx7': {
    ...PLAIN,
    coefficients: RV32_COEFFICIENTS,
    wide: RV32_WIDE,
    cyclesPerInstruction: 1.3,
    cycleError: 0.5,
    source: 'rough: the plain C of the runtime as on RISC-V, without vector instructions',
  },
};
