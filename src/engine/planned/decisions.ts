import { headMaps, resolveHead } from '../detection/resolve';
import type { Graph, LayerId, MapId } from '../graph/types';
import type { BitDecisions } from '../quantize/quantizeGraph';
import { formatTies } from '../quantize/ties';
import type { QuantizedParameters } from '../quantize/types';
import { UserError } from '../common/errors';
import type { Bits, WeightBits } from '../graph/bits';
import type { Plan } from '../plan/types';

/**
 * The bits of a plan, by the graph's ids.
 * @throws UserError if maps that must share their bits have different ones, or a layer reads more bits than are stored
 */
export function decisionsOf(
  graph: Graph,
  plan: Pick<Plan, 'maps' | 'layers' | 'detection'>,
  file: string,
): BitDecisions {
  const bits = graph.maps.map((m): Bits => (Object.hasOwn(plan.maps, m.name) ? plan.maps[m.name].bits : 8));
  const { bitGroup, leastBits, reach } = formatTies(graph);
  for (const map of graph.maps) {
    const other = graph.maps[bitGroup[map.id]];
    if (bits[map.id] !== bits[other.id]) {
      throw new UserError(
        `${file}: "${map.name}" (${bits[map.id]} bits) and "${other.name}" (${bits[other.id]} bits) are joined ` +
          'by layers that move codes unchanged, so they need the same bits.',
      );
    }
  }
  for (const { id, name } of graph.maps) {
    if (bits[id] < leastBits[id]) {
      throw new UserError(
        `${file}: feature map "${name}" needs ${leastBits[id]} bits: it is an input or output of the network, or ` +
          'its layers address channels that would not begin on a byte.',
      );
    }
  }
  for (const { id, name } of graph.maps) if (bits[id] === 16 && reach[id] === 0) throw notWide(graph, name, file);
  const layerOf = (id: number): Plan['layers'][string] =>
    Object.hasOwn(plan.layers, graph.layers[id].name) ? plan.layers[graph.layers[id].name] : {};
  refuseNarrowWeights(
    graph,
    (map) => bits[map],
    (id) => layerOf(id).weightBits ?? 8,
    file,
  );
  return {
    mapBits: (map) => bits[map],
    weightBits: (layer) => layerOf(layer).weightBits ?? 8,
    inputBits: (layer) => {
      const stored = bits[graph.layers[layer].inputs[0]];
      return Math.min(stored, layerOf(layer).inputBits ?? stored) as Bits;
    },
    ...(plan.detection ? { heads: headMaps(graph, resolveHead(graph, plan.detection, file)) } : {}),
  };
}

/** Kernels for 16 bits take weights of 8. */
function refuseNarrowWeights(
  graph: Graph,
  bits: (map: MapId) => Bits,
  weightBits: (layer: LayerId) => WeightBits,
  file: string,
): void {
  for (const { id, name, inputs, output } of graph.layers) {
    const map = [...inputs, output].find((m) => bits(m) === 16);
    if (map === undefined || weightBits(id) === 8) continue;
    throw new UserError(
      `${file}: layer "${name}" reads or writes 16 bits ("${graph.maps[map].name}") and needs weights of 8. Give it ` +
        'weights of 8 bits, or the map 8.',
    );
  }
}

function notWide(graph: Graph, name: string, file: string): UserError {
  const isInput = graph.inputs.some(({ map }) => graph.maps[map].name === name);
  return new UserError(
    `${file}: feature map "${name}" cannot have 16 bits` +
      (isInput
        ? ': the application writes it with 8. Give it 8.'
        : ': it, or a map that shares its bits, is read or written by a Softmax or a norm, by a function that jumps, ' +
          'or by a layer whose sums would overflow 32 bits. Give it 8 bits; the maps before and behind may have 16.'),
  );
}

/** Whether parameters were computed for exactly these bits. */
export function fitsDecisions(graph: Graph, parameters: QuantizedParameters, bits: BitDecisions): boolean {
  for (const map of graph.maps) if (parameters.formats.get(map.id)?.bits !== bits.mapBits(map.id)) return false;
  for (const [id, layer] of parameters.layers) {
    if (layer.weightBits !== bits.weightBits(id)) return false;
    const stored = bits.mapBits(graph.layers[id].inputs[0]);
    const read = bits.inputBits(id);
    if ((parameters.views.get(id)?.bits ?? stored) !== read) return false;
  }
  return true;
}
