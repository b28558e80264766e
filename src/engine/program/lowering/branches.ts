import { fullRegion } from '../../graph/region';
import type { Schedule } from '../../schedule/schedule';
import type { Branch, BufferId, ProgramBuffer, Step } from '../types';
import type { LoweringStage } from './options';

/** Branches of the patch stage; none without one. */
export function branchCount(stage: LoweringStage | null): number {
  return stage ? stage.grid.rows * stage.grid.cols : 0;
}

/** The buffer with one class flag for each branch, for classes that are decided at run time. */
export function flagsBuffer(id: BufferId, n: number, steps: readonly Step[]): ProgramBuffer {
  const used = steps.filter((s) => s.guard !== null || s.kernel.op === 'classify').map((s) => s.id);
  return {
    id,
    name: 'classes',
    role: 'flags',
    map: null,
    window: { y0: 0, x0: 0, y1: 1, x1: 1 },
    channels: n,
    bits: 8,
    signed: false,
    pixelBytes: n,
    rowBytes: n,
    bytes: n,
    firstStep: used[0] ?? 0,
    lastStep: used[used.length - 1] ?? 0,
    aliasOf: null,
    offset: 0,
    align: 4,
  };
}

/** The branches of the patch stage with the patch that each writes, which its steps tell. */
export function branchesOf(lowered: LoweringStage | null, schedule: Schedule): Branch[] {
  if (!lowered) return [];
  const { grid, classes, stage } = lowered;
  const patches = new Map<number, Branch['patch']>();
  for (const step of schedule.steps) {
    if (step.kind === 'layer' && step.branch !== null && step.output?.map === stage.splitMap) {
      const old = patches.get(step.branch);
      const r = step.output.region;
      patches.set(
        step.branch,
        old
          ? {
              y0: Math.min(old.y0, r.y0),
              x0: Math.min(old.x0, r.x0),
              y1: Math.max(old.y1, r.y1),
              x1: Math.max(old.x1, r.x1),
            }
          : r,
      );
    }
  }
  return Array.from({ length: grid.rows * grid.cols }, (_, id) => ({
    id,
    row: Math.floor(id / grid.cols),
    col: id % grid.cols,
    patch: patches.get(id) ?? fullRegion({ h: 0, w: 0 }),
    class: 'decidedBy' in classes ? 'regular' : classes[id],
  }));
}
