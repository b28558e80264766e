import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { commands } from '../../../src/cli/commandLine';
import { UserError } from '../../../src/engine/common/errors';
import type { Evaluation } from '../../../src/engine/run/evaluate';
import { silentProgress } from '../../../src/engine/common/progress';
import type { Plan, PlanAccount } from '../../../src/engine/plan/types';
import type { Sweep } from '../../../src/engine/sweep/types';
import { copyPictures, sample } from '../../support/sample';

type Options = Record<string, string | boolean>;

/** What `sweep --json` prints. */
interface SweepJson {
  readonly table: string;
  readonly plan: string | null;
  readonly account: PlanAccount | null;
  readonly notes: readonly string[];
  readonly sweep: Sweep;
}

describe('commands for sweeps, evaluation and export', function () {
  this.timeout(300_000);
  const model = path.join(sample, 'gauge.onnx');
  let folder: string;
  let images: string;
  before(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'quantmcu-commands-'));
    images = path.join(folder, 'images');
    copyPictures('images', 8, images);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = async <T>(name: string, positional: string, options: Options): Promise<{ text: string; json: T }> =>
    (await commands.get(name)!.run([positional], options, silentProgress)) as { text: string; json: T };
  const sweep = (options: Options): ReturnType<typeof run<SweepJson>> =>
    run('sweep', model, {
      images,
      target: 'nano33ble',
      out: folder,
      'no-cache': true,
      'no-compensate': true,
      weights: '8',
      ...options,
    });

  const faults: [string, Options, RegExp][] = [
    ['no parameter', {}, /exactly one of/],
    ['two lists', { phi: '0.9,0.99', lambda: '0.1,0.2' }, /exactly one of/],
    ['two single values', { phi: '0.9', lambda: '0.1' }, /exactly one of/],
    ['no number', { lambda: '0.1,,0.2' }, /--lambda takes numbers/],
    ['a value outside its range', { 'bitops-target': '0.5,2' }, /from 1 to 16, not 0\.5/],
    ['a fixed value outside its range', { lambda: '0.1,0.2', phi: '1' }, /between 0 and 1, not 1/],
    ['a pick that is no value', { lambda: '0.1,0.2', pick: '0.3' }, /--pick must be one of .* 0\.1, 0\.2, not 0\.3/],
    ['a place that is no folder', { lambda: '0.1', out: '/nowhere/at/all' }, /is not a folder/],
    ['no images', { lambda: '0.1', images: '' }, /--images is missing/],
  ];
  for (const [what, options, message] of faults) {
    it(`sweep refuses ${what}`, () =>
      assert.rejects(sweep(options), (error: Error) => error instanceof UserError && message.test(error.message)));
  }

  it('sweep writes the table, and with --pick a plan that evaluate and export take', async () => {
    const { text, json } = await sweep({
      lambda: '0.1,0.9',
      phi: '0.96',
      grid: '2x2',
      evaluate: images,
      limit: '4',
      pick: '0.1',
    });
    assert.deepEqual(
      json.sweep.points.map((p) => [p.value, p.accuracy!.images]),
      [
        [0.1, 4],
        [0.9, 4],
      ],
    );
    assert.equal(json.sweep.settings.phi, 0.96);
    assert.match(text, /^lambda 0\.1 .*× fewer BitOPs/);
    const { account } = JSON.parse(readFileSync(json.plan!, 'utf8')) as Plan;
    assert.deepEqual(json.account, account);
    assert.ok(account!.loss && account!.notes.length > 0);
    const lines = text.split('\n');
    for (const note of [...account!.notes, ...json.notes]) assert.ok(lines.includes(note), note);
    assert.ok(existsSync(json.table) && existsSync(path.join(folder, 'gauge.quantmcu.sweeps.csv')));

    const predictions = path.join(folder, 'predictions.csv');
    const evaluated = await run<Evaluation>('evaluate', json.plan!, { images, limit: '4', layers: true, predictions });
    assert.equal(evaluated.json.outputSnr, json.sweep.points[0].accuracy!.outputSnr);
    assert.match(evaluated.text, / dB +conv +\S/);
    assert.equal(readFileSync(predictions, 'utf8').trim().split('\n').length, 5);

    const out = path.join(folder, 'gauge.qdq.onnx');
    const exported = await run<{ file: string; bytes: number }>('export', json.plan!, { format: 'qdq', out });
    assert.equal(readFileSync(out).length, exported.json.bytes);
    await assert.rejects(run('export', json.plan!, { out: model }), /is the plan's model itself/);
    await assert.rejects(run('export', json.plan!, { out: path.join(folder, 'x.tflite') }), /must name an \.onnx file/);
  });
});
