import { regionHeight, regionPixels } from '../graph/region';
import { isWeighted, type Graph } from '../graph/types';
import type { Schedule, ScheduleStep } from '../schedule/schedule';
import { extentOf, wholeExtent } from './kernelCost';
import {
  callInstructions,
  copyInstructions,
  elementInstructions,
  layerInstructions,
  stepInstructions,
} from './latency';
import type { Program, Step } from '../program/types';
import type { BitDecisions } from '../quantize/quantizeGraph';

/** Estimated instructions of each layer's steps. Steps that run for one class only count by `outlierShare`. */
export function layersInstructions(graph: Graph, program: Program, outlierShare: number): number[] {
  const layers = graph.layers.map(() => 0);
  const share = ({ guard }: Step): number => (guard === null ? 1 : guard.value === 1 ? outlierShare : 1 - outlierShare);
  stepInstructions(program).forEach((instructions, i) => {
    layers[program.steps[i].layer] += instructions * share(program.steps[i]);
  });
  return layers;
}

/** Estimated instructions of the network layer by layer with everything at 8 bits. */
export function int8LayerwiseInstructions(graph: Graph): number {
  return graph.layers.reduce((sum, layer) => {
    return sum + layerInstructions(graph, layer, wholeExtent(graph.maps[layer.output].shape), 8, 8);
  }, 0);
}

/** Estimated instructions of a schedule: what its program will be estimated at, without lowering it. */
export function scheduleInstructions(
  graph: Graph,
  schedule: Schedule,
  decisions: BitDecisions,
  outlierShare: number,
): number {
  const share = ({ guard }: ScheduleStep): number =>
    guard === null ? 1 : guard === 'outlier' ? outlierShare : 1 - outlierShare;
  return schedule.steps.reduce((sum, step) => sum + share(step) * workOf(graph, schedule, step, decisions), 0);
}

function workOf(
  graph: Graph,
  { buffers }: Schedule,
  { kind, layer: id, inputs, output }: ScheduleStep,
  decisions: BitDecisions,
): number {
  const layer = graph.layers[id];
  const codes = output ? regionPixels(output.region) * output.channels : 0;
  const copied = (): number =>
    output ? copyInstructions(Math.ceil((codes * buffers[output.buffer].bits) / 8), regionHeight(output.region), 1) : 0;
  switch (kind) {
    case 'layer':
      if (!output) return 0;
      if (layer.kind === 'concat') return copied();
      return layerInstructions(
        graph,
        layer,
        extentOf(output.region),
        inputs.length > 0 ? buffers[inputs[0].buffer].bits : 8,
        isWeighted(layer) ? decisions.weightBits(id) : 8,
      );
    case 'view':
      return callInstructions(1) + elementInstructions(codes);
    case 'classify':
      return callInstructions(1) + elementInstructions(regionPixels(inputs[0].region) * inputs[0].channels);
    case 'load':
    case 'keep':
    case 'restore':
      return copied();
  }
}
