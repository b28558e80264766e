import type { Graph } from '../../graph/types';
import type { MapFormat, QuantizedParameters } from '../../quantize/types';
import { buildSchedule, type Schedule, type ScheduledStage } from '../../schedule/schedule';
import { scheduleRules } from '../../schedule/scheduleRules';
import type { LowerOptions } from './options';

/** The schedule that lower() follows for these formats. */
export function scheduleFor(
  graph: Graph,
  stage: ScheduledStage | null,
  { formats, views }: QuantizedParameters,
  { tailStages = [], input }: LowerOptions,
): Schedule {
  const { bits, options } = scheduleRules(
    graph,
    stage?.stage.splitMap ?? null,
    {
      mapBits: (map) => formats.get(map)!.bits,
      inputBits: (layer) => views.get(layer)?.bits ?? formats.get(graph.layers[layer].inputs[0])!.bits,
    },
    input,
  );
  return buildSchedule(graph, stage, bits, { ...options, tailStages });
}

/** Format of channels [begin, begin + count) of a map. */
export function channelsOf(format: MapFormat, begin: number, count: number): MapFormat {
  const cut = <T extends Float64Array | Int32Array>(a: T): T =>
    a.length === 1 ? a : (a.slice(begin, begin + count) as T);
  return { ...format, scales: cut(format.scales), zeroPoints: cut(format.zeroPoints) };
}
