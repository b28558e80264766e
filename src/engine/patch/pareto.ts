import type { PatchCandidate } from './types';

/** One point of SRAM against work, for charts. */
export interface ParetoPoint {
  /** rows×columns, e.g. `2x3`; null: layer by layer. */
  readonly grid: string | null;
  /** Layers of the patch stage. */
  readonly layers: number;
  /** `keep`: halos of all maps of the stage but its last are kept; `hybrid`: of some. */
  readonly strategy: 'recompute' | 'keep' | 'hybrid';
  readonly arenaBytes: number;
  /** Of one inference, recomputed halos included. */
  readonly macs: number;
}

/** At most `most` (≥ 2) points, evenly taken, both ends among them. */
export function paretoPoints(candidates: readonly PatchCandidate[], most: number): ParetoPoint[] {
  const count = Math.min(most, candidates.length);
  return Array.from({ length: count }, (_, i) =>
    pointOf(candidates[count < 2 ? 0 : Math.round((i * (candidates.length - 1)) / (count - 1))]),
  );
}

function pointOf({ choice, arenaBytes, macs }: PatchCandidate): ParetoPoint {
  if (!choice) return { grid: null, layers: 0, strategy: 'recompute', arenaBytes, macs };
  const { grid, keep, stage } = choice;
  const strategy = keep.size === 0 ? 'recompute' : keep.size === stage.maps.length - 1 ? 'keep' : 'hybrid';
  return { grid: `${grid.rows}x${grid.cols}`, layers: stage.layers.length, strategy, arenaBytes, macs };
}
