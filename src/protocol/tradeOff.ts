import type { NamedStage, NamedTailStage } from '../engine/run/whatIf/changes';

/**
 * What the page plots of a plan against others, beside its sweeps: what the planner finds at the plan's bits, and what
 * φ does.
 */
export interface TradeOffView {
  /** From the most SRAM to the least. Empty without the calibration. */
  readonly memory: readonly MemoryPointView[];
  /** Rising φ; null without patches or without the calibration. */
  readonly phi: readonly PhiPointView[] | null;
}

/**
 * A way to run the network at the plan's bits. The arena is a bound that the layout nearly always reaches, with every
 * branch at mixed precision.
 */
export interface MemoryPointView {
  /** Null: layer by layer. */
  readonly stage: NamedStage | null;
  /** Stages of the tail that run patch by patch as well. */
  readonly tailStages: readonly NamedTailStage[];
  readonly layers: number;
  readonly strategy: 'recompute' | 'keep' | 'hybrid';
  readonly arenaBytes: number;
  readonly macs: number;
  /** Null for cores without a model of the kernels. */
  readonly latencyMs: number | null;
  readonly isPlan: boolean;
}

/** What one φ does to the plan's grid, on the calibration images. Shares are 0…1. */
export interface PhiPointView {
  readonly phi: number;
  /** Of images × patches, those that the ε rule marks. */
  readonly share: number;
  /** The same by the literal rule: any outlier. */
  readonly anyOutlier: number;
  /** Positions that static classes then give to the outlier class. */
  readonly positions: number;
  /**
   * Of the marked patches of all images, those at such a position; null where none is marked. As many positions drawn
   * at random hold `positions` of them on average.
   */
  readonly covered: number | null;
}
