/* Boxes on sample images and what an evaluation of a detector leaves, through the engine's service. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { BoxView } from '../../../src/protocol/detections';
import type { EngineService } from '../../../src/protocol/engine';
import { createService } from '../../../src/worker/service';
import { DISC_SIDE, discModel, discScene, writeDiscImages } from '../../support/discDetector';

describe('boxes of a plan', function () {
  this.timeout(300_000);
  let folder: string;
  let modelPath: string;
  let planPath: string;
  let service: EngineService;
  let cacheHome: string | undefined;
  const near = ({ x1, y1, x2, y2 }: BoxView, { x, y }: { x: number; y: number }): boolean =>
    Math.hypot(((x1 + x2) / 2) * DISC_SIDE - x, ((y1 + y2) / 2) * DISC_SIDE - y) < 4;

  before(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'quantmcu-boxes-'));
    cacheHome = process.env['XDG_CACHE_HOME'];
    process.env['XDG_CACHE_HOME'] = path.join(folder, 'cache');
    modelPath = path.join(folder, 'discs.onnx');
    planPath = path.join(folder, 'discs.quantmcu.json');
    writeFileSync(modelPath, discModel());
    writeDiscImages(path.join(folder, 'images'), 12);
    service = createService({ report: () => undefined, isCancelled: () => false });
    await service.quantize({
      modelPath,
      planPath,
      imagesPath: path.join(folder, 'images'),
      targetId: 'nano33ble',
      grid: 'none',
      bits: [8],
      weights: 8,
      classes: 'static',
      preprocess: 'stretch',
      limit: 0,
    });
  });
  after(() => {
    if (cacheHome === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = cacheHome;
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows the head that quantization proposed', async () => {
    const { plan } = await service.view({ modelPath, planPath });
    assert.equal(plan!.head!.preset, 'centernet');
    assert.equal(plan!.head!.labels.length, 3);
    assert.deepEqual(plan!.head!.levels, [
      { rows: 16, cols: 16, stride: 4, anchors: 1, form: 'center', outputs: ['reg', 'hm'] },
    ]);
  });

  it('finds the discs in both networks, image by image, with the known boxes', async () => {
    for (const image of [0, 5, 12]) {
      const found = (await service.detections({ modelPath, planPath, image }))!;
      const at = image % 12;
      assert.equal(found.index, at);
      assert.equal(found.count, 12);
      assert.equal(found.name, `disc-${String(at).padStart(3, '0')}.png`);
      const { discs, pixels } = discScene(1 + at);
      assert.deepEqual([...found.rgba.subarray(0, 4)], [...pixels.subarray(0, 3), 255]);
      assert.equal(found.known!.length, discs.length);
      for (const boxes of [found.float, found.firmware]) {
        const sure = boxes.filter(({ score }) => score > 0.5);
        assert.equal(sure.length, discs.length, `image ${at}`);
        for (const disc of discs) assert.ok(sure.some((b) => b.label === disc.label && near(b, disc)));
      }
    }
  });

  it('answers a what-if with other boxes of the firmware and the same of float', async () => {
    const text = readFileSync(planPath, 'utf8');
    const before = (await service.detections({ modelPath, planPath, image: 0 }))!;
    const { model } = await service.view({ modelPath, planPath });
    const layer = [...model.layers].reverse().find(({ plan }) => plan!.allowedBits.includes(4))!;
    const { planText } = await service.change({
      modelPath,
      planPath,
      planText: text,
      change: { kind: 'mapBits', layer: layer.id, bits: 4 },
    });
    const after = (await service.detections({ modelPath, planPath, planText, image: 0 }))!;
    assert.deepEqual(after.float, before.float);
    assert.notDeepEqual(after.firmware, before.firmware);
  });

  it('keeps mean average precision and classes of an evaluation beside the plan', async () => {
    const imagesPath = path.join(folder, 'fresh');
    writeDiscImages(imagesPath, 10, 100);
    const summary = await service.evaluate({ planPath, imagesPath, limit: 0 });
    assert.ok(summary.detection!.floatMap50! > 90, String(summary.detection!.floatMap50));
    const { plan } = await service.view({ modelPath, planPath });
    const { detection } = plan!.figures.accuracy!;
    assert.equal(detection!.map50!.float, summary.detection!.floatMap50! / 100);
    assert.equal(detection!.map50!.quantized, summary.detection!.map50! / 100);
    assert.ok(detection!.map50!.low <= detection!.map50!.high);
    const discs = Array.from({ length: 10 }, (_, i) => discScene(100 + i).discs).flat();
    assert.equal(
      detection!.map50!.classes.reduce((sum, c) => sum + c.objects, 0),
      discs.length,
    );
  });

  it('sweeps with the head: points have mean average precision, and a picked one keeps the head', async () => {
    const imagesPath = path.join(folder, 'fresh');
    const { points } = await service.sweep({
      planPath,
      parameter: 'lambda',
      values: [0.5],
      grid: 'none',
      evaluate: { imagesPath, limit: 0 },
    });
    const { accuracy, problem } = points[0];
    assert.equal(problem, null);
    assert.ok(accuracy!.floatMap50! > 0.9 && accuracy!.map50! > 0.8 && accuracy!.boxAgreement! > 0.8);
    assert.match(readFileSync(planPath.replace('.json', '.sweeps.csv'), 'utf8'), /map50,boxAgreement/);
    const before = readFileSync(planPath, 'utf8');
    await service.pickSweepPoint({ planPath, parameter: 'lambda', value: 0.5 });
    const { plan } = await service.view({ modelPath, planPath });
    assert.equal(plan!.head!.preset, 'centernet');
    writeFileSync(planPath, before);
  });

  it('has nothing to show where the images are gone', async () => {
    const text = readFileSync(planPath, 'utf8').replace('"folder": "images"', '"folder": "gone"');
    assert.notEqual(text, readFileSync(planPath, 'utf8'));
    assert.equal(await service.detections({ modelPath, planPath, planText: text, image: 0 }), null);
  });
});
