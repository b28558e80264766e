import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { decisionsOf } from '../../../src/engine/planned/decisions';
import { importModel } from '../../../src/engine/onnx';
import { formatPlan, parsePlan } from '../../../src/engine/plan/sidecar';
import type { Plan } from '../../../src/engine/plan/types';
import { bitsAccounts, isAsSearched, type BitsAccounts } from '../../../src/engine/run/bitReasons';
import { quantize } from '../../../src/engine/run/quantize';
import type { QuantizeOptions } from '../../../src/engine/run/options';
import { projectRoot } from '../../support/paths';

const sample = path.join(projectRoot, 'media/sample');
const silent = { report: () => undefined, isCancelled: () => false };

describe('why bits are as they are', function () {
  this.timeout(600_000);
  let folder: string;
  before(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'quantmcu-reasons-'));
  });
  after(() => fs.rm(folder, { recursive: true, force: true }));

  const planOf = async (options: Partial<QuantizeOptions>): Promise<Plan> => {
    const planPath = path.join(folder, `${Math.random()}.quantmcu.json`);
    const { summary } = await quantize(
      {
        modelPath: path.join(sample, 'gauge.onnx'),
        planPath,
        imagesPath: path.join(sample, 'images'),
        target: { id: 'nano33ble', sramBytes: 256 * 1024, flashBytes: 1024 * 1024 },
        grid: 'none',
        weights: 'auto',
        classes: 'static',
        preprocess: null,
        limit: 4,
        cachePath: null,
        compensate: false,
        ...options,
      },
      silent,
    );
    const plan = parsePlan(await fs.readFile(planPath, 'utf8'), planPath);
    assert.deepEqual(plan.account!.notes, summary.notes, 'the plan has every note');
    assert.equal(plan.account!.limitedBy, summary.limitedBy);
    assert.ok(Math.abs(plan.account!.loss!.expected - summary.loss!.expected) < 1e-3 * (1 + summary.loss!.expected));
    return plan;
  };
  const now = async (plan: Plan): Promise<BitsAccounts & { readonly asSearched: boolean }> => {
    const graph = await importModel(path.join(sample, 'gauge.onnx'));
    const bits = decisionsOf(graph, plan, 'plan');
    return { ...bitsAccounts(graph, plan, bits), asSearched: isAsSearched(graph, plan, bits) };
  };
  const reasons = ({ maps, layers }: BitsAccounts): Set<string> =>
    new Set(
      [...Object.values(maps), ...Object.values(layers).flatMap(({ weights, input }) => [weights, input])].flatMap(
        (a) => (a ? [a.by] : []),
      ),
    );

  it('is measured sensitivity with the losses for a BitOPs target, and no score', async () => {
    const plan = await planOf({ bitOpsTarget: 2 });
    const account = await now(plan);
    assert.ok(account.asSearched);
    assert.ok(!reasons(account).has('score') && !reasons(account).has('person'));
    for (const { by, bits, losses } of Object.values(account.maps).filter((a) => a.by === 'sensitivity'))
      assert.ok(losses !== undefined && losses[4] >= 0, `${by} ${bits}`);
    assert.equal(plan.account!.maps['logits'].by, 'end');
    assert.equal(plan.account!.layers['/classifier/Gemm'].weights.by, 'fewSamples');
    assert.equal(plan.account!.limitedBy, 'reduction');

    // Somebody's edit is told as such, whatever the account says; undone, it is as before.
    const [name] = Object.entries(plan.maps).find(([, { bits }]) => bits === 4)!;
    const { [name]: _, ...maps } = plan.maps;
    const edited = await now({ ...plan, maps });
    assert.deepEqual([edited.maps[name].by, edited.maps[name].bits, edited.asSearched], ['person', 8, false]);
    assert.deepEqual(await now(parsePlan(formatPlan(plan), 'plan')), account);
    const locked = await now({ ...plan, maps: { ...plan.maps, [name]: { bits: 4, locked: true } } });
    assert.equal(locked.maps[name].by, 'person');

    // Why it stopped and what it loses was told of this board and these patches.
    const { target } = plan;
    assert.ok(
      (await now({ ...plan, target: Object.fromEntries(Object.entries(target).reverse()) as typeof target }))
        .asSearched,
    );
    assert.ok(!(await now({ ...plan, target: { ...target, sramBytes: target.sramBytes / 2 } })).asSearched);

    // Plans of earlier versions have no account.
    const { account: __, ...old } = plan;
    const told = await now(parsePlan(formatPlan(old), 'plan'));
    assert.ok(reasons(told).has('sensitivity') && !reasons(told).has('person') && !told.asSearched);
  });

  it('is the entropy score, or what the options and memory ask', async () => {
    const scored = await now(await planOf({ search: 'entropy' }));
    assert.ok(reasons(scored).has('score') && !reasons(scored).has('sensitivity'));
    const asked = await planOf({ bits: [8], weights: 4 });
    assert.deepEqual(
      [asked.account!.limitedBy, asked.account!.layers['/stem/conv/Conv'].weights.by],
      ['bits', 'asked'],
    );
    assert.ok(!reasons(await now(asked)).has('score'), 'where there is one width, no score chose it');
    const tight = await now(
      await planOf({
        bits: [8, 4, 2],
        search: 'entropy',
        lambda: 1,
        target: { id: 'custom', sramBytes: 80_000, flashBytes: 1 << 20 },
      }),
    );
    assert.ok(reasons(tight).has('sram'), [...reasons(tight)].join());
  });
});
