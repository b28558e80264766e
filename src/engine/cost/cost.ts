import { graphMacs } from '../graph/macs';
import type { Graph } from '../graph/types';
import type { Constant, Program, Step } from '../program/types';

/** Work of one inference or a part of it. */
export interface Cost {
  /** Multiply-accumulates of layers with weights, those on padding and those computed again in halos included. */
  readonly macs: number;
  /** Σ MACs · weight bits · bits of the input as the step reads it. */
  readonly bitOps: number;
}

/** What a Program takes, counted from its steps, buffers and constants. */
export interface ProgramCost extends Cost {
  /** The same steps with weights and maps at 8 bits. */
  readonly bitOpsInt8: number;
  /** Steps in branches, and those after them. */
  readonly stage: Cost;
  readonly tail: Cost;
  /** Index = layer. */
  readonly layers: readonly Cost[];
  readonly flash: {
    /** Weight codes as they are stored. */
    readonly weightBytes: number;
    /** Biases, multipliers and other tables. */
    readonly tableBytes: number;
  };
  /** By step, the highest byte of the arena in use, plus one. */
  readonly peaks: readonly number[];
  /** The first of the steps with the highest peak; −1 without steps. */
  readonly peakStep: number;
}

class Sum implements Cost {
  macs = 0;
  bitOps = 0;

  add(macs: number, bitOps: number): void {
    this.macs += macs;
    this.bitOps += bitOps;
  }
}

/**
 * Adds up a program. Steps that run for one class only, where that is decided at run time, count by the share of
 * branches that go that way: `outlierShare` of them are outlier class.
 */
export function programCost(graph: Graph, program: Program, outlierShare = 0): ProgramCost {
  const layers = graph.layers.map(() => new Sum());
  const total = new Sum();
  const stage = new Sum();
  const tail = new Sum();
  for (const step of program.steps) {
    if (step.macs === 0) continue;
    const macs = step.macs * (step.guard === null ? 1 : step.guard.value === 1 ? outlierShare : 1 - outlierShare);
    const bitOps = macs * weightBits(step) * program.buffers[step.inputs[0].buffer].bits;
    for (const sum of [total, step.branch === null ? tail : stage, layers[step.layer]]) sum.add(macs, bitOps);
  }
  const peaks = stepPeaks(program);
  const peakStep = peaks.reduce((best, bytes, step) => (best < 0 || bytes > peaks[best] ? step : best), -1);
  return {
    macs: total.macs,
    bitOps: total.bitOps,
    bitOpsInt8: total.macs * 64,
    stage,
    tail,
    layers,
    flash: flashBytes(program.constants),
    peaks,
    peakStep,
  };
}

/** MACs that are computed more than once, over those of the network without patches; percent. */
export function redundantMacsPercent(graph: Graph, cost: ProgramCost): number {
  const once = graphMacs(graph);
  return once > 0 ? (100 * (cost.macs - once)) / once : 0;
}

function weightBits({ kernel }: Step): number {
  return 'weightBits' in kernel ? kernel.weightBits : 8;
}

function flashBytes(constants: readonly Constant[]): ProgramCost['flash'] {
  let weightBytes = 0;
  let tableBytes = 0;
  for (const { kind, bits, values } of constants) {
    const bytes = Math.ceil((values.length * bits) / 8);
    if (kind === 'weights') weightBytes += bytes;
    else tableBytes += bytes;
  }
  return { weightBytes, tableBytes };
}

function stepPeaks({ buffers, steps }: Program): number[] {
  const peaks = new Array<number>(steps.length).fill(0);
  for (const { offset, bytes, firstStep, lastStep, external } of buffers) {
    if (external) continue;
    for (let step = Math.max(0, firstStep); step <= Math.min(steps.length - 1, lastStep); step++)
      peaks[step] = Math.max(peaks[step], offset + bytes);
  }
  return peaks;
}
