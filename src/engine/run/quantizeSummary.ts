import type { Flash } from '../cost/flash';
import type { Optimize } from '../targets/types';
import type { ParetoPoint } from '../patch/pareto';
import type { ExpectedLoss, SearchLimit } from '../plan/types';

/** What a quantization gave, in figures: for the command line, the editor and tools. */
export interface QuantizeSummary {
  /** Path of the sidecar. */
  readonly plan: string;
  /** Id of the board. */
  readonly target: string;
  /** Null: layer by layer. */
  readonly patch: {
    /** rows×columns, e.g. `3x3`. */
    readonly grid: string;
    /** Layers of the patch stage. */
    readonly layers: number;
    readonly branches: readonly { readonly row: number; readonly col: number; readonly class: 'outlier' | 'regular' }[];
    /** MACs that are computed more than once, relative to the network's. */
    readonly redundantMacsPercent: number;
  } | null;
  /** MACs of one inference, recomputed halos included. */
  readonly macs: number;
  readonly bitOps: { readonly int8Patch: number; readonly plan: number; readonly reduction: number };
  readonly memory: {
    readonly arenaBytes: number;
    /** What the board, or the user, provides for the arena. */
    readonly sramBytes: number;
    readonly int8LayerwiseArenaBytes: number;
    /** Weights and tables. */
    readonly weightBytes: number;
  };
  /** Flash in the plan's storage forms; what is reserved for the application; and the total. */
  readonly flash: Flash & { readonly reserveBytes: number; readonly flashBytes: number };
  /**
   * Estimate for one inference, from a model of the kernels (cost/latency.ts); null for boards without a clock rate.
   */
  readonly latencyMs: number | null;
  /** Its relative uncertainty. */
  readonly latencyError: number | null;
  /** Flash and time by what storage forms are chosen for. */
  readonly levels: Readonly<Record<Optimize, { readonly flashBytes: number; readonly latencyMs: number | null }>>;
  /** Ways to run the network at the plan's bits, from the least work to the least SRAM; none of a run ended early. */
  readonly pareto: readonly ParetoPoint[];
  /** What is expected to be lost; null for a network without weights. */
  readonly loss: ExpectedLoss | null;
  /** What ended the search. */
  readonly limitedBy: SearchLimit;
  /** Things the user should know, one line each. */
  readonly notes: readonly string[];
  readonly seconds: { readonly calibrate: number; readonly search: number; readonly total: number };
}
