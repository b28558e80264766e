import { sameRegion } from '../graph/region';
import type { Graph, LayerId, MapId } from '../graph/types';
import type { Bits } from '../graph/bits';
import type { Part } from './runs';
import type { ScheduleOptions } from './schedule';

/** A map without its own buffer: its channels are some of another map's. */
export interface Place {
  readonly owner: MapId;
  /** First channel in the owner. */
  readonly channel: number;
}

interface Situation {
  /** Null: the tail. */
  readonly part: Part | null;
  /** Those of the stage, or of the tail outside of all stages. */
  readonly layers: ReadonlySet<LayerId>;
  readonly stored: (map: MapId) => Bits;
  readonly options: ScheduleOptions;
}

/**
 * Which inputs of concats can be computed straight into the concat's channels, and which slices can stay inside their
 * input, in one class of branches or in the tail: the bits must be equal, the channels begin on a byte, and in branches
 * both maps must cover the same pixels.
 */
export function findPlaces(graph: Graph, situation: Situation): ReadonlyMap<MapId, Place> {
  const { part, layers, stored, options } = situation;
  const splitMap = part?.scheduled.stage.splitMap;
  const places = new Map<MapId, Place>();
  const outputs = new Set(graph.outputs.map((o) => o.map));
  const isHere = (layer: LayerId | null) => layer !== null && layers.has(layer);
  const isKept = (map: MapId) => part?.kept.has(map) ?? false;
  const depth = (map: MapId): number => {
    const place = places.get(map);
    return place ? place.channel + depth(place.owner) : 0;
  };
  const samePixels = (a: MapId, b: MapId) =>
    part === null ||
    part.branches.every(
      ({ parts }) =>
        sameRegion(parts.get(a)!.need, parts.get(b)!.need) && sameRegion(parts.get(a)!.fresh, parts.get(b)!.fresh),
    );

  if (options.concatInPlace) {
    // From the last concat to the first, so that the owner of a concat inside a concat is already known.
    for (const layer of [...graph.layers].reverse()) {
      if (layer.kind !== 'concat' || layer.axis !== 'c' || !isHere(layer.id) || isKept(layer.output)) continue;
      let channel = 0;
      layer.inputs.forEach((map, input) => {
        const begin = channel;
        channel += graph.maps[map].shape.c;
        const { producer } = graph.maps[map];
        const writable = isHere(producer) && !['slice', 'reshape'].includes(graph.layers[producer!].kind);
        if (!writable || outputs.has(map) || isKept(map) || places.has(map) || map === splitMap) return;
        const bits = stored(map);
        if (
          bits !== stored(layer.output) ||
          ((begin + depth(layer.output)) * bits) % 8 !== 0 ||
          !samePixels(map, layer.output)
        )
          return;
        if (options.concatInPlace!(layer.id, input)) places.set(map, { owner: layer.output, channel: begin });
      });
    }
  }
  if (options.sliceInPlace) {
    for (const layer of graph.layers) {
      if (
        layer.kind !== 'slice' ||
        !isHere(layer.id) ||
        outputs.has(layer.output) ||
        isKept(layer.output) ||
        layer.output === splitMap
      )
        continue;
      const [map] = layer.inputs;
      const bits = stored(map);
      if (bits !== stored(layer.output) || ((layer.begin + depth(map)) * bits) % 8 !== 0) continue;
      if (options.sliceInPlace(layer.id)) places.set(layer.output, { owner: map, channel: layer.begin });
    }
  }
  return places;
}
