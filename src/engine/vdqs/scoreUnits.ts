import type { Calibration } from '../calibration/types';
import { layerMacs, graphMacs } from '../graph/macs';
import type { Graph, LayerId, MapId } from '../graph/types';
import type { Bits, WeightBits } from '../graph/bits';
import { baseScales } from '../quantize/scales';
import { formatTies } from '../quantize/ties';
import { codeEntropy, entropyChange } from './entropy';
import { score, type Candidate } from './score';
import type { ScoredUnit } from './search';
import type { DecisionUnit } from './units';

/**
 * Entropy, Ω, Φ and S of every decision at every bitwidth, from calibration statistics alone.
 *
 * @param bits   candidate bitwidths, falling, 8 first
 * @param locked bits that a person fixed; null where free
 */
export function scoreUnits(
  graph: Graph,
  calibration: Calibration,
  units: readonly DecisionUnit[],
  bits: readonly Bits[],
  lambda: number,
  weightBits: (layer: LayerId) => WeightBits,
  locked: (unit: DecisionUnit) => Bits | null,
): ScoredUnit[] {
  const { signed } = formatTies(graph);
  const total = graphMacs(graph) * 64;
  const entropies = new Map<string, number>();
  const entropy = (map: MapId, b: Bits): number => {
    const key = `${map}/${b}`;
    let value = entropies.get(key);
    if (value === undefined) {
      value = mapEntropy(graph, calibration, map, b, signed[map]);
      entropies.set(key, value);
    }
    return value;
  };
  const raw = units.map((unit) => {
    const map = largestMap(graph, unit.maps);
    const macs = unit.readers.reduce((sum, id) => sum + layerMacs(graph, graph.layers[id]) * weightBits(id), 0);
    return bits
      .filter((b) => b >= unit.leastBits)
      .map((b) => ({
        bits: b,
        entropy: entropy(map, b),
        omega: b === 8 ? 0 : entropyChange(entropy(map, 8), entropy(map, b)),
        phi: total > 0 ? (macs * (8 - b)) / total : 0,
      }));
  });
  const largestPhi = raw.flat().reduce((most, c) => Math.max(most, c.phi), 0);
  return units.map((unit, i) => ({
    unit,
    locked: locked(unit),
    candidates: raw[i].map((c): Candidate => ({
      ...c,
      score: c.bits === 8 ? 0 : score(lambda, c.omega, c.phi, largestPhi),
    })),
  }));
}

function mapEntropy(graph: Graph, calibration: Calibration, map: MapId, bits: Bits, signed: boolean): number {
  const statistics = calibration.maps.get(map)!;
  const channels = graph.maps[map].shape.c;
  const component = {
    maps: [map],
    groups: channels,
    groupOf: [Int32Array.from({ length: channels }, (_, c) => c)],
    proportional: false,
  };
  const { scales } = baseScales(component, () => statistics, [{ bits, signed }]);
  return codeEntropy(statistics, { bits, signed, scales, zeroPoints: new Int32Array(1) });
}

function largestMap(graph: Graph, maps: readonly MapId[]): MapId {
  const size = (m: MapId): number => graph.maps[m].shape.h * graph.maps[m].shape.w * graph.maps[m].shape.c;
  return maps.reduce((a, b) => (size(b) > size(a) ? b : a));
}
