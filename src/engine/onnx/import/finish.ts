import type { FeatureMap, Graph, Layer, MapId, MapTap, Shape, TensorBinding } from '../../graph/types';
import type { Layout } from '../layout';
import { isIdentity, mergeAtoms, orderTable, sameLayout } from '../layout';
import type { Draft, DraftMap, DraftTap } from './draft';
import { memoryOrder } from './ports';
import type { MapValue } from './values';

/** Elements of all tap tables together; beyond it maps are left without taps, which the contract allows. */
const TAP_BUDGET = 2 ** 25;

/** Numbers the draft's maps and layers, gives them unique names and freezes them as a Graph. */
export function finishGraph(
  name: string,
  draft: Draft,
  inputs: readonly { value: MapValue; elementType: TensorBinding['elementType'] }[],
  outputs: readonly { name: string; value: MapValue; elementType: TensorBinding['elementType']; inner: boolean }[],
): Graph {
  const drafts: DraftMap[] = [...draft.inputs, ...draft.layers.map((layer) => layer.output)];
  const ids = new Map<DraftMap, MapId>(drafts.map((map, id) => [map, id]));
  const idOf = (map: DraftMap): MapId => {
    const id = ids.get(map);
    if (id === undefined) throw new Error(`map "${map.name}" is not in the graph`);
    return id;
  };
  const layerIds = new Map(draft.layers.map((layer, id) => [layer, id]));
  const mapNames = new UniqueNames();
  const layerNames = new UniqueNames();
  const maps: FeatureMap[] = drafts.map((map, id) => ({
    id,
    name: mapNames.take(map.name || map.tap?.value || `${map.producer?.spec.kind ?? 'map'}_${id}`),
    shape: map.shape,
    producer: map.producer ? layerIds.get(map.producer)! : null,
    consumers: [...map.consumers].map((layer) => layerIds.get(layer)!).sort((a, b) => a - b),
  }));
  // A name that several nodes share says nothing.
  const counts = new Map<string, number>();
  for (const layer of draft.layers) counts.set(layer.name, (counts.get(layer.name) ?? 0) + 1);
  const layers = draft.layers.map((layer, id): Layer => {
    const output = idOf(layer.output);
    const own = layer.name !== '' && counts.get(layer.name) === 1 ? layer.name : maps[output].name;
    return { ...layer.spec, id, name: layerNames.take(own), onnx: layer.onnx, inputs: layer.inputs.map(idOf), output };
  });
  const bind = (bound: string, value: MapValue, elementType: TensorBinding['elementType']): TensorBinding => ({
    name: bound,
    map: idOf(value.map),
    dims: value.dims,
    elementType,
    memory: memoryOrder(value),
    order: isIdentity(value.layout) ? null : orderTable(value.layout),
  });
  return {
    name,
    maps,
    layers,
    inputs: inputs.map(({ value, elementType }) => bind(value.name ?? '', value, elementType)),
    outputs: outputs.map(({ inner, ...output }) => ({
      ...bind(output.name, output.value, output.elementType),
      ...(inner ? { inner } : {}),
    })),
    taps: tapsOf(drafts, ids),
  };
}

function tapsOf(drafts: readonly DraftMap[], ids: ReadonlyMap<DraftMap, MapId>): Map<MapId, MapTap> {
  const taps = new Map<MapId, MapTap>();
  let budget = TAP_BUDGET;
  for (const map of drafts) {
    if (!map.tap) continue;
    const order = tapOrder(map.tap, map.shape, () => {
      budget -= map.shape.h * map.shape.w * map.shape.c;
      return budget >= 0;
    });
    if (order !== undefined) taps.set(ids.get(map)!, { value: map.tap.value, preClamp: map.tap.preClamp, order });
  }
  return taps;
}

function tapOrder({ layout }: DraftTap, shape: Shape, afford: () => boolean): MapTap['order'] | undefined {
  if (isIdentity(layout)) return null;
  if (isNchw(layout, shape)) return 'NCHW';
  return afford() ? orderTable(layout) : undefined;
}

/** Whether row-major order of the tensor is channels, then rows, then columns of the map. */
function isNchw(layout: Layout, { h, w, c }: Shape): boolean {
  const nchw = [
    { size: c, stride: 1 },
    { size: h, stride: w * c },
    { size: w, stride: c },
  ];
  return sameLayout([mergeAtoms(layout.flat())], [mergeAtoms(nchw)]);
}

/** Hands out names, with a number appended to those already taken. */
class UniqueNames {
  private readonly taken = new Set<string>();
  private readonly next = new Map<string, number>();

  take(wanted: string): string {
    let name = wanted;
    for (let n = this.next.get(wanted) ?? 2; this.taken.has(name); n++) {
      name = `${wanted}_${n}`;
      this.next.set(wanted, n + 1);
    }
    this.taken.add(name);
    return name;
  }
}
