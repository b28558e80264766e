import assert from 'node:assert/strict';
import * as path from 'node:path';
import { presetPreprocess, type Preset } from '../../src/engine/calibration/preprocess';
import { silentProgress } from '../../src/engine/common/progress';
import { assembled } from '../../src/engine/codegen';
import { openPlan } from '../../src/engine/planned/open';
import { quantize } from '../../src/engine/run/quantize';
import { arenaTarget, flashOptions, formsFlashBytes } from '../../src/engine/targets/capacity';
import { coreOf, targets } from '../../src/engine/targets/targets';
import type { PlanTarget } from '../../src/engine/targets/types';
import { needSharedData } from '../support/sharedData';
import { removeFolder, scratchFolder } from './support/hostBuild';
import { FlashLinker } from './support/linkedFlash';

/** Networks that once were told to fit and overflowed when they were linked. */
const cases: readonly { model: string; images: string; preset: Preset; target: PlanTarget }[] = [
  { model: 'mobilenetv2_1.0_224_tv.onnx', images: 'imagenet_sample', preset: 'imagenet', target: board('stm32h743') },
  { model: 'mcunet_vww_80.onnx', images: 'vww', preset: 'tf', target: board('stm32f411') },
  {
    model: 'vww_mobilenetv1_0.25_96_mlperf.onnx',
    images: 'vww',
    preset: 'unit',
    target: { id: 'custom', sramBytes: 320 * 1024, flashBytes: 200 * 1024 },
  },
];

function board(id: string): PlanTarget {
  return arenaTarget(
    targets.find((t) => t.id === id)!,
    {},
  );
}

describe('networks on boards of their own', function () {
  this.timeout(600_000);
  let folder: string;
  before(() => (folder = scratchFolder('fits')));
  after(() => removeFolder(folder));

  // Bits of maps are left at 8 and weights are not fitted: neither changes what is stored, and both take minutes.
  for (const { model, images, preset, target } of cases)
    it(`${model} fits and links for ${target.id}, ${target.flashBytes} bytes`, async function () {
      const modelPath = needSharedData(this, 'models', model);
      const imagesPath = needSharedData(this, 'images', images);
      const planPath = path.join(folder, `${model}.quantmcu.json`);
      await quantize(
        {
          modelPath,
          planPath,
          imagesPath,
          target,
          grid: 'auto',
          bits: [8],
          weights: 'auto',
          classes: 'static',
          compensate: false,
          preprocess: presetPreprocess(preset),
          limit: 2,
          cachePath: null,
        },
        silentProgress,
      );
      const { program } = await openPlan(planPath);
      const { total } = assembled(program, flashOptions(target)).flash;
      const core = coreOf(target);
      assert.ok(core === 'cortex-m4' || core === 'cortex-m7');
      const linker = new FlashLinker(path.join(folder, core), core);
      const { told, linked } = linker.measure(program, 'balanced', formsFlashBytes(target));
      if (process.env.VERBOSE) console.log(model, target.flashBytes, total, told, linked, program.arenaBytes);
      assert.equal(told, total);
      assert.ok(linked <= told && told <= target.flashBytes, `${told} told, ${linked} linked`);
      assert.ok(program.arenaBytes <= target.sramBytes);
    });
});
