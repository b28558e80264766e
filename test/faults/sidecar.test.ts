/* eslint-disable @typescript-eslint/no-unsafe-member-access -- sidecars are damaged on purpose */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { cachedCalibration } from '../../src/engine/calibration/cache';
import { UserError } from '../../src/engine/common/errors';
import { generateSources } from '../../src/engine/run/generate';
import { openPlan } from '../../src/engine/planned/open';
import { npy } from '../support/npyWriter';
import { randomNumbers } from '../support/onnxOracle';
import { reportFuzz } from '../support/fuzzReport';
import { assertSound, runCli } from './commandLine';
import { WorkFolder, failureOf, quantizeSmall, smallModel, writeImages } from './fixtures';
import { count, dice, mutateJson, mutateParameters, mutateText } from './sidecarMutations';
import { damages, type Json } from './sidecarDamages';

/** Mutations tried of each file; a bench or a nightly run may ask for more. */
const MUTATIONS = Number(process.env.QUANTMCU_FUZZ ?? 1500);

describe('damaged and hostile sidecars', function () {
  this.timeout(300_000 + MUTATIONS * 50);
  let work: WorkFolder;
  let plan: string;
  let parameters: string;
  let soundText: string;
  let soundParameters: Buffer;
  let cache: string;

  before(async () => {
    work = new WorkFolder();
    cache = work.path('cache');
    const modelPath = work.write('model.onnx', smallModel());
    plan = work.path('model.quantmcu.json');
    await quantizeSmall({
      search: 'entropy',
      modelPath,
      planPath: plan,
      imagesPath: writeImages(work, 8),
      cachePath: cache,
    });
    parameters = work.path('model.quantmcu.params');
    soundText = fs.readFileSync(plan, 'utf8');
    soundParameters = fs.readFileSync(parameters);
  });
  after(() => work.remove());
  afterEach(() => {
    fs.rmSync(parameters, { recursive: true, force: true });
    fs.writeFileSync(parameters, soundParameters);
    fs.writeFileSync(plan, soundText);
  });

  /** Opens the plan and generates its C, as every command does. */
  const use = async (cached = false): Promise<number> => {
    const opened = await openPlan(
      plan,
      cached ? { calibration: (key, graph) => cachedCalibration(cache, key, graph) } : {},
    );
    return generateSources(opened).files.length;
  };
  const edited = (edit: (plan: Json) => unknown): void => {
    const value = JSON.parse(soundText) as Json;
    const replaced = edit(value);
    fs.writeFileSync(plan, JSON.stringify(replaced ?? value));
  };
  const refused = async (says: RegExp, cached = false): Promise<void> => {
    const failure = await failureOf(use(cached));
    assert.ok(failure instanceof UserError, String(failure?.stack));
    assert.match(failure.message, says);
    assert.doesNotMatch(failure.message, /\n/);
  };

  it('control: the sound plan opens', async () => assert.ok((await use()) > 3));

  for (const [what, damage, says] of damages) {
    it(`refuses ${what} with one clear line`, async function () {
      const patched = what.includes('grid') || what.includes('classes') || what.includes('map');
      if (patched) assert.ok((JSON.parse(soundText) as Json).patchStage, 'the sound plan has a patch stage');
      edited(damage);
      if (what === 'input sizes of another model') {
        // Sizes that no dimension asks for do no harm.
        assert.ok((await use()) > 3);
        return;
      }
      await refused(says);
    });
  }

  it('names of prototypes are names like any other', async () => {
    const withNames = (key: string, entry: string): string => {
      const value = JSON.parse(soundText) as Json;
      value[key].marker = 0;
      return JSON.stringify(value).replace('"marker":0', entry);
    };
    fs.writeFileSync(plan, withNames('maps', '"__proto__":{"bits":2},"constructor":{"bits":4}'));
    assert.ok((await use()) > 3);
    fs.writeFileSync(plan, withNames('layers', '"__proto__":{"weightBits":4},"toString":{"inputBits":2}'));
    assert.ok((await use()) > 3);
    assert.equal(({} as Json).bits, undefined);
    fs.writeFileSync(plan, soundText.replace('"version"', '"__proto__": {"polluted": true},\n  "version"'));
    await refused(/additional properties/);
  });

  it('networks whose maps and layers are called __proto__ keep their decisions', async () => {
    for (const name of ['constructor', 'hasOwnProperty', '__proto__']) {
      const modelPath = work.write(`proto/${name}.onnx`, smallModel(1, { map: name, layer: name }));
      const planPath = work.path('proto', `${name}.quantmcu.json`);
      const small = {
        modelPath,
        planPath,
        imagesPath: work.path('images'),
        bits: [8, 4] as const,
        weights: 4 as const,
      };
      const failure = await failureOf(quantizeSmall(small));
      // onnxruntime's JavaScript returns values as properties of a plain object, which cannot have a property of this
      // name.
      if (name === '__proto__' && failure !== null) {
        assert.ok(failure instanceof UserError, String(failure.stack));
        continue;
      }
      assert.equal(failure, null, String(failure?.stack));
      const { plan: written, program } = await openPlan(planPath);
      assert.ok(Object.hasOwn(written.layers, name) && program.arenaBytes > 0);
      assert.equal(written.layers[name].weightBits, 4);
    }
  });

  const texts: [string, string][] = [
    ['an empty file', ''],
    ['no JSON', 'hello'],
    ['half of it', ''],
    ['binary bytes', '\u0000\u0001\ufffd'],
    ['100 000 open brackets', '['.repeat(100_000)],
    ['17 MB of blanks', ' '.repeat(17 << 20)],
    ['a conflict of a merge', '<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n'],
  ];
  for (const [what, text] of texts) {
    it(`${what}: refused, and not overwritten by quantizing`, async () => {
      fs.writeFileSync(plan, what === 'half of it' ? soundText.slice(0, soundText.length / 2) : text);
      const before = fs.readFileSync(plan);
      await refused(/JSON|cannot be read|plan/);
      const failure = await failureOf(
        quantizeSmall({
          search: 'entropy',
          modelPath: work.path('model.onnx'),
          planPath: plan,
          imagesPath: work.path('images'),
          cachePath: cache,
        }),
      );
      assert.ok(failure instanceof UserError);
      assert.match(failure.message, /correct it, or delete it first/);
      assert.ok(fs.readFileSync(plan).equals(before));
    });
  }

  it('quantizing does not put its plan in the place of a model', async () => {
    const modelPath = work.path('model.onnx');
    const before = fs.readFileSync(modelPath);
    assert.ok(
      (await failureOf(
        quantizeSmall({
          search: 'entropy',
          modelPath,
          planPath: modelPath,
          imagesPath: work.path('images'),
          cachePath: cache,
        }),
      )) instanceof UserError,
    );
    assert.ok(fs.readFileSync(modelPath).equals(before));
  });

  it('a model that changed since is refused', async () => {
    const model = work.path('model.onnx');
    const sound = fs.readFileSync(model);
    try {
      fs.writeFileSync(model, smallModel(2));
      await refused(/has changed since .* Quantize it again/);
    } finally {
      fs.writeFileSync(model, sound);
    }
  });

  it('bits edited by hand are computed again from the cached calibration, and refused without it', async () => {
    edited((p) => {
      p.layers.second = { weightBits: 4 };
    });
    await refused(/bits in .* were edited, and the calibration is not cached/);
    assert.ok((await use(true)) > 3);
    edited((p) => {
      p.calibration.key = '../../../etc/passwd';
      p.layers.second = { weightBits: 4 };
    });
    await refused(/calibration is not cached/, true);
  });

  it('bits edited by hand leave the format of the input as it was, also for arrays of real values', async () => {
    const random = randomNumbers(3);
    const imagesPath = work.write(
      'real.npy',
      npy(
        '<f4',
        [4, 3, 16, 16],
        Float32Array.from({ length: 4 * 3 * 256 }, () => 5 * random()),
      ),
    );
    const planPath = work.path('real.quantmcu.json');
    const { program } = await quantizeSmall({
      search: 'entropy',
      modelPath: work.path('model.onnx'),
      planPath,
      imagesPath,
      cachePath: cache,
    });
    fs.writeFileSync(
      planPath,
      JSON.stringify({
        ...(JSON.parse(fs.readFileSync(planPath, 'utf8')) as Json),
        layers: { second: { weightBits: 4 } },
      }),
    );
    const edit = await openPlan(planPath, { calibration: (key, graph) => cachedCalibration(cache, key, graph) });
    const format = ({ scales, zeroPoints, signed }: (typeof program.inputs)[0]) => ({
      scales: [...scales],
      zeroPoints: [...zeroPoints],
      signed,
    });
    assert.deepEqual(format(edit.program.inputs[0]), format(program.inputs[0]));
    assert.ok(program.inputs[0].scales[0] > 0.02);
  });

  it(
    'a parameter file that is missing, cut off, a folder or a pipe is refused, or computed again from the ' +
      'cached calibration',
    async () => {
      const states: (() => void)[] = [
        () => fs.rmSync(parameters),
        () => fs.truncateSync(parameters, 100),
        () => fs.truncateSync(parameters, 0),
        () => {
          fs.rmSync(parameters);
          fs.mkdirSync(parameters);
        },
        ...(process.platform === 'win32'
          ? []
          : [
              () => {
                fs.rmSync(parameters);
                spawnSync('mkfifo', [parameters]);
              },
            ]),
        () => fs.truncateSync(parameters, 3 * 2 ** 30),
      ];
      for (const state of states) {
        fs.rmSync(parameters, { recursive: true, force: true });
        fs.writeFileSync(parameters, soundParameters);
        state();
        await refused(/Quantize the model again/);
        assert.ok((await use(true)) > 3);
      }
    },
  );

  it('a sidecar that is a pipe or a device is refused, not waited for', async function () {
    if (process.platform === 'win32') this.skip();
    for (const make of [() => spawnSync('mkfifo', [plan]), () => fs.symlinkSync('/dev/zero', plan)]) {
      fs.rmSync(plan, { force: true });
      make();
      await refused(/not a file/);
    }
    fs.rmSync(plan);
    edited((p) => {
      p.model.file = '/dev/zero';
    });
    await refused(/not a file/);
  });

  it('the command line says it in one line too', async () => {
    for (const damage of [
      (p: Json) => {
        p.parameters.file = '../../x';
      },
      (p: Json) => {
        p.maps = 7;
      },
      (p: Json) => {
        p.model.file = 'a\nb';
      },
    ]) {
      edited(damage);
      const run = await runCli(['generate', plan, '--project', work.folder]);
      assertSound(run, 'generate');
      assert.equal(run.code, 1);
    }
  });

  it(`${MUTATIONS} mutated sidecars open or fail with one clear line`, async () => {
    const below = dice();
    const counts = { opened: 0, refused: 0 };
    for (let i = 0; i < MUTATIONS; i++) {
      const text =
        below(2) === 0
          ? mutateText(soundText, below)
          : JSON.stringify(mutateJson(JSON.parse(soundText) as Json, below));
      fs.writeFileSync(plan, text);
      await count(counts, use(below(2) === 0), () => `mutation ${i}: ${text}`);
    }
    reportFuzz('sidecars', MUTATIONS, counts.opened, counts.refused);
    // The test would prove nothing if all mutants died at the parser.
    assert.ok(counts.opened > MUTATIONS / 50 && counts.refused > MUTATIONS / 50, JSON.stringify(counts));
  });

  it(`${MUTATIONS} mutated parameter files, hash adjusted, open or fail with one clear line`, async () => {
    const below = dice();
    const counts = { opened: 0, refused: 0 };
    const { createHash } = await import('node:crypto');
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = mutateParameters(soundParameters, below);
      fs.writeFileSync(parameters, bytes);
      edited((p) => {
        p.parameters.sha256 = createHash('sha256').update(bytes).digest('hex');
      });
      await count(counts, use(), () => `mutation ${i}`);
    }
    reportFuzz('parameter files', MUTATIONS, counts.opened, counts.refused);
    assert.ok(counts.opened > MUTATIONS / 50 && counts.refused > MUTATIONS / 50, JSON.stringify(counts));
  });
});
