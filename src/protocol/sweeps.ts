import type { Sweep, SweepParameter, SweepPoint } from '../engine/sweep/types';

/** Sweeps of one parameter of a plan: the part of the engine's service that makes, reads and uses them. */
export interface SweepService {
  /**
   * Makes a plan for each value without writing any, and stores the table next to the plan, replacing an earlier one
   * of the same parameter. Cancellable.
   */
  sweep(request: SweepRequest): Promise<SweepView>;
  /** The sweeps stored next to a plan; none where there is no table or it cannot be read. */
  sweeps(planPath: string): Promise<readonly SweepView[]>;
  /**
   * Makes a point's decisions the plan's and writes it with its parameters: the very plan that the point was measured
   * with. Cancellable.
   */
  pickSweepPoint(request: PickSweepPointRequest): Promise<void>;
  /**
   * Fits the weights of a plan, as its file is, to what the integer layers before them compute, and writes it with its
   * parameters. Cancellable.
   */
  fitWeights(planPath: string): Promise<void>;
}

/** A sweep as a page plots it: one per parameter that was swept for a plan. */
export interface SweepView extends Pick<Sweep, 'parameter' | 'finished'> {
  /** In the order of rising values. */
  readonly points: readonly SweepPointView[];
  /**
   * Whether it belongs to the model as it is and to the plan's calibration; a stale one can be looked at, but its
   * points cannot be picked.
   */
  readonly current: boolean;
}

/** A point without its decisions, which stay with the engine: it is picked by its value. */
export interface SweepPointView extends Omit<SweepPoint, 'decisions'> {
  /** Whether the plan has exactly this point's decisions. */
  readonly isPlan: boolean;
}

export interface SweepRequest {
  /**
   * The plan that the sweep starts from: its model, board, preprocessing, samples and settings hold but for the
   * parameter.
   */
  readonly planPath: string;
  readonly parameter: SweepParameter;
  readonly values: readonly number[];
  /**
   * Grid of patches for values that make plans of their own (λ, BitOPs target); missing: chosen again if the plan has
   * patches, otherwise none.
   */
  readonly grid?: 'auto' | 'none' | { readonly rows: number; readonly cols: number };
  /** Measure accuracy on these images; without, figures only. */
  readonly evaluate?: { readonly imagesPath: string; readonly limit: number };
}

export interface PickSweepPointRequest {
  readonly planPath: string;
  readonly parameter: SweepParameter;
  /** Of a point of the stored sweep. */
  readonly value: number;
}
