import { assembled } from '../codegen';
import { programCost, redundantMacsPercent } from '../cost/cost';
import { latencyError } from '../cost/latency';
import type { Graph } from '../graph/types';
import { int8LayerwiseArenaBytes } from '../patch/int8Layerwise';
import type { Plan } from '../plan/types';
import { outlierShare } from '../planned/stage';
import type { Program } from '../program/types';
import { flashOptions, reserveBytes } from '../targets/capacity';
import { OPTIMIZE_LEVELS } from '../targets/types';
import { targets as boards } from '../targets/targets';
import { expectedMs } from './expectedMs';
import type { QuantizeSummary } from './quantizeSummary';

/** Figures of a plan that was just made. */
export function summarize({
  graph,
  program,
  plan,
  planPath,
  ...about
}: {
  readonly graph: Graph;
  readonly program: Program;
  readonly plan: Plan;
  readonly planPath: string;
} & Pick<QuantizeSummary, 'pareto' | 'loss' | 'limitedBy' | 'notes' | 'seconds'>): QuantizeSummary {
  const stage = plan.patchStage;
  const cost = programCost(graph, program, stage ? outlierShare(stage) : 0);
  const board = boards.find((t) => t.id === plan.target.id) ?? null;
  const { flash } = assembled(program, flashOptions(plan.target));
  const levels = Object.fromEntries(
    OPTIMIZE_LEVELS.map((optimize) => {
      const { flash: at } = assembled(program, flashOptions(plan.target, optimize));
      return [optimize, { flashBytes: at.total, latencyMs: expectedMs(program, plan.target, stage, optimize) }];
    }),
  ) as QuantizeSummary['levels'];
  const stageLayers = new Set(program.steps.filter((s) => s.branch !== null).map((s) => s.layer));
  const { seconds } = about;
  const round = (s: number): number => Math.round(s * 1000) / 1000;
  return {
    plan: planPath,
    target: plan.target.id,
    patch: stage && {
      grid: `${stage.grid.rows}x${stage.grid.cols}`,
      layers: stageLayers.size,
      branches: program.branches.map(({ row, col }) => ({
        row,
        col,
        class: stage.classes[row][col] === 'O' ? 'outlier' : 'regular',
      })),
      redundantMacsPercent: redundantMacsPercent(graph, cost),
    },
    macs: cost.macs,
    bitOps: {
      int8Patch: cost.bitOpsInt8,
      plan: cost.bitOps,
      reduction: cost.bitOps > 0 ? cost.bitOpsInt8 / cost.bitOps : 1,
    },
    memory: {
      arenaBytes: program.arenaBytes,
      sramBytes: plan.target.sramBytes,
      int8LayerwiseArenaBytes: int8LayerwiseArenaBytes(graph, plan.target.input === 'external'),
      weightBytes: flash.weights + flash.tables,
    },
    flash: { ...flash, reserveBytes: reserveBytes(plan.target), flashBytes: plan.target.flashBytes },
    latencyMs: levels[flash.optimize].latencyMs,
    latencyError: board && latencyError(board),
    levels,
    ...about,
    seconds: { calibrate: round(seconds.calibrate), search: round(seconds.search), total: round(seconds.total) },
  };
}
