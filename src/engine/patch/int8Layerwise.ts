import type { Graph } from '../graph/types';
import { MemoryEstimator, memoryModel } from './estimate';

/** Arena of the same network layer by layer with all maps at 8 bits, laid out by the same rules. */
export function int8LayerwiseArenaBytes(graph: Graph, externalInputs = false): number {
  const model = memoryModel(graph, { mapBits: () => 8, inputBits: () => 8 }, {});
  return new MemoryEstimator(graph, { ...model, externalInputs }).layout(null).layout.bytes;
}
