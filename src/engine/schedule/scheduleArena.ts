import type { Graph } from '../graph/types';
import type { ArenaOverlap, ArenaRequest } from '../arena/layoutArena';
import {
  elementwiseOrder,
  noOrder,
  overlapDistance,
  windowedOrder,
  type GeometricAccess,
  type KernelOrder,
} from '../arena/overlap';
import { resizeFirstRow } from './receptiveField';
import type { Schedule, ScheduleAccess, ScheduleStep } from './schedule';

/** A schedule's memory as the arena layout wants it. */
export interface ScheduleArena {
  readonly requests: readonly ArenaRequest[];
  readonly overlaps: readonly ArenaOverlap[];
  /** Buffer id of every request. */
  readonly buffers: readonly number[];
}

/**
 * The arena's requests and permitted overlaps of a schedule: what lowering would ask for, without its kernels.
 * Graph inputs that live outside of the arena (`externalInputs`) are left out, but for those that are outputs as well.
 */
export function scheduleArena(graph: Graph, schedule: Schedule, align: number, externalInputs = false): ScheduleArena {
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

/** Buffers with the same key play the same part in different branches. */
export function arenaGroup(role: string, map: number | null, reader: number | null): string {
  return `${role} ${map} ${reader}`;
}

/** Which dying inputs of a step its output may be laid over, by buffer id. */
export function stepOverlaps(graph: Graph, schedule: Schedule, step: ScheduleStep, at: number): ArenaOverlap[] {
  if (!step.output) return [];
  const root = (id: number) => schedule.buffers[schedule.buffers[id].aliasOf ?? id];
  const output = root(step.output.buffer);
  if (output.first !== at) return [];
  const order = stepOrder(graph, step);
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

/** The order in which the kernel of a step works; the same that the lowered kernel has. */
function stepOrder(graph: Graph, step: ScheduleStep): KernelOrder {
  if (step.kind === 'classify') return noOrder;
  if (step.kind !== 'layer') return elementwiseOrder;
  const layer = graph.layers[step.layer];
  switch (layer.kind) {
    case 'conv':
    case 'depthwise':
    case 'maxPool':
    case 'averagePool':
      return windowedOrder(layer.window.strideH, step.padTop);
    case 'resize': {
      const from = graph.maps[layer.inputs[0]].shape;
      const to = graph.maps[layer.output].shape;
      return { kind: 'windowed', firstRow: (oy) => resizeFirstRow(layer, from, to, oy) };
    }
    case 'add':
    case 'mul':
      return layer.inputs.length === 2 ? elementwiseOrder : noOrder;
    case 'activation':
    case 'prelu':
    case 'concat':
    case 'slice':
      return elementwiseOrder;
    case 'fullyConnected':
    case 'pad':
    case 'softmax':
    case 'reshape':
    case 'permute':
      return noOrder;
  }
}

function geometric(schedule: Schedule, access: ScheduleAccess): GeometricAccess {
  return {
    geometry: schedule.buffers[access.buffer],
    region: access.region,
    channel: access.channel,
    channels: access.channels,
  };
}
