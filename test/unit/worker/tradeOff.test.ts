/*
 * What-ifs of the planner, distributions, the trade-off and the baseline through the engine's service, on the sample
 * model.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { isWeighted } from '../../../src/engine/graph/types';
import { importModel } from '../../../src/engine/onnx';
import type { Plan } from '../../../src/engine/plan/types';
import { normalDensity } from '../../../src/engine/vdpc/gaussian';
import type { PlanChange } from '../../../src/engine/run/whatIf/changes';
import type { DistributionView } from '../../../src/protocol/details';
import type { EngineService } from '../../../src/protocol/engine';
import type { EditorView, PlanView } from '../../../src/protocol/views';
import { ModelStore } from '../../../src/worker/models';
import { createService } from '../../../src/worker/service';
import { PlannedSample } from './support/plannedSample';

describe('plans beside the plan', function () {
  this.timeout(300_000);
  const sampled = new PlannedSample();
  let folder: PlannedSample['folder'];
  let modelPath: PlannedSample['modelPath'];
  let planPath: PlannedSample['planPath'];
  let service: PlannedSample['service'];
  let view: PlannedSample['view'];
  let text: PlannedSample['text'];

  before(async () => {
    await sampled.open();
    ({ folder, modelPath, planPath, service, view, text } = sampled);
  });
  after(() => sampled.close());

  const change = (what: PlanChange, planText = text): ReturnType<EngineService['change']> =>
    service.change({ modelPath, planPath, planText, change: what });
  const viewOf = async (planText: string): Promise<EditorView & { plan: PlanView }> => {
    const changed = await service.view({ modelPath, planPath, planText });
    assert.equal(changed.planProblem, null);
    return changed as EditorView & { plan: PlanView };
  };
  const bitsOf = ({ model }: EditorView): unknown[] =>
    model.layers.map(({ plan }) => [plan!.inputBits, plan!.weightBits, plan!.bits]);

  it('versions of a model are compared by what they answer to the plan’s images as well', async () => {
    const scores = async (file: string): Promise<string[]> => {
      const lines = (await service.modelText({ modelPath: file, planPath })).split('\n');
      return lines.filter((line) => /^(accuracy|certainty) /.test(line));
    };
    const known = /^accuracy ([\d.]+) % top-1 on 64 images of images, in float$/;
    // Another version: the same layers, with weights upside down.
    const other = path.join(folder, 'other.onnx');
    writeFileSync(other, await disordered(modelPath));
    const [[now], [then]] = await Promise.all([scores(modelPath), scores(other)]);
    const [good, bad] = [now, then].map((line) => Number(known.exec(line)?.[1]));
    assert.ok(good >= 80 && bad < good - 20, `${now}; ${then}`);
    // Without a plan nothing is known, and what is missing is no fault.
    const text = await service.modelText({ modelPath });
    assert.doesNotMatch(text, /^(accuracy|certainty) /m);
    const missing = { modelPath, planPath, imagesPath: path.join(folder, 'nothing') };
    assert.equal(await service.modelText(missing), text);
  });

  describe('what-ifs', () => {
    it('another board: its limits and its clock, the bits as they are', async () => {
      const { planText, preview } = await change({ kind: 'target', id: 'stm32f411' });
      const changed = await viewOf(planText);
      assert.equal(changed.plan.target.id, 'stm32f411');
      assert.equal(changed.plan.target.sramBytes, 128 * 1024);
      assert.deepEqual([preview.target.sramBytes, preview.target.flashBytes], [128 * 1024, 512 * 1024]);
      assert.deepEqual(bitsOf(changed), bitsOf(view));
      // The same core at another clock.
      const ratio = view.plan!.figures.latencyMs! / changed.plan.figures.latencyMs!;
      assert.ok(Math.abs(ratio - 100 / 64) < 1e-9, String(ratio));
      assert.equal((await change({ kind: 'target', id: 'nano33ble' }, planText)).planText, text);
      await assert.rejects(change({ kind: 'target', id: 'abacus' }), /no target "abacus"/);
    });

    it('a board that is too small for the patches gets others, at the same bits', async () => {
      const layerwise = await viewOf((await change({ kind: 'grid', grid: 'none' })).planText);
      const small = JSON.parse((await change({ kind: 'grid', grid: 'none' })).planText) as {
        target: { id: string; sramBytes: number };
      };
      // As if the plan had been made for a board of this size.
      small.target.sramBytes = layerwise.plan.figures.arenaBytes - 1;
      const { planText } = await change({ kind: 'grid', grid: 'auto' }, JSON.stringify(small));
      const fitting = await viewOf(planText);
      assert.ok(fitting.plan.figures.arenaBytes <= small.target.sramBytes);
      assert.ok(fitting.plan.stage !== null);
      assert.deepEqual(bitsOf(fitting), bitsOf(view));
    });

    it('a grid, or none', async () => {
      const none = await viewOf((await change({ kind: 'grid', grid: 'none' })).planText);
      assert.equal(none.plan.stage, null);
      assert.deepEqual(bitsOf(none), bitsOf(view));
      const three = await viewOf((await change({ kind: 'grid', grid: { rows: 3, cols: 2 } })).planText);
      assert.deepEqual([three.plan.stage!.rows, three.plan.stage!.cols], [3, 2]);
      await assert.rejects(change({ kind: 'grid', grid: { rows: 9999, cols: 1 } }), { name: 'UserError' });
    });

    it('λ: the more entropy counts, the fewer bits are saved; what is locked stays', async () => {
      const bitOps = async (lambda: number, from = text): Promise<number> =>
        (await viewOf((await change({ kind: 'lambda', lambda }, from)).planText)).plan.figures.bitOps;
      assert.ok((await bitOps(0)) < (await bitOps(1)));
      assert.equal(
        (await viewOf((await change({ kind: 'lambda', lambda: 1 })).planText)).model.layers.every(
          ({ plan }) => plan!.bits === 8,
        ),
        true,
      );
      const layer = view.model.layers.find(({ plan }) => plan!.candidates.length > 1 && plan!.bits === 4)!;
      const locked = (await change({ kind: 'lock', layer: layer.id, locked: true })).planText;
      assert.equal(
        (await viewOf((await change({ kind: 'lambda', lambda: 1 }, locked)).planText)).model.layers[layer.id].plan!
          .bits,
        4,
      );
      const { account } = JSON.parse((await change({ kind: 'lambda', lambda: 0 })).planText) as Plan;
      const by = new Set(Object.values(account!.maps).map((map) => map.by));
      assert.ok(by.has('score') && !by.has('person') && account!.loss === undefined, [...by].join());
      await assert.rejects(change({ kind: 'lambda', lambda: 2 }), /between 0 and 1/);
    });

    it('φ leaves regular what would not fit at 8 bits', async () => {
      const outliers = (plan: PlanView): number => plan.branches.filter((b) => b.class === 'outlier').length;
      // Few bits everywhere, in patches.
      const few = (
        await change(
          { kind: 'grid', grid: { rows: 2, cols: 2 } },
          (await change({ kind: 'lambda', lambda: 0 })).planText,
        )
      ).planText;
      const free = await viewOf((await change({ kind: 'phi', phi: 0.2 }, few)).planText);
      const regular = await viewOf((await change({ kind: 'phi', phi: 0.9999999 }, few)).planText);
      assert.ok(outliers(free.plan) > outliers(regular.plan));
      assert.ok(free.plan.figures.arenaBytes > regular.plan.figures.arenaBytes);
      const tight = JSON.parse(few) as { target: { sramBytes: number } };
      tight.target.sramBytes = free.plan.figures.arenaBytes - 1;
      const kept = await viewOf((await change({ kind: 'phi', phi: 0.2 }, JSON.stringify(tight))).planText);
      assert.ok(kept.plan.figures.arenaBytes <= tight.target.sramBytes);
      assert.ok(outliers(kept.plan) < outliers(free.plan));
    });

    it('previews the time as it comes out', async () => {
      for (const what of [
        { kind: 'lock', layer: 0, locked: true },
        { kind: 'grid', grid: { rows: 3, cols: 3 } },
        { kind: 'grid', grid: 'none' },
      ] as const) {
        const { planText, preview } = await change(what);
        const { latencyMs } = (await viewOf(planText)).plan.figures;
        assert.ok(Math.abs(preview.latencyMs! / latencyMs! - 1) < 0.02, `${preview.latencyMs} against ${latencyMs}`);
      }
    });
  });

  describe('figures', () => {
    it('add up: the time of the layers is the plan’s, and 8 bits layer by layer is its own reference', async () => {
      const { figures } = view.plan!;
      const sum = view.model.layers.reduce((total, { plan }) => total + plan!.latencyMs!, 0);
      assert.ok(Math.abs(sum / figures.latencyMs! - 1) < 1e-9);
      const baseline = (await service.baseline({ modelPath, planPath })).plan!;
      assert.equal(baseline.stage, null);
      assert.equal(baseline.figures.arenaBytes, figures.int8Layerwise.arenaBytes);
      assert.equal(baseline.figures.bitOps, figures.int8Layerwise.bitOps);
      assert.ok(Math.abs(baseline.figures.latencyMs! / figures.int8Layerwise.latencyMs! - 1) < 0.02);
      assert.ok(Math.abs(baseline.figures.flashBytes / figures.int8Layerwise.flashBytes - 1) < 0.05);
    });

    it('entropy of a map at its bits is that of the candidate', () => {
      for (const { plan } of view.model.layers) {
        const chosen = plan!.candidates.find(({ bits }) => bits === plan!.bits);
        assert.ok(plan!.entropy !== null && plan!.entropy >= 0 && plan!.entropy <= plan!.bits + 1e-9);
        // The candidate is scored with the best scales of its own, the map may share others.
        if (chosen) assert.ok(Math.abs(chosen.entropy - plan!.entropy) < 2, `${chosen.entropy} ${plan!.entropy}`);
      }
    });
  });

  describe('distributions', () => {
    const total = ({ shares, zeros }: DistributionView): number => shares.reduce((a, b) => a + b, zeros);

    it('hold all values, and their codes', async () => {
      for (const { id, plan, output } of view.model.layers) {
        for (const channel of [null, 0, output!.c - 1]) {
          const { weights, activations } = await service.layerDetails({ modelPath, planPath, layer: id, channel });
          assert.equal(weights === null, plan!.weightBits === null);
          for (const distribution of [weights, activations]) {
            if (distribution === null) continue;
            assert.ok(Math.abs(total(distribution) - 1) < 1e-6, `${id} ${total(distribution)}`);
            const { codes, mean, min, max } = distribution;
            assert.ok(mean >= min - 1e-9 && mean <= max + 1e-9);
            assert.ok(Math.abs(codes!.shares.reduce((a, b) => a + b, 0) - 1) < 1e-6);
            assert.equal(codes!.shares.length, 2 ** codes!.bits);
          }
          assert.equal(activations!.codes!.bits, plan!.bits);
          if (channel !== null) assert.ok(activations!.codes!.scale !== null, 'one channel has one scale');
        }
      }
    });

    it('the entropy of the output’s codes is the one in the table', async () => {
      const layer = view.model.layers.find(({ plan }) => plan!.bits === 4)!;
      const { activations } = await service.layerDetails({ modelPath, planPath, layer: layer.id, channel: null });
      assert.ok(Math.abs(activations!.codes!.entropy - layer.plan!.entropy!) < 1e-9);
    });

    it('the values that decide the classes lie about their Gaussian, with the limits of φ', async () => {
      const found = await Promise.all(
        view.model.layers.map(({ id }) => service.layerDetails({ modelPath, planPath, layer: id, channel: null })),
      );
      const [reference] = found.flatMap((details) => (details.reference === null ? [] : [details.reference]));
      assert.ok(reference);
      const { mean, sigma, band } = reference;
      assert.equal(band!.phi, 0.99);
      assert.ok(Math.abs((band!.high - mean) / sigma - 2.5758) < 1e-3);
      assert.ok(Math.abs(band!.high - mean - (mean - band!.low)) < 1e-9);
      assert.ok(normalDensity(2.5758) < 0.015);
    });

    it('are refused for what does not exist', async () => {
      await assert.rejects(service.layerDetails({ modelPath, planPath, layer: 999, channel: null }), /no layer 999/);
      await assert.rejects(
        service.layerDetails({ modelPath, planPath, layer: 0, channel: 99_999 }),
        /no channel 99999/,
      );
    });
  });

  describe('the trade-off', () => {
    it('has the planner’s choices, each smaller and slower than the last, and picking makes it the plan', async () => {
      const { memory } = await service.tradeOff({ modelPath, planPath });
      assert.ok(memory.length > 2);
      memory.slice(1).forEach((point, i) => assert.ok(point.arenaBytes < memory[i].arenaBytes));
      const point = memory[memory.length - 1];
      const { planText } = await change({ kind: 'stage', stage: point.stage, tailStages: point.tailStages });
      const { plan } = await viewOf(planText);
      assert.equal(
        plan.stage === null ? null : `${plan.stage.rows}x${plan.stage.cols}`,
        point.stage && `${point.stage.rows}x${point.stage.cols}`,
      );
      const again = await service.tradeOff({ modelPath, planPath, planText });
      assert.deepEqual(
        again.memory.filter(({ isPlan }) => isPlan).map(({ stage }) => stage),
        [point.stage],
      );
    });

    it('tells what φ marks, and how many of the marked patches the chosen positions hold', async () => {
      const { phi } = await service.tradeOff({ modelPath, planPath });
      assert.ok(phi && phi.length > 10);
      phi.slice(1).forEach((point, i) => assert.ok(point.share <= phi[i].share + 1e-12 && point.phi > phi[i].phi));
      for (const { anyOutlier, share, covered, positions } of phi) {
        assert.ok(anyOutlier >= share);
        // The best-ranked positions hold at least what as many drawn at random hold on average.
        if (covered !== null) assert.ok(covered >= positions - 1e-9, `${covered} ${positions}`);
      }
    });

    it('is empty where the calibration is not at hand', async () => {
      const elsewhere = createService(
        { report: () => undefined, isCancelled: () => false },
        new ModelStore(path.join(folder, 'empty')),
      );
      assert.deepEqual(await elsewhere.tradeOff({ modelPath, planPath }), { memory: [], phi: null });
      assert.equal((await elsewhere.view({ modelPath, planPath })).plan!.calibrated, false);
      assert.equal((await elsewhere.layerDetails({ modelPath, planPath, layer: 0, channel: null })).activations, null);
      const { planText } = await elsewhere.change({
        modelPath,
        planPath,
        planText: text,
        change: { kind: 'target', id: 'stm32h743' },
      });
      assert.equal((await elsewhere.view({ modelPath, planPath, planText })).plan!.target.id, 'stm32h743');
    });
  });
});

/** The file of a model with the signs of all weights changed that it has in the order in which they are read. */
async function disordered(modelPath: string): Promise<Buffer> {
  const bytes = readFileSync(modelPath);
  let changed = 0;
  for (const layer of (await importModel(modelPath, {})).layers.filter(isWeighted)) {
    const { buffer, byteOffset, byteLength } = layer.weights;
    const at = bytes.indexOf(Buffer.from(buffer, byteOffset, byteLength));
    if (at < 0) continue;
    changed++;
    for (let i = at; i < at + byteLength; i += 4) bytes.writeFloatLE(-bytes.readFloatLE(i), i);
  }
  assert.ok(changed > 0, 'no weights are found in the file');
  return bytes;
}
