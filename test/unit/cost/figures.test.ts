/* One law for figures: what is told of a schedule, before anything is lowered, is what is told of its Program. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { assemble, coreKinds, renderC } from '../../../src/engine/codegen';
import { estimateFlash } from '../../../src/engine/cost/flashEstimate';
import { chooseForms } from '../../../src/engine/cost/forms';
import type { Forms } from '../../../src/engine/cost/layerForm';
import { programWork, scheduleWork, type Work } from '../../../src/engine/cost/work';
import type { Program } from '../../../src/engine/program/types';
import { OPTIMIZE_LEVELS } from '../../../src/engine/targets/types';
import { instructionsMs, latencyMs, totalInstructions } from '../../../src/engine/cost/latency';
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

const provenance = { generator: 'test', planHash: '0', modelFile: 'net.onnx' };

function latencyOf(work: readonly Work[], forms: Forms): number | null {
  return instructionsMs(totalInstructions(work, 0, board.core, forms), board);
}

/** Flash with kernels for all layers alone. */
function plainFlash(program: Program): number {
  return assemble(program, 'net', { optimize: 'size', cores: coreKinds(board.core) }).flash.total;
}

describe('figures of a schedule and of its Program', () => {
  it('arena and latency are the same, whatever the network, bits, patches, classes and stages', () => {
    let patched = 0;
    let narrow = 0;
    let smaller = 0;
    fc.assert(
      fc.property(
        graphArbitrary({ maxBlocks: 4 }),
        fc.nat(1e6),
        fc.integer({ min: 0, max: 100_000 }),
        (graph, seed, room) => {
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
          const work = { schedule: scheduleWork(graph, schedule, bits), program: programWork(program) };
          const plain = plainFlash(program);
          for (const optimize of OPTIMIZE_LEVELS) {
            const options = { core: board.core, optimize, flashBytes: room };
            const forms = chooseForms(work.schedule, options);
            const { forms: own, flash } = assemble(program, 'net', { optimize, target: options });
            // A schedule is made before there are codes of weights: only the Program knows those that forbid a form.
            // Where flash does not hold both forms then, it keeps the plain ones. Whatever the forms, the latency is
            // the same.
            if (own.size > 0 || forms.size === 0) assert.deepEqual(own, forms);
            for (const chosen of [own, forms])
              assert.equal(latencyMs(program, board, 0, chosen), latencyOf(work.schedule, chosen));
            const foreseen = estimateFlash(work.schedule, forms, board.core);
            assert.equal(foreseen, estimateFlash(work.program, forms, board.core));
            assert.ok(flash.total <= Math.max(room, plain), `${optimize}: ${flash.total} of ${room}`);
            if (optimize === 'size') assert.ok(flash.total <= plain, `${flash.total} for size, ${plain} plain`);
            if (optimize === 'size' && flash.total < plain) smaller++;
            const cores = coreKinds(board.core);
            const files = renderC(program, { name: 'net', provenance, optimize, target: options, cores });
            const header = files.find((f) => f.path === 'net.h')!.text;
            assert.match(header, new RegExp(`#define NET_FLASH_BYTES ${flash.total}\n`));
          }
          assert.equal(
            instructionsMs(scheduleInstructions(graph, schedule, bits, 0, board.core), board),
            latencyMs(program, board),
          );
          if (stage) patched++;
          if (work.schedule.some(({ call }) => call.weightBits === 4)) narrow++;
        },
      ),
      { numRuns: 40 },
    );
    assert.ok(patched > 10, `${patched} networks had patches`);
    assert.ok(narrow > 10, `${narrow} networks had weights of 4 bits`);
    assert.ok(smaller > 0, 'no network is smaller with kernels of its own');
  });
});
