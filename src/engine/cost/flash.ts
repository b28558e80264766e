import type { Core, Optimize } from '../targets/types';

/** Flash that a Program's sources take when they are linked, the C library aside. */
export interface Flash {
  readonly weights: number;
  /** Biases, multipliers and other tables of layers. */
  readonly tables: number;
  /** The runtime, kernels made for layers, and the steps with their parameters. */
  readonly code: number;
  /** The three together: what a firmware has to have room for. */
  readonly total: number;
  /** What the self-test adds in a firmware that calls it. */
  readonly selfTest: number;
  readonly core: Core;
  readonly optimize: Optimize;
  /** Level of GCC that code size is reported for. */
  readonly level: string;
}
