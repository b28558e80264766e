import assert from 'node:assert/strict';
import type { Bits, WeightBits } from '../../../src/engine/graph/bits';
import { layerMacs } from '../../../src/engine/graph/macs';
import type { LayerId } from '../../../src/engine/graph/types';
import { CORES } from '../../../src/engine/targets/types';
import { decisionCost } from '../../../src/engine/vdqs/decisionCost';
import { searchTradeOff, type TradeOffChoices } from '../../../src/engine/vdqs/searchTradeOff';
import { decisionUnits } from '../../../src/engine/vdqs/units';
import { GraphBuilder, mulberry32, relu, squareWindow } from '../../support/graphBuilder';

const free: TradeOffChoices = { bits: () => [8, 4], weightBits: () => [8, 4] };

describe('what decisions cost', () => {
  const g = new GraphBuilder(mulberry32(1));
  let map = g.input({ h: 16, w: 16, c: 3 });
  for (const channels of [16, 64, 16, 64]) map = g.conv(map, channels, squareWindow(1), 1, relu);
  const graph = g.build([map]);
  const units = decisionUnits(graph);
  const sensitivities = {
    units: units.map(
      () =>
        new Map<Bits, number>([
          [8, 0],
          [4, 0.01],
        ]),
    ),
    weights: new Map<LayerId, number>(graph.layers.map((l) => [l.id, 0.01])),
  };
  const of = (result: ReturnType<typeof searchTradeOff>, id: LayerId): [WeightBits, Bits] => {
    const unit = units.findIndex((u) => u.readers.includes(id));
    return [result.weights.get(id) ?? 8, unit < 0 ? 8 : result.units[unit]];
  };

  it('is never more than that of 8 bits where instructions are asked for, on any core', () => {
    for (const core of CORES) {
      const cost = decisionCost(graph, 'latency', core);
      for (const target of [1.1, 1.3, 4]) {
        const result = searchTradeOff(graph, units, sensitivities, free, target, cost);
        for (const { id } of graph.layers)
          assert.ok(cost.layer(id, ...of(result, id)) <= cost.layer(id, 8, 8), `${core}: layer ${id}`);
        assert.ok(result.reduction >= 1);
      }
    }
  });

  it('leaves everything at 8 bits where fewer take no fewer instructions, and lowers it where they do', () => {
    const fewest = (core: (typeof CORES)[number]): number =>
      searchTradeOff(graph, units, sensitivities, free, 4, decisionCost(graph, 'latency', core)).reduction;
    for (const core of ['cortex-m0plus', 'cortex-m3', 'cortex-m4'] as const) assert.ok(fewest(core) > 1.2, core);
    assert.ok(fewest('cortex-m55') < 1.1);
  });

  it('is MACs by bits for BitOPs, bytes for flash and SRAM', () => {
    const [layer] = graph.layers;
    assert.equal(decisionCost(graph, 'bitops').layer(layer.id, 4, 8), layerMacs(graph, layer) * 32);
    assert.equal(decisionCost(graph, 'flash').layer(layer.id, 4, 8), (3 * 16) / 2);
    const stored = units.find((u) => u.kind === 'stored')!;
    const { h, w, c } = graph.maps[stored.maps[0]].shape;
    assert.equal(decisionCost(graph, 'sram').unit(stored, 4), (h * w * c * stored.maps.length) / 2);
    assert.equal(decisionCost(graph, 'sram').layer(layer.id, 4, 8), 0);
  });
});
