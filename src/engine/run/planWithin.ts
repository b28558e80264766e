import { UserError } from '../common/errors';
import { counted } from '../common/wording';
import { checkCancelled, type Progress } from '../common/progress';
import type { Graph } from '../graph/types';
import { MemoryEstimator, memoryModel, type MemoryModel } from '../patch/estimate';
import { noFitText } from '../patch/noFit';
import { planPatches } from '../patch/planner';
import type { HaloStrategy, NoFit, PatchCandidate, PatchPlanning } from '../patch/types';
import { coreOf } from '../targets/targets';
import type { BitState } from './bitState';
import type { DecideOptions } from './decisionTypes';

/** How halos may be treated. Patches whose class is decided at run time keep none. */
export function haloStrategies({ halos, classes }: DecideOptions): readonly HaloStrategy[] {
  return halos === 'recompute' || classes === 'runtime' ? ['recompute'] : ['recompute', 'keep', 'hybrid'];
}

/** Share of MACs that may be recomputed for a smaller arena when a grid was asked for. */
const MOST_REDUNDANT = 0.1;

/**
 * Runs the planner; as long as nothing fits, lowers the bits of the largest maps alive at the peak that may still be
 * lowered, as many as may be enough.
 */
export function planWithin(
  graph: Graph,
  state: BitState,
  options: DecideOptions,
  notes: string[],
  progress: Progress,
): PatchPlanning {
  let lowered = 0;
  for (;;) {
    checkCancelled(progress);
    progress.report('Planning patches', lowered, 0);
    const planning = plan(graph, memoryOf(graph, state, options), options, () => checkCancelled(progress));
    if (planning.best) {
      if (lowered > 0)
        notes.push(
          `${counted(lowered, 'feature map')} ${lowered === 1 ? 'has' : 'have'} fewer bits than the search ` +
            'chose, so the arena fits.',
        );
      return planning;
    }
    const noFit = planning.noFit;
    if (!noFit)
      throw new UserError(
        `No patch grid of the kind requested suits this network (${gridText(options.grid)}). Use another grid, ` +
          'or auto.',
      );
    const before = lowered;
    let missing = noFit.missingBytes;
    for (const { map, bits, bytes } of noFit.peak.buffers) {
      if (missing <= 0) break;
      const next = state.lowerMap(map, options.bits);
      if (next === null) continue;
      missing -= bytes * (1 - next / bits);
      lowered++;
    }
    if (lowered === before)
      throw new UserError(noFitText(explained(graph, state, options) ?? noFit, options.target.sramBytes));
  }
}

/** The closest plan exactly, and what would help. */
function explained(graph: Graph, state: BitState, options: DecideOptions): NoFit | null {
  if (options.grid === 'none') return null;
  const grid = options.grid === 'auto' ? undefined : options.grid;
  return planPatches(graph, {
    memory: memoryOf(graph, state, options),
    sramBytes: options.target.sramBytes,
    strategies: haloStrategies(options),
    grid,
  }).noFit;
}

function plan(graph: Graph, memory: MemoryModel, options: DecideOptions, checkCancelled: () => void): PatchPlanning {
  const { sramBytes } = options.target;
  if (options.grid === 'none') {
    const bytes = new MemoryEstimator(graph, memory).layout(null).layout.bytes;
    const candidate = {
      choice: null,
      tailStages: [],
      arenaBytes: bytes,
      stageBytes: 0,
      tailBytes: bytes,
      macs: 0,
      redundantMacs: 0,
      extraInstructions: 0,
    };
    if (bytes <= sramBytes) return { best: candidate, pareto: [candidate], compare: () => [candidate], noFit: null };
    // The planner knows how to explain a peak: with room for a 1×1 grid only, its closest plan is the whole network at
    // once.
    const account = planPatches(graph, {
      memory,
      sramBytes,
      largestGrid: { rows: 1, cols: 1 },
      firstFit: true,
      checkCancelled,
    });
    return { ...account, best: null };
  }
  const strategies = haloStrategies(options);
  if (options.grid === 'auto')
    return planPatches(graph, { memory, sramBytes, strategies, firstFit: true, checkCancelled });
  // A given grid means that patches are wanted for their memory: the split point with the smallest arena, as long as
  // little is computed twice.
  const planning = planPatches(graph, {
    memory,
    sramBytes,
    strategies,
    grid: options.grid,
    stages: 'one',
    checkCancelled,
  });
  if (!planning.best)
    return planPatches(graph, { memory, sramBytes, strategies, grid: options.grid, firstFit: true, checkCancelled });
  const cheap = planning.pareto.filter(
    (c) => c.choice && c.arenaBytes <= sramBytes && c.redundantMacs <= MOST_REDUNDANT * c.macs,
  );
  const smallest = cheap.reduce<PatchCandidate | null>(
    (a, b) => (a === null || b.arenaBytes < a.arenaBytes ? b : a),
    null,
  );
  return planning.best && smallest ? { ...planning, best: smallest } : planning;
}

function gridText(grid: DecideOptions['grid']): string {
  return typeof grid === 'string' ? grid : `${grid.rows}×${grid.cols}`;
}

/** The memory of a network at the bits decided so far. */
export function memoryOf(graph: Graph, state: BitState, options: DecideOptions): MemoryModel {
  const { input } = options.target;
  // Classes are given once the grid is known, as many of the outlier class as fit; at run time any patch may be of
  // either class.
  const mixedAtRuntime = options.classes === 'runtime' && state.mixed;
  return memoryModel(graph, state, { input, core: coreOf(options.target) }, mixedAtRuntime);
}
