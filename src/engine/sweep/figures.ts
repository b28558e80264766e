import { flashOptions } from '../targets/capacity';
import type { PatchStatistics } from '../calibration/types';
import { assembled } from '../codegen';
import type { Graph } from '../graph/types';
import { patchSpans } from '../schedule/branches';
import { outlierShare } from '../planned/stage';
import type { PatchStage } from '../plan/types';
import type { PlanTarget } from '../targets/types';
import { programCost } from '../cost/cost';
import { latencyMs } from '../cost/latency';
import type { Program } from '../program/types';
import { targets as boards } from '../targets/targets';
import { boundsOfSpans } from '../vdpc/patchBounds';
import { phiSweep } from '../vdpc/sweep';
import type { SweepFigures, SweepOutliers } from './types';

/** What a Program costs. */
export function figuresOf(graph: Graph, program: Program, stage: PatchStage | null, target: PlanTarget): SweepFigures {
  const share = stage ? outlierShare(stage) : 0;
  const { macs, bitOps, bitOpsInt8 } = programCost(graph, program, share);
  const board = boards.find((t) => t.id === target.id);
  const { flash, forms } = assembled(program, flashOptions(target));
  return {
    macs,
    bitOps,
    bitOpsInt8,
    reduction: bitOps > 0 ? bitOpsInt8 / bitOps : 1,
    arenaBytes: program.arenaBytes,
    weightBytes: flash.weights + flash.tables,
    flashBytes: flash.total,
    latencyMs: board ? latencyMs(program, board, share, forms) : null,
  };
}

/**
 * Patches of outlier class: in the plan, and by both rules on the calibration images. Null without patches or spatial
 * statistics.
 */
export function outliersOf(
  graph: Graph,
  statistics: PatchStatistics | null,
  stage: PatchStage | null,
  phi: number,
  epsilon: number,
): SweepOutliers | null {
  if (!stage || !statistics) return null;
  const { h, w } = graph.maps.find((m) => m.name === stage.splitMap)!.shape;
  const bounds = boundsOfSpans(patchSpans(h, stage.grid.rows), patchSpans(w, stage.grid.cols));
  const [{ share, anyOutlier }] = phiSweep(statistics, bounds, epsilon, [phi]);
  return { share: outlierShare(stage), marked: share, markedByAny: anyOutlier };
}
