import assert from 'node:assert/strict';
import * as path from 'node:path';
import { assemble } from '../../../src/engine/codegen';
import type { Graph } from '../../../src/engine/graph/types';
import { importModel } from '../../../src/engine/onnx';
import { lower } from '../../../src/engine/program/lower';
import { quantizeGraph } from '../../../src/engine/quantize/quantizeGraph';
import type { Calibration } from '../../../src/engine/calibration/types';
import type { BitDecisions } from '../../../src/engine/quantize/quantizeGraph';
import type { Optimize } from '../../../src/engine/targets/types';
import { projectRoot } from '../../support/paths';
import { all8, calibrateGraph, graphSamples, pixelInput } from '../../support/quantizedGraph';

describe('storage forms of balanced plans', function () {
  this.timeout(300_000);
  let graph: Graph;
  let calibration: Calibration;
  before(async () => {
    graph = await importModel(path.join(projectRoot, 'media', 'sample', 'gauge.onnx'));
    calibration = calibrateGraph(graph, graphSamples(graph, 1, 1));
  });

  function balanced(weightBits: BitDecisions['weightBits']): { total: number; leastTotal: number } {
    const parameters = quantizeGraph(graph, calibration, pixelInput(graph), { ...all8, weightBits });
    const program = lower(graph, null, parameters, { name: 'net' });
    const total = (optimize: Optimize): number =>
      assemble(program, 'net', { optimize, target: { core: 'cortex-m4', flashBytes: 1e9 } }).flash.total;
    return { total: total('balanced'), leastTotal: total('size') };
  }

  it('take no more flash than the plan with 8 bits everywhere, whatever has fewer', () => {
    const eight = balanced(() => 8).total;
    for (const [what, isNarrow] of [
      ['all', () => true],
      ['the first layers', (layer) => layer < 16],
    ] as [string, (layer: number) => boolean][]) {
      const { total, leastTotal } = balanced((layer) => (isNarrow(layer) ? 4 : 8));
      assert.ok(total <= eight, `${what}: ${total} of ${eight} bytes`);
      assert.ok(total > leastTotal, `${what}: forms are chosen`);
    }
  });
});
