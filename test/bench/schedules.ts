import * as path from 'node:path';
import { calibrate } from '../../src/engine/calibration/calibrate';
import { presetPreprocess } from '../../src/engine/calibration/preprocess';
import { listSamples } from '../../src/engine/calibration/samples';
import { decide } from '../../src/engine/run/decide';
import type { Graph } from '../../src/engine/graph/types';
import { importModel } from '../../src/engine/onnx';
import { MemoryEstimator, type MemoryModel } from '../../src/engine/patch/estimate';
import { planPatches } from '../../src/engine/patch/planner';
import type { HaloStrategy, PatchCandidate, PlannerOptions } from '../../src/engine/patch/types';
import { DEFAULTS } from '../../src/engine/run/options';
import { isOutside } from '../../src/engine/graph/bits';
import { decisionsOf } from '../../src/engine/planned/decisions';
import { buildSchedule } from '../../src/engine/schedule/schedule';
import { instructionsMs } from '../../src/engine/cost/latency';
import { scheduleInstructions } from '../../src/engine/cost/scheduleInstructions';
import { scheduleRules } from '../../src/engine/schedule/scheduleRules';
import { silentProgress } from '../../src/engine/common/progress';
import type { BitDecisions } from '../../src/engine/quantize/quantizeGraph';
import { realModels } from '../firmware/support/realModels';
import { sharedData } from '../support/sharedData';
import { patchModels } from './patchModels';

const all: readonly HaloStrategy[] = ['recompute', 'keep', 'hybrid'];
const ways: readonly (Pick<PlannerOptions, 'strategies' | 'stages'> & { readonly name: string })[] = [
  { name: 'recompute', strategies: ['recompute'], stages: 'one' },
  { name: 'reuse', strategies: all, stages: 'one' },
  { name: 'several stages', strategies: all, stages: 'several' },
];
/** The board of the times: an Arduino Nano 33 BLE Sense. */
const CLOCK_MHZ = 64;

export interface TableOptions {
  readonly models: RegExp;
  /** KiB. */
  readonly budgets: readonly number[];
  /** Print how long each row took. */
  readonly seconds: boolean;
  write(line: string): void;
}

/** Prints one table per model: a row per way of planning, a column per budget. */
export async function writeTables(options: TableOptions): Promise<void> {
  const { write, budgets } = options;
  for (const model of patchModels.filter((m) => options.models.test(m))) {
    const graph = await importModel(path.join(sharedData('models'), `${model}.onnx`), {});
    write(`\n## ${model}\n`);
    write(`| bits | input | patches | ${budgets.map((kib) => `${kib} KiB`).join(' | ')} | least |`);
    write(`|---|---|---|${budgets.map(() => '---').join('|')}|---|`);
    for (const bits of ['8', 'searched'] as const) {
      const decisions: BitDecisions =
        bits === '8' ? { mapBits: () => 8, inputBits: () => 8, weightBits: () => 8 } : await searchedBits(graph, model);
      for (const input of ['external', 'tiles', 'counted'] as const) {
        const { bits: widths, options: schedule } = scheduleRules(graph, null, decisions, input);
        const memory: MemoryModel = {
          bits: widths,
          schedule,
          externalInputs: isOutside(input),
          classes: 'regular',
        };
        // Tiles change the input's part alone: one way shows it.
        for (const { name, ...way } of input === 'tiles' ? ways.slice(-1) : ways) {
          const begin = performance.now();
          const cells = rowOf(graph, decisions, { memory, sramBytes: Infinity, ...way }, budgets);
          if (options.seconds)
            process.stderr.write(`${model} ${name}: ${((performance.now() - begin) / 1000).toFixed(1)} s\n`);
          write(`| ${bits} | ${input} | ${name} | ${cells.join(' | ')} |`);
        }
      }
    }
  }
}

/** The best plan for each budget, laid out, and the one with the least arena. */
function rowOf(graph: Graph, decisions: BitDecisions, options: PlannerOptions, budgets: readonly number[]): string[] {
  const cells = budgets.map(() => 'does not fit');
  const estimator = new MemoryEstimator(graph, options.memory);
  // What does not fit in some memory does not fit in less.
  for (let i = budgets.length - 1; i >= 0; i--) {
    const { best } = planPatches(graph, { ...options, sramBytes: budgets[i] * 1024, firstFit: true });
    if (!best) break;
    // The search is content with what fits.
    const { layout } = estimator.layout(best.choice, { effort: 'quick' }, best.tailStages);
    cells[i] = cellOf(graph, decisions, { ...best, arenaBytes: Math.min(best.arenaBytes, layout.bytes) });
  }
  const { pareto } = planPatches(graph, { ...options, sramBytes: Infinity });
  // The last of the bounds need not be the least when they are laid out.
  const bytes = (c: PatchCandidate, effort: 'quick' | 'thorough'): number =>
    estimator.layout(c.choice, { effort }, c.tailStages).layout.bytes;
  const laidOut = pareto.slice(-6).map((c) => ({ ...c, arenaBytes: bytes(c, 'quick') }));
  const least = laidOut.reduce((a, b) => (b.arenaBytes < a.arenaBytes ? b : a));
  return [
    ...cells,
    cellOf(graph, decisions, { ...least, arenaBytes: Math.min(least.arenaBytes, bytes(least, 'thorough')) }),
  ];
}

/** E.g. `4×2 of 17 layers and 3 stages, 231.5 KiB, +1.0 %, 9870 ms`. */
function cellOf(
  graph: Graph,
  decisions: BitDecisions,
  { choice, tailStages, arenaBytes, macs, redundantMacs, extraInstructions }: PatchCandidate,
): string {
  const grid = choice
    ? `${choice.grid.rows}×${choice.grid.cols} of ${choice.stage.layers.length} ` +
      `layer${choice.stage.layers.length === 1 ? '' : 's'}`
    : 'layer by layer';
  const stages = tailStages.length > 0 ? ` and ${tailStages.length} stage${tailStages.length === 1 ? '' : 's'}` : '';
  const { bits, options } = scheduleRules(graph, null, decisions);
  const once = scheduleInstructions(graph, buildSchedule(graph, null, bits, options), bits, 0);
  const overhead = (100 * redundantMacs) / (macs - redundantMacs);
  return (
    `${grid}${stages}, ${(arenaBytes / 1024).toFixed(1)} KiB, +${overhead.toFixed(1)} %, ` +
    `${instructionsMs(once + extraInstructions, { core: 'cortex-m4', clockMHz: CLOCK_MHZ })!.toFixed(0)} ms`
  );
}

/** Bits of the entropy search at the default settings, on 16 images, where memory does not matter. */
async function searchedBits(graph: Graph, model: string): Promise<BitDecisions> {
  const { preset, samples } = realModels.find((m) => m.file === `${model}.onnx`)!;
  const set = await listSamples(sharedData(...samples.split('/')), graph, 16);
  const calibration = await calibrate(
    graph,
    path.join(sharedData('models'), `${model}.onnx`),
    set,
    presetPreprocess(preset),
    'bench',
    silentProgress,
    [],
  );
  const target = { id: 'custom', sramBytes: 1 << 30, flashBytes: 1 << 30 };
  const decision = decide(
    graph,
    calibration,
    {
      target,
      grid: 'none',
      bits: DEFAULTS.bits,
      weights: 8,
      phi: DEFAULTS.phi,
      lambda: DEFAULTS.lambda,
      epsilon: DEFAULTS.epsilon,
      classes: 'static',
    },
    silentProgress,
  );
  return decisionsOf(graph, decision, model);
}
