import assert from 'node:assert/strict';
import * as path from 'node:path';
import { assemble } from '../../../src/engine/codegen';
import { totalInstructions } from '../../../src/engine/cost/latency';
import type { Forms } from '../../../src/engine/cost/layerForm';
import { programWork } from '../../../src/engine/cost/work';
import type { Graph } from '../../../src/engine/graph/types';
import { importModel } from '../../../src/engine/onnx';
import { lower } from '../../../src/engine/program/lower';
import { quantizeGraph } from '../../../src/engine/quantize/quantizeGraph';
import type { Calibration } from '../../../src/engine/calibration/types';
import type { BitDecisions } from '../../../src/engine/quantize/quantizeGraph';
import type { Optimize } from '../../../src/engine/targets/types';
import { GraphBuilder, relu6, squareWindow } from '../../support/graphBuilder';
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

  interface Told {
    readonly bytes: number;
    readonly instructions: number;
    /** Instructions of the same bits in plain forms. */
    readonly plain: number;
  }

  function told(of: Graph, from: Calibration, isNarrow: (layer: number) => boolean, optimize: Optimize): Told {
    const weightBits: BitDecisions['weightBits'] = (layer) => (isNarrow(layer) ? 4 : 8);
    const parameters = quantizeGraph(of, from, pixelInput(of), { ...all8, weightBits });
    const program = lower(of, null, parameters, { name: 'net' });
    const { flash, forms } = assemble(program, 'net', { optimize, target: { core: 'cortex-m4', flashBytes: 1e9 } });
    const count = (chosen: Forms): number => totalInstructions(programWork(program), 0, 'cortex-m4', chosen);
    return { bytes: flash.total, instructions: count(forms), plain: count(new Map()) };
  }

  it('take more flash than 8 bits everywhere only where a KiB saves a hundredth of the instructions', () => {
    const eight = told(graph, calibration, () => false, 'balanced');
    for (const [what, isNarrow] of [
      ['all', () => true],
      ['the first layers', (layer) => layer < 16],
    ] as [string, (layer: number) => boolean][]) {
      const { bytes, instructions, plain } = told(graph, calibration, isNarrow, 'balanced');
      const saved = (plain - instructions) / plain;
      assert.ok(bytes - eight.bytes <= (1024 * saved) / 0.01, `${what}: ${bytes} of ${eight.bytes} bytes, ${saved}`);
      assert.ok(bytes > told(graph, calibration, isNarrow, 'size').bytes, `${what}: forms are chosen`);
    }
  });

  it('of large networks take the flash that fewer bits leave of 8', () => {
    const g = new GraphBuilder();
    let map = g.conv(g.input({ h: 8, w: 8, c: 3 }), 256, squareWindow(1), 1, relu6);
    for (let i = 0; i < 8; i++) map = g.conv(map, 256, squareWindow(1), 1, relu6);
    g.fullyConnected(g.globalAveragePool(map), 10);
    const large = g.build();
    const from = calibrateGraph(large, graphSamples(large, 1, 1));
    const eight = told(large, from, () => false, 'balanced');
    const four = told(large, from, (layer) => layer > 0 && layer < 9, 'balanced');
    // Packed, a layer takes twice the flash of 8 bits: about a quarter of them find room, whatever they save for a KiB.
    assert.ok(four.instructions < 0.85 * four.plain, `${four.instructions} of ${four.plain} instructions`);
    assert.ok(four.bytes > 0.85 * eight.bytes && four.bytes < 1.03 * eight.bytes, `${four.bytes} of ${eight.bytes}`);
  });

  it('are hardly slower with fewer bits where weights are so few that kernels take what they save', () => {
    const g = new GraphBuilder();
    let map = g.conv(g.input({ h: 20, w: 20, c: 1 }), 48, squareWindow(3, { strideH: 2, strideW: 2 }), 1, relu6);
    for (let i = 0; i < 3; i++) map = g.conv(g.depthwise(map, squareWindow(3), relu6), 48, squareWindow(1), 1, relu6);
    g.fullyConnected(g.globalAveragePool(map), 12);
    const thin = g.build();
    const from = calibrateGraph(thin, graphSamples(thin, 1, 1));
    const isPointwise = (id: number): boolean => {
      const layer = thin.layers[id];
      return layer.kind === 'conv' && layer.group === 1 && layer.window.kernelH === 1;
    };
    const four = told(thin, from, isPointwise, 'balanced');
    const eight = told(thin, from, () => false, 'balanced');
    assert.ok(four.instructions < 1.05 * eight.instructions, `${four.instructions} of ${eight.instructions}`);
  });
});
