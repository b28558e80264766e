/* Halos are kept where that takes less memory, unless they are to be recomputed or classes are found at run time. */
import assert from 'node:assert/strict';
import path from 'node:path';
import type { Calibration } from '../../../src/engine/calibration/types';
import { silentProgress } from '../../../src/engine/common/progress';
import type { Graph } from '../../../src/engine/graph/types';
import { importModel } from '../../../src/engine/onnx';
import type { PatchStage } from '../../../src/engine/plan/types';
import { decide } from '../../../src/engine/run/decide';
import type { DecideOptions } from '../../../src/engine/run/decisionTypes';
import { DEFAULTS } from '../../../src/engine/run/options';
import { calibrateGraph, graphSamples } from '../../support/quantizedGraph';
import { projectRoot } from '../../support/paths';

describe('halos', () => {
  let graph: Graph;
  let calibration: Calibration;
  before(async () => {
    graph = await importModel(path.join(projectRoot, 'media/sample/gauge.onnx'));
    calibration = calibrateGraph(graph, graphSamples(graph, 1, 1));
  });

  function stageOf(options: Partial<DecideOptions>): PatchStage {
    const { phi, lambda, epsilon } = DEFAULTS;
    const target = { id: 'custom', core: 'cortex-m4', sramBytes: 64 << 10, flashBytes: 1 << 20 } as const;
    const all: DecideOptions = {
      ...{ phi, lambda, epsilon, target, bits: [8] },
      ...{ grid: { rows: 4, cols: 4 }, weights: 8, classes: 'static' },
      ...options,
    };
    return decide(graph, calibration, all, silentProgress).patchStage!;
  }

  it('are kept where that takes less memory, and none where they are to be recomputed', () => {
    assert.ok(stageOf({}).keep.length > 0);
    assert.deepEqual(stageOf({ halos: 'recompute' }).keep, []);
  });

  it('are recomputed where classes are found at run time', () => {
    assert.deepEqual(stageOf({ classes: 'runtime' }).keep, []);
  });
});
