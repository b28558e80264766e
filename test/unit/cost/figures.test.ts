/* One law for figures: what is told of a schedule, before anything is lowered, is what is told of its Program. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { instructionsMs, latencyMs } from '../../../src/engine/cost/latency';
import { scheduleInstructions } from '../../../src/engine/cost/scheduleInstructions';
import { isOutside } from '../../../src/engine/graph/bits';
import { lower } from '../../../src/engine/program/lower';
import { quantizeGraph } from '../../../src/engine/quantize/quantizeGraph';
import { buildSchedule } from '../../../src/engine/schedule/schedule';
import { layoutSchedule } from '../../../src/engine/schedule/scheduleArena';
import { scheduleRules } from '../../../src/engine/schedule/scheduleRules';
import { calibrateGraph, graphSamples, pixelInput } from '../../support/quantizedGraph';
import { graphArbitrary } from '../../support/randomGraph';
import { randomPlan } from '../../support/randomPlan';

const board = { core: 'cortex-m4', clockMHz: 64 } as const;

describe('figures of a schedule and of its Program', () => {
  it('arena and latency are the same, whatever the network, bits, patches, classes and stages', () => {
    let patched = 0;
    fc.assert(
      fc.property(graphArbitrary({ maxBlocks: 4 }), fc.nat(1e6), (graph, seed) => {
        const { decisions, stage, tailStages, input } = randomPlan(graph, seed);
        const { bits, options } = scheduleRules(graph, stage?.stage.splitMap ?? null, decisions, input);
        const schedule = buildSchedule(graph, stage, bits, { ...options, tailStages });
        const parameters = quantizeGraph(
          graph,
          calibrateGraph(graph, graphSamples(graph, 2, 1)),
          pixelInput(graph),
          decisions,
        );
        const program = lower(graph, stage, parameters, { name: 'net', input, tailStages });
        assert.equal(layoutSchedule(graph, schedule, isOutside(input)).bytes, program.arenaBytes);
        assert.equal(
          instructionsMs(scheduleInstructions(graph, schedule, bits, 0, board.core), board),
          latencyMs(program, board),
        );
        if (stage) patched++;
      }),
      { numRuns: 40 },
    );
    assert.ok(patched > 10, `${patched} networks had patches`);
  });
});
