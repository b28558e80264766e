import { UserError } from '../common/errors';
import { bytesText, counted, timesText } from '../common/wording';
import type { Bits, WeightBits } from '../graph/bits';
import { isWeighted, type Graph, type Layer, type LayerId, type MapId } from '../graph/types';
import type { LayerPlan, MapPlan } from '../plan/types';
import type { BitDecisions } from '../quantize/quantizeGraph';
import { formatTies } from '../quantize/ties';
import { graphFlashBytes } from '../cost/graphFlash';
import { formsFlashBytes, mostFlashBytes } from '../targets/capacity';
import { coreOf } from '../targets/targets';
import type { PlanTarget } from '../targets/types';
import { hasFewSamples } from '../vdqs/fewSamples';
import { freeChoices } from '../vdqs/freeChoices';
import { searchTradeOff, type TradeOff } from '../vdqs/searchTradeOff';
import type { DecisionUnit } from '../vdqs/units';
import { BitReasons } from './bitReasons';
import type { DecideOptions, Decision } from './decisionTypes';
import { planCost } from './planCost';

/** Which maps have 16 bits: what a person locked so, with all that share their bits. */
function wideMaps(graph: Graph, { locked }: DecideOptions): boolean[] {
  const { bitGroup } = formatTies(graph);
  const groups = new Set<MapId>();
  for (const { id, name } of graph.maps) {
    const plan = locked?.maps[name];
    if (plan?.locked === true && plan.bits === 16) groups.add(bitGroup[id]);
  }
  return graph.maps.map(({ id }) => groups.has(bitGroup[id]));
}

/** Bits while they are being decided. */
export class BitState implements BitDecisions {
  private readonly maps: Bits[];
  private readonly views = new Map<LayerId, Bits>();
  private readonly weights = new Map<LayerId, WeightBits>();
  /** Before anything was searched: as locked, requested, or required by the flash. */
  private readonly givenWeights: ReadonlyMap<LayerId, WeightBits>;
  private readonly unitOfMap = new Map<MapId, DecisionUnit>();
  private readonly idByName: ReadonlyMap<string, MapId>;
  private readonly reasons: BitReasons;

  constructor(
    private readonly graph: Graph,
    units: readonly DecisionUnit[],
    private readonly options: DecideOptions,
    notes: string[],
  ) {
    this.reasons = new BitReasons(graph, units);
    for (const unit of units) this.reasons.unit(unit, this.lockedBits(unit) === null ? 'asked' : 'person');
    this.maps = wideMaps(graph, options).map((isWide): Bits => (isWide ? 16 : 8));
    this.idByName = new Map(graph.maps.map((m) => [m.name, m.id]));
    for (const unit of units) if (unit.kind === 'stored') for (const map of unit.maps) this.unitOfMap.set(map, unit);
    this.chooseWeights(notes);
    this.givenWeights = new Map(this.weights);
  }

  mapBits(map: MapId): Bits {
    return this.maps[map];
  }

  weightBits(layer: LayerId): WeightBits {
    return this.weights.get(layer) ?? 8;
  }

  inputBits(layer: LayerId): Bits {
    const { name, inputs } = this.graph.layers[layer];
    const stored = this.maps[inputs[0]];
    const own = this.options.locked?.layers[name];
    const asked = own?.locked === true ? own.inputBits : undefined;
    return Math.min(asked ?? this.views.get(layer) ?? stored, stored) as Bits;
  }

  /** Whether anything has fewer than 8 bits. */
  get mixed(): boolean {
    return this.maps.some((b) => b < 8) || [...this.views.values()].some((b) => b < 8);
  }

  set(unit: DecisionUnit, bits: Bits): void {
    // What is not lowered is read as it is stored, with 8 bits or 16.
    if (unit.kind === 'view' && bits === 8) this.views.delete(unit.readers[0]);
    else if (unit.kind === 'view') this.views.set(unit.readers[0], bits);
    else for (const map of unit.maps) this.maps[map] = bits;
  }

  /** Bits by the entropy score, or the only ones that there are. */
  takeScored(unit: DecisionUnit, bits: Bits): void {
    this.set(unit, bits);
    if (this.lockedBits(unit) !== null) return;
    const by = this.options.bits.length > 1 ? 'score' : 'asked';
    this.reasons.unit(unit, unit.readers.length === 0 ? 'unread' : by);
  }

  /**
   * Bits of maps and weights of least measured loss at the wanted reduction. Weights that flash requires at 4 bits stay
   * there.
   * @returns the reduction that they have
   */
  takeTradeOff(measured: NonNullable<DecideOptions['measured']>, notes: string[]): number {
    const { units, sensitivities, target } = measured;
    const { weights, bits, objective = 'bitops' } = this.options;
    const free = freeChoices(this.graph, units, bits, weights);
    const result = searchTradeOff(
      this.graph,
      units,
      sensitivities,
      {
        bits: (i) => {
          const fixed = this.lockedBits(units[i]);
          if (fixed !== null) return [fixed];
          return units[i].kind === 'stored' && this.maps[units[i].maps[0]] === 16 ? [16] : free.bits(i);
        },
        weightBits: (id) => {
          const isWide = this.isWide(this.graph.layers[id]);
          const isFixed = isWide || this.isLocked(id) || weights !== 'auto' || this.weightBits(id) === 4;
          return isFixed ? [this.weightBits(id)] : free.weightBits(id);
        },
      },
      target,
      planCost(this.graph, units, this.options),
    );
    this.explain(measured, result);
    result.units.forEach((b, i) => this.set(units[i], b));
    for (const [id, b] of result.weights) this.weights.set(id, b);
    if (result.reduction < target && objective === 'bitops' && this.options.targetAsked === true)
      notes.push(
        `${timesText(target)} fewer BitOPs cannot be reached with these bits; the plan has ` +
          `${timesText(result.reduction)}, before recomputed halos.`,
      );
    return result.reduction;
  }

  private explain(
    { units, sensitivities, perDivergence }: NonNullable<DecideOptions['measured']>,
    result: TradeOff,
  ): void {
    const scaled = (loss: number): number => loss * (perDivergence ?? 1);
    const free = freeChoices(this.graph, units, this.options.bits, this.options.weights);
    units.forEach((unit, i) => {
      if (this.lockedBits(unit) !== null) return;
      const fewSamples = unit.readers.length > 0 && unit.readers.every((id) => hasFewSamples(this.graph, id));
      const losses = new Map([...sensitivities.units[i]].map(([bits, loss]) => [bits, scaled(loss)]));
      if (unit.readers.length === 0) this.reasons.unit(unit, 'unread');
      else if (fewSamples) this.reasons.unit(unit, 'fewSamples');
      else if (free.bits(i).length < 2) this.reasons.unit(unit, this.options.bits.length < 2 ? 'asked' : 'tie');
      else this.reasons.unit(unit, 'sensitivity', losses);
    });
    if (this.options.weights !== 'auto') return;
    for (const [id] of result.weights) {
      // Those that flash made 4 bits, and a person's, have their reason.
      if (this.isLocked(id) || this.weightBits(id) === 4) continue;
      if (hasFewSamples(this.graph, id)) this.reasons.layer(id, 'fewSamples');
      else this.reasons.layer(id, 'sensitivity', scaled(sensitivities.weights.get(id)!));
    }
  }

  /** Whether a layer reads or writes 16 bits: its weights have 8. */
  private isWide({ inputs, output }: Pick<Layer, 'inputs' | 'output'>): boolean {
    return [...inputs, output].some((map) => this.maps[map] === 16);
  }

  private isLocked(layer: LayerId): boolean {
    return this.options.locked?.layers[this.graph.layers[layer].name]?.locked === true;
  }

  /**
   * Gives layers and what they read 8 bits again, and maps that no such layer reads; but what a person locked, and
   * weights that flash requires at 4 bits.
   */
  restore(units: readonly DecisionUnit[], layers: ReadonlySet<LayerId>): void {
    for (const unit of units) {
      const isRestored = unit.readers.length === 0 || unit.readers.some((id) => layers.has(id));
      if (!isRestored || this.lockedBits(unit) !== null) continue;
      if (this.isBelow8(unit)) this.reasons.unit(unit, 'slower');
      if (unit.kind === 'view' || this.maps[unit.maps[0]] < 8) this.set(unit, 8);
    }
    for (const id of layers) {
      const given = this.givenWeights.get(id);
      if (given === undefined) continue;
      if (given > this.weightBits(id)) this.reasons.layer(id, 'slower');
      this.weights.set(id, given);
    }
  }

  private isBelow8({ kind, maps, readers }: DecisionUnit): boolean {
    return kind === 'view' ? (this.views.get(readers[0]) ?? 8) < 8 : maps.some((map) => this.maps[map] < 8);
  }

  lockedBits(unit: DecisionUnit): Bits | null {
    const { locked } = this.options;
    if (!locked) return null;
    if (unit.kind === 'view') {
      const layer = locked.layers[this.graph.layers[unit.readers[0]].name];
      return layer?.locked ? (layer.inputBits ?? 8) : null;
    }
    for (const map of unit.maps) {
      const plan = locked.maps[this.graph.maps[map].name];
      if (plan?.locked) return plan.bits;
    }
    return null;
  }

  /** Gives the map, and those that share its bits, the next fewer bits and returns them; null when it cannot. */
  lowerMap(name: string, candidates: readonly Bits[]): Bits | null {
    const map = this.idByName.get(name);
    const unit = map === undefined ? undefined : this.unitOfMap.get(map);
    if (map === undefined || !unit || this.lockedBits(unit) !== null) return null;
    const next = candidates.filter((b) => b < this.maps[map] && b >= unit.leastBits).sort((a, b) => b - a)[0];
    if (next === undefined) return null;
    this.set(unit, next);
    for (const lowered of unit.maps) this.reasons.lowered(lowered);
    return next;
  }

  named(): Pick<Decision, 'maps' | 'layers' | 'reasons'> {
    const { graph, options } = this;
    const maps: Record<string, MapPlan> = {};
    for (const map of graph.maps) {
      const locked = options.locked?.maps[map.name]?.locked === true;
      if (this.maps[map.id] !== 8 || locked)
        maps[map.name] = { bits: this.maps[map.id], ...(locked ? { locked } : {}) };
    }
    const layers: Record<string, LayerPlan> = {};
    for (const layer of graph.layers) {
      if (!isWeighted(layer)) continue;
      const weightBits = this.weightBits(layer.id);
      const inputBits = this.inputBits(layer.id);
      const locked = options.locked?.layers[layer.name]?.locked === true;
      const plan: LayerPlan = {
        ...(weightBits !== 8 || locked ? { weightBits } : {}),
        ...(inputBits < this.maps[layer.inputs[0]] ? { inputBits } : {}),
        ...(locked ? { locked } : {}),
      };
      if (Object.keys(plan).length > 0) layers[layer.name] = plan;
    }
    return { maps, layers, reasons: this.reasons.named(this) };
  }

  /** 8 bits for all weights, or 4 as asked; `auto` gives 4 to the largest layers until everything fits in flash. */
  private chooseWeights(notes: string[]): void {
    const { weights, target, locked, extraFlashBytes = 0 } = this.options;
    const layers = this.graph.layers.filter(isWeighted);
    for (const layer of layers) {
      const fixed = locked?.layers[layer.name];
      const wanted = fixed?.locked ? (fixed.weightBits ?? 8) : weights === 4 ? 4 : 8;
      this.weights.set(layer.id, this.isWide(layer) ? 8 : wanted);
      this.reasons.layer(layer.id, fixed?.locked ? 'person' : weights === 'auto' ? 'flash' : 'asked');
    }
    const core = coreOf(target);
    const bytes = (): number => graphFlashBytes(this.graph, (id) => this.weightBits(id), core) + extraFlashBytes;
    if (weights === 'auto') {
      const free = [...layers]
        .filter((l) => !locked?.layers[l.name]?.locked && !this.isWide(l))
        .sort((a, b) => b.weights.length - a.weights.length);
      // The default reserve is kept if fewer bits are enough for that.
      const least = graphFlashBytes(
        this.graph,
        (id) =>
          locked?.layers[this.graph.layers[id].name]?.locked || this.isWide(this.graph.layers[id])
            ? this.weightBits(id)
            : 4,
        core,
      );
      const reserved = formsFlashBytes(target);
      const limit = least + extraFlashBytes <= reserved ? reserved : mostFlashBytes(target);
      let changed = 0;
      for (const layer of free) {
        if (bytes() <= limit) break;
        this.weights.set(layer.id, 4);
        changed++;
      }
      if (changed > 0) notes.push(`The weights of ${counted(changed, 'layer')} have 4 bits, to fit in flash.`);
    }
    const need = bytes();
    if (need > mostFlashBytes(target)) throw noFlashFit(need, target, weights);
  }
}

/** Why weights and code do not fit in the flash, and what would help. */
export function noFlashFit(need: number, target: PlanTarget, weights: WeightBits | 'auto'): UserError {
  const most = mostFlashBytes(target);
  const hints = [
    ...(weights === 8 ? ['allow 4-bit weights (--weights auto)'] : []),
    ...(most < target.flashBytes
      ? [`reserve less than ${bytesText(target.flashBytes - most)} for the application (--flash-reserve)`]
      : []),
    'choose a board with more flash or a smaller network',
  ];
  const [first, ...rest] = hints;
  return new UserError(
    `Does not fit: needs at least ${bytesText(need)} of flash${weights === 8 ? '' : ' with 4-bit weights'}, ` +
      `${bytesText(need - most)} more than the ${bytesText(most)} available. ` +
      `${first[0].toUpperCase()}${first.slice(1)}${rest.map((hint) => `, or ${hint}`).join('')}.`,
  );
}
