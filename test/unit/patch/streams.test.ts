import assert from 'node:assert/strict';
import type { Graph } from '../../../src/engine/graph/types';
import { MemoryEstimator, type MemoryModel } from '../../../src/engine/patch/estimate';
import { noFitText } from '../../../src/engine/patch/noFit';
import { planForBudgets, planPatches } from '../../../src/engine/patch/planner';
import type { PatchCandidate, PlannerOptions } from '../../../src/engine/patch/types';
import type { PatchStage } from '../../../src/engine/plan/types';
import {
  classRows,
  namedHalos,
  namedTailStage,
  resolveStage,
  resolveTailStages,
} from '../../../src/engine/planned/stage';
import { GraphBuilder, relu6, squareWindow } from '../../support/graphBuilder';

/** Inverted residuals down to a few pixels. */
function network(): Graph {
  const g = new GraphBuilder();
  let map = g.conv(g.input({ h: 48, w: 40, c: 3 }), 6, squareWindow(3, { strideH: 2, strideW: 2 }), 1, relu6);
  for (const stride of [1, 2, 1, 1, 2]) map = g.invertedResidual(map, 24, 6, stride);
  g.fullyConnected(g.globalAveragePool(map), 5);
  return g.build();
}

const memory: MemoryModel = { bits: { stored: () => 8, read: () => null }, externalInputs: true, classes: 'regular' };
const options = { memory, strategies: ['recompute', 'keep', 'hybrid'] } satisfies Omit<PlannerOptions, 'sramBytes'>;

describe('patch/streams', function () {
  this.timeout(60_000);
  const graph = network();
  const plan = (sramBytes: number, more: Partial<PlannerOptions> = {}): PatchCandidate | null =>
    planPatches(graph, { ...options, sramBytes, firstFit: true, ...more }).best;

  it('streams stages only where nothing else fits, and then needs less than anything else', () => {
    const budgets = planForBudgets(graph, options);
    const unstreamed = budgets.least()!.arenaBytes;
    const fits = plan(Math.ceil(1.05 * unstreamed))!;
    assert.equal(fits.choice!.streamed ?? false, false);
    const sramBytes = Math.floor(0.8 * unstreamed);
    const streamed = plan(sramBytes)!;
    assert.equal(streamed.choice!.streamed, true);
    const { layout } = new MemoryEstimator(graph, memory).layout(streamed.choice, {}, streamed.tailStages);
    assert.ok(layout.bytes <= sramBytes, `${layout.bytes} of ${sramBytes} bytes`);
    assert.ok(budgets.leastStream()!.arenaBytes < 0.65 * unstreamed);
    // Halos that may not be kept, a given grid and a single stage leave no stream.
    for (const more of [{ strategies: ['recompute'] }, { grid: { rows: 8, cols: 8 } }, { stages: 'one' }] as const)
      assert.equal(plan(sramBytes, more), null);
  });

  it('names the least stream where nothing fits: a plan of that size is found', () => {
    const { best, noFit } = planPatches(graph, { ...options, sramBytes: 200 });
    assert.equal(best, null);
    const { arenaBytes, choice } = noFit!.closest;
    assert.equal(choice!.streamed, true);
    assert.ok(noFitText(noFit!, 200).includes(`at least ${arenaBytes} bytes`));
    assert.ok(plan(arenaBytes)!.arenaBytes <= arenaBytes);
  });

  it('is written to a plan and read from it', () => {
    const { choice, tailStages } = plan(1600)!;
    const { stage, grid } = choice!;
    const classes = classRows(new Array<'regular'>(grid.rows * grid.cols).fill('regular'), grid.cols);
    const patchStage: PatchStage = {
      ...{ splitMap: graph.maps[stage.splitMap].name, grid, ...namedHalos(graph, choice!) },
      ...{ classMode: 'static', classes, runtime: null },
    };
    const named = { patchStage, tailStages: tailStages.map((tail) => namedTailStage(graph, tail)) };
    const read = resolveStage(graph, patchStage, 'plan')!;
    assert.deepEqual(
      [read.stage, read.keep, read.keepColumns, read.streamed],
      [...[stage, choice!.keep, choice!.keepColumns, true]],
    );
    const tail = resolveTailStages(graph, named, 'plan');
    assert.deepEqual(
      tail.map((t) => namedTailStage(graph, t)),
      named.tailStages,
    );
    assert.throws(() => resolveTailStages(graph, { ...named, tailStages: [] }, 'plan'), /"streamed", but no stage/);
  });
});
