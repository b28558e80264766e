import { isWeighted, type Graph } from '../graph/types';
import type { Program } from '../program/types';
import type { BitsOf, Schedule } from '../schedule/schedule';
import type { Core } from '../targets/types';
import { coreCosts, wholeExtent } from './kernelCost';
import { CallCost, layerCall, totalInstructions, workInstructions } from './latency';
import type { Forms } from './layerForm';
import { programWork, scheduleWork, shareOf } from './work';

/** Estimated instructions of each layer's steps. Steps that run for one class only count by `outlierShare`. */
export function layersInstructions(
  graph: Graph,
  program: Program,
  outlierShare: number,
  core?: Core,
  forms?: Forms,
): number[] {
  const layers = graph.layers.map(() => 0);
  const work = programWork(program);
  workInstructions(work, core, forms).forEach((instructions, i) => {
    layers[work[i].layer] += instructions * shareOf(work[i], outlierShare);
  });
  return layers;
}

/** Estimated instructions layer by layer at 8 bits in plain forms, of the layers with weights and of the others. */
export function int8Instructions(graph: Graph, core: Core): { readonly weighted: number; readonly others: number } {
  const costs = coreCosts(core);
  let weighted = 0;
  let others = 0;
  for (const layer of graph.layers) {
    const call = layerCall(graph, layer, 8, 8);
    const sum = call ? new CallCost(costs, call).instructions(wholeExtent(graph.maps[layer.output].shape)) : 0;
    if (isWeighted(layer)) weighted += sum;
    else others += sum;
  }
  return { weighted, others };
}

/** Estimated instructions of a schedule: what its program will be estimated at, without lowering it. */
export function scheduleInstructions(
  graph: Graph,
  schedule: Schedule,
  bits: Pick<BitsOf, 'weights'>,
  outlierShare: number,
  core?: Core,
  forms?: Forms,
): number {
  return totalInstructions(scheduleWork(graph, schedule, bits), outlierShare, core, forms);
}
