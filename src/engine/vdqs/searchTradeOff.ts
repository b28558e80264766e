import { isWeighted, type Graph, type LayerId } from '../graph/types';
import type { Bits, WeightBits } from '../graph/bits';
import { decisionCost, type DecisionCost } from './decisionCost';
import type { Sensitivities } from './sensitivity';
import type { DecisionUnit } from './units';

/** Bits of all decisions, and what they cost. */
export interface TradeOff {
  /** By index of the decision. */
  readonly units: readonly Bits[];
  readonly weights: ReadonlyMap<LayerId, WeightBits>;
  /** Σ of the sensitivities. */
  readonly loss: number;
  /** Cost (see {@link DecisionCost}) at 8 bits over that at these, without recomputed halos. */
  readonly reduction: number;
}

/** What may be chosen. */
export interface TradeOffChoices {
  bits(unit: number): readonly Bits[];
  weightBits(layer: LayerId): readonly WeightBits[];
}

/**
 * One way to decide a group of decisions that cannot be told apart in cost: a unit with its readers, or the weights of
 * a layer that no unit concerns.
 */
interface Option {
  readonly bits: Bits;
  readonly weights: readonly (readonly [LayerId, WeightBits])[];
  readonly loss: number;
  /** Share of the network's cost at 8 bits. */
  readonly cost: number;
}

/** Steps that the allowed cost is counted in; costs are rounded up to whole steps. */
const STEPS = 1 << 15;
/** With more decisions than this, each is so small that prices find the best choice but for the last few. */
const MOST_EXACT = 256;

/**
 * Bits of feature maps and weights together: the least ΣS whose cost stays within the target. A layer's weights are
 * chosen together with the map it reads; beyond that, decisions do not depend on each other, so this is a
 * multiple-choice knapsack, solved exactly (up to the rounding of costs) by dynamic programming over the cost spent.
 * Prices on the cost (min ΣS + μ·cost) find the convex hull only and overshoot by a whole layer where
 * layers are large; they are for networks of very many layers.
 *
 * @param target cost at 8 bits over the cost wanted; where no choice reaches it, the one with the least cost is
 *   returned
 * @param cost what is to be reduced; BitOPs by default
 */
export function searchTradeOff(
  graph: Graph,
  units: readonly DecisionUnit[],
  sensitivities: Pick<Sensitivities, 'units' | 'weights'>,
  choices: TradeOffChoices,
  target: number,
  cost: DecisionCost = decisionCost(graph, 'bitops'),
): TradeOff {
  const groups = optionsOf(graph, units, sensitivities, choices, cost);
  const chosen = target <= 1 ? groups.map(leastLoss) : chooseWithin(groups, 1 / target);
  const share = costOf(chosen);
  return {
    units: chosen.slice(0, units.length).map((o) => o.bits),
    weights: new Map(chosen.flatMap((o) => o.weights)),
    loss: chosen.reduce((sum, o) => sum + o.loss, 0),
    reduction: share > 0 ? 1 / share : 1,
  };
}

/** ΣS of {@link searchTradeOff} at any target: what the sensitivities foresee, found once for all targets. */
export function foreseenLoss(
  graph: Graph,
  units: readonly DecisionUnit[],
  sensitivities: Pick<Sensitivities, 'units' | 'weights'>,
  choices: TradeOffChoices,
  cost: DecisionCost = decisionCost(graph, 'bitops'),
): (target: number) => number {
  const groups = optionsOf(graph, units, sensitivities, choices, cost);
  const open = groups.filter((g) => g.length > 1);
  if (open.length > MOST_EXACT) return (target) => chooseWithin(groups, 1 / target).reduce((sum, o) => sum + o.loss, 0);
  const fixed = groups.filter((g) => g.length === 1).map(leastLoss);
  const lost = fixed.reduce((sum, o) => sum + o.loss, 0);
  const rest = Math.max(1 - costOf(fixed), 1e-12);
  const least = leastLosses(open, rest, null);
  for (let s = 1; s <= STEPS; s++) least[s] = Math.min(least[s], least[s - 1]);
  const most = open.reduce((sum, g) => sum + g[0].loss, lost);
  return (target) => {
    const step = Math.floor(Math.min(1, (1 / target - costOf(fixed)) / rest) * STEPS + 1e-9);
    return step >= 0 && least[step] < Infinity ? lost + least[step] : most;
  };
}

const costOf = (options: readonly Option[]): number => options.reduce((sum, o) => sum + o.cost, 0);

/** One option per group, with Σ cost ≤ budget if there are such and with the least cost if not. */
function chooseWithin(groups: readonly (readonly Option[])[], budget: number): readonly Option[] {
  const open = groups.filter((g) => g.length > 1);
  const left = budget - costOf(groups.filter((g) => g.length === 1).map(leastLoss));
  const found = open.length > MOST_EXACT ? byPrices(open, left) : knapsack(open, left);
  let next = 0;
  return groups.map((g) => (g.length === 1 || found === null ? g[0] : found[next++]));
}

/**
 * The options of every unit, then of every layer that reads through none; each list by rising cost and falling loss.
 */
function optionsOf(
  graph: Graph,
  units: readonly DecisionUnit[],
  { units: unitLoss, weights: weightLoss }: Pick<Sensitivities, 'units' | 'weights'>,
  choices: TradeOffChoices,
  cost: DecisionCost,
): Option[][] {
  const layers = graph.layers.filter(isWeighted);
  const total =
    layers.reduce((sum, l) => sum + cost.layer(l.id, 8, 8), 0) + units.reduce((sum, u) => sum + cost.unit(u, 8), 0);
  const share = (part: number): number => (total > 0 ? part / total : 0);
  const reader = (id: LayerId, read: Bits): Option[] =>
    choices.weightBits(id).map((bits) => ({
      bits: read,
      weights: [[id, bits]],
      loss: bits === 8 ? 0 : weightLoss.get(id)!,
      cost: share(cost.layer(id, bits, read)),
    }));
  const read = new Set(units.flatMap((u) => u.readers));
  return [
    ...units.map((unit, i) =>
      undominated(
        choices.bits(i).flatMap((bits) =>
          unit.readers.reduce<Option[]>(
            (before, id) =>
              undominated(
                before.flatMap((a) =>
                  reader(id, bits).map((b) => ({
                    bits,
                    weights: [...a.weights, ...b.weights],
                    loss: a.loss + b.loss,
                    cost: a.cost + b.cost,
                  })),
                ),
              ),
            [{ bits, weights: [], loss: unitLoss[i].get(bits) ?? 0, cost: share(cost.unit(unit, bits)) }],
          ),
        ),
      ),
    ),
    ...layers.filter((l) => !read.has(l.id)).map((l) => undominated(reader(l.id, 8))),
  ];
}

/** Options for which no other has both less cost and less loss, by rising cost. Of equals the first stays. */
function undominated(options: readonly Option[]): Option[] {
  const sorted = options
    .map((o, i) => ({ o, i }))
    .sort((a, b) => a.o.cost - b.o.cost || a.o.loss - b.o.loss || a.i - b.i);
  let least = Infinity;
  return sorted.filter(({ o }) => o.loss < least && ((least = o.loss), true)).map(({ o }) => o);
}

function leastLoss(options: readonly Option[]): Option {
  return options[options.length - 1];
}

/** Least Σ loss by steps of Σ cost spent exactly; `taken` gets the option of each group. */
function leastLosses(
  groups: readonly (readonly Option[])[],
  budget: number,
  taken: readonly Uint16Array[] | null,
): Float64Array {
  let least = new Float64Array(STEPS + 1).fill(Infinity);
  least[0] = 0;
  groups.forEach((options, g) => {
    const next = new Float64Array(STEPS + 1).fill(Infinity);
    options.forEach((option, k) => {
      const spent = stepsOf(option, budget);
      for (let s = spent; s <= STEPS; s++) {
        const loss = least[s - spent] + option.loss;
        if (loss >= next[s]) continue;
        next[s] = loss;
        if (taken) taken[g][s] = k;
      }
    });
    least = next;
  });
  return least;
}

function stepsOf(option: Option, budget: number): number {
  return Math.ceil((option.cost / budget) * STEPS - 1e-9);
}

/** One option per group with the least Σ loss and Σ cost ≤ budget; null when there is none. */
function knapsack(groups: readonly (readonly Option[])[], budget: number): Option[] | null {
  if (!(budget > 0)) return null;
  const taken = groups.map(() => new Uint16Array(STEPS + 1));
  const least = leastLosses(groups, budget, taken);
  let at = 0;
  for (let s = 1; s <= STEPS; s++) if (least[s] < least[at]) at = s;
  if (least[at] === Infinity) return null;
  const chosen: Option[] = [];
  for (let g = groups.length - 1; g >= 0; g--) {
    const option = groups[g][taken[g][at]];
    chosen.unshift(option);
    at -= stepsOf(option, budget);
  }
  return chosen;
}

/**
 * From the least loss of every group on, the step down that costs the least loss per BitOP, until all is within the
 * budget; null when it never is.
 */
function byPrices(groups: readonly (readonly Option[])[], budget: number): Option[] | null {
  const chosen = groups.map(leastLoss);
  const steps = groups
    .flatMap((options, g) => hullOf(options).map((step) => ({ g, ...step })))
    .sort((a, b) => a.price - b.price);
  let cost = costOf(chosen);
  for (const { g, to } of steps) {
    if (cost <= budget) break;
    cost += to.cost - chosen[g].cost;
    chosen[g] = to;
  }
  return cost <= budget ? chosen : null;
}

/** Steps along the lower convex hull of a group's options, from the most BitOPs down: prices rise. */
function hullOf(options: readonly Option[]): { to: Option; price: number }[] {
  const result: { to: Option; price: number }[] = [];
  for (let from = options.length - 1; from > 0;) {
    let best = from - 1;
    const price = (to: number): number =>
      (options[to].loss - options[from].loss) / (options[from].cost - options[to].cost);
    for (let to = from - 2; to >= 0; to--) if (price(to) <= price(best)) best = to;
    result.push({ to: options[best], price: price(best) });
    from = best;
  }
  return result;
}
