import type { OrderedOp } from '../arena/overlap';
import type { Graph } from '../graph/types';
import { formatTies } from '../quantize/ties';
import type { Schedule, ScheduleStep } from './schedule';

/**
 * The kernel that a step is lowered to. A pad layer becomes a `fill` and, where it has any input, a `copy` into it.
 * What depends on scales follows the rules by which these are tied: copies between maps that share them stay copies.
 */
export function stepOp(graph: Graph, { buffers }: Schedule, step: ScheduleStep): OrderedOp {
  const sameBits = (): boolean =>
    step.output !== null && buffers[step.inputs[0].buffer].bits === buffers[step.output.buffer].bits;
  switch (step.kind) {
    case 'view':
      return 'requantize';
    case 'classify':
      return 'classify';
    case 'load':
      return 'load';
    case 'keep':
    case 'restore':
      return sameBits() ? 'copy' : 'requantize';
    case 'layer':
      break;
  }
  const layer = graph.layers[step.layer];
  switch (layer.kind) {
    case 'conv':
      return 'conv2d';
    case 'depthwise':
      return 'depthwise2d';
    case 'activation':
      return 'lookup';
    case 'pad':
      return 'fill';
    case 'reshape':
      return 'permute';
    case 'concat':
      return sameBits() && !formatTies(graph).mixedConcats.has(layer.id) ? 'copy' : 'requantize';
    case 'slice':
      return sameBits() ? 'copy' : 'requantize';
    default:
      return layer.kind;
  }
}
