import { assembled } from '../codegen';
import { latencyMs } from '../cost/latency';
import type { PatchStage } from '../plan/types';
import { outlierShare } from '../planned/stage';
import type { Program } from '../program/types';
import { flashOptions } from '../targets/capacity';
import { targets } from '../targets/targets';
import type { Optimize, PlanTarget } from '../targets/types';

/**
 * Estimated milliseconds of an inference in the storage forms that are generated; null for boards without a clock rate.
 *
 * @param optimize in place of what the target says
 */
export function expectedMs(
  program: Program,
  target: PlanTarget,
  stage: PatchStage | null,
  optimize?: Optimize,
): number | null {
  const board = targets.find(({ id }) => id === target.id);
  if (!board) return null;
  const { forms } = assembled(program, flashOptions(target, optimize));
  return latencyMs(program, board, stage ? outlierShare(stage) : 0, forms);
}
