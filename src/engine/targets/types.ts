import type { InputPlace } from '../graph/bits';

/** A memory region that the arena or the weights can be placed in. */
export interface MemoryRegion {
  /** As the vendor's linker scripts call it, e.g. `DTCM`. */
  readonly name: string;
  readonly kind: 'sram' | 'flash';
  readonly bytes: number;
}

/** What a 32-bit core can address: no memory is larger. */
export const MOST_BYTES = 2 ** 32;

export const CORES = [
  'cortex-m0plus',
  'cortex-m3',
  'cortex-m4',
  'cortex-m7',
  'cortex-m33',
  'cortex-m55',
  'xtensa-lx7',
  'riscv32',
] as const;

export type Core = (typeof CORES)[number];

/** A board or part that a plan can be made for. */
export interface Target {
  /** Stable id, e.g. `nano33ble`. */
  readonly id: string;
  readonly name: string;
  readonly core: Core;
  readonly clockMHz: number;
  readonly regions: readonly MemoryRegion[];
  /** The SRAM region that holds the arena; regions are never added up. */
  readonly arenaRegion: string;
  readonly flashRegion: string;
  /**
   * What code and constants in this board's flash, behind its caches, add to the cycles of memory without wait states:
   * an estimated factor, its relative uncertainty, and where wait states and caches are documented. Missing: unknown.
   */
  readonly memory?: { readonly factor: number; readonly error: number; readonly source: string };
  /** Where the figures come from: document and section. */
  readonly source: string;
}

/** What matters most: flash, instructions, or the instructions that a byte of flash saves. */
export type Optimize = 'size' | 'balanced' | 'speed';

export const OPTIMIZE_LEVELS: readonly Optimize[] = ['size', 'balanced', 'speed'];

/** The board a plan is made for. */
export interface PlanTarget {
  /** Id in the table of targets, or 'custom'. */
  readonly id: string;
  /** SRAM that the arena may use, bytes. */
  readonly sramBytes: number;
  /** Flash that weights, tables and code may use, bytes. */
  readonly flashBytes: number;
  /**
   * Flash that the application keeps for itself. Missing: a quarter of the board's, of which only what does not fit
   * otherwise is taken, or none where the user gave the flash that there is for the network.
   */
  readonly flashReserveBytes?: number;
  /** What storage forms and kernels are chosen for. Missing: `balanced`. */
  readonly optimize?: Optimize;
  /** Of a custom board; missing: cortex-m4. Kernels are made for it. */
  readonly core?: Core;
  /** Where the application has the network's input. Missing: counted. */
  readonly input?: InputPlace;
}
