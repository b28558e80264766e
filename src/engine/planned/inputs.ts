import { inputFormat } from '../calibration/preprocess';
import type { Calibration, Preprocess } from '../calibration/types';
import type { Graph, MapId } from '../graph/types';
import type { InputFormat } from '../quantize/quantizeGraph';

/** What the firmware's input buffer takes: an image's pixels, 8-bit array elements, or codes made from real values. */
export type InputKind = 'uint8' | 'int8' | 'real';

/**
 * Formats of the graph's inputs: 8-bit elements as they come, or for real values one scale and zero point over what
 * calibration saw.
 */
export function inputFormats(
  graph: Graph,
  preprocess: Preprocess,
  calibration: Calibration,
  kind: InputKind,
): ReadonlyMap<MapId, InputFormat> {
  const result = new Map<MapId, InputFormat>();
  for (const { map } of graph.inputs) {
    const channels = graph.maps[map].shape.c;
    if (kind === 'real') {
      result.set(map, realFormat(calibration, map));
      continue;
    }
    const { bits, signed, scales, zeroPoints, exactOffset } = inputFormat(preprocess, channels, kind === 'int8');
    result.set(map, { format: { bits, signed, scales, zeroPoints }, offset: exactOffset });
  }
  return result;
}

function realFormat(calibration: Calibration, map: MapId): InputFormat {
  const statistics = calibration.maps.get(map)!;
  const low = statistics.min.reduce((a, b) => Math.min(a, b), 0);
  const high = statistics.max.reduce((a, b) => Math.max(a, b), 0);
  const scale = Math.max(high - low, 1e-9) / 255;
  return {
    format: {
      bits: 8,
      signed: true,
      scales: Float64Array.of(scale),
      zeroPoints: Int32Array.of(Math.round(-128 - low / scale)),
    },
    offset: new Float64Array(1),
  };
}
