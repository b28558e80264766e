/** What the memory chart shows, computed once per plan. */
import type { BufferView, PlanView, StepView } from '../../src/protocol/views';

export interface Segment {
  readonly first: number;
  readonly last: number;
  /** Index of the branch, −1 for the tail. */
  readonly branch: number;
  readonly outlier: boolean;
}

export interface Timeline {
  readonly steps: readonly StepView[];
  readonly buffers: readonly BufferView[];
  readonly segments: readonly Segment[];
  /**
   * Bytes that hold something in each step. Buffers may lie anywhere in the arena, so this is not the highest byte;
   * what overlaps counts once.
   */
  readonly used: Float64Array;
  /** The step with the most bytes in use. */
  readonly peakStep: number;
  readonly peakBytes: number;
  readonly limitBytes: number;
  readonly int8Bytes: number;
  /** Last step of the patch stage, −1 without one. */
  readonly stageEnd: number;
}

export function timelineOf(plan: PlanView): Timeline {
  const { steps } = plan;
  const segments: Segment[] = [];
  let stageEnd = -1;
  for (let i = 0; i < steps.length; i++) {
    const { branch } = steps[i];
    if (branch >= 0) stageEnd = i;
    const open = segments[segments.length - 1];
    if (open !== undefined && open.branch === branch) segments[segments.length - 1] = { ...open, last: i };
    else
      segments.push({ first: i, last: i, branch, outlier: branch >= 0 && plan.branches[branch]?.class === 'outlier' });
  }
  const used = bytesInUse(plan);
  const peakStep = used.reduce((best, bytes, step) => (bytes > used[best] ? step : best), 0);
  return {
    used,
    steps,
    buffers: plan.buffers,
    segments,
    peakStep,
    stageEnd,
    peakBytes: plan.figures.arenaBytes,
    limitBytes: plan.target.sramBytes,
    int8Bytes: plan.figures.int8Layerwise.arenaBytes,
  };
}

function bytesInUse({ steps, buffers }: PlanView): Float64Array {
  const used = new Float64Array(steps.length);
  const end = new Float64Array(steps.length);
  // Upwards through the arena: each buffer adds what lies above the ones below it.
  for (const { offset, bytes, firstStep, lastStep } of [...buffers].sort((a, b) => a.offset - b.offset)) {
    for (let step = Math.max(0, firstStep); step <= Math.min(lastStep, steps.length - 1); step++) {
      used[step] += Math.max(0, offset + bytes - Math.max(offset, end[step]));
      end[step] = Math.max(end[step], offset + bytes);
    }
  }
  return used;
}

/** Buffers alive in a step, lowest offset first. */
export function aliveAt(timeline: Timeline, step: number): BufferView[] {
  return timeline.buffers
    .filter((buffer) => buffer.firstStep <= step && buffer.lastStep >= step)
    .sort((a, b) => a.offset - b.offset);
}

/**
 * Highest byte that the chart's axis shows. The plan and the limit always fit; the 8-bit layer-by-layer figure only
 * when it does not flatten them, otherwise the chart says that it lies above.
 */
export function axisTop(timeline: Timeline, fullScale: boolean): number {
  const own = Math.max(timeline.peakBytes, timeline.limitBytes <= 3 * timeline.peakBytes ? timeline.limitBytes : 0, 1);
  const ghost = timeline.int8Bytes;
  return (fullScale || ghost <= 1.6 * own ? Math.max(own, ghost, fullScale ? timeline.limitBytes : 0) : own) * 1.08;
}

/** Four to eight ticks at round binary sizes. */
export function axisTicks(top: number): number[] {
  let step = 2 ** Math.max(0, Math.floor(Math.log2(top / 4)));
  if (top / step > 7) step *= 2;
  const ticks: number[] = [];
  for (let value = 0; value <= top; value += step) ticks.push(value);
  return ticks;
}
