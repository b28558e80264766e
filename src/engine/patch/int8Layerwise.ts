import type { Graph } from '../graph/types';
import { scheduleRules } from '../schedule/scheduleRules';
import { MemoryEstimator } from './estimate';

/** Arena of the same network layer by layer with all maps at 8 bits, laid out by the same rules. */
export function int8LayerwiseArenaBytes(graph: Graph, externalInputs = false): number {
  const { bits, options } = scheduleRules(graph, null, { mapBits: () => 8, inputBits: () => 8 });
  return new MemoryEstimator(graph, { bits, schedule: options, align: 4, externalInputs, classes: 'regular' }).layout(
    null,
  ).layout.bytes;
}
