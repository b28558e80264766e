import { UserError } from '../common/errors';
import { checkCancelled, type Progress } from '../common/progress';
import { instructionsMs } from '../cost/latency';
import { scheduleInstructions } from '../cost/scheduleInstructions';
import type { Bits, WeightBits } from '../graph/bits';
import type { Graph, LayerId, MapId } from '../graph/types';
import { MemoryEstimator, memoryModel } from '../patch/estimate';
import { LEAST_STEP, planForBudgets } from '../patch/planner';
import type { PatchCandidate } from '../patch/types';
import { buildSchedule } from '../schedule/schedule';
import { graphFlashBytes } from '../cost/graphFlash';
import type { Core, Target } from '../targets/types';
import { decisionUnits } from '../vdqs/units';

/**
 * Share of a board's SRAM and flash that a plan may take and still leave the application room: beyond it, a fit is
 * tight.
 */
export const ROOMY = 0.9;

/** A board as a fit check needs it. */
export interface FitBoard {
  readonly id: string;
  readonly name: string;
  readonly core: Core;
  /** 0: not known. */
  readonly clockMHz: number;
  readonly memory?: Target['memory'];
  /** Of the region that holds the arena. */
  readonly sramBytes: number;
  readonly flashBytes: number;
}

/** One way to run a network and what it takes. */
export interface FitWay {
  /** Bits of all feature maps. */
  readonly mapBits: 8 | 4;
  readonly weightBits: WeightBits;
  /** Null: no patch stage. */
  readonly grid: { readonly rows: number; readonly cols: number } | null;
  /** Stages of the tail that run patch by patch as well. */
  readonly tailStages: number;
  /** Stages are streamed into one another, which takes the least memory and the most time. */
  readonly streamed: boolean;
  /** The arena's exact size, by its layout. */
  readonly arenaBytes: number;
  /** Weights, tables and code, an estimate. */
  readonly flashBytes: number;
  /** Estimate for one inference; null for boards without a clock rate. */
  readonly latencyMs: number | null;
}

export interface BoardFit {
  readonly board: FitBoard;
  /**
   * `fits`: at 8 bits, with room to spare ({@link ROOMY}). `tight`: with less room, with fewer bits, or with stages
   * streamed into one another. `no`: in no way, not even with everything at 4 bits.
   */
  readonly verdict: 'fits' | 'tight' | 'no';
  /** The fastest way that fits; where none does, the one that needs least. */
  readonly way: FitWay;
  /** The same board layer by layer at 8 bits, whether it fits or not. */
  readonly layerwise: FitWay;
}

/** What a network needs, before any calibration, and which boards provide it. */
export interface Fit {
  /** Layer by layer with everything at 8 bits. */
  readonly layerwise: { readonly arenaBytes: number; readonly flashBytes: number };
  /** The least SRAM in patches, with maps at 8 bits and at 4. */
  readonly least: Readonly<Record<8 | 4, Pick<FitWay, 'arenaBytes' | 'grid'>>>;
  /** Flash by the bits of all weights. */
  readonly flashBytes: Readonly<Record<WeightBits, number>>;
  readonly boards: readonly BoardFit[];
}

/** What is known before patches are planned. */
export interface FirstFit extends Pick<Fit, 'layerwise' | 'flashBytes'> {
  readonly boards: readonly FirstBoardFit[];
}

/** A board in {@link FirstFit}; null: patches decide. */
export interface FirstBoardFit extends Pick<BoardFit, 'board' | 'layerwise'> {
  readonly verdict: BoardFit['verdict'] | null;
  readonly way: FitWay | null;
}

/** A way with its work, before it is put on a board. */
type Point = Pick<FitWay, 'mapBits' | 'grid' | 'tailStages' | 'streamed' | 'arenaBytes'> & {
  readonly instructions: Readonly<Record<WeightBits, number>>;
};

/**
 * SRAM, flash and estimated time of a network on every board, layer by layer and in patches, at 8 bits and at 4: by the
 * planner and the cost model alone, without images.
 *
 * @param breathe waited for between parts of the work, some tenths of a second each: others get their turn
 * @throws UserError for networks without inputs that a plan could be made for; CancelledError
 */
export async function checkFit(
  graph: Graph,
  boards: readonly FitBoard[],
  progress: Progress,
  breathe: () => Promise<void> = () => Promise.resolve(),
): Promise<Fit> {
  checkLayers(graph);
  const eight = pointsAt(graph, 8, progress);
  await breathe();
  const four = pointsAt(graph, 4, progress);
  await breathe();
  const flashBytes = flashOf(graph);
  const fits: BoardFit[] = [];
  for (const board of boards) {
    checkCancelled(progress);
    fits.push(fitOn(board, eight, four, flashBytes));
    await breathe();
  }
  const least = ({ least: { arenaBytes, grid } }: Points): Pick<FitWay, 'arenaBytes' | 'grid'> => ({
    arenaBytes,
    grid,
  });
  return {
    layerwise: { arenaBytes: eight.layerwise.arenaBytes, flashBytes: flashBytes[8] },
    least: { 8: least(eight), 4: least(four) },
    flashBytes,
    boards: fits,
  };
}

/**
 * The part of {@link checkFit} that is there at once: everything layer by layer, and the boards that this decides. What
 * it says of a board is what the whole check says.
 *
 * @throws UserError as {@link checkFit} does
 */
export function checkLayerwise(graph: Graph, boards: readonly FitBoard[]): FirstFit {
  checkLayers(graph);
  const { layerwise: point } = layerwiseAt(graph, 8);
  const flashBytes = flashOf(graph);
  return {
    layerwise: { arenaBytes: point.arenaBytes, flashBytes: flashBytes[8] },
    flashBytes,
    boards: boards.map((board): FirstBoardFit => {
      const layerwise = wayOn(board, point, 8, flashBytes);
      const isInSram = (share: number): boolean => point.arenaBytes <= board.sramBytes * share;
      if (isInSram(ROOMY) && flashBytes[8] <= board.flashBytes * ROOMY)
        return { board, verdict: 'fits', way: layerwise, layerwise };
      if (flashBytes[8] <= board.flashBytes || flashBytes[4] <= board.flashBytes)
        return { board, verdict: null, way: null, layerwise };
      return { board, verdict: 'no', way: isInSram(1) ? wayOn(board, point, 4, flashBytes) : null, layerwise };
    }),
  };
}

function checkLayers(graph: Graph): void {
  if (graph.inputs.length === 0 || graph.layers.length === 0)
    throw new UserError('This model has no layers to run, so there is nothing to fit.');
}

function flashOf(graph: Graph): Readonly<Record<WeightBits, number>> {
  return {
    8: graphFlashBytes(graph, () => 8, 'cortex-m4'),
    4: graphFlashBytes(graph, () => 4, 'cortex-m4'),
  };
}

function wayOn(
  board: FitBoard,
  { instructions, ...point }: Point,
  weightBits: WeightBits,
  flash: Readonly<Record<WeightBits, number>>,
): FitWay {
  const latencyMs = instructionsMs(instructions[weightBits], board);
  return { ...point, weightBits, flashBytes: flash[weightBits], latencyMs };
}

function fitOn(board: FitBoard, eight: Points, four: Points, flash: Readonly<Record<WeightBits, number>>): BoardFit {
  const way = (point: Point, weightBits: WeightBits): FitWay => wayOn(board, point, weightBits, flash);
  const layerwise = way(eight.layerwise, 8);
  const weightBits = flash[8] <= board.flashBytes ? 8 : 4;
  const lesser = (a: Point, b: Point): Point => (a.arenaBytes <= b.arenaBytes ? a : b);
  // If the weights do not fit, neither the fastest way is needed nor a stream.
  if (flash[weightBits] > board.flashBytes) {
    const enough = [eight.layerwise, eight.least].find(({ arenaBytes }) => arenaBytes <= board.sramBytes);
    return { board, verdict: 'no', way: way(enough ?? lesser(eight.least, four.least), weightBits), layerwise };
  }
  const roomy = eight.inPatches(board.sramBytes * ROOMY);
  if (roomy && flash[8] <= board.flashBytes * ROOMY) return { board, verdict: 'fits', way: way(roomy, 8), layerwise };
  const point = roomy ?? eight.within(board.sramBytes) ?? four.within(board.sramBytes);
  if (point) return { board, verdict: 'tight', way: way(point, weightBits), layerwise };
  // The amount reported as missing is the smallest over all ways.
  return { board, verdict: 'no', way: way(lesser(eight.leastOfAll(), four.leastOfAll()), weightBits), layerwise };
}

/** How a network runs layer by layer at given bits, and what its patches are planned with. */
interface Layerwise {
  readonly memory: ReturnType<typeof memoryModel>;
  readonly estimator: MemoryEstimator;
  /** Instructions of every layer once, by the bits of all weights. */
  readonly once: Readonly<Record<WeightBits, number>>;
  readonly layerwise: Point;
}

function layerwiseAt(graph: Graph, mapBits: 8 | 4): Layerwise {
  const memory = memoryModel(graph, atMost(graph, mapBits), {});
  const estimator = new MemoryEstimator(graph, memory);
  const whole = buildSchedule(graph, null, memory.bits, memory.schedule);
  const base = (weightBits: WeightBits): number => scheduleInstructions(graph, whole, { weights: () => weightBits }, 0);
  const once = { 8: base(8), 4: base(4) } as const;
  const { bytes: arenaBytes } = estimator.layout(null, { effort: 'quick' }, []).layout;
  const layerwise: Point = { mapBits, grid: null, tailStages: 0, streamed: false, arenaBytes, instructions: once };
  return { memory, estimator, once, layerwise };
}

/** The planner's ways to run a network at given bits, from the least work to the least SRAM. */
interface Points {
  readonly layerwise: Point;
  /** The one in patches with the least arena. */
  readonly least: Point;
  /** The same, streams included: takes a second or two the first time. */
  leastOfAll(): Point;
  /** The one with the least work whose arena, laid out, fits in `bytes`, without streams; null where there is none. */
  inPatches(bytes: number): Point | null;
  /** The same, or where there is none the stream with the least work. */
  within(bytes: number): Point | null;
}

function pointsAt(graph: Graph, mapBits: 8 | 4, progress: Progress): Points {
  progress.report('Checking which boards it fits', 0, 0);
  const { memory, estimator, once, layerwise } = layerwiseAt(graph, mapBits);
  const budgets = planForBudgets(graph, {
    memory,
    strategies: ['recompute', 'keep', 'hybrid'],
    isFirstAnswer: true,
    checkCancelled: () => checkCancelled(progress),
  });
  const point = ({ choice, tailStages, arenaBytes, extraInstructions }: LaidOut): Point => ({
    mapBits,
    grid: choice && choice.grid,
    tailStages: tailStages.length,
    streamed: choice?.streamed === true,
    arenaBytes,
    instructions: { 8: once[8] + extraInstructions, 4: once[4] + extraInstructions },
  });
  const laidOut = (candidate: Omit<LaidOut, 'arenaBytes'>, enough?: number): Point => {
    const { choice, tailStages } = candidate;
    const { layout } = estimator.layout(choice, { effort: 'quick', enough }, tailStages);
    return point({ ...candidate, arenaBytes: layout.bytes });
  };
  const found = budgets.least();
  // It is the least to within this step: the last bytes would take longer than everything else.
  const patched = found && laidOut(found, found.arenaBytes / LEAST_STEP);
  // A layout may take more than the bound that the planner uses.
  const least = patched && patched.arenaBytes < layerwise.arenaBytes ? patched : layerwise;
  const pointOf = (candidate: PatchCandidate | null): Point | null => candidate && point(candidate);
  let stream: PatchCandidate | null | undefined;
  const leastOfAll = (): Point => {
    if (stream === undefined) stream = budgets.streamed(least.arenaBytes - 1) && budgets.leastStream();
    return stream && stream.arenaBytes < least.arenaBytes ? point(stream) : least;
  };
  const knownPatches = new Map<number, Point>();
  const inPatches = (bytes: number): Point | null => {
    if (layerwise.arenaBytes <= bytes) return layerwise;
    if (bytes < least.arenaBytes) return null;
    // The search for a layout may miss the one known to need least.
    if (!knownPatches.has(bytes)) knownPatches.set(bytes, pointOf(budgets.best(bytes)) ?? least);
    return knownPatches.get(bytes)!;
  };
  const knownStreams = new Map<number, Point | null>();
  const inStreams = (bytes: number): Point | null => {
    if (!knownStreams.has(bytes)) knownStreams.set(bytes, pointOf(budgets.streamed(bytes)));
    return knownStreams.get(bytes)!;
  };
  return { layerwise, least, leastOfAll, inPatches, within: (bytes) => inPatches(bytes) ?? inStreams(bytes) };
}

type LaidOut = Pick<PatchCandidate, 'choice' | 'tailStages' | 'arenaBytes' | 'extraInstructions'>;

/** Every feature map at `most` bits, except for those that a decision cannot lower so far, such as the network's input.
 * */
function atMost(graph: Graph, most: Bits): { mapBits(map: MapId): Bits; inputBits(layer: LayerId): Bits } {
  const maps = graph.maps.map((): Bits => 8);
  for (const unit of decisionUnits(graph))
    if (unit.kind === 'stored') for (const map of unit.maps) maps[map] = most < unit.leastBits ? unit.leastBits : most;
  return { mapBits: (map) => maps[map], inputBits: (layer) => maps[graph.layers[layer].inputs[0]] };
}
