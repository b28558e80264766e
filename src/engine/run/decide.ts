import type { Calibration } from '../calibration/types';
import { UserError } from '../common/errors';
import { isWeighted, type Graph, type LayerId, type MapId } from '../graph/types';
import { patchSpans, type Grid } from '../schedule/branches';
import { MemoryEstimator, type MemoryModel, type PatchChoice } from '../patch/estimate';
import { noFitText, type NoFit } from '../patch/noFit';
import { paretoPoints, type ParetoPoint } from '../patch/pareto';
import { planPatches, type PatchCandidate, type PatchPlanning } from '../patch/planner';
import { buildSchedule } from '../schedule/schedule';
import { scheduleArena } from '../schedule/scheduleArena';
import { isOutside } from '../graph/bits';
import { classRows, namedTailStage } from '../planned/stage';
import type { Bits, PatchClass, WeightBits } from '../graph/bits';
import type { LayerPlan, MapPlan, PatchStage, TailStage } from '../plan/types';
import type { PlanTarget } from '../targets/types';
import { layoutArena } from '../arena/layoutArena';
import { scheduleRules } from '../schedule/scheduleRules';
import { checkCancelled, type Progress } from '../common/progress';
import type { BitDecisions } from '../quantize/quantizeGraph';
import { graphCodeBytes } from '../targets/capacity';
import { rankPositions, topPositions } from '../vdpc/classify';
import { boundsOfSpans } from '../vdpc/patchBounds';
import { runtimeTest } from '../vdpc/runtime';
import { scoreUnits } from '../vdqs/scoreUnits';
import { searchTradeOff } from '../vdqs/searchTradeOff';
import type { Sensitivities } from '../vdqs/sensitivity';
import { searchBits } from '../vdqs/search';
import { decisionUnits, type DecisionUnit } from '../vdqs/units';

/** What the search is free to choose from, and what it has to respect. */
export interface DecideOptions {
  readonly target: PlanTarget;
  readonly grid: 'auto' | 'none' | Grid;
  /** Candidate bits of feature maps, 8 among them. */
  readonly bits: readonly Bits[];
  readonly weights: WeightBits | 'auto';
  readonly phi: number;
  readonly lambda: number;
  readonly epsilon: number;
  readonly classes: 'static' | 'runtime';
  /** Measured sensitivities and the reduction of BitOPs to reach with them; undefined: bits by the entropy score. */
  readonly measured?: {
    readonly units: readonly DecisionUnit[];
    readonly sensitivities: Sensitivities;
    readonly target: number;
  };
  /** Find the other ways to run the network, too; default. Without, `pareto` stays empty. */
  readonly compare?: boolean;
  /** Decisions of an earlier plan that a person locked. */
  readonly locked?: {
    readonly maps: Readonly<Record<string, MapPlan>>;
    readonly layers: Readonly<Record<string, LayerPlan>>;
  };
}

/** The decisions, named as a plan has them. */
export interface Decision {
  readonly patchStage: PatchStage | null;
  readonly tailStages: readonly TailStage[];
  readonly maps: Record<string, MapPlan>;
  readonly layers: Record<string, LayerPlan>;
  /**
   * Ways to run the network at these bits, from the least work to the least SRAM; arenas are lower bounds that layouts
   * nearly always reach.
   */
  readonly pareto: readonly ParetoPoint[];
  readonly notes: readonly string[];
}

/** Points of the Pareto set that are shown. */
const PARETO_POINTS = 32;

const STRATEGIES = ['recompute', 'keep', 'hybrid'] as const;

/** Share of MACs that may be recomputed for a smaller arena when a grid was asked for. */
const MOST_REDUNDANT = 0.1;

/**
 * Chooses bits, patch stage and classes: VDQS picks bits by score; the planner picks the split point, grid and halos
 * with the fewest MACs whose arena fits at these bits; where nothing fits, the maps at the peak go to fewer bits and
 * the planner tries again; VDPC gives the patches their classes, as many of outlier class as the SRAM allows.
 *
 * @throws UserError when nothing fits, saying by how much and what would help
 */
export function decide(graph: Graph, calibration: Calibration, options: DecideOptions, progress: Progress): Decision {
  const notes: string[] = [];
  const units = decisionUnits(graph);
  const state = new BitState(graph, units, options, notes);
  progress.report('Searching bits', 0, 0);
  if (options.measured) state.takeTradeOff(options.measured, notes);
  else decideByScore(graph, calibration, units, state, options, progress);
  const planning = planWithin(graph, state, options, notes, progress);
  const choice = planning.best!.choice;
  checkCancelled(progress);
  progress.report('Comparing plans', 0, 0);
  const pareto =
    options.compare === false
      ? []
      : options.grid === 'auto'
        ? planning.compare()
        : planPatches(graph, {
            memory: memoryModel(graph, state, options),
            sramBytes: options.target.sramBytes,
            strategies: STRATEGIES,
            firstFit: true,
            checkCancelled: () => checkCancelled(progress),
          }).compare();
  return {
    patchStage: choice && classifyPatches(graph, calibration, choice, state, options, notes),
    tailStages: planning.best!.tailStages.map((t) => namedTailStage(graph, t)),
    ...state.named(),
    pareto: paretoPoints(pareto, PARETO_POINTS),
    notes,
  };
}

function decideByScore(
  graph: Graph,
  calibration: Calibration,
  units: readonly DecisionUnit[],
  state: BitState,
  options: DecideOptions,
  progress: Progress,
): void {
  const scored = scoreUnits(
    graph,
    calibration,
    units,
    options.bits,
    options.lambda,
    (l) => state.weightBits(l),
    (u) => state.lockedBits(u),
  );
  searchBits(scored, { sramExcess: () => 0 }, progress).bits.forEach((b, i) => state.set(units[i], b));
}

/**
 * Runs the planner; as long as nothing fits, lowers the bits of the largest maps alive at the peak that may still be
 * lowered, as many as may suffice.
 */
function planWithin(
  graph: Graph,
  state: BitState,
  options: DecideOptions,
  notes: string[],
  progress: Progress,
): PatchPlanning {
  let lowered = 0;
  for (;;) {
    checkCancelled(progress);
    progress.report('Planning patches', lowered, 0);
    const planning = plan(graph, memoryModel(graph, state, options), options, () => checkCancelled(progress));
    if (planning.best) {
      if (lowered > 0)
        notes.push(
          `${lowered} feature map${lowered === 1 ? ' has' : 's have'} fewer bits than the score asked for, so ` +
            'that the arena fits.',
        );
      return planning;
    }
    const noFit = planning.noFit;
    if (!noFit)
      throw new UserError(
        `No patch grid suits this network as asked (${gridText(options.grid)}). Use another grid, or auto.`,
      );
    const before = lowered;
    let missing = noFit.missingBytes;
    for (const { map, bits, bytes } of noFit.peak.buffers) {
      if (missing <= 0) break;
      const next = state.lowerMap(map, options.bits);
      if (next === null) continue;
      missing -= bytes * (1 - next / bits);
      lowered++;
    }
    if (lowered === before)
      throw new UserError(noFitText(explained(graph, state, options) ?? noFit, options.target.sramBytes));
  }
}

/** The closest plan exactly, and what would help. */
function explained(graph: Graph, state: BitState, options: DecideOptions): NoFit | null {
  if (options.grid === 'none') return null;
  const grid = options.grid === 'auto' ? undefined : options.grid;
  return planPatches(graph, {
    memory: memoryModel(graph, state, options),
    sramBytes: options.target.sramBytes,
    strategies: STRATEGIES,
    grid,
  }).noFit;
}

function plan(graph: Graph, memory: MemoryModel, options: DecideOptions, checkCancelled: () => void): PatchPlanning {
  const { sramBytes } = options.target;
  if (options.grid === 'none') {
    const bytes = new MemoryEstimator(graph, memory).layout(null).layout.bytes;
    const candidate = {
      choice: null,
      tailStages: [],
      arenaBytes: bytes,
      stageBytes: 0,
      tailBytes: bytes,
      macs: 0,
      redundantMacs: 0,
      extraInstructions: 0,
    };
    if (bytes <= sramBytes) return { best: candidate, pareto: [candidate], compare: () => [candidate], noFit: null };
    // The planner knows how to explain a peak: with room for a 1×1 grid only, its closest plan is the whole network at
    // once.
    const account = planPatches(graph, {
      memory,
      sramBytes,
      largestGrid: { rows: 1, cols: 1 },
      firstFit: true,
      checkCancelled,
    });
    return { ...account, best: null };
  }
  const strategies = STRATEGIES;
  if (options.grid === 'auto')
    return planPatches(graph, { memory, sramBytes, strategies, firstFit: true, checkCancelled });
  // Who names a grid wants patches for their memory: the split point with the smallest arena, as long as little is
  // computed twice.
  const planning = planPatches(graph, {
    memory,
    sramBytes,
    strategies,
    grid: options.grid,
    stages: 'one',
    checkCancelled,
  });
  if (!planning.best)
    return planPatches(graph, { memory, sramBytes, strategies, grid: options.grid, firstFit: true, checkCancelled });
  const cheap = planning.pareto.filter(
    (c) => c.choice && c.arenaBytes <= sramBytes && c.redundantMacs <= MOST_REDUNDANT * c.macs,
  );
  const smallest = cheap.reduce<PatchCandidate | null>(
    (a, b) => (a === null || b.arenaBytes < a.arenaBytes ? b : a),
    null,
  );
  return planning.best && smallest ? { ...planning, best: smallest } : planning;
}

function gridText(grid: DecideOptions['grid']): string {
  return typeof grid === 'string' ? grid : `${grid.rows}×${grid.cols}`;
}

function memoryModel(graph: Graph, state: BitState, options: DecideOptions): MemoryModel {
  const { input } = options.target;
  const { bits, options: schedule } = scheduleRules(graph, null, state, input);
  // Classes are given once the grid is known, as many of outlier class as fit; at run time any patch may be of either
  // class.
  return {
    bits,
    schedule,
    align: 4,
    externalInputs: isOutside(input),
    classes: options.classes === 'runtime' && state.mixed ? 'either' : 'regular',
  };
}

/**
 * VDPC on a chosen grid: the stage with its classes, as many patches of outlier class as the SRAM allows. @param notes
 * gets how many it does not
 */
export function classifyPatches(
  graph: Graph,
  calibration: Calibration,
  choice: PatchChoice,
  state: BitDecisions,
  options: Pick<DecideOptions, 'phi' | 'epsilon' | 'classes' | 'target'>,
  notes: string[],
): PatchStage {
  const { stage, grid, keep } = choice;
  const base = {
    splitMap: graph.maps[stage.splitMap].name,
    grid,
    keep: [...keep].map((m) => graph.maps[m].name),
  };
  const regular = new Array<PatchClass>(grid.rows * grid.cols).fill('regular');
  const statistics = calibration.patches;
  const lowBits =
    stage.maps.some((m) => m !== stage.splitMap && state.mapBits(m) < 8) ||
    stage.layers.some((l) => state.inputBits(l) < 8);
  if (!statistics || !lowBits)
    return { ...base, classMode: 'static', classes: classRows(regular, grid.cols), runtime: null };
  const { h, w } = graph.maps[stage.splitMap].shape;
  const ranking = rankPositions(
    statistics,
    boundsOfSpans(patchSpans(h, grid.rows), patchSpans(w, grid.cols)),
    options.phi,
    options.epsilon,
  );
  // As many positions as patches of an average image are outlier class.
  const frequent = Math.round(ranking.reduce((sum, r) => sum + r.frequency, 0));
  if (options.classes === 'runtime') {
    const { low, high } = runtimeTest(statistics, options.phi, options.epsilon);
    const map = graph.maps[statistics.map];
    if (!stage.maps.includes(map.id) || map.id === stage.splitMap || keep.size > 0) {
      throw new UserError(
        'Classes cannot be decided at run time here: the patch stage is too short, or halos are kept between ' +
          'patches. Use static classes or another grid.',
      );
    }
    const finite = (v: number): number => Math.max(-1e30, Math.min(1e30, v));
    const shown = classRows(topPositions(ranking, frequent), grid.cols);
    return {
      ...base,
      classMode: 'runtime',
      classes: shown,
      runtime: { map: map.name, low: finite(low), high: finite(high), epsilon: options.epsilon },
    };
  }
  // Best-ranked positions first; those whose 8-bit branch would not fit stay regular.
  const classes = [...regular];
  let refused = 0;
  for (const { patch } of ranking.slice(0, frequent)) {
    classes[patch] = 'outlier';
    if (arenaBytes(graph, choice, classes, state, options.target) > options.target.sramBytes) {
      classes[patch] = 'regular';
      refused++;
    }
  }
  if (refused > 0)
    notes.push(
      `${refused} of ${frequent} outlier patches stay at mixed precision: at 8 bits their branches would not fit ` +
        'in the SRAM.',
    );
  return { ...base, classMode: 'static', classes: classRows(classes, grid.cols), runtime: null };
}

function arenaBytes(
  graph: Graph,
  choice: PatchChoice,
  classes: readonly PatchClass[],
  state: BitDecisions,
  { input, sramBytes }: PlanTarget,
): number {
  const { bits, options } = scheduleRules(graph, choice.stage.splitMap, state, input);
  const { requests, overlaps } = scheduleArena(
    graph,
    buildSchedule(graph, { ...choice, classes }, bits, { ...options, tailStages: choice.tailStages }),
    4,
    isOutside(input),
  );
  return layoutArena(requests, overlaps, { effort: 'quick', enough: sramBytes }).bytes;
}

/** Bits while they are being decided. */
class BitState implements BitDecisions {
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
          // What only fully connected layers read saves next to nothing and cannot be compensated.
          const refitted = units[i].readers.some((id) => this.graph.layers[id].kind !== 'fullyConnected');
          return units[i].readers.length === 0 || refitted ? bits.filter((b) => b >= units[i].leastBits) : [8];
        },
        weightBits: (id) => {
          const fixed =
            locked?.layers[this.graph.layers[id].name]?.locked === true ||
            weights !== 'auto' ||
            this.weightBits(id) === 4;
          // Compensation cannot refit a fully connected layer (too few samples for its inputs), and it has few of the
          // MACs.
          return fixed || this.graph.layers[id].kind === 'fullyConnected' ? [this.weightBits(id)] : [8, 4];
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
