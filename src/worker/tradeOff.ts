import { scheduleInstructions } from '../engine/cost/scheduleInstructions';
import { isDeepStrictEqual } from 'node:util';
import type { Calibration } from '../engine/calibration/types';
import { patchSpans } from '../engine/schedule/branches';
import { instructionsMs } from '../engine/cost/latency';
import { memoryModel, type PatchChoice } from '../engine/patch/estimate';
import { coreOf } from '../engine/targets/targets';
import { planPatches } from '../engine/patch/planner';
import type { PatchCandidate } from '../engine/patch/types';
import { namedHalos, namedTailStage } from '../engine/planned/stage';
import { buildSchedule, type ScheduledTailStage } from '../engine/schedule/schedule';
import { decisionsOf } from '../engine/planned/decisions';
import type { OpenedPlan } from '../engine/planned/open';
import type { Plan, TailStage } from '../engine/plan/types';
import { outlierMarks, rankOutliers, topPositions } from '../engine/vdpc/classify';
import { zOfMass } from '../engine/vdpc/gaussian';
import { patchHistograms, patchOutliers } from '../engine/vdpc/outliers';
import { boundsOfSpans } from '../engine/vdpc/patchBounds';
import { SWEEP_PHIS } from '../engine/vdpc/sweep';
import type { NamedStage, NamedTailStage } from '../engine/run/whatIf/changes';
import type { MemoryPointView, PhiPointView } from '../protocol/tradeOff';
import { boardOf, targetOf } from '../engine/targets/targetFacts';

/** Points of the planner's set that are shown, evenly taken. */
const MEMORY_POINTS = 32;

/** The planner's Pareto set of SRAM against work at the plan's bits. It takes about a second on a large network. */
export function memoryPoints(opened: OpenedPlan): MemoryPointView[] {
  const { graph, plan, planPath } = opened;
  const decisions = decisionsOf(graph, plan, planPath);
  const { input } = plan.target;
  const core = coreOf(plan.target);
  const mixed = plan.patchStage?.classMode === 'runtime';
  const memory = memoryModel(graph, decisions, { input, core }, mixed);
  const { pareto } = planPatches(graph, {
    memory,
    sramBytes: plan.target.sramBytes,
    strategies: ['recompute', 'keep', 'hybrid'],
  });
  const board = boardOf(targetOf(plan.target));
  const own = stagesOf(plan);
  const { bits, schedule } = memory;
  const whole = scheduleInstructions(graph, buildSchedule(graph, null, bits, schedule), bits, 0, core);
  const choiceOf = (choice: PatchChoice): NamedStage => ({
    splitMap: graph.maps[choice.stage.splitMap].name,
    rows: choice.grid.rows,
    cols: choice.grid.cols,
    ...namedHalos(graph, choice),
  });
  const tailOf = (tail: ScheduledTailStage): NamedTailStage => namedTail(namedTailStage(graph, tail));
  const view = ({ choice, tailStages, arenaBytes, macs, extraInstructions }: PatchCandidate): MemoryPointView => {
    const stages = {
      stage: choice && choiceOf(choice),
      tailStages: tailStages.map(tailOf),
    };
    return {
      ...stages,
      layers: choice?.stage.layers.length ?? 0,
      strategy:
        !choice || choice.keep.size === 0
          ? 'recompute'
          : choice.keep.size === choice.stage.maps.length - 1
            ? 'keep'
            : 'hybrid',
      arenaBytes,
      macs,
      latencyMs: instructionsMs(whole + extraInstructions, board),
      isPlan: isDeepStrictEqual(stages, own),
    };
  };
  const count = Math.min(MEMORY_POINTS, pareto.length);
  const taken = new Set(
    Array.from({ length: count }, (_, i) => (count < 2 ? 0 : Math.round((i * (pareto.length - 1)) / (count - 1)))),
  );
  return pareto.map(view).filter((point, i) => taken.has(i) || point.isPlan);
}

/** The plan's own stages, in the words of the points. */
function stagesOf({ patchStage, tailStages = [] }: Plan): Pick<MemoryPointView, 'stage' | 'tailStages'> {
  if (!patchStage) return { stage: null, tailStages: tailStages.map(namedTail) };
  const { splitMap, grid, keep, keepColumns, streamed } = patchStage;
  return {
    stage: {
      splitMap,
      ...grid,
      keep,
      ...(keepColumns ? { keepColumns } : {}),
      ...(streamed ? { streamed } : {}),
    },
    tailStages: tailStages.map(namedTail),
  };
}

function namedTail({ grid, ...others }: TailStage): NamedTailStage {
  return { ...others, ...grid };
}

/** What φ does on the plan's grid; null without patches. */
export function phiPoints({ graph, plan, stage }: OpenedPlan, calibration: Calibration): PhiPointView[] | null {
  const statistics = calibration.patches;
  if (!stage || !statistics) return null;
  const { h, w } = graph.maps[stage.stage.splitMap].shape;
  const histograms = patchHistograms(
    statistics,
    boundsOfSpans(patchSpans(h, stage.grid.rows), patchSpans(w, stage.grid.cols)),
  );
  return SWEEP_PHIS.map((phi): PhiPointView => {
    const outliers = patchOutliers(histograms, zOfMass(phi));
    const marks = outlierMarks(outliers, plan.search.epsilon);
    const mean = (values: Uint8Array): number => values.reduce((a, b) => a + b, 0) / values.length;
    const ranking = rankOutliers(outliers, plan.search.epsilon);
    const count = Math.round(ranking.reduce((sum, { frequency }) => sum + frequency, 0));
    const classes = topPositions(ranking, count);
    const marked = marks.reduce((a, b) => a + b, 0);
    const held = marks.reduce((sum, mark, i) => sum + (classes[i % outliers.patches] === 'outlier' ? mark : 0), 0);
    return {
      phi,
      share: mean(marks),
      anyOutlier: mean(outlierMarks(outliers, 0)),
      positions: count / outliers.patches,
      covered: marked > 0 ? held / marked : null,
    };
  });
}
