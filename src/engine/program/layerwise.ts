import type { Graph } from '../graph/types';
import { buildSchedule } from '../patch/schedule';
import { scheduleArena } from '../patch/scheduleArena';
import { layoutArena } from './arena';
import { scheduleRules } from './scheduleRules';

/** Arena of the same network at 8 bits without patches: what a plan is compared with. */
export function int8LayerwiseArenaBytes(graph: Graph): number {
  const { bits, options } = scheduleRules(graph, null, { mapBits: () => 8, inputBits: () => 8 });
  const { requests, overlaps } = scheduleArena(graph, buildSchedule(graph, null, bits, options), 4);
  return layoutArena(requests, overlaps).bytes;
}
