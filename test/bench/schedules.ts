import * as path from 'node:path';
import { regionPixels } from '../../src/engine/graph/region';
import type { Graph, MapId } from '../../src/engine/graph/types';
import { importModel } from '../../src/engine/onnx';
import { MemoryEstimator, type MemoryModel } from '../../src/engine/patch/estimate';
import { planPatches, type HaloStrategy, type PatchCandidate, type PlannerOptions } from '../../src/engine/patch/planner';
import type { Schedule } from '../../src/engine/patch/schedule';
import type { Bits } from '../../src/engine/plan/types';
import { scheduleRules } from '../../src/engine/program/scheduleRules';
import { decisionUnits } from '../../src/engine/vdqs/units';
import { sharedData } from '../support/sharedData';

const models = ['mobilenetv2_1.0_224_tv', 'mobilenetv1_0.25_224_imagenet', 'squeezenet1.1_224_imagenet', 'mcunet_vww_80', 'face_rfb320'];
const halos: readonly { readonly name: string; readonly strategies: readonly HaloStrategy[] }[] = [
  { name: 'recompute', strategies: ['recompute'] },
  { name: 'reuse', strategies: ['recompute', 'keep', 'hybrid'] },
];

export interface TableOptions {
  readonly models: RegExp;
  /** KiB. */
  readonly budgets: readonly number[];
  /** Print how long each search took. */
  readonly seconds: boolean;
  write(line: string): void;
}

/** Prints one table per model: a row per way of planning, a column per budget. */
export async function writeTables(options: TableOptions): Promise<void> {
  const { write, budgets } = options;
  for (const model of models.filter((m) => options.models.test(m))) {
    const graph = await importModel(path.join(sharedData('models'), `${model}.onnx`), {});
    write(`\n## ${model}\n`);
    write(`| bits | input | halos | objective | ${budgets.map((kib) => `${kib} KiB`).join(' | ')} | least |`);
    write(`|---|---|---|---|${budgets.map(() => '---').join('|')}|---|`);
    for (const bits of ['8', '4/8'] as const) {
      for (const externalInputs of [false, true]) {
        const memory = memoryModel(graph, bits === '8' ? () => 8 : standInBits(graph), externalInputs);
        for (const { name, strategies } of halos) {
          for (const least of ['work', 'patches'] as const) {
            const begin = performance.now();
            const cells = rowOf(graph, { memory, strategies, least, sramBytes: Infinity }, budgets);
            if (options.seconds) process.stderr.write(`${((performance.now() - begin) / 1000).toFixed(1)} s\n`);
            write(`| ${bits} | ${externalInputs ? 'external' : 'counted'} | ${name} | ${least} | ${cells.join(' | ')} |`);
          }
        }
      }
    }
  }
}

/** One search for all budgets: the plans in order of cost, each with less memory than all before it; a budget takes the first that fits, laid out. */
function rowOf(graph: Graph, options: PlannerOptions, budgets: readonly number[]): string[] {
  const { pareto } = planPatches(graph, options);
  const estimator = new MemoryEstimator(graph, options.memory);
  const laidOut = new Map<PatchCandidate, { readonly schedule: Schedule; readonly bytes: number }>();
  const layoutOf = (candidate: PatchCandidate): { readonly schedule: Schedule; readonly bytes: number } => {
    let known = laidOut.get(candidate);
    if (!known) {
      const { schedule, layout } = estimator.layout(candidate.choice);
      laidOut.set(candidate, (known = { schedule, bytes: layout.bytes }));
    }
    return known;
  };
  const cells = budgets.map((kib) => {
    const found = pareto.find((c) => c.arenaBytes <= kib * 1024 && layoutOf(c).bytes <= kib * 1024);
    return found ? cellOf(found, layoutOf(found)) : 'does not fit';
  });
  const last = pareto[pareto.length - 1];
  return [...cells, cellOf(last, layoutOf(last))];
}

/** E.g. `4×2 of 17 layers, 231.5 KiB, +1.0 %, 53 KB copied`. */
function cellOf({ choice, macs, redundantMacs }: PatchCandidate, { schedule, bytes }: { readonly schedule: Schedule; readonly bytes: number }): string {
  const arena = `${(bytes / 1024).toFixed(1)} KiB`;
  if (!choice) return `layer by layer, ${arena}`;
  const { grid, stage } = choice;
  const copied = copiedBytes(schedule);
  const overhead = (100 * redundantMacs) / (macs - redundantMacs);
  return `${grid.rows}×${grid.cols} of ${stage.layers.length} layers, ${arena}, +${overhead.toFixed(1)} %${copied > 0 ? `, ${(copied / 1000).toFixed(0)} KB copied` : ''}`;
}

/** Bytes that the keep and restore steps of a schedule write. */
function copiedBytes({ steps, buffers }: Schedule): number {
  let bytes = 0;
  for (const { kind, output } of steps) {
    if (kind === 'keep' || kind === 'restore') bytes += regionPixels(output!.region) * buffers[output!.buffer].pixelBytes;
  }
  return bytes;
}

function memoryModel(graph: Graph, mapBits: (map: MapId) => Bits, externalInputs: boolean): MemoryModel {
  const { bits, options: schedule } = scheduleRules(graph, null, { mapBits, inputBits: () => 8 });
  return { bits, schedule, align: 4, externalInputs, classes: 'regular' };
}

/** 4 bits for every map that the search may store with 4: all but the application's and those of residual paths. A stand-in for searched bits. */
function standInBits(graph: Graph): (map: MapId) => Bits {
  const narrow = new Set<MapId>();
  for (const unit of decisionUnits(graph)) if (unit.kind === 'stored' && unit.leastBits <= 4) for (const map of unit.maps) narrow.add(map);
  return (map) => (narrow.has(map) ? 4 : 8);
}
