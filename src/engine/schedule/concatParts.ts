import { fullRegion, type Region } from '../graph/region';
import type { Graph, Layer, MapId } from '../graph/types';
import type { ScheduleAccess } from './schedule';

/** What a concat copies of one of its inputs, and where to. */
export interface ConcatPart {
  readonly map: MapId;
  readonly from: Region;
  readonly output: ScheduleAccess;
}

/** The parts of a concat whose output is accessed as `target`, in the order of its inputs. */
export function concatParts(
  graph: Graph,
  { axis, inputs }: Layer & { readonly kind: 'concat' },
  target: ScheduleAccess,
): ConcatPart[] {
  let at = 0;
  return inputs.map((map) => {
    const { h, w, c } = graph.maps[map].shape;
    const begin = at;
    at += axis === 'c' ? c : axis === 'h' ? h : w;
    if (axis === 'c')
      return { map, from: target.region, output: { ...target, channel: target.channel + begin, channels: c } };
    const from = fullRegion({ h, w });
    const to = axis === 'h' ? { ...from, y0: begin, y1: at } : { ...from, x0: begin, x1: at };
    return { map, from, output: { ...target, region: to } };
  });
}
