import type { Bits, WeightBits } from '../graph/bits';
import { isWeighted, type Graph, type LayerId, type MapId } from '../graph/types';
import { toldOf } from '../plan/toldOf';
import type { BitsAccount, BitsReason, Plan, PlanAccount } from '../plan/types';
import type { BitDecisions } from '../quantize/quantizeGraph';
import { hasFewSamples } from '../vdqs/fewSamples';
import { decisionUnits, type DecisionUnit } from '../vdqs/units';

type Why = Omit<BitsAccount, 'bits'>;
/** A plan's account of its bits. */
export type BitsAccounts = Pick<PlanAccount, 'maps' | 'layers'>;

/** Why each decision has its bits, while they are being decided; the last word counts. */
export class BitReasons {
  private readonly maps = new Map<MapId, Why>();
  private readonly weights = new Map<LayerId, Why>();
  private readonly views = new Map<LayerId, Why>();

  constructor(
    private readonly graph: Graph,
    units: readonly DecisionUnit[],
  ) {
    const ends = new Set([...graph.inputs, ...graph.outputs].map(({ map }) => map));
    const free = new Set(units.flatMap((u) => (u.kind === 'stored' ? u.maps : [])));
    for (const { id } of graph.maps) if (!free.has(id)) this.maps.set(id, { by: ends.has(id) ? 'end' : 'tie' });
  }

  /** @param losses measured, by bits, in the unit of the search's loss */
  unit(unit: DecisionUnit, by: BitsReason, losses?: ReadonlyMap<Bits, number>): void {
    const fewer = [...(losses ?? [])].filter(([bits]) => bits < 8);
    const why: Why = {
      by,
      ...(by === 'sensitivity' && fewer.length > 0
        ? { losses: Object.fromEntries(fewer.map(([bits, loss]) => [bits, rounded(loss)])) }
        : {}),
    };
    if (unit.kind === 'view') this.views.set(unit.readers[0], why);
    else for (const map of unit.maps) this.maps.set(map, why);
  }

  /** @param loss measured at 4 bits */
  layer(layer: LayerId, by: BitsReason, loss?: number): void {
    const told = by === 'sensitivity' && loss !== undefined;
    this.weights.set(layer, { by, ...(told ? { losses: { 4: rounded(loss) } } : {}) });
  }

  /** Lowered for memory: the measurements are still known, but did not decide. */
  lowered(map: MapId): void {
    this.maps.set(map, { ...this.maps.get(map), by: 'sram' });
  }

  named(state: BitDecisions): BitsAccounts {
    const { graph } = this;
    const maps: Record<string, BitsAccount> = {};
    for (const { id, name } of graph.maps) maps[name] = { bits: state.mapBits(id), ...this.maps.get(id)! };
    const layers: Record<string, PlanAccount['layers'][string]> = {};
    for (const layer of graph.layers.filter(isWeighted)) {
      const view = this.views.get(layer.id);
      layers[layer.name] = {
        weights: { bits: state.weightBits(layer.id), ...this.weights.get(layer.id)! },
        ...(view ? { input: { bits: state.inputBits(layer.id), ...view } } : {}),
      };
    }
    return { maps, layers };
  }
}

const rounded = (loss: number): number => Number(loss.toPrecision(3));

/**
 * Why a plan's bits are as they are now: what its account says, or a person if the plan differs from that. For plans
 * without an account, what the graph and the kind of search imply.
 */
export function bitsAccounts(graph: Graph, plan: Plan, bits: BitDecisions): BitsAccounts {
  const known = plan.account ?? accountOf(graph, plan, bits);
  const layerOf = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
    Object.hasOwn(record, name) ? record[name] : undefined;
  const now = (account: BitsAccount | undefined, current: Bits | WeightBits, locked: boolean): BitsAccount => {
    const changed = account === undefined || account.bits !== current || locked;
    return changed ? { ...account, bits: current, by: 'person' } : account;
  };
  const maps: Record<string, BitsAccount> = {};
  for (const { id, name } of graph.maps)
    maps[name] = now(layerOf(known.maps, name), bits.mapBits(id), layerOf(plan.maps, name)?.locked === true);
  const layers: Record<string, PlanAccount['layers'][string]> = {};
  for (const { id, name, inputs } of graph.layers.filter(isWeighted)) {
    const locked = layerOf(plan.layers, name)?.locked === true;
    const account = layerOf(known.layers, name);
    const isView = account?.input !== undefined || bits.inputBits(id) < bits.mapBits(inputs[0]);
    layers[name] = {
      weights: now(account?.weights, bits.weightBits(id), locked),
      ...(isView ? { input: now(account?.input, bits.inputBits(id), locked) } : {}),
    };
  }
  return { maps, layers };
}

/** Whether a plan still has the bits, board and patches of its account, and therefore the loss. */
export function isAsSearched(graph: Graph, plan: Plan, bits: BitDecisions): boolean {
  const { account } = plan;
  if (!account) return false;
  if (account.toldOf !== undefined && account.toldOf !== toldOf(plan)) return false;
  const { maps, layers } = bitsAccounts(graph, plan, bits);
  const same = (a: BitsAccount | undefined, b: BitsAccount | undefined): boolean => a?.bits === b?.bits;
  return (
    Object.entries(maps).every(([name, now]) => same(account.maps[name], now)) &&
    Object.entries(layers).every(
      ([name, { weights, input }]) =>
        same(account.layers[name]?.weights, weights) && same(account.layers[name]?.input, input),
    )
  );
}

/** The account of a plan from before accounts existed. */
function accountOf(graph: Graph, { search }: Plan, bits: BitDecisions): BitsAccounts {
  const units = decisionUnits(graph);
  const reasons = new BitReasons(graph, units);
  const by = { entropy: 'score', sensitivity: 'sensitivity', fixed: 'asked' } as const;
  for (const unit of units) reasons.unit(unit, unit.readers.length === 0 ? 'unread' : by[search.method]);
  for (const { id } of graph.layers.filter(isWeighted))
    reasons.layer(
      id,
      search.weights !== 'auto'
        ? 'asked'
        : hasFewSamples(graph, id)
          ? 'fewSamples'
          : search.method === 'sensitivity'
            ? 'sensitivity'
            : 'flash',
    );
  return reasons.named(bits);
}
