import { writeFileSync, readFileSync } from 'node:fs';
import { assemble } from '../../src/engine/codegen';
import { programCost } from '../../src/engine/cost/cost';
import { instructionsMs, latencyError, latencyMs } from '../../src/engine/cost/latency';
import { graphMacs } from '../../src/engine/graph/macs';
import type { Graph } from '../../src/engine/graph/types';
import { MemoryEstimator, memoryModel } from '../../src/engine/patch/estimate';
import { planPatches } from '../../src/engine/patch/planner';
import type { RuleDecisions } from '../../src/engine/schedule/scheduleRules';
import type { PatchCandidate, PlannerOptions } from '../../src/engine/patch/types';
import type { PatchStage, Plan } from '../../src/engine/plan/types';
import { openPlan } from '../../src/engine/planned/open';
import { classRows, namedTailStage, outlierShare } from '../../src/engine/planned/stage';
import { flashOptions } from '../../src/engine/targets/capacity';
import { targets } from '../../src/engine/targets/targets';
import type { Core, Target } from '../../src/engine/targets/types';

/** Largest square grid that is tried. */
const MOST_SQUARE = 12;

/** The boards that milliseconds are told for. */
const BOARDS: Readonly<Record<string, string>> = {
  m0plus: 'rp2040',
  m4: 'nano33ble',
  m7: 'stm32h743',
  m33: 'rp2350',
  m55: 'corstone300',
  rv32imac: 'esp32c3',
};
/** No board of the table has a Cortex-M3. */
const M3_BOARD = { core: 'cortex-m3', clockMHz: 72 } as const;

export type Baseline = 'layers' | 'mcunetv2' | 'patches8';

/** What is told of a plan besides counts. */
export interface PlanFigures {
  readonly arenaBytes: number;
  readonly grid: string;
  readonly macs: number;
  readonly networkMacs: number;
  readonly bitOps: number;
  readonly flashBytes: number;
  /** Estimated instructions. */
  readonly estimate: number;
}

/**
 * Writes a plan at 8 bits with another patch stage, made from one at 8 bits layer by layer: none; patches as MCUNetV2
 * does them (one stage, square grid, halos recomputed, as little work as fits, or the least arena where nothing does);
 * or our own.
 */
export async function writeBaseline(from: string, to: string, kind: Baseline, core: Core, sramBytes: number) {
  const plan = JSON.parse(readFileSync(from, 'utf8')) as Plan;
  const { graph } = await openPlan(from);
  const found = kind === 'layers' ? null : chosen(graph, kind, core, sramBytes);
  const { tailStages: _, ...rest } = plan;
  const tail = found?.tailStages ?? [];
  const changed: Plan = {
    ...rest,
    target: { ...plan.target, core, sramBytes: Math.max(sramBytes, found?.arenaBytes ?? plan.target.sramBytes) },
    patchStage: found && stageOf(graph, found),
    ...(tail.length > 0 ? { tailStages: tail.map((t) => namedTailStage(graph, t)) } : {}),
  };
  writeFileSync(to, JSON.stringify(changed));
}

function chosen(graph: Graph, kind: Baseline, core: Core, sramBytes: number): PatchCandidate {
  const eight: RuleDecisions = { mapBits: () => 8, inputBits: () => 8 };
  const memory = memoryModel(graph, eight, { input: 'external', core });
  const options: PlannerOptions =
    kind === 'mcunetv2'
      ? { memory, sramBytes, strategies: ['recompute'], stages: 'one', firstFit: true }
      : { memory, sramBytes, strategies: ['recompute', 'keep', 'hybrid'], firstFit: true };
  if (kind === 'patches8') {
    const { best } = planPatches(graph, options);
    if (!best) throw new Error('8 bits do not fit in patches.');
    return best;
  }
  const square = Array.from({ length: MOST_SQUARE - 1 }, (_, i) => ({ rows: i + 2, cols: i + 2 }));
  const layers = new MemoryEstimator(graph, memory).layout(null).layout.bytes;
  if (layers <= sramBytes) throw new Error('8 bits fit layer by layer.');
  const fitting = square.flatMap((grid) => planPatches(graph, { ...options, grid }).best ?? []);
  const work = (a: PatchCandidate, b: PatchCandidate): number => a.extraInstructions - b.extraInstructions;
  if (fitting.length > 0) return fitting.sort(work)[0];
  // Nothing fits: the least arena that such patches reach, in more SRAM than the others have.
  const closest = square.flatMap((grid) => planPatches(graph, { ...options, grid, firstFit: false }).pareto);
  return closest.sort((a, b) => a.arenaBytes - b.arenaBytes || work(a, b))[0];
}

function stageOf(graph: Graph, { choice }: PatchCandidate): PatchStage | null {
  if (!choice) return null;
  const { stage, grid, keep } = choice;
  return {
    splitMap: graph.maps[stage.splitMap].name,
    grid,
    keep: [...keep].map((m) => graph.maps[m].name),
    classMode: 'static',
    classes: classRows(new Array(grid.rows * grid.cols).fill('regular'), grid.cols),
    runtime: null,
  };
}

/** Figures of a plan whose sources are made for speed, as network.mjs counts them. */
export async function figuresOf(file: string): Promise<PlanFigures> {
  const { plan, graph, program } = await openPlan(file);
  const share = plan.patchStage ? outlierShare(plan.patchStage) : 0;
  const cost = programCost(graph, program, share);
  const { flash, forms } = assemble(program, program.name, flashOptions(plan.target, 'speed'));
  // At 1 kHz and one cycle for each instruction, milliseconds are instructions.
  const unit = { core: plan.target.core!, clockMHz: 0.001 };
  const stages = [plan.patchStage, ...(plan.tailStages ?? [])].flatMap((s) =>
    s ? [`${s.grid.rows}×${s.grid.cols}`] : [],
  );
  return {
    arenaBytes: program.arenaBytes,
    grid: stages.join(' + '),
    macs: cost.macs,
    networkMacs: graphMacs(graph),
    bitOps: cost.bitOps,
    flashBytes: flash.total,
    estimate: latencyMs(program, unit, share, forms)! / instructionsMs(1, unit)!,
  };
}

/** Milliseconds of counted instructions on the board of a core, with their relative uncertainty; and its name. */
export function onBoard(core: string, instructions: number): { ms: number; error: number; board: string } {
  const board: Pick<Target, 'core' | 'clockMHz' | 'memory'> & { name?: string } =
    targets.find(({ id }) => id === BOARDS[core]) ?? M3_BOARD;
  const { core: name, memory } = board;
  return {
    ms: instructionsMs(instructions, board)!,
    error: latencyError({ core: name, memory }),
    board: board.name ?? `Cortex-M3 at ${board.clockMHz} MHz`,
  };
}
