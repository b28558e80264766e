import {
  layoutArena,
  layoutWithin,
  type ArenaLayout,
  type ArenaOptions,
  type ArenaOverlap,
  type ArenaRequest,
} from '../arena/layoutArena';
import { kernelOrder, overlapDistance, type GeometricAccess, type KernelOrder } from '../arena/overlap';
import type { Graph, Layer } from '../graph/types';
import { resizeFirstRow } from './receptiveField';
import type { Schedule, ScheduleAccess, ScheduleStep } from './schedule';
import { stepOp } from './stepOp';

type WindowedLayer = Extract<Layer, { window: unknown }>;

/** Alignment of buffers in the arena, unless a Program is lowered with another. */
export const ARENA_ALIGN = 4;

/** A schedule's memory in the form the arena layout needs. */
export interface ScheduleArena {
  readonly requests: readonly ArenaRequest[];
  readonly overlaps: readonly ArenaOverlap[];
  /** Buffer id of every request. */
  readonly buffers: readonly number[];
}

/**
 * The arena's requests and permitted overlaps of a schedule: what lowering would ask for, without its kernels.
 * Graph inputs that live outside of the arena (`externalInputs`) are left out, except for those that are outputs as
 * well.
 */
export function scheduleArena(
  graph: Graph,
  schedule: Schedule,
  { externalInputs = false, align = ARENA_ALIGN }: { readonly externalInputs?: boolean; readonly align?: number } = {},
): ScheduleArena {
  const outputs = new Set(schedule.outputs.map((id) => schedule.buffers[id].aliasOf ?? id));
  const isExternal = (role: string, id: number): boolean => externalInputs && role === 'input' && !outputs.has(id);
  const buffers = schedule.buffers.filter((b) => b.aliasOf === null && !isExternal(b.role, b.id)).map((b) => b.id);
  const index = new Map(buffers.map((id, i) => [id, i]));
  const requests = buffers.map((id) => {
    const { bytes, first, last, role, map, reader } = schedule.buffers[id];
    return { bytes, align, first, last, group: arenaGroup(role, map, reader) };
  });
  const overlaps: ArenaOverlap[] = [];
  schedule.steps.forEach((step, at) => {
    for (const { over, output, distance } of stepOverlaps(graph, schedule, step, at)) {
      if (index.has(over) && index.has(output))
        overlaps.push({ over: index.get(over)!, output: index.get(output)!, distance });
    }
  });
  return { requests, overlaps, buffers };
}

/** The arena of a schedule, laid out. */
export function layoutSchedule(
  graph: Graph,
  schedule: Schedule,
  externalInputs: boolean,
  options?: ArenaOptions,
): ArenaLayout {
  const { requests, overlaps } = scheduleArena(graph, schedule, { externalInputs });
  return layoutArena(requests, overlaps, options);
}

/** The same as lowering lays it out for a board with this much SRAM. */
export function layoutScheduleWithin(
  graph: Graph,
  schedule: Schedule,
  externalInputs: boolean,
  sramBytes: number,
): ArenaLayout {
  const { requests, overlaps } = scheduleArena(graph, schedule, { externalInputs });
  return layoutWithin(requests, overlaps, sramBytes);
}

/** Buffers with the same key play the same part in different branches. */
export function arenaGroup(role: string, map: number | null, reader: number | null): string {
  return `${role} ${map} ${reader}`;
}

/** Which dying inputs of a step its output may overlap, by buffer id. */
function stepOverlaps(graph: Graph, schedule: Schedule, step: ScheduleStep, at: number): ArenaOverlap[] {
  if (!step.output) return [];
  const root = (id: number) => schedule.buffers[schedule.buffers[id].aliasOf ?? id];
  const output = root(step.output.buffer);
  if (output.first !== at) return [];
  const order = stepOrder(graph, schedule, step);
  const found = new Map<number, number | null>();
  for (const access of step.inputs) {
    const input = root(access.buffer);
    if (input.last !== at || input.id === output.id) continue;
    const distance = overlapDistance(order, geometric(schedule, access), geometric(schedule, step.output));
    const known = found.get(input.id);
    found.set(input.id, distance === null || known === null ? null : Math.max(distance, known ?? 0));
  }
  return [...found].flatMap(([over, distance]) => (distance === null ? [] : [{ over, output: output.id, distance }]));
}

/** The order in which the kernel of a step works. */
function stepOrder(graph: Graph, schedule: Schedule, step: ScheduleStep): KernelOrder {
  const layer = graph.layers[step.layer];
  return kernelOrder(stepOp(graph, schedule, step), {
    window: () => ({ strideH: (layer as WindowedLayer).window.strideH, padTop: step.padTop }),
    firstRow: (oy) =>
      resizeFirstRow(
        layer as Extract<Layer, { kind: 'resize' }>,
        graph.maps[layer.inputs[0]].shape,
        graph.maps[layer.output].shape,
        oy,
      ),
  });
}

function geometric(schedule: Schedule, access: ScheduleAccess): GeometricAccess {
  return {
    geometry: schedule.buffers[access.buffer],
    region: access.region,
    channel: access.channel,
    channels: access.channels,
  };
}
