import type { WeightBits } from '../graph/bits';
import { regionPixels, type Region } from '../graph/region';
import { isWeighted, type Graph, type LayerId } from '../graph/types';
import type { Program } from '../program/types';
import type { BitsOf, Schedule, ScheduleStep } from '../schedule/schedule';
import { stepOp } from '../schedule/stepOp';
import type { Core } from '../targets/types';
import { coreCosts, extentOf, wholeExtent } from './kernelCost';
import type { KernelCall } from './kernelShape';
import { CallCost, layerCall, shareOf, stepInstructions, stepShare, type PlacedCall } from './latency';

/** Estimated instructions of each layer's steps. Steps that run for one class only count by `outlierShare`. */
export function layersInstructions(graph: Graph, program: Program, outlierShare: number, core?: Core): number[] {
  const layers = graph.layers.map(() => 0);
  stepInstructions(program, core).forEach((instructions, i) => {
    const step = program.steps[i];
    layers[step.layer] += instructions * stepShare(step, outlierShare);
  });
  return layers;
}

/** Estimated instructions of the network layer by layer with everything at 8 bits. */
export function int8LayerwiseInstructions(graph: Graph, core: Core = 'cortex-m4'): number {
  const costs = coreCosts(core);
  return graph.layers.reduce((sum, layer) => {
    const call = layerCall(graph, layer, 8, 8);
    return sum + (call ? new CallCost(costs, call).instructions(wholeExtent(graph.maps[layer.output].shape)) : 0);
  }, 0);
}

/** Estimated instructions of a schedule: what its program will be estimated at, without lowering it. */
export function scheduleInstructions(
  graph: Graph,
  schedule: Schedule,
  bits: Pick<BitsOf, 'weights'>,
  outlierShare: number,
  core: Core = 'cortex-m4',
): number {
  const costs = coreCosts(core);
  const weightBits = (id: LayerId): WeightBits => (isWeighted(graph.layers[id]) ? (bits.weights?.(id) ?? 8) : 8);
  let sum = 0;
  for (const step of schedule.steps) {
    const share = shareOf(step.guard, outlierShare);
    for (const { call, extent } of scheduleCalls(graph, schedule, step, weightBits(step.layer)))
      sum += share * new CallCost(costs, call).instructions(extent);
  }
  return sum;
}

/** The calls that a step of a schedule is lowered to. */
function scheduleCalls(graph: Graph, schedule: Schedule, step: ScheduleStep, weightBits: WeightBits): PlacedCall[] {
  const { buffers } = schedule;
  const { inputs, output } = step;
  const layer = graph.layers[step.layer];
  const op = stepOp(graph, schedule, step);
  const [input] = inputs;
  // A class is read off its input; everything else is made for its output.
  const made = output ?? input;
  const from = input ? buffers[input.buffer] : null;
  const call: KernelCall = {
    op,
    channels: made.channels,
    inChannels: input?.channels ?? 0,
    pixelBytes: Math.ceil((made.channels * buffers[made.buffer].bits) / 8),
    ...('window' in layer && step.kind === 'layer' ? { window: layer.window } : {}),
    ...('group' in layer ? { group: layer.group } : {}),
    ...(input ? { inputPixels: regionPixels(input.region) } : {}),
    inputBits: from?.bits ?? 8,
    weightBits: step.kind === 'layer' ? weightBits : 8,
    readsImage: from?.role === 'input',
  };
  const calls = [{ call, extent: extentOf(made.region) }];
  if (op !== 'fill') return calls;
  // A padded map is filled, and what there is of its input copied into it.
  const copied: Region = input.region;
  return regionPixels(copied) > 0 ? [...calls, { call: { ...call, op: 'copy' }, extent: extentOf(copied) }] : calls;
}
