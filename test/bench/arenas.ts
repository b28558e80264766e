import * as path from 'node:path';
import type { Graph } from '../../src/engine/graph/types';
import { importModel } from '../../src/engine/onnx';
import { MemoryEstimator, type MemoryModel } from '../../src/engine/patch/estimate';
import { planPatches } from '../../src/engine/patch/planner';
import type { HaloStrategy, PlannerOptions } from '../../src/engine/patch/types';
import { isOutside } from '../../src/engine/graph/bits';
import { scheduleRules } from '../../src/engine/schedule/scheduleRules';
import { sharedData } from '../support/sharedData';
import { patchModels } from './patchModels';

const strategies: readonly HaloStrategy[] = ['recompute', 'keep', 'hybrid'];

export interface GapOptions {
  readonly models: RegExp;
  /** KiB, from the largest. */
  readonly budgets: readonly number[];
  write(line: string): void;
}

/**
 * For the plan of every model, place of the input and budget at 8 bits: the smallest layout that a thorough search
 * finds, over the lower bound. @returns the largest gap in percent
 */
export async function writeGaps({ models: wanted, budgets, write }: GapOptions): Promise<number> {
  let worst = 0;
  write(`| model | input | stages | ${budgets.map((kib) => `${kib} KiB`).join(' | ')} | least |`);
  write(`|---|---|---|${budgets.map(() => '---:').join('|')}|---:|`);
  for (const model of patchModels.filter((m) => wanted.test(m))) {
    const graph = await importModel(path.join(sharedData('models'), `${model}.onnx`), {});
    for (const input of ['external', 'tiles', 'counted'] as const) {
      for (const stages of ['one', 'several'] as const) {
        const { bits, options: schedule } = scheduleRules(graph, null, { mapBits: () => 8, inputBits: () => 8 }, input);
        const memory: MemoryModel = { bits, schedule, externalInputs: isOutside(input), classes: 'regular' };
        const gaps = gapsOf(graph, { memory, sramBytes: Infinity, strategies, stages, firstFit: true }, budgets);
        worst = Math.max(worst, ...gaps.filter((gap) => gap !== null));
        write(
          `| ${model} | ${input} | ${stages} | ` +
            `${gaps.map((gap) => (gap === null ? '–' : gap.toFixed(2))).join(' | ')} |`,
        );
      }
    }
  }
  return worst;
}

/**
 * By budget, and for the plan with the least arena, by how many percent the layout exceeds its bound; null where
 * nothing fits.
 */
function gapsOf(graph: Graph, options: PlannerOptions, budgets: readonly number[]): (number | null)[] {
  const estimator = new MemoryEstimator(graph, options.memory);
  const gap = ({
    choice,
    tailStages,
  }: Pick<NonNullable<ReturnType<typeof planPatches>['best']>, 'choice' | 'tailStages'>): number => {
    const { layout } = estimator.layout(choice, {}, tailStages);
    return 100 * (layout.bytes / layout.lowerBound - 1);
  };
  const planning = planPatches(graph, options);
  const least = planning.compare().at(-1);
  return [
    ...budgets.map((kib) => {
      const { best } = planPatches(graph, { ...options, sramBytes: kib * 1024 });
      return best && gap(best);
    }),
    least ? gap(least) : null,
  ];
}
