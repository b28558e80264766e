/* Explanations, changes and results of a plan through the engine's service, on the sample model. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { formatTies } from '../../../src/engine/quantize/ties';
import type { PlanChange } from '../../../src/engine/run/whatIf/changes';
import type { EngineService } from '../../../src/protocol/engine';
import type { EditorView, PlanView, PreviewView } from '../../../src/protocol/views';
import { ModelStore } from '../../../src/worker/models';
import { createService } from '../../../src/worker/service';
import { projectRoot } from '../../support/paths';
import { PlannedSample } from './support/plannedSample';

describe('what-if', function () {
  this.timeout(300_000);
  const sample = path.join(projectRoot, 'media/sample');
  const images = path.join(sample, 'images');
  const sampled = new PlannedSample();
  let folder: PlannedSample['folder'];
  let modelPath: PlannedSample['modelPath'];
  let planPath: PlannedSample['planPath'];
  let service: PlannedSample['service'];
  let models: PlannedSample['models'];
  let view: PlannedSample['view'];
  let text: PlannedSample['text'];

  before(async () => {
    await sampled.open();
    ({ folder, modelPath, planPath, service, models, view, text } = sampled);
  });
  after(() => sampled.close());

  const change = (what: PlanChange, planText = text): ReturnType<EngineService['change']> =>
    service.change({ modelPath, planPath, planText, change: what });
  const viewOf = (planText: string): Promise<EditorView> => service.view({ modelPath, planPath, planText });
  const planOf = (view: EditorView): NonNullable<EditorView['plan']> => {
    assert.equal(view.planProblem, null);
    return view.plan!;
  };

  it('explains every decision with entropy, Ω, Φ and S of the search', () => {
    const explained = view.model.layers.filter(({ plan }) => plan!.candidates.length > 0);
    assert.ok(explained.length > 3);
    for (const { plan } of explained) {
      const [eight, four] = plan!.candidates;
      assert.deepEqual([eight.bits, four.bits], [8, 4]);
      assert.deepEqual([eight.omega, eight.phi, eight.score], [0, 0, 0]);
      assert.ok(four.entropy <= eight.entropy + 1e-9 && eight.entropy <= 8);
      assert.ok(Math.abs(four.omega - (eight.entropy - four.entropy) / eight.entropy) < 1e-9);
    }
    // λ = 0.5 and Φ relative to the largest of all decisions.
    const all = view.model.layers.flatMap(({ plan }) => [...plan!.candidates, ...plan!.inputCandidates]);
    const largest = Math.max(...all.map(({ phi }) => phi));
    for (const { bits, omega, phi, score } of all)
      if (bits !== 8) assert.ok(Math.abs(score - (-0.5 * omega + (0.5 * phi) / largest)) < 1e-9);
  });

  it('counts weights, tables and code in the flash, and tells the three ways to use it', () => {
    const { flash, flashBytes, levels } = planOf(view).figures;
    assert.equal(flashBytes, flash.weights + flash.tables + flash.code);
    assert.ok([flash.weights, flash.tables, flash.code, flash.selfTest].every((bytes) => bytes > 0));
    const [size, balanced, speed] = levels;
    assert.deepEqual([size.optimize, balanced.optimize, speed.optimize], ['size', 'balanced', 'speed']);
    // Balanced is size where packed weights would take more flash than 8 bits do.
    assert.ok(size.flashBytes <= balanced.flashBytes && balanced.flashBytes <= speed.flashBytes);
    assert.ok(size.latencyMs! >= balanced.latencyMs! && balanced.latencyMs! >= speed.latencyMs!);
    assert.ok(size.flashBytes < speed.flashBytes && size.latencyMs! > speed.latencyMs!);
    assert.equal(flashBytes, balanced.flashBytes);
  });

  /** The preview has the view's figures; flash as the view had foreseen it. */
  const agrees = (preview: PreviewView, { figures }: PlanView): void => {
    const { arenaBytes, latencyMs, macs, bitOps } = figures;
    assert.deepEqual(
      { arenaBytes: preview.arenaBytes, latencyMs: preview.latencyMs, macs: preview.macs, bitOps: preview.bitOps },
      { arenaBytes, latencyMs, macs, bitOps },
    );
    assert.equal(preview.flashEstimate, figures.flash.estimate);
    assert.ok(
      preview.flashEstimate >= figures.flashBytes && preview.flashEstimate <= 1.1 * figures.flashBytes,
      `${preview.flashEstimate} bytes of flash foreseen, ${figures.flashBytes} told`,
    );
  };

  it('previews a plan as it is: the same figures', async () => {
    const { preview } = await change({ kind: 'lock', layer: 0, locked: true });
    agrees(preview, planOf(view));
  });

  it('changes the bits of a map with all maps that share them, and only those', async () => {
    const { graph } = await models.shown(modelPath, undefined);
    const { bitGroup } = formatTies(graph!);
    const layer = view.model.layers.find(({ plan, kind }) => plan!.allowedBits.includes(4) && kind === 'conv')!;
    const bits = layer.plan!.bits === 8 ? 4 : 8;
    const { planText, preview } = await change({ kind: 'mapBits', layer: layer.id, bits });
    const changed = await viewOf(planText);
    const map = graph!.layers[layer.id].output;
    for (const { id, plan } of changed.model.layers) {
      const shares = bitGroup[graph!.layers[id].output] === bitGroup[map];
      assert.equal(plan!.bits, shares ? bits : view.model.layers[id].plan!.bits, changed.model.layers[id].name);
    }
    agrees(preview, planOf(changed));
    // Back again is the text as it was, so that a comparison of versions shows nothing.
    assert.equal((await change({ kind: 'mapBits', layer: layer.id, bits: layer.plan!.bits }, planText)).planText, text);
  });

  it('gives a map 16 bits, and the weights around it 8', async () => {
    const layers = view.model.layers.filter(({ plan }) => plan!.allowedBits.includes(16));
    // What the network ends in, and a convolution with others behind it.
    for (const layer of [layers[layers.length - 1], layers.find(({ kind }) => kind === 'conv')!]) {
      const { planText, preview } = await change({ kind: 'mapBits', layer: layer.id, bits: 16 });
      const changed = await viewOf(planText);
      const { plan } = changed.model.layers[layer.id];
      assert.deepEqual([plan!.bits, plan!.weightBits ?? 8], [16, 8]);
      assert.equal(plan!.mapBytes, (layer.plan!.mapBytes * 16) / layer.plan!.bits);
      agrees(preview, planOf(changed));
    }
  });

  it('changes the bits of weights, and the flash with them', async () => {
    const layer = view.model.layers
      .filter(({ plan }) => plan!.weightBits === 8)
      .reduce((a, b) => (b.parameters > a.parameters ? b : a));
    const { planText, preview } = await change({ kind: 'weightBits', layer: layer.id, bits: 4 });
    const changed = await viewOf(planText);
    assert.equal(changed.model.layers[layer.id].plan!.weightBits, 4);
    agrees(preview, planOf(changed));
    assert.ok(planOf(changed).figures.flashBytes < planOf(view).figures.flashBytes);
    assert.equal((await change({ kind: 'weightBits', layer: layer.id, bits: 8 }, planText)).planText, text);
  });

  it('locks what the search must leave alone, without changing what is computed', async () => {
    const layer = view.model.layers.find(({ plan }) => plan!.candidates.length > 0)!;
    const { planText } = await change({ kind: 'lock', layer: layer.id, locked: true });
    const changed = await viewOf(planText);
    assert.equal(changed.model.layers[layer.id].plan!.locked, true);
    assert.equal(changed.model.layers[layer.id].plan!.bits, layer.plan!.bits);
    assert.deepEqual(planOf(changed).figures, planOf(view).figures);
    assert.equal((await change({ kind: 'lock', layer: layer.id, locked: false }, planText)).planText, text);
  });

  it('gives one patch another class', async () => {
    const { branches } = planOf(view);
    const other = branches[1].class === 'outlier' ? 'regular' : 'outlier';
    const { planText } = await change({ kind: 'patchClass', branch: 1, class: other });
    assert.deepEqual(
      planOf(await viewOf(planText)).branches.map((b) => b.class),
      branches.map((b) => (b.id === 1 ? other : b.class)),
    );
  });

  it('classifies again for another φ: fewer outlier patches the larger it is', async () => {
    const outliers = async (phi: number): Promise<number> => {
      const { planText } = await change({ kind: 'phi', phi });
      assert.equal((JSON.parse(planText) as { search: { phi: number } }).search.phi, phi);
      return planOf(await viewOf(planText)).branches.filter((b) => b.class === 'outlier').length;
    };
    assert.ok((await outliers(0.5)) >= (await outliers(0.99)));
    assert.equal(await outliers(0.9999999), 0);
  });

  it('says in one line what is not possible', async () => {
    const line =
      (pattern: RegExp) =>
      (error: Error): boolean =>
        error.name === 'UserError' && !error.message.includes('\n') && pattern.test(error.message);
    const fixed = view.model.layers.find(({ plan }) => !plan!.allowedBits.includes(4))!;
    await assert.rejects(change({ kind: 'mapBits', layer: fixed.id, bits: 4 }), line(/needs 8 bits/));
    const unweighted = view.model.layers.find(({ plan }) => plan!.weightBits === null)!;
    await assert.rejects(change({ kind: 'weightBits', layer: unweighted.id, bits: 4 }), line(/has no weights/));
    await assert.rejects(change({ kind: 'patchClass', branch: 99, class: 'outlier' }), line(/no patch 100/));
    await assert.rejects(change({ kind: 'phi', phi: 1 }), line(/between 0 and 1/));
    await assert.rejects(change({ kind: 'lock', layer: 9999, locked: true }), line(/no layer 9999/));
    await assert.rejects(change({ kind: 'phi', phi: 0.9 }, 'no JSON'), line(/not valid JSON/));
  });

  it('refuses other bits where the calibration is not at hand, and still opens the plan', async () => {
    const elsewhere = createService(
      { report: () => undefined, isCancelled: () => false },
      new ModelStore(path.join(folder, 'empty')),
    );
    const layer = view.model.layers.find(({ plan }) => plan!.candidates.length > 0)!;
    const bits = layer.plan!.bits === 8 ? 4 : 8;
    await assert.rejects(
      elsewhere.change({ modelPath, planPath, planText: text, change: { kind: 'mapBits', layer: layer.id, bits } }),
      /not cached on this machine/,
    );
    const { plan, model } = await elsewhere.view({ modelPath, planPath });
    assert.deepEqual(plan!.figures, planOf(view).figures);
    assert.deepEqual(model.layers[layer.id].plan!.candidates, []);
  });

  it('reads a model again when its file changes', async () => {
    const copy = path.join(folder, 'copy.onnx');
    cpSync(modelPath, copy);
    assert.ok(
      (await service.view({ modelPath: copy, planPath: path.join(folder, 'none.json') })).model.layers.length > 3,
    );
    writeFileSync(copy, 'no model');
    await assert.rejects(service.view({ modelPath: copy, planPath: path.join(folder, 'none.json') }), {
      name: 'UserError',
    });
  });

  it('keeps evaluations beside the plan, each with the decisions that it is of', async () => {
    const { images: count, quantized, agreement } = await service.evaluate({ planPath, imagesPath: images, limit: 4 });
    assert.equal(count, 4);
    assert.ok(existsSync(path.join(folder, 'gauge.quantmcu.results.json')));
    const accuracy = planOf(await service.view({ modelPath, planPath })).figures.accuracy!;
    assert.deepEqual(
      [accuracy.images, accuracy.agreement, accuracy.quantizedTop1],
      [4, agreement! / 100, quantized.top1 === null ? null : quantized.top1 / 100],
    );
    const layer = view.model.layers.find(({ plan }) => plan!.candidates.length > 0)!;
    const { planText } = await change({ kind: 'mapBits', layer: layer.id, bits: layer.plan!.bits === 8 ? 4 : 8 });
    assert.equal(planOf(await viewOf(planText)).figures.accuracy, null);
    writeFileSync(path.join(folder, 'gauge.quantmcu.results.json'), '{"version":1,"results":[{"plan":3}]}');
    assert.equal(planOf(await service.view({ modelPath, planPath })).figures.accuracy, null);
  });

  it('gives the first calibration image as the network sees it', async () => {
    const image = (await service.sampleImage({ modelPath, planPath }))!;
    const { h, w } = (await models.shown(modelPath, undefined)).graph!.maps[0].shape;
    assert.ok(Math.max(image.width, image.height) <= 256);
    assert.ok(Math.abs(image.width / image.height - w / h) < 0.02);
    assert.equal(image.rgba.length, image.width * image.height * 4);
    assert.ok(image.rgba.every((v, i) => i % 4 !== 3 || v === 255));
    assert.ok(new Set(image.rgba).size > 10);
    const moved = JSON.stringify({
      ...(JSON.parse(text) as object),
      calibration: { key: '0'.repeat(64), images: 1, folder: 'nowhere' },
    });
    assert.equal(await service.sampleImage({ modelPath, planPath, planText: moved }), null);
  });
});
