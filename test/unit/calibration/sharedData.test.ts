import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { calibrate } from '../../../src/engine/calibration/calibrate';
import { floatOutputs } from '../../../src/engine/calibration/float';
import { parsePreprocess, presetPreprocess } from '../../../src/engine/calibration/preprocess';
import { listSamples } from '../../../src/engine/calibration/samples';
import type { Preprocess } from '../../../src/engine/calibration/types';
import { importModel } from '../../../src/engine/onnx';
import { silentProgress } from '../../../src/engine/common/progress';
import { needSharedData, sharedData } from '../../support/sharedData';

/** Accuracies that the reference data's README states, measured there with onnxruntime in Python and Pillow. */
describe('float networks on the reference data', function () {
  this.timeout(240_000);

  async function top1(
    model: string,
    samples: string,
    preprocess: Preprocess,
    limit: number,
  ): Promise<{ images: number; percent: number }> {
    const file = sharedData('models', model);
    const graph = await importModel(file);
    const set = await listSamples(samples, graph, limit);
    const notes: string[] = [];
    let images = 0;
    let right = 0;
    for await (const { sample, outputs } of floatOutputs(graph, file, set, preprocess, silentProgress, notes)) {
      images++;
      if (outputs[0].indexOf(Math.max(...outputs[0])) === sample.label) right++;
    }
    assert.deepEqual(notes, []);
    return { images, percent: (100 * right) / images };
  }

  it('kws_dscnn: 90.1 % on its 1000 int8 feature maps', async function () {
    const preprocess = parsePreprocess({ scale: 0.5847029, mean: 83 * 0.5847029 }, 'kws');
    const result = await top1(
      'kws_dscnn_mlperf.onnx',
      needSharedData(this, 'other', 'kws_mfcc_1000.npz'),
      preprocess,
      0,
    );
    assert.equal(result.images, 1000);
    assert.ok(Math.abs(result.percent - 90.1) < 0.25, String(result.percent));
  });

  for (const { model, images, says, count, least } of [
    { model: 'resnet20_cifar10', images: 'cifar10', says: 'about 91.7 % on CIFAR-10', count: 400, least: 88.5 },
    { model: 'mobilenetv2_1.0_224_tv', images: 'imagenet_val', says: 'about 79 % on ImageNet', count: 60, least: 68 },
  ])
    it(`${model}: ${says}`, async function () {
      const folder = needSharedData(this, 'images', images);
      const result = await top1(`${model}.onnx`, folder, presetPreprocess('imagenet'), count);
      assert.ok(result.images === count && result.percent > least, String(result.percent));
    });

  it('every model can be calibrated, with all of its maps', async function () {
    const models = readdirSync(needSharedData(this, 'models')).filter((f) => f.endsWith('.onnx'));
    for (const model of models) {
      const file = sharedData('models', model);
      const graph = await importModel(file);
      const isSpeech = graph.maps[graph.inputs[0].map].shape.c === 1;
      const set = await listSamples(
        isSpeech ? sharedData('other', 'kws_mfcc_1000.npz') : sharedData('images', 'vww'),
        graph,
        2,
      );
      const notes: string[] = [];
      const calibration = await calibrate(graph, file, set, presetPreprocess('tf'), model, silentProgress, notes);
      assert.deepEqual([model, calibration.images, notes], [model, 2, []]);
      assert.equal(calibration.maps.size, graph.maps.length);
      assert.equal(calibration.patches?.source, 'preActivation', model);
      for (const s of calibration.maps.values()) {
        for (let c = 0; c < s.shape.c; c++) {
          assert.ok(
            s.min[c] <= s.mean[c] + 1e-6 && s.mean[c] <= s.max[c] + 1e-6 && s.variance[c] >= 0 && s.width[c] > 0,
            `${model} ${s.name}`,
          );
        }
      }
    }
  });
});
