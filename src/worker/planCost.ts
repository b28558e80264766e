import type { Graph, LayerId } from '../engine/graph/types';
import type { Program, Step } from '../engine/program/types';

/** What one layer, or all, cost in one inference. */
export interface Cost {
  readonly macs: number;
  /** Σ MACs · weight bits · input bits. */
  readonly bitOps: number;
}

export interface ProgramCost extends Cost {
  /** The same steps with weights and maps at 8 bits. */
  readonly bitOpsInt8: number;
  /** Index = layer. */
  readonly layers: readonly Cost[];
}

/** Adds up the steps of a program. Where classes are decided at run time, a branch counts with the class that it had most often on the sample images. */
export function programCost(graph: Graph, program: Program): ProgramCost {
  const layers = graph.layers.map(() => ({ macs: 0, bitOps: 0 }));
  let bitOpsInt8 = 0;
  for (const step of program.steps) {
    if (!runs(program, step)) continue;
    const layer = layers[step.layer];
    layer.macs += step.macs;
    layer.bitOps += step.macs * weightBits(step) * inputBits(program, step);
    bitOpsInt8 += step.macs * 64;
  }
  const sum = (of: (cost: Cost) => number): number => layers.reduce((total, cost) => total + of(cost), 0);
  return { layers, bitOpsInt8, macs: sum((cost) => cost.macs), bitOps: sum((cost) => cost.bitOps) };
}

/** Whether a step runs, guarded ones by the class of their branch. */
export function runs(program: Program, step: Step): boolean {
  return step.guard === null || step.branch === null || (program.branches[step.branch].class === 'outlier') === (step.guard.value === 1);
}

/** MACs of the steps before and in the layers of the stage over those that computing each map once takes; percent. */
export function redundantMacsPercent(graph: Graph, layers: readonly LayerId[], cost: ProgramCost, macsOf: (layer: LayerId) => number): number {
  const once = layers.reduce((sum, id) => sum + macsOf(id), 0);
  const total = graph.layers.reduce((sum, layer) => sum + macsOf(layer.id), 0);
  const patched = layers.reduce((sum, id) => sum + cost.layers[id].macs, 0);
  return total > 0 ? (100 * (patched - once)) / total : 0;
}

function weightBits({ kernel }: Step): number {
  return 'weightBits' in kernel ? kernel.weightBits : 8;
}

function inputBits(program: Program, step: Step): number {
  return step.inputs.length > 0 ? program.buffers[step.inputs[0].buffer].bits : 8;
}
