import { layersInstructions } from '../engine/cost/scheduleInstructions';
import * as path from 'node:path';
import { assembled } from '../engine/codegen';
import { graphMacs } from '../engine/graph/macs';
import type { Region } from '../engine/graph/region';
import { isWeighted, type LayerId, type MapId, type Shape } from '../engine/graph/types';
import { stageBranches } from '../engine/schedule/branches';
import type { OpenedPlan } from '../engine/planned/open';
import { programCost, redundantMacsPercent, type ProgramCost } from '../engine/cost/cost';
import { detectFlash } from '../engine/codegen/detection/detectFlash';
import { int8LayerwiseArenaBytes } from '../engine/patch/int8Layerwise';
import { outlierShare } from '../engine/planned/stage';
import type { Program, ProgramBuffer } from '../engine/program/types';
import { formatTies, type FormatTies } from '../engine/quantize/ties';
import { estimateFlash } from '../engine/cost/flashEstimate';
import { programWork } from '../engine/cost/work';
import { int8Layerwise } from '../engine/cost/graphFlash';
import { flashOptions, reserveBytes } from '../engine/targets/capacity';
import { OPTIMIZE_LEVELS } from '../engine/targets/types';
import type {
  AccuracyView,
  BranchView,
  BufferView,
  LayerPlanView,
  LayerView,
  PlanView,
  StepView,
  TargetView,
} from '../protocol/views';
import { headView } from './detections';
import { decisionsOf } from '../engine/planned/decisions';
import { bitsAccounts, type BitsAccounts } from '../engine/run/bitReasons';
import { noExplanation, type Explanation } from './explain';
import type { StoredCounts } from './results';
import { instructionsMs, latencyError, latencyMs } from '../engine/cost/latency';
import { coreOf } from '../engine/targets/targets';
import { boardOf } from '../engine/targets/targetFacts';

/** A plan as it is shown, and its layers with what it decided about them. */
export interface ShownPlan {
  readonly plan: PlanView;
  readonly layers: readonly LayerView[];
}

/** What is known about a plan besides its own files. */
export interface PlanKnowledge {
  /** From its calibration, if that is cached on this machine. */
  readonly explanation: Explanation;
  /** Its last evaluation. */
  readonly accuracy: AccuracyView | null;
  /** Signal-to-noise ratio of layers' outputs in it, dB, by layer name. */
  readonly snr: Readonly<Record<string, number>>;
  /** What an emulated board counted. */
  readonly counts: StoredCounts | null;
}

/** Whether weights lack the error compensation that quantizing would have given them. */
export function isUnfitted({ stored, graph }: Pick<OpenedPlan, 'stored' | 'graph'>): boolean {
  return !stored && graph.layers.some(isWeighted);
}

/** @param layers the same graph's layers before the plan */
export function planView(
  opened: OpenedPlan,
  layers: readonly LayerView[],
  target: TargetView,
  knowledge: PlanKnowledge,
): ShownPlan {
  const { plan, graph, program } = opened;
  const core = coreOf(plan.target);
  const share = plan.patchStage ? outlierShare(plan.patchStage) : 0;
  const cost = programCost(graph, program, share);
  const made = flashOptions(plan.target);
  const { flash, forms } = assembled(program, made);
  const instructions = layersInstructions(graph, program, share, core, forms);
  const board = boardOf(target);
  // Boxes are decoded at any bits.
  const boxes = detectFlash(program, core);
  const reference = int8Layerwise(graph, { optimize: made.optimize, ...made.target });
  const view: PlanView = {
    planFile: path.basename(opened.planPath),
    target,
    stale: false,
    unfitted: isUnfitted(opened),
    stage: stageView(opened, cost),
    tailStages: (plan.tailStages ?? []).map(({ grid, streamed }) => ({ ...grid, ...(streamed ? { streamed } : {}) })),
    branches: branchViews(opened),
    steps: stepViews(program),
    buffers: bufferViews(program),
    figures: {
      arenaBytes: program.arenaBytes,
      latencyMs: latencyMs(program, board, share, forms),
      latencyError: latencyError(board),
      int8Layerwise: {
        arenaBytes: int8LayerwiseArenaBytes(graph, plan.target.input === 'external'),
        flashBytes: reference.flashBytes + boxes.code + boxes.tables,
        bitOps: graphMacs(graph) * 64,
        latencyMs: instructionsMs(reference.instructions, board),
      },
      flashBytes: flash.total,
      flash: {
        ...flash,
        reserveBytes: reserveBytes(plan.target),
        estimate: estimateFlash(programWork(program), forms, core),
      },
      levels: OPTIMIZE_LEVELS.map((optimize) => {
        const at = assembled(program, flashOptions(plan.target, optimize));
        return { optimize, flashBytes: at.flash.total, latencyMs: latencyMs(program, board, share, at.forms) };
      }),
      macs: cost.macs,
      bitOps: cost.bitOps,
      bitOpsInt8: cost.bitOpsInt8,
      accuracy: knowledge.accuracy,
    },
    search: searchView(plan),
    head: plan.detection ? headView(plan.detection, plan.model.outputs ?? null) : null,
    calibrated: knowledge.explanation !== noExplanation,
    countedCore: knowledge.counts?.core ?? null,
  };
  const ties = formatTies(graph);
  const accounts = bitsAccounts(graph, plan, decisionsOf(graph, plan, opened.planPath));
  return {
    plan: view,
    layers: layers.map((layer) => ({
      ...layer,
      plan: {
        ...layerPlan(opened, layer.id, cost, knowledge.explanation, ties, accounts),
        instructions: instructions[layer.id],
        latencyMs: instructionsMs(instructions[layer.id], board),
        snr: knowledge.snr[layer.name] ?? null,
        counted: knowledge.counts?.layers[layer.name] ?? null,
      },
    })),
  };
}

function searchView(plan: OpenedPlan['plan']): PlanView['search'] {
  return {
    method: plan.search.method,
    phi: plan.search.phi,
    lambda: plan.search.lambda,
    images: plan.calibration.images,
    bitOpsTarget: plan.search.objective === undefined ? plan.search.bitOpsTarget : undefined,
    accuracyBudget: plan.search.accuracyBudget,
    lossUnit: plan.account?.loss?.unit,
  };
}

function stageView({ plan, graph, stage }: OpenedPlan, cost: ProgramCost): PlanView['stage'] {
  if (!stage || !plan.patchStage) return null;
  const { layers, splitMap } = stage.stage;
  return {
    splitLayer: graph.maps[splitMap].producer ?? -1,
    rows: stage.grid.rows,
    cols: stage.grid.cols,
    layers: layers.length,
    classMode: plan.patchStage.classMode,
    redundantMacsPercent: redundantMacsPercent(graph, cost),
    ...(stage.streamed ? { streamed: true as const } : {}),
  };
}

function branchViews({ graph, program, stage }: OpenedPlan): BranchView[] {
  if (!stage) return [];
  const { splitMap, inputs } = stage.stage;
  const branches = stageBranches(graph, stage.stage, stage.grid, stage.keep, stage.keepColumns) ?? [];
  return program.branches.map((branch): BranchView => {
    const input = branches[branch.id]?.parts.get(inputs[0])?.need;
    return {
      id: branch.id,
      row: branch.row,
      col: branch.col,
      class: branch.class,
      patch: fractions(branch.patch, graph.maps[splitMap].shape),
      input: input ? fractions(input, graph.maps[inputs[0]].shape) : [0, 0, 1, 1],
    };
  });
}

/** Top, left, bottom, right as fractions of the map. */
function fractions({ x0, y0, x1, y1 }: Region, { h, w }: Shape): [number, number, number, number] {
  return [y0 / h, x0 / w, y1 / h, x1 / w];
}

function stepViews(program: Program): StepView[] {
  const peaks = new Array<number>(program.steps.length).fill(0);
  for (const buffer of program.buffers) {
    if (buffer.external) continue;
    const end = buffer.offset + buffer.bytes;
    for (let step = Math.max(0, buffer.firstStep); step <= Math.min(buffer.lastStep, peaks.length - 1); step++)
      peaks[step] = Math.max(peaks[step], end);
  }
  return program.steps.map((step): StepView => ({
    id: step.id,
    layer: step.layer,
    op: step.kernel.op,
    branch: step.branch ?? -1,
    peakBytes: peaks[step.id],
    macs: step.macs,
  }));
}

function bufferViews(program: Program): BufferView[] {
  const writer = new Map<number, LayerId>();
  for (const step of program.steps) if (!writer.has(step.output.buffer)) writer.set(step.output.buffer, step.layer);
  for (const step of program.steps) if (step.scratch !== null) writer.set(step.scratch, step.layer);
  const layerOf = (buffer: ProgramBuffer): number => (buffer.role === 'input' ? -1 : (writer.get(buffer.id) ?? -1));
  return program.buffers
    .filter(({ aliasOf, external }) => aliasOf === null && !external)
    .map((buffer): BufferView => ({
      id: buffer.id,
      name: buffer.name,
      role: buffer.role,
      layer: layerOf(buffer),
      offset: buffer.offset,
      bytes: buffer.bytes,
      firstStep: Math.max(0, buffer.firstStep),
      lastStep: Math.min(buffer.lastStep, program.steps.length - 1),
      bits: buffer.bits,
    }));
}

function layerPlan(
  { plan, graph, parameters, stage, program }: OpenedPlan,
  id: LayerId,
  cost: ProgramCost,
  explanation: Explanation,
  ties: FormatTies,
  accounts: BitsAccounts,
): Omit<LayerPlanView, 'instructions' | 'latencyMs' | 'snr' | 'counted'> {
  const layer = graph.layers[id];
  const map = graph.maps[layer.output];
  const { bits } = parameters.formats.get(layer.output)!;
  const weights = parameters.layers.get(id);
  const own = Object.hasOwn(plan.layers, layer.name) ? plan.layers[layer.name] : undefined;
  const ownMap = Object.hasOwn(plan.maps, map.name) ? plan.maps[map.name] : undefined;
  return {
    bits,
    weightBits: weights?.weightBits ?? null,
    inputBits: (parameters.views.get(id) ?? parameters.formats.get(layer.inputs[0])!).bits,
    inPatchStage: stage?.stage.layers.includes(id) ?? false,
    bitOps: cost.layers[id].bitOps,
    macs: cost.layers[id].macs,
    mapBytes: map.shape.h * map.shape.w * Math.ceil((map.shape.c * bits) / 8),
    weightBytes: weights ? layerConstantBytes(program, id) : 0,
    candidates: explanation.output.get(id) ?? [],
    entropy: explanation.entropy(map.id, parameters.formats.get(layer.output)!),
    inputCandidates: explanation.input.get(id) ?? [],
    reasons: {
      output: accounts.maps[map.name] ?? null,
      weights: accounts.layers[layer.name]?.weights ?? null,
      input: accounts.layers[layer.name]?.input ?? null,
    },
    allowedBits: allowedBits(graph, ties, layer.output),
    locked: own?.locked === true || ownMap?.locked === true,
  };
}

/** Bits that the arithmetic allows for a map and all that share its bits. */
function allowedBits(
  graph: OpenedPlan['graph'],
  { bitGroup, leastBits, reach }: FormatTies,
  map: MapId,
): readonly (16 | 8 | 4 | 2)[] {
  const least = graph.maps.reduce(
    (most, { id }) => (bitGroup[id] === bitGroup[map] ? Math.max(most, leastBits[id]) : most),
    2,
  );
  const most = reach[map] > 0 ? 16 : 8;
  return ([16, 8, 4, 2] as const).filter((bits) => bits >= least && bits <= most);
}

/** Bytes of the weights that a layer's steps read, shared ones once. */
function layerConstantBytes(program: Program, id: LayerId): number {
  const weights = new Set(
    program.steps
      .filter((step) => step.layer === id)
      .flatMap(({ kernel }) => ('weights' in kernel ? [kernel.weights] : [])),
  );
  return [...weights].reduce(
    (sum, constant) =>
      sum + Math.ceil((program.constants[constant].values.length * program.constants[constant].bits) / 8),
    0,
  );
}
