import { UserError } from '../common/errors';
import type { Bits, WeightBits } from '../graph/bits';
import { isWeighted, type Graph, type LayerId, type MapId } from '../graph/types';
import type { LayerPlan, MapPlan } from '../plan/types';
import type { BitDecisions } from '../quantize/quantizeGraph';
import { graphFlashBytes } from '../cost/graphFlash';
import { formsFlashBytes, mostFlashBytes, reserveBytes } from '../targets/capacity';
import { coreOf } from '../targets/targets';
import type { PlanTarget } from '../targets/types';
import { freeChoices } from '../vdqs/freeChoices';
import { decisionCost } from '../vdqs/decisionCost';
import { searchTradeOff } from '../vdqs/searchTradeOff';
import type { DecisionUnit } from '../vdqs/units';
import type { DecideOptions, Decision } from './decisionTypes';

/** Bits while they are being decided. */
export class BitState implements BitDecisions {
  private readonly maps: Bits[];
  private readonly views = new Map<LayerId, Bits>();
  private readonly weights = new Map<LayerId, WeightBits>();
  /** Before anything was searched: as locked, asked for, or wanted by the flash. */
  private readonly givenWeights: ReadonlyMap<LayerId, WeightBits>;
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
    this.givenWeights = new Map(this.weights);
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
    const { weights, bits, locked, objective = 'bitops' } = this.options;
    const free = freeChoices(this.graph, units, bits, weights);
    const result = searchTradeOff(
      this.graph,
      units,
      sensitivities,
      {
        bits: (i) => {
          const fixed = this.lockedBits(units[i]);
          return fixed === null ? free.bits(i) : [fixed];
        },
        weightBits: (id) => {
          const isFixed =
            locked?.layers[this.graph.layers[id].name]?.locked === true ||
            weights !== 'auto' ||
            this.weightBits(id) === 4;
          return isFixed ? [this.weightBits(id)] : free.weightBits(id);
        },
      },
      target,
      decisionCost(this.graph, objective, coreOf(this.options.target)),
    );
    result.units.forEach((b, i) => this.set(units[i], b));
    for (const [id, b] of result.weights) this.weights.set(id, b);
    if (result.reduction < target && objective === 'bitops')
      notes.push(
        `The BitOPs target of ${target}× cannot be reached with these bits; the plan has ` +
          `${result.reduction.toFixed(2)}×, before recomputed halos.`,
      );
  }

  /**
   * Gives layers and what they read 8 bits again, and maps that no such layer reads; but what a person locked, and
   * weights that flash wants at 4 bits.
   */
  restore(units: readonly DecisionUnit[], layers: ReadonlySet<LayerId>): void {
    for (const unit of units) {
      const isRestored = unit.readers.length === 0 || unit.readers.some((id) => layers.has(id));
      if (isRestored && this.lockedBits(unit) === null) this.set(unit, 8);
    }
    for (const id of layers) if (this.weights.has(id)) this.weights.set(id, this.givenWeights.get(id)!);
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
    const { weights, target, locked, extraFlashBytes = 0 } = this.options;
    const layers = this.graph.layers.filter(isWeighted);
    for (const layer of layers) {
      const fixed = locked?.layers[layer.name];
      this.weights.set(layer.id, fixed?.locked ? (fixed.weightBits ?? 8) : weights === 4 ? 4 : 8);
    }
    const core = coreOf(target);
    const bytes = (): number => graphFlashBytes(this.graph, (id) => this.weightBits(id), core) + extraFlashBytes;
    if (weights === 'auto') {
      const free = [...layers]
        .filter((l) => !locked?.layers[l.name]?.locked)
        .sort((a, b) => b.weights.length - a.weights.length);
      // The default reserve is kept where fewer bits are enough for that.
      const least = graphFlashBytes(
        this.graph,
        (id) => (locked?.layers[this.graph.layers[id].name]?.locked ? this.weightBits(id) : 4),
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
      if (changed > 0)
        notes.push(
          `The weights of ${changed} layer${changed === 1 ? '' : 's'} have 4 bits, so that they fit in the flash.`,
        );
    }
    const need = bytes();
    if (need > mostFlashBytes(target)) throw noFlashFit(need, target, weights);
    if (need > formsFlashBytes(target))
      notes.push(
        `Only ${kib(target.flashBytes - need)} of flash are left for the application, less than the reserve of ` +
          `${kib(reserveBytes(target))}.`,
      );
  }
}

/** Why weights and code do not fit in the flash, and what would help. */
export function noFlashFit(need: number, target: PlanTarget, weights: WeightBits | 'auto'): UserError {
  const most = mostFlashBytes(target);
  const hints = [
    ...(weights === 8 ? ['allow 4-bit weights (--weights auto)'] : []),
    ...(most < target.flashBytes
      ? [`keep less than ${kib(target.flashBytes - most)} for the application (--flash-reserve)`]
      : []),
    'choose a board with more flash or a smaller network',
  ];
  const [first, ...rest] = hints;
  return new UserError(
    `Does not fit: needs at least ${kib(need)} of flash${weights === 8 ? '' : ' with 4-bit weights'}, ` +
      `${kib(need - most)} more than the ${kib(most)} that there are. ` +
      `${first[0].toUpperCase()}${first.slice(1)}${rest.map((hint) => `, or ${hint}`).join('')}.`,
  );
}

function kib(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${(bytes / 1024 / 1024).toFixed(2)} MiB` : `${(bytes / 1024).toFixed(1)} KiB`;
}
