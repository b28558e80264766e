import type { PatchStatistics } from '../engine/calibration/types';
import { evaluateLayer } from '../engine/graph/evaluate';
import { layerMacs } from '../engine/graph/macs';
import type { Graph, Layer, MapId } from '../engine/graph/types';
import { nonOutlierBand } from '../engine/vdpc/threshold';
import type { OutlierMapView } from '../protocol/views';

/** More work than this is not done for a picture. */
const MOST_MACS = 400e6;

/**
 * Where the values lie that patches are classified by, and which of them are outliers in one image: the float network
 * up to its first convolution, before the activation.
 * @param inputs real values of the network's inputs, HWC
 * @returns null where that would be too much work
 */
export function outlierMap(
  graph: Graph,
  statistics: PatchStatistics,
  phi: number,
  inputs: readonly Float32Array[],
): OutlierMapView | null {
  const { h, w, c } = graph.maps[statistics.map].shape;
  const values = valuesOf(graph, statistics, inputs);
  if (!values) return null;
  const { low, high } = nonOutlierBand(statistics, phi);
  const shares = new Uint8Array(h * w);
  for (let p = 0; p < shares.length; p++) {
    let outside = 0;
    for (let k = p * c; k < (p + 1) * c; k++) if (values[k] < low || values[k] > high) outside++;
    // Rounded up: a single outlier is seen.
    shares[p] = Math.ceil((255 * outside) / c);
  }
  return { phi, width: w, height: h, shares };
}

function valuesOf(
  graph: Graph,
  { map, source }: PatchStatistics,
  inputs: readonly Float32Array[],
): Float32Array | null {
  const maps = new Map<MapId, Float32Array>(graph.inputs.map((input, i) => [input.map, inputs[i]]));
  const last = graph.maps[map].producer;
  if (last === null) return maps.get(map) ?? null;
  const layers = graph.layers.slice(0, last + 1);
  if (layers.reduce((sum, layer) => sum + layerMacs(graph, layer), 0) > MOST_MACS) return null;
  for (const layer of layers) {
    const shapes = layer.inputs.map((id) => graph.maps[id].shape);
    maps.set(
      layer.output,
      evaluateLayer(
        layer.id === last && source === 'preActivation' ? unclamped(layer) : layer,
        layer.inputs.map((id) => maps.get(id)!),
        shapes,
        graph.maps[layer.output].shape,
      ),
    );
  }
  return maps.get(map) ?? null;
}

function unclamped(layer: Layer): Layer {
  return 'clamp' in layer ? { ...layer, clamp: { min: null, max: null } } : layer;
}
