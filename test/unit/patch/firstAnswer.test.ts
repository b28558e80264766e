import assert from 'node:assert/strict';
import { importModel } from '../../../src/engine/onnx';
import { memoryModel } from '../../../src/engine/patch/estimate';
import { planForBudgets } from '../../../src/engine/patch/planner';
import type { PatchBudgets } from '../../../src/engine/patch/types';
import { needSharedData } from '../../support/sharedData';

const KIB = 1024;

describe('a first answer of the planner', function () {
  this.timeout(120_000);

  for (const name of ['mobilenetv2_1.0_224_tv', 'squeezenet1.1_224_imagenet', 'mobilenetv1_0.25_224_imagenet'])
    it(`is that of the whole search for ${name}`, async function () {
      const graph = await importModel(needSharedData(this, 'models', `${name}.onnx`), {});
      const memory = memoryModel(graph, { mapBits: () => 8, inputBits: () => 8 }, {});
      const strategies = ['recompute', 'keep', 'hybrid'] as const;
      const first = planForBudgets(graph, { memory, strategies, isFirstAnswer: true });
      const whole = planForBudgets(graph, { memory, strategies });
      const bytes = (budgets: PatchBudgets): number => budgets.least()!.arenaBytes;
      // Both find the least to half a percent.
      assert.ok(Math.abs(bytes(first) - bytes(whole)) <= 0.01 * bytes(whole), `${bytes(first)} ${bytes(whole)}`);
      for (const sram of [128, 256, 384, 512].map((kib) => kib * KIB)) {
        const [soon, late] = [first.best(sram), whole.best(sram)];
        assert.equal(soon === null, late === null, `${sram}`);
        if (soon && late) assert.ok(soon.extraInstructions <= 1.001 * late.extraInstructions, `${sram}`);
      }
    });
});
