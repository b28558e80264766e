import type { Calibration } from '../calibration/types';
import { UserError } from '../common/errors';
import { isOutside, type PatchClass } from '../graph/bits';
import type { Graph } from '../graph/types';
import type { PatchChoice } from '../patch/estimate';
import type { PatchStage } from '../plan/types';
import { classRows, namedHalos } from '../planned/stage';
import type { BitDecisions } from '../quantize/quantizeGraph';
import { keepNothing, patchSpans } from '../schedule/branches';
import { buildSchedule } from '../schedule/schedule';
import { layoutSchedule } from '../schedule/scheduleArena';
import { scheduleRules } from '../schedule/scheduleRules';
import type { PlanTarget } from '../targets/types';
import { rankPositions, topPositions } from '../vdpc/classify';
import { boundsOfSpans } from '../vdpc/patchBounds';
import { runtimeTest } from '../vdpc/runtime';
import type { DecideOptions } from './decisionTypes';

/**
 * VDPC on a chosen grid: the stage with its classes, as many patches of outlier class as the SRAM allows.
 *
 * @param notes gets how many it does not
 */
export function classifyPatches(
  graph: Graph,
  calibration: Calibration,
  choice: PatchChoice,
  state: BitDecisions,
  options: Pick<DecideOptions, 'phi' | 'epsilon' | 'classes' | 'target'>,
  notes: string[],
): PatchStage {
  const { stage, grid, keep, keepColumns = keepNothing } = choice;
  const base = {
    splitMap: graph.maps[stage.splitMap].name,
    grid,
    ...namedHalos(graph, choice),
  };
  const regular = new Array<PatchClass>(grid.rows * grid.cols).fill('regular');
  const statistics = calibration.patches;
  const lowBits =
    stage.maps.some((m) => m !== stage.splitMap && state.mapBits(m) < 8) ||
    stage.layers.some((l) => state.inputBits(l) < 8);
  if (!statistics || !lowBits)
    return { ...base, classMode: 'static', classes: classRows(regular, grid.cols), runtime: null };
  const { h, w } = graph.maps[stage.splitMap].shape;
  const ranking = rankPositions(
    statistics,
    boundsOfSpans(patchSpans(h, grid.rows), patchSpans(w, grid.cols)),
    options.phi,
    options.epsilon,
  );
  // As many positions as patches of an average image are outlier class.
  const frequent = Math.round(ranking.reduce((sum, r) => sum + r.frequency, 0));
  if (options.classes === 'runtime') {
    const { low, high } = runtimeTest(statistics, options.phi, options.epsilon);
    const map = graph.maps[statistics.map];
    if (!stage.maps.includes(map.id) || map.id === stage.splitMap || keep.size + keepColumns.size > 0) {
      throw new UserError(
        'Patch classes cannot be decided at run time here: the patch stage is too short, or halos are kept between ' +
          'patches. Use static classes or another grid.',
      );
    }
    const finite = (v: number): number => Math.max(-1e30, Math.min(1e30, v));
    const shown = classRows(topPositions(ranking, frequent), grid.cols);
    return {
      ...base,
      classMode: 'runtime',
      classes: shown,
      runtime: { map: map.name, low: finite(low), high: finite(high), epsilon: options.epsilon },
    };
  }
  // Best-ranked positions first; those whose 8-bit branch would not fit stay regular.
  const classes = [...regular];
  let refused = 0;
  for (const { patch } of ranking.slice(0, frequent)) {
    classes[patch] = 'outlier';
    if (arenaBytes(graph, choice, classes, state, options.target) > options.target.sramBytes) {
      classes[patch] = 'regular';
      refused++;
    }
  }
  if (refused > 0)
    notes.push(
      `${refused} of ${frequent} outlier patches stay at mixed precision: at 8 bits their branches would not fit ` +
        'in the SRAM.',
    );
  return { ...base, classMode: 'static', classes: classRows(classes, grid.cols), runtime: null };
}

function arenaBytes(
  graph: Graph,
  choice: PatchChoice,
  classes: readonly PatchClass[],
  state: BitDecisions,
  { input, sramBytes }: PlanTarget,
): number {
  const { bits, options } = scheduleRules(graph, choice.stage.splitMap, state, input);
  const schedule = buildSchedule(graph, { ...choice, classes }, bits, { ...options, tailStages: choice.tailStages });
  return layoutSchedule(graph, schedule, isOutside(input), { effort: 'quick', enough: sramBytes }).bytes;
}
