import { layerMacs } from '../graph/macs';
import { isWeighted, type Graph, type LayerId } from '../graph/types';
import type { Bits, WeightBits } from '../plan/types';
import type { Sensitivities } from './sensitivity';
import type { DecisionUnit } from './units';

/** Bits of all decisions, and what they cost. */
export interface TradeOff {
  /** By index of the decision. */
  readonly units: readonly Bits[];
  readonly weights: ReadonlyMap<LayerId, WeightBits>;
  /** Σ of the sensitivities. */
  readonly loss: number;
  /** BitOPs at 8 bits over BitOPs at these, without recomputed halos. */
  readonly reduction: number;
}

/** What may be chosen. */
export interface TradeOffChoices {
  bits(unit: number): readonly Bits[];
  weightBits(layer: LayerId): readonly WeightBits[];
}

/**
 * Bits of feature maps and weights together: min ΣS + μ·BitOPs, μ bisected until the reduction is reached with the least loss. For a given μ decisions do not
 * depend on each other, but for a layer's weights and the map it reads, which are chosen together.
 *
 * @param target BitOPs at 8 bits over BitOPs wanted
 */
export function searchTradeOff(graph: Graph, units: readonly DecisionUnit[], sensitivities: Sensitivities, choices: TradeOffChoices, target: number): TradeOff {
  let high = 1e-12;
  let best = chooseAt(graph, units, sensitivities, choices, 0);
  if (best.reduction >= target) return best;
  do {
    high *= 8;
    best = chooseAt(graph, units, sensitivities, choices, high);
  } while (best.reduction < target && high < 1e12);
  let low = high / 8;
  for (let i = 0; i < 40; i++) {
    const middle = Math.sqrt(low * high);
    const trial = chooseAt(graph, units, sensitivities, choices, middle);
    if (trial.reduction >= target) {
      high = middle;
      best = trial;
    } else low = middle;
  }
  return best;
}

/** The best decisions at one price of a BitOP, given relative to the network's BitOPs at 8 bits. */
function chooseAt(graph: Graph, units: readonly DecisionUnit[], { units: unitLoss, weights: weightLoss }: Sensitivities, choices: TradeOffChoices, price: number): TradeOff {
  const layers = graph.layers.filter(isWeighted);
  const share = new Map(layers.map((l) => [l.id, layerMacs(graph, l)]));
  const total = layers.reduce((sum, l) => sum + share.get(l.id)!, 0) * 64;
  const weights = new Map<LayerId, WeightBits>();
  let loss = 0;
  let cost = 0;
  /** Best weight bits of a layer that reads `read` bits. */
  const reader = (id: LayerId, read: Bits): { bits: WeightBits; loss: number; cost: number } => {
    let best = { bits: 8 as WeightBits, loss: 0, cost: 0 };
    let least = Infinity;
    for (const bits of choices.weightBits(id)) {
      const option = { bits, loss: bits === 8 ? 0 : weightLoss.get(id)!, cost: (share.get(id)! * bits * read) / total };
      if (option.loss + price * option.cost < least) {
        least = option.loss + price * option.cost;
        best = option;
      }
    }
    return best;
  };
  const take = (id: LayerId, option: { bits: WeightBits; loss: number; cost: number }): void => {
    weights.set(id, option.bits);
    loss += option.loss;
    cost += option.cost;
  };
  const read = new Set<LayerId>();
  const chosen = units.map((unit, i) => {
    let best: Bits = 8;
    let least = Infinity;
    for (const bits of choices.bits(i)) {
      const value = unit.readers.reduce((sum, id) => sum + reader(id, bits).loss + price * reader(id, bits).cost, unitLoss[i].get(bits)!);
      if (value < least) {
        least = value;
        best = bits;
      }
    }
    loss += unitLoss[i].get(best)!;
    for (const id of unit.readers) {
      read.add(id);
      take(id, reader(id, best));
    }
    return best;
  });
  for (const layer of layers) if (!read.has(layer.id)) take(layer.id, reader(layer.id, 8));
  return { units: chosen, weights, loss, reduction: cost > 0 ? 1 / cost : 1 };
}
