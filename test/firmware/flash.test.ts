import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { presetPreprocess } from '../../src/engine/calibration/preprocess';
import { silentProgress } from '../../src/engine/common/progress';
import { openPlan } from '../../src/engine/planned/open';
import { estimateFlash } from '../../src/engine/cost/flashEstimate';
import { programWork } from '../../src/engine/cost/work';
import type { Program } from '../../src/engine/program/types';
import { quantize } from '../../src/engine/run/quantize';
import { OPTIMIZE_LEVELS } from '../../src/engine/targets/types';
import { asFirmware } from '../support/asFirmware';
import { discModel, writeDiscImages } from '../support/discDetector';
import { ModelFolder, OnnxBuilder } from '../support/onnxBuilder';
import { randomFloats, randomNumbers } from '../support/onnxOracle';
import { projectRoot } from '../support/paths';
import { removeFolder, scratchFolder } from './support/hostBuild';
import { FlashLinker, LINKED_CORES, type LinkedCore } from './support/linkedFlash';
import { calibrateModel, realModels } from './support/realModels';

/** Told flash may be more than linked flash by this share, and never less. */
const MOST_ABOVE = 0.03;
const FLASH = 1 << 20;

describe('flash that is told against flash that is linked', function () {
  this.timeout(900_000);
  let folder: string;
  before(() => (folder = scratchFolder('flash')));
  after(() => removeFolder(folder));

  function check(program: Program): void {
    const wrong: string[] = [];
    for (const core of Object.keys(LINKED_CORES) as LinkedCore[]) {
      const linker = new FlashLinker(path.join(folder, core), core);
      for (const optimize of core === 'cortex-m4' ? OPTIMIZE_LEVELS : (['balanced'] as const)) {
        const { told, linked } = linker.measure(program, optimize, FLASH);
        const above = told / linked - 1;
        const line = lineOf(`${program.name} for ${core}, ${optimize}`, told, linked);
        if (!(above >= 0 && above <= MOST_ABOVE)) wrong.push(line);
      }
    }
    assert.deepEqual(wrong, []);
  }

  it("of the sample's plan with patches", async () => {
    const planPath = path.join(folder, 'gauge.quantmcu.json');
    const sample = path.join(projectRoot, 'media', 'sample');
    await quantize(
      {
        modelPath: path.join(sample, 'gauge.onnx'),
        planPath,
        imagesPath: path.join(sample, 'images'),
        target: { id: 'custom', sramBytes: 60 * 1024, flashBytes: FLASH },
        grid: 'auto',
        bits: [8, 4],
        weights: 8,
        classes: 'static',
        preprocess: presetPreprocess('unit'),
        limit: 4,
        search: 'entropy',
        cachePath: null,
      },
      silentProgress,
    );
    const { program } = await openPlan(planPath);
    check(program);
  });

  it("of a detector's plan, its boxes included", async () => {
    const modelPath = path.join(folder, 'disc.onnx');
    const images = path.join(folder, 'discs');
    writeFileSync(modelPath, discModel());
    mkdirSync(images);
    writeDiscImages(images, 4);
    const planPath = path.join(folder, 'disc.quantmcu.json');
    await quantize(
      {
        modelPath,
        planPath,
        imagesPath: images,
        target: { id: 'custom', sramBytes: 1 << 20, flashBytes: FLASH },
        grid: 'none',
        bits: [8],
        weights: 8,
        classes: 'static',
        preprocess: null,
        limit: 4,
        cachePath: null,
      },
      silentProgress,
    );
    const { program } = await openPlan(planPath);
    assert.ok(program.head);
    check(program);
  });

  it('of a network with kernels beside those of convolutions, Softmax at its end', async () => {
    const models = new ModelFolder();
    try {
      const { opened } = await asFirmware(models.write(gatedModel(), 'gated.onnx'), path.join(folder, 'gated'));
      const { program } = opened;
      const operators = new Set(program.steps.map(({ kernel }) => kernel.op));
      for (const op of ['softmax', 'maxPool', 'averagePool', 'mul'] as const) assert.ok(operators.has(op), op);
      check(program);
      // What its calls alone tell, the average of a large map included.
      const foreseen = estimateFlash(programWork(program), new Map(), 'cortex-m4');
      const { told } = new FlashLinker(path.join(folder, 'foreseen'), 'cortex-m4').measure(program, 'size', FLASH);
      assert.ok(foreseen >= told && foreseen < 1.1 * told, `${foreseen} foreseen, ${told} told`);
    } finally {
      models.remove();
    }
  });

  it('of networks of 8 bits, whose runtime is compiled for them alone, and of two in one program', async function () {
    const programs: Program[] = [];
    for (const file of ['kws_dscnn_mlperf.onnx', 'resnet8_cifar10_mlperf.onnx']) {
      const model = await calibrateModel(
        this,
        realModels.find((m) => m.file === file)!,
        2,
      );
      programs.push(model.plain());
    }
    const linker = new FlashLinker(path.join(folder, 'eight'), 'cortex-m4');
    const wrong: string[] = [];
    for (const program of programs)
      for (const optimize of OPTIMIZE_LEVELS) {
        const { told, linked } = linker.measure(program, optimize, FLASH);
        const line = lineOf(`${program.name} of 8 bits, ${optimize}`, told, linked);
        if (!(told >= linked && told / linked - 1 <= MOST_ABOVE)) wrong.push(line);
      }
    // What both use is there once.
    const { told, linked } = linker.measureTogether(programs, 'size', FLASH);
    const line = lineOf('two networks of 8 bits together', told, linked);
    if (told < linked) wrong.push(line);
    assert.deepEqual(wrong, []);
  });

  for (const file of ['resnet8_cifar10_mlperf.onnx', 'vww_mobilenetv1_0.25_96_mlperf.onnx'])
    it(`of ${file} in mixed precision by patches`, async function () {
      const model = await calibrateModel(
        this,
        realModels.find((m) => m.file === file)!,
        2,
      );
      check(model.mixed(file.startsWith('vww') ? 'runtime' : 'keep', 2));
    });
});

/** A convolution that is gated, pooled both ways and ends in Softmax. */
function gatedModel(): OnnxBuilder {
  const random = randomNumbers(11);
  const m = new OnnxBuilder();
  const weights = (...dims: number[]): string => randomFloats(m, random, dims, 0.5);
  const conv = m.node('Conv', [m.input('x', [1, 3, 24, 24]), weights(8, 3, 3, 3)], { pads: [1, 1, 1, 1] });
  const gated = m.node('Mul', [conv, m.node('Sigmoid', [m.node('GlobalAveragePool', [conv])])]);
  const pooled = m.node('MaxPool', [gated], { kernel_shape: [2, 2], strides: [2, 2] });
  const means = m.node('Flatten', [m.node('AveragePool', [pooled], { kernel_shape: [4, 4], strides: [4, 4] })]);
  m.output(m.node('Softmax', [m.node('Gemm', [means, weights(72, 10)])]));
  return m;
}

function lineOf(what: string, told: number, linked: number): string {
  const line = `${what}: ${told} told, ${linked} linked, ${(100 * (told / linked - 1)).toFixed(2)} %`;
  if (process.env.VERBOSE) console.log(line);
  return line;
}
