import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { compensate } from '../../../src/engine/compensate/compensate';
import { selectTargets, type FittedImages, type FloatTargets } from '../../../src/engine/compensate/targets';
import { USUAL_DAMPING } from '../../../src/engine/compensate/damping';
import { LayerSamples } from '../../../src/engine/compensate/layerSamples';
import { isWeighted, type Graph } from '../../../src/engine/graph/types';
import { CancelledError } from '../../../src/engine/common/errors';
import { Executor } from '../../../src/engine/program/interpreter';
import { lower } from '../../../src/engine/program/lower';
import { decodePort, inputCodes } from '../../../src/engine/program/ports';
import { silentProgress } from '../../../src/engine/common/progress';
import { quantizeGraph, type BitDecisions } from '../../../src/engine/quantize/quantizeGraph';
import { outputDivergence } from '../../../src/engine/vdqs/divergence';
import { LocalFitter, type Fitter } from '../../../src/engine/vdqs/fitTasks';
import { openFitter } from '../../../src/engine/vdqs/fitThreads';
import { measureSensitivities, type Sensitivities } from '../../../src/engine/vdqs/sensitivity';
import { decisionUnits } from '../../../src/engine/vdqs/units';
import { all8, calibrateGraph, graphSamples, pixelInput, type GraphSample } from '../../support/quantizedGraph';
import { nodeBundle } from '../../support/nodeBundle.mjs';
import { projectRoot } from '../../support/paths';
import { GraphBuilder, mulberry32, relu, squareWindow } from '../../support/graphBuilder';

function network(): Graph {
  const g = new GraphBuilder(mulberry32(5));
  let map = g.input({ h: 12, w: 12, c: 3 });
  for (let i = 0; i < 4; i++) map = g.conv(map, 8, squareWindow(3), 1, relu);
  return g.build([map]);
}

function targetsOf(graph: Graph, samples: readonly GraphSample[]): FloatTargets {
  const layers = new Map(graph.layers.filter(isWeighted).map((l) => [l.id, LayerSamples.of(graph, l, samples.length)]));
  samples.forEach(({ maps }, i) =>
    layers.forEach((s, id) => s.observe(i, { values: maps.get(graph.layers[id].output)!, layout: 'HWC' })),
  );
  return {
    images: samples.map(({ pixels }) =>
      pixels.map((codes) => ({ codes, real: Float32Array.from(codes, (u) => (u - 128) / 64) })),
    ),
    layers,
  };
}

describe('measured sensitivities', () => {
  const graph = network();
  const samples = graphSamples(graph, 48, 3);
  const calibration = calibrateGraph(graph, samples);
  const units = decisionUnits(graph);
  const targets = targetsOf(graph, samples);
  const fitted = { graph, task: 'regress', head: null } as const;
  const inputs = pixelInput(graph);
  const outputsOf = (bits: BitDecisions, fit: FittedImages, images: readonly number[]): Float32Array[][] => {
    const program = lower(
      graph,
      null,
      compensate(graph, quantizeGraph(graph, calibration, inputs, bits), fit, silentProgress, USUAL_DAMPING).parameters,
      { name: 'm' },
    );
    const executor = new Executor(program);
    return images.map((i) =>
      executor
        .run(targets.images[i].map((x, k) => inputCodes(program, k, x)))
        .outputs.map((b, k) => decodePort(program, program.outputs[k], b)),
    );
  };

  it('sum over all decisions of a kind to what the network loses with all of them', async () => {
    const { weights, units: byUnit } = await measureSensitivities(
      graph,
      calibration,
      inputs,
      units,
      [8, 4, 2],
      { count: samples.length, compared: 16 },
      new LocalFitter(fitted, targets),
      silentProgress,
    );
    // 32 of 48 images are fitted, the other 16 compared.
    const fitImages = Array.from({ length: 32 }, (_, i) => Math.floor(((i + 0.5) * 48) / 32));
    const compared = samples.map((_, i) => i).filter((i) => !fitImages.includes(i));
    const fit = selectTargets(targets, fitImages);
    const reference = outputsOf(all8, fit, compared);
    const loss = (bits: BitDecisions): number =>
      outputDivergence(graph, 'regress', reference, outputsOf(bits, fit, compared));
    const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-9 * b, `${a} instead of ${b}`);
    near(
      [...weights.values()].reduce((a, b) => a + b, 0),
      loss({ ...all8, weightBits: () => 4 }),
    );
    const maps = new Set(units.flatMap((u) => u.maps));
    for (const b of [4, 2] as const) {
      near(
        byUnit.reduce((sum, u) => sum + u.get(b)!, 0),
        loss({
          ...all8,
          mapBits: (m) => (maps.has(m) ? b : 8),
          inputBits: (l) => (maps.has(graph.layers[l].inputs[0]) ? b : 8),
        }),
      );
    }
    byUnit.forEach((u, i) => {
      assert.equal(u.get(8), 0);
      if (units[i].readers.length > 0) assert.ok(u.get(2)! > u.get(4)!, `decision ${i}: fewer bits lose more`);
    });
  });

  describe('in threads', () => {
    const file = path.join(projectRoot, 'out', 'tests', `fitter-${process.pid}.cjs`);
    const measure = (fitter: Fitter, progress = silentProgress): Promise<Sensitivities> =>
      measureSensitivities(
        graph,
        calibration,
        inputs,
        units,
        [8, 4],
        { count: samples.length, compared: 4 },
        fitter,
        progress,
      );
    before(() => build({ ...nodeBundle, entryPoints: [path.join(projectRoot, 'src/fitter.ts')], outfile: file }));
    after(() => rmSync(file, { force: true }));

    it('are the same to the last bit, and so are fitted weights', async () => {
      const local = new LocalFitter(fitted, targets);
      const threads = openFitter(fitted, targets, 3, file);
      assert.equal(threads.threads, 3);
      assert.deepEqual(await measure(threads), await measure(local));
      const parameters = quantizeGraph(graph, calibration, inputs, { ...all8, weightBits: () => 4 });
      const task = { kind: 'compensate', parameters, images: null, damping: null } as const;
      assert.deepEqual(await threads.run(task, silentProgress), await local.run(task, silentProgress));
    });

    it('stop at a cancel, and can be used again', async () => {
      const threads = openFitter(fitted, targets, 2, file);
      await assert.rejects(measure(threads, { ...silentProgress, isCancelled: () => true }), CancelledError);
      assert.equal((await measure(threads)).units.length, units.length);
    });

    it('that end say so', async () => {
      const dying = path.join(projectRoot, 'out', 'tests', `dying-${process.pid}.cjs`);
      writeFileSync(dying, 'process.exit(3);');
      await assert.rejects(measure(openFitter(fitted, targets, 2, dying)), /A thread fitting weights stopped/);
      rmSync(dying);
    });
  });

  it('fits as before with the dampings that a fit chose, and reports them by layer and bits', () => {
    const parameters = quantizeGraph(graph, calibration, inputs, { ...all8, weightBits: () => 4 });
    const chosen = compensate(graph, parameters, targets, silentProgress);
    assert.equal(chosen.dampings.size, 4);
    const again = compensate(graph, parameters, targets, silentProgress, chosen.dampings);
    assert.deepEqual(again, chosen);
    const stiff = new Map([...chosen.dampings].map(([key, damping], i) => [key, i === 0 ? 1e6 : damping]));
    assert.notDeepEqual(compensate(graph, parameters, targets, silentProgress, stiff).parameters, chosen.parameters);
  });

  it('can be cancelled', async () => {
    let polls = 0;
    const progress = { ...silentProgress, isCancelled: () => ++polls > 5 };
    const fitter = new LocalFitter(fitted, targets);
    const images = { count: samples.length, compared: 4 };
    await assert.rejects(
      measureSensitivities(graph, calibration, inputs, units, [8, 4], images, fitter, progress),
      CancelledError,
    );
  });
});
