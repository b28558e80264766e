import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { silentProgress } from '../../../src/engine/common/progress';
import { readPlan } from '../../../src/engine/plan/files';
import { openPlan, type OpenedPlan } from '../../../src/engine/planned/open';
import { evaluate } from '../../../src/engine/run/evaluate';
import { readNetwork } from '../../../src/engine/run/readNetwork';
import { createService } from '../../../src/worker/service';
import { decodedExports } from '../../support/decodedExports';
import { quantizeSmall, WorkFolder, writeImages, type SmallOptions } from '../../faults/fixtures';

const MODELS = Object.fromEntries(decodedExports.map(({ name, build }) => [name, build]));

describe('plans of networks that decode their boxes themselves', function () {
  this.timeout(120_000);
  let work: WorkFolder;
  let imagesPath: string;
  before(() => {
    work = new WorkFolder();
    imagesPath = writeImages(work, 6);
  });
  after(() => work.remove());

  async function quantized(
    name: string,
    options: Partial<SmallOptions> = {},
  ): Promise<{ readonly notes: readonly string[]; readonly opened: OpenedPlan }> {
    const modelPath = work.write('model.onnx', MODELS[name]());
    const planPath = work.path('model.quantmcu.json');
    const { summary } = await quantizeSmall({
      ...{ modelPath, planPath, imagesPath, bits: [8], weights: 8, grid: 'none', force: true },
      ...options,
    });
    return { notes: summary.notes, opened: await openPlan(planPath) };
  }

  it('say where they are cut, and what is compared is boxes', async () => {
    const { notes, opened } = await quantized('YOLOv5');
    const { graph, head, plan } = opened;
    assert.equal(plan.model.outputs?.length, 3);
    assert.deepEqual(
      graph.outputs.map(({ name }) => name),
      plan.model.outputs,
    );
    assert.equal(head!.head.preset, 'yolov5');
    assert.equal(opened.program.head!.levels.length, 3);
    const [note] = notes.filter((line) => line.includes('decodes its boxes itself'));
    for (const part of ['"output0"', ...plan.model.outputs, 'yolov5', '252 locations', '--head decoded'])
      assert.ok(note.includes(part), `${part} is not in: ${note}`);
    const { modelPath, program } = opened;
    const detection = { head: head! };
    const found = await evaluate(graph, modelPath, program, plan.preprocess, imagesPath, 0, silentProgress, {
      task: plan.task,
      detection,
    });
    assert.ok(found.detection!.boxes.float > 0, 'no boxes to compare');
    assert.ok(found.detection!.agreement.paired > 50, `${found.detection!.agreement.paired} % of boxes match`);
  });

  it('keep the outputs with the head "decoded"', async () => {
    const { opened, notes } = await quantized('YOLOv5', { head: 'decoded' });
    assert.equal(opened.plan.model.outputs, undefined);
    assert.equal(opened.head!.head.preset, 'decoded');
    assert.deepEqual(
      opened.graph.outputs.map(({ name }) => name),
      ['output0'],
    );
    assert.ok(!notes.some((line) => line.includes('decodes its boxes itself')));
  });

  it('end where a given head says, as a description and as a file', async () => {
    const first = await quantized('SSD');
    const { outputs } = first.opened.plan.model;
    const head = { ...first.opened.head!.head, labels: ['a', 'b', 'c', 'd'], score: 0.5 };
    const file = work.path('head.json');
    writeFileSync(file, JSON.stringify(head));
    for (const given of [head, file]) {
      const { opened } = await quantized('SSD', { head: given });
      assert.deepEqual([...opened.plan.model.outputs!].sort(), [...outputs!].sort());
      assert.deepEqual(opened.head!.head, head);
    }
  });

  it('leave out the selection of boxes in the file, with its limits, in the editor too', async () => {
    const { opened, notes } = await quantized('YOLOv8 with NMS');
    assert.equal(opened.head!.head.preset, 'yolov8');
    assert.ok(Math.abs(opened.head!.head.iou - 0.6) < 1e-6);
    assert.ok(Math.abs(opened.head!.head.score - 0.2) < 1e-6);
    assert.ok(notes.some((line) => line.includes('NonMaxSuppression "nms"')));
    const service = createService(silentProgress);
    const { modelPath, planPath } = opened;
    const { model, plan, planProblem } = await service.view({ modelPath, planPath });
    assert.deepEqual([model.problems, planProblem], [[], null]);
    assert.deepEqual(plan!.head!.cutAt, opened.plan.model.outputs);
    assert.equal((await service.detections({ modelPath, planPath, image: 0 }))!.float.length > 0, true);
  });

  it('name the node that selects boxes where its decoding is not known', async () => {
    const modelPath = work.write('near.onnx', MODELS['YOLOv8 with NMS']('grid'));
    await assert.rejects(readNetwork({ modelPath }), /NonMaxSuppression "nms".*Cut the model before it/);
  });

  it('of a value that the file does not have are refused by its name', async () => {
    const { opened } = await quantized('YOLOX');
    const plan = await readPlan(opened.planPath);
    const edited = { ...plan, model: { ...plan.model, outputs: ['nowhere'] } };
    writeFileSync(opened.planPath, JSON.stringify(edited));
    await assert.rejects(openPlan(opened.planPath), /model\.onnx computes no value "nowhere"/);
  });
});
