import type { Calibration } from '../calibration/types';
import { checkCancelled, type Progress } from '../common/progress';
import type { Graph, LayerId } from '../graph/types';
import { paretoPoints } from '../patch/pareto';
import { planPatches } from '../patch/planner';
import { namedTailStage } from '../planned/stage';
import { scoreUnits } from '../vdqs/scoreUnits';
import { searchBits } from '../vdqs/search';
import { decisionUnits, type DecisionUnit } from '../vdqs/units';
import { BitState } from './bitState';
import { classifyPatches } from './classifyPatches';
import type { DecideOptions, Decision } from './decisionTypes';
import { neverSlower, type Candidate } from './neverSlower';
import { haloStrategies, memoryOf, planWithin } from './planWithin';

/** Points of the Pareto set that are shown. */
const PARETO_POINTS = 32;

/**
 * Chooses bits, patch stage and classes: VDQS picks bits by score; the planner picks the split point, grid and halos
 * with the fewest MACs whose arena fits at these bits; where nothing fits, the maps at the peak go to fewer bits and
 * the planner tries again; VDPC gives the patches their classes, as many of the outlier class as the SRAM allows. What
 * measured sensitivities decided is compared with the plan at 8 bits, see {@link neverSlower}.
 *
 * @throws UserError when nothing fits, saying by how much and what would help
 */
export function decide(graph: Graph, calibration: Calibration, options: DecideOptions, progress: Progress): Decision {
  const searched = decideOnce(graph, calibration, options, progress, new Set());
  const { decision, compare } = options.measured
    ? neverSlower(graph, options, searched, (restored) => decideOnce(graph, calibration, options, progress, restored))
    : searched;
  return { ...decision, pareto: () => paretoPoints(compare(), PARETO_POINTS) };
}

/** @param restored layers that keep 8 bits whatever the search finds */
function decideOnce(
  graph: Graph,
  calibration: Calibration,
  options: DecideOptions,
  progress: Progress,
  restored: ReadonlySet<LayerId>,
): Candidate {
  const notes: string[] = [];
  const units = decisionUnits(graph);
  const state = new BitState(graph, units, options, notes);
  progress.report('Searching bits', 0, 0);
  const reduction = options.measured ? state.takeTradeOff(options.measured, notes) : undefined;
  if (!options.measured) decideByScore(graph, calibration, units, state, options, progress);
  if (restored.size > 0) state.restore(units, restored);
  const planning = planWithin(graph, state, options, notes, progress);
  const choice = planning.best!.choice;
  return {
    decision: {
      patchStage: choice && classifyPatches(graph, calibration, choice, state, options, notes),
      tailStages: planning.best!.tailStages.map((t) => namedTailStage(graph, t)),
      ...state.named(),
      ...(reduction === undefined ? {} : { reduction: restored.size > 0 ? 1 : reduction }),
      notes,
    },
    compare: () =>
      options.grid === 'auto'
        ? planning.compare()
        : planPatches(graph, {
            memory: memoryOf(graph, state, options),
            sramBytes: options.target.sramBytes,
            strategies: haloStrategies(options),
            firstFit: true,
            checkCancelled: () => checkCancelled(progress),
          }).compare(),
  };
}

function decideByScore(
  graph: Graph,
  calibration: Calibration,
  units: readonly DecisionUnit[],
  state: BitState,
  options: DecideOptions,
  progress: Progress,
): void {
  if (options.bits.every((b) => b === 8)) {
    // Nothing to choose from, whatever the scores are.
    for (const unit of units) state.takeScored(unit, state.lockedBits(unit) ?? 8);
    return;
  }
  const scored = scoreUnits(
    graph,
    calibration,
    units,
    options.bits,
    options.lambda,
    (l) => state.weightBits(l),
    (u) => state.lockedBits(u),
  );
  searchBits(scored, { sramExcess: () => 0 }, progress).bits.forEach((b, i) => state.takeScored(units[i], b));
}
