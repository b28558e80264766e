import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { presetPreprocess } from '../../../src/engine/calibration/preprocess';
import { CancelledError, UserError } from '../../../src/engine/common/errors';
import { evaluate } from '../../../src/engine/run/evaluate';
import { quantize } from '../../../src/engine/run/quantize';
import { hashBytes, readPlan } from '../../../src/engine/plan/files';
import { openPlan } from '../../../src/engine/planned/open';
import { parsePlan } from '../../../src/engine/plan/sidecar';
import { silentProgress } from '../../../src/engine/common/progress';
import { accuracyOf } from '../../../src/engine/sweep/accuracy';
import { settingsAt, writePointAsPlan } from '../../../src/engine/sweep/pick';
import { SweepSession } from '../../../src/engine/sweep/session';
import { runSweep, sweepValues } from '../../../src/engine/sweep/sweep';
import type { SweepDecisions, SweepSettings } from '../../../src/engine/sweep/types';
import { toldOf } from '../../../src/engine/plan/toldOf';
import type { PlanView } from '../../../src/protocol/views';
import { createService } from '../../../src/worker/service';
import { copyPictures, sample } from '../../support/sample';
import { scratchForAll } from '../../support/scratch';
import { sweepSettings } from './support/settings';

describe('sweep', function () {
  this.timeout(900_000);
  const modelPath = path.join(sample, 'gauge.onnx');
  const imagesPath = path.join(sample, 'images');
  const { target, grid } = sweepSettings('');
  const folder = scratchForAll('sweep');
  let evaluated: string;
  let session: SweepSession;
  let settings: SweepSettings;

  before(async () => {
    evaluated = path.join(folder, 'evaluated');
    copyPictures('fresh', 12, evaluated);
    session = await SweepSession.open(
      { modelPath, imagesPath, limit: 8, preprocess: presetPreprocess('unit'), cachePath: null, file: 'plan' },
      silentProgress,
    );
    settings = sweepSettings(session.calibration.key);
  });

  const common = {
    modelPath,
    imagesPath,
    target,
    grid,
    preprocess: null,
    limit: 8,
    cachePath: null,
    bits: [8, 4] as const,
    weights: 8 as const,
    classes: 'static' as const,
    phi: 0.99,
    epsilon: 0.01,
  };

  it('makes at each value the plan that quantizing with it makes, figures and accuracy included', async () => {
    const sweep = await runSweep(
      session,
      { parameter: 'lambda', values: [0.3, 0.05], settings, imagesPath: evaluated },
      silentProgress,
    );
    assert.deepEqual(
      sweep.points.map((p) => [p.value, p.problem]),
      [
        [0.05, null],
        [0.3, null],
      ],
    );
    for (const point of sweep.points) {
      const planPath = path.join(folder, `lambda-${point.value}.quantmcu.json`);
      const { summary } = await quantize(
        { ...common, planPath, search: 'entropy', lambda: point.value },
        silentProgress,
      );
      const opened = await openPlan(planPath);
      const { patchStage, maps, layers } = opened.plan;
      assert.deepEqual(
        { ...point.decisions, tailStages: point.decisions!.tailStages ?? [] },
        { patchStage, maps, layers, tailStages: opened.plan.tailStages ?? [] },
      );
      assert.equal(point.figures!.reduction, summary.bitOps.reduction);
      assert.equal(point.figures!.arenaBytes, summary.memory.arenaBytes);
      assert.equal(point.figures!.weightBytes, summary.memory.weightBytes);
      assert.equal(point.figures!.latencyMs, summary.latencyMs);
      const evaluation = await evaluate(
        opened.graph,
        modelPath,
        opened.program,
        opened.plan.preprocess,
        evaluated,
        0,
        silentProgress,
        { task: opened.plan.task },
      );
      assert.deepEqual(point.accuracy, accuracyOf(evaluation));

      const picked = path.join(folder, `picked-${point.value}.quantmcu.json`);
      const plan = await writePointAsPlan(
        session,
        picked,
        settingsAt(sweep, point.value),
        { ...point, decisions: point.decisions! },
        silentProgress,
      );
      assert.equal(plan.parameters.sha256, opened.plan.parameters.sha256);
      const { search, account } = await readPlan(picked);
      assert.deepEqual(search, opened.plan.search);
      // The same is told of it as by quantize: why, what it is expected to lose, and all notes.
      const { notes, ...told } = opened.plan.account!;
      const { notes: pickedNotes, ...pickedTold } = account!;
      assert.deepEqual(pickedTold, told);
      assert.ok(told.loss && pickedNotes.length > 0);
      for (const note of pickedNotes) assert.ok(notes.includes(note), note);
    }
    assert.ok(sweep.points[0].figures!.bitOps < sweep.points[1].figures!.bitOps);
  });

  it('finds bits by measured sensitivity for BitOPs targets, and says what loss the search expects', async () => {
    const sweep = await runSweep(
      session,
      {
        parameter: 'bitops-target',
        values: [1.3, 1.7],
        settings: { ...settings, compensate: false },
        imagesPath: null,
      },
      silentProgress,
    );
    const [low, high] = sweep.points;
    // Recomputed halos and patches of outlier class take a little of it back.
    assert.ok(low.figures!.reduction > 1.1 && high.figures!.reduction > low.figures!.reduction);
    assert.ok(low.predictedLoss! > 0 && high.predictedLoss! > low.predictedLoss!);
    assert.equal(low.accuracy, null);
    const { summary } = await quantize(
      { ...common, planPath: path.join(folder, 'target.quantmcu.json'), bitOpsTarget: 1.7, compensate: false },
      silentProgress,
    );
    assert.equal(high.figures!.bitOps, summary.bitOps.plan);
  });

  it('varies the classes of patches alone with φ, beside as many at random positions', async () => {
    const sweep = await runSweep(
      session,
      {
        parameter: 'phi',
        values: [0.5, 0.96, 0.99, 0.9999],
        settings: { ...settings, lambda: 0.05 },
        imagesPath: evaluated,
      },
      silentProgress,
    );
    const { points } = sweep;
    assert.equal(
      new Set(
        points.map((p) =>
          JSON.stringify([p.decisions!.maps, p.decisions!.layers, { ...p.decisions!.patchStage!, classes: 0 }]),
        ),
      ).size,
      1,
    );
    for (const p of points) {
      const outliers = [...p.decisions!.patchStage!.classes.join('')].filter((c) => c === 'O').length;
      assert.equal(p.outliers!.share, outliers / 4);
      assert.ok(p.outliers!.markedByAny >= p.outliers!.marked);
      assert.equal(p.randomAccuracy === null, outliers === 0 || outliers === 4);
      assert.equal(p.accuracy!.images, 12);
    }
    const shares = points.map((p) => p.outliers!.marked);
    assert.deepEqual(
      shares,
      [...shares].sort((a, b) => b - a),
    );
    assert.ok(points[0].outliers!.share > points[3].outliers!.share);
    assert.ok(points[0].figures!.bitOps > points[3].figures!.bitOps);
    const plain = runSweep(
      session,
      { parameter: 'phi', values: [0.9], settings: { ...settings, grid: 'none' }, imagesPath: null },
      silentProgress,
    );
    await assert.rejects(plain, (error) => error instanceof UserError && /layer by layer/.test(error.message));
  });

  it('keeps values at which nothing fits as points with their problem, and fails where nothing fits', async () => {
    const narrow = { ...settings, grid: 'none' as const, target: { ...target, sramBytes: 30_000 } };
    const none = runSweep(
      session,
      { parameter: 'lambda', values: [0.1, 0.5], settings: { ...narrow, bits: [8] }, imagesPath: null },
      silentProgress,
    );
    await assert.rejects(
      none,
      (error) => error instanceof UserError && /^No value of λ gives a plan\. Does not fit/.test(error.message),
    );
  });

  it('refuses values outside a range, too many and none', () => {
    assert.deepEqual(sweepValues('bitops-target', [3, 1, 3, 2]), [1, 2, 3]);
    for (const [parameter, values] of [
      ['phi', [1]],
      ['phi', [0]],
      ['lambda', [1.1]],
      ['bitops-target', [0.9]],
      ['lambda', [NaN]],
      ['lambda', []],
      ['phi', Array.from({ length: 101 }, (_, i) => (i + 1) / 200)],
    ] as const) {
      assert.throws(() => sweepValues(parameter, values), UserError);
    }
  });

  it('stops between points when it is cancelled', async () => {
    let reports = 0;
    await assert.rejects(
      runSweep(
        session,
        { parameter: 'lambda', values: [0.1, 0.2], settings, imagesPath: evaluated },
        { report: () => reports++, isCancelled: () => reports > 5 },
      ),
      CancelledError,
    );
  });

  it('checks what a table decides before it becomes a plan', async () => {
    const planPath = path.join(folder, 'forged.quantmcu.json');
    const decisions = {
      patchStage: null,
      maps: { [session.graph.maps[1].name]: { bits: 3 } },
      layers: {},
    } as unknown as SweepDecisions;
    await assert.rejects(
      writePointAsPlan(session, planPath, settings, { decisions, notes: [] }, silentProgress),
      (error) => error instanceof UserError && /forged\.quantmcu\.sweeps\.json: \/maps/.test(error.message),
    );
    assert.ok(!existsSync(planPath));
  });

  it('is made, shown and picked through the service', async () => {
    const cacheHome = process.env['XDG_CACHE_HOME'];
    process.env['XDG_CACHE_HOME'] = path.join(folder, 'cache');
    try {
      const planPath = path.join(folder, 'gauge.quantmcu.json');
      const service = createService(silentProgress);
      await service.quantize({
        modelPath,
        planPath,
        imagesPath,
        targetId: 'nano33ble',
        grid,
        bits: [8, 4],
        weights: 8,
        search: 'entropy',
        phi: 0.99,
        lambda: 0.05,
        epsilon: 0.01,
        classes: 'static',
        preprocess: 'unit',
        limit: 8,
      });
      assert.deepEqual(await service.sweeps(planPath), []);
      const phi = await service.sweep({ planPath, parameter: 'phi', values: [0.5, 0.99] });
      assert.deepEqual(
        phi.points.map((p) => p.isPlan),
        [false, true],
      );
      const lambda = await service.sweep({
        planPath,
        parameter: 'lambda',
        values: [0.05, 0.9],
        grid,
        evaluate: { imagesPath: evaluated, limit: 6 },
      });
      assert.deepEqual(
        lambda.points.map((p) => [p.isPlan, p.accuracy!.images]),
        [
          [true, 6],
          [false, 6],
        ],
      );
      assert.ok(existsSync(path.join(folder, 'gauge.quantmcu.sweeps.csv')));

      const searched = await readPlan(planPath);
      await service.pickSweepPoint({ planPath, parameter: 'phi', value: 0.5 });
      const picked = await readPlan(planPath);
      assert.equal(picked.search.phi, 0.5);
      // What the search's own classes were expected to lose is not told of others.
      assert.notDeepEqual(picked.patchStage!.classes, searched.patchStage!.classes);
      assert.ok(searched.account!.loss && !picked.account!.loss);
      assert.match(picked.account!.notes.at(-1)!, /was not estimated/);
      assert.equal(picked.account!.toldOf, toldOf(picked));
      assert.deepEqual(
        (await service.sweeps(planPath)).map((s) => [s.parameter, s.points.map((p) => p.isPlan)]),
        [
          ['lambda', [false, false]],
          ['phi', [true, false]],
        ],
      );

      await service.pickSweepPoint({ planPath, parameter: 'lambda', value: 0.9 });
      const result = await service.evaluate({ planPath, imagesPath: evaluated, limit: 6 });
      assert.equal(result.outputSnr, lambda.points[1].accuracy!.outputSnr);
      await assert.rejects(service.pickSweepPoint({ planPath, parameter: 'lambda', value: 0.7 }), /no such point/);

      const request = { modelPath, planPath };
      const shown = async (): Promise<PlanView> => (await service.view(request)).plan!;
      assert.equal((await shown()).unfitted, false);
      const layer = (await service.view(request)).model.layers.find((l) => l.plan?.weightBits === 8)!.id;
      const { planText } = await service.change({
        ...request,
        planText: readFileSync(planPath, 'utf8'),
        change: { kind: 'weightBits', layer, bits: 4 },
      });
      writeFileSync(planPath, planText);
      assert.equal((await shown()).unfitted, true);
      await service.fitWeights(planPath);
      assert.equal((await shown()).unfitted, false);
      const fitted = await readPlan(planPath);
      assert.deepEqual({ ...fitted, parameters: null }, { ...parsePlan(planText, planPath), parameters: null });
      assert.equal(hashBytes(readFileSync(path.join(folder, fitted.parameters.file))), fitted.parameters.sha256);

      const plan = JSON.parse(readFileSync(planPath, 'utf8')) as { calibration: { key: string } };
      writeFileSync(planPath, JSON.stringify({ ...plan, calibration: { ...plan.calibration, key: '0'.repeat(64) } }));
      assert.ok((await service.sweeps(planPath)).every((s) => !s.current && s.points.every((p) => !p.isPlan)));
      await assert.rejects(
        service.pickSweepPoint({ planPath, parameter: 'lambda', value: 0.9 }),
        /changed since the sweep/,
      );
    } finally {
      if (cacheHome === undefined) delete process.env['XDG_CACHE_HOME'];
      else process.env['XDG_CACHE_HOME'] = cacheHome;
    }
  });
});
