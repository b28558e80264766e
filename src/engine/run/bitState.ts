import { UserError } from '../common/errors';
import type { Bits, WeightBits } from '../graph/bits';
import { isWeighted, type Graph, type LayerId, type MapId } from '../graph/types';
import type { LayerPlan, MapPlan } from '../plan/types';
import type { BitDecisions } from '../quantize/quantizeGraph';
import { graphCodeBytes } from '../targets/capacity';
import { hasFewSamples } from '../vdqs/fewSamples';
import { searchTradeOff } from '../vdqs/searchTradeOff';
import type { DecisionUnit } from '../vdqs/units';
import type { DecideOptions, Decision } from './decisionTypes';

/** Bits while they are being decided. */
export class BitState implements BitDecisions {
  private readonly maps: Bits[];
  private readonly views = new Map<LayerId, Bits>();
  private readonly weights = new Map<LayerId, WeightBits>();
  private readonly unitOfMap = new Map<MapId, DecisionUnit>();
  private readonly idByName: ReadonlyMap<string, MapId>;

  constructor(
    private readonly graph: Graph,
    units: readonly DecisionUnit[],
    private readonly options: DecideOptions,
    notes: string[],
  ) {
    this.maps = graph.maps.map(() => 8);
    this.idByName = new Map(graph.maps.map((m) => [m.name, m.id]));
    for (const unit of units) if (unit.kind === 'stored') for (const map of unit.maps) this.unitOfMap.set(map, unit);
    this.chooseWeights(notes);
  }

  mapBits(map: MapId): Bits {
    return this.maps[map];
  }

  weightBits(layer: LayerId): WeightBits {
    return this.weights.get(layer) ?? 8;
  }

  inputBits(layer: LayerId): Bits {
    return Math.min(this.views.get(layer) ?? 8, this.maps[this.graph.layers[layer].inputs[0]]) as Bits;
  }

  /** Whether anything has fewer than 8 bits. */
  get mixed(): boolean {
    return this.maps.some((b) => b < 8) || [...this.views.values()].some((b) => b < 8);
  }

  set(unit: DecisionUnit, bits: Bits): void {
    if (unit.kind === 'view') this.views.set(unit.readers[0], bits);
    else for (const map of unit.maps) this.maps[map] = bits;
  }

  /**
   * Bits of maps and weights of least measured loss at the wanted reduction. Weights that flash wants at 4 bits stay
   * there.
   */
  takeTradeOff({ units, sensitivities, target }: NonNullable<DecideOptions['measured']>, notes: string[]): void {
    const { weights, bits, locked } = this.options;
    const result = searchTradeOff(
      this.graph,
      units,
      sensitivities,
      {
        bits: (i) => {
          const fixed = this.lockedBits(units[i]);
          if (fixed !== null) return [fixed];
          // What only such layers read saves next to nothing and cannot be compensated.
          const refitted = units[i].readers.some((id) => !hasFewSamples(this.graph, id));
          return units[i].readers.length === 0 || refitted ? bits.filter((b) => b >= units[i].leastBits) : [8];
        },
        weightBits: (id) => {
          const fixed =
            locked?.layers[this.graph.layers[id].name]?.locked === true ||
            weights !== 'auto' ||
            this.weightBits(id) === 4;
          return fixed || hasFewSamples(this.graph, id) ? [this.weightBits(id)] : [8, 4];
        },
      },
      target,
    );
    result.units.forEach((b, i) => this.set(units[i], b));
    for (const [id, b] of result.weights) this.weights.set(id, b);
    if (result.reduction < target)
      notes.push(
        `The BitOPs target of ${target}× cannot be reached with these bits; the plan has ` +
          `${result.reduction.toFixed(2)}×, before recomputed halos.`,
      );
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
    return next;
  }

  named(): Pick<Decision, 'maps' | 'layers'> {
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
    return { maps, layers };
  }

  /** 8 bits for all weights, or 4 as asked; `auto` gives 4 to the largest layers until the flash suffices. */
  private chooseWeights(notes: string[]): void {
    const { weights, target, locked } = this.options;
    const layers = this.graph.layers.filter(isWeighted);
    for (const layer of layers) {
      const fixed = locked?.layers[layer.name];
      this.weights.set(layer.id, fixed?.locked ? (fixed.weightBits ?? 8) : weights === 4 ? 4 : 8);
    }
    const bytes = (): number =>
      graphCodeBytes(this.graph) +
      layers.reduce((sum, l) => sum + (l.weights.length * this.weightBits(l.id)) / 8 + l.bias.length * 8, 0);
    if (weights === 'auto') {
      const byLength = [...layers].sort((a, b) => b.weights.length - a.weights.length);
      let changed = 0;
      for (const layer of byLength) {
        if (bytes() <= target.flashBytes) break;
        if (locked?.layers[layer.name]?.locked) continue;
        this.weights.set(layer.id, 4);
        changed++;
      }
      if (changed > 0)
        notes.push(
          `The weights of ${changed} layer${changed === 1 ? '' : 's'} have 4 bits, so that they fit in the flash.`,
        );
    }
    const need = bytes();
    if (need > target.flashBytes) {
      const hint =
        weights === 8
          ? 'Allow 4-bit weights, or choose a board with more flash.'
          : 'Choose a smaller network or a board with more flash.';
      throw new UserError(
        `Does not fit: weights and code need about ${need} bytes of flash, ${need - target.flashBytes} more than ` +
          `the ${target.flashBytes} there are. ${hint}`,
      );
    }
  }
}
