import assert from 'node:assert/strict';
import { programCost, redundantMacsPercent } from '../../../src/engine/cost/cost';
import type { Program, Requantization } from '../../../src/engine/program/types';
import { ProgramBuilder, stepWindow } from '../../support/programBuilder';
import { GraphBuilder, squareWindow } from '../../support/graphBuilder';

const window = stepWindow(1);

/**
 * A 1×1 convolution in two overlapping branches, one of them in two ways, and a fully connected layer: 4×4×2 → 4×4×4 →
 * 8.
 */
function example(): { program: Program; graph: ReturnType<GraphBuilder['build']> } {
  const g = new GraphBuilder();
  g.fullyConnected(g.conv(g.input({ h: 4, w: 4, c: 2 }), 4, squareWindow(1)), 8);
  const b = new ProgramBuilder();
  const input = b.buffer('input', 4, 4, 2, 8, false);
  const view = b.buffer('view', 4, 4, 2, 4, false);
  const map = b.buffer('map', 4, 4, 4, 4, false);
  const output = b.buffer('map', 1, 1, 8, 8, true);
  const requant: Requantization = { bias: 2, biasShift: 0, multiplier: 3, preShift: 0, shift: 1, min: 0, max: 15 };
  const conv = b.constant('weights', 4, new Int8Array(7), [7]);
  const dense = b.constant('weights', 8, new Int8Array(512), [8, 64]);
  b.constant('bias', 32, new Int32Array(4), [4]);
  b.constant('multiplier', 32, new Int32Array(4), [4]);
  const kernel = {
    op: 'conv2d' as const,
    window,
    group: 1,
    weights: conv,
    weightBits: 4 as const,
    padCodes: null,
    requant,
  };
  const rows = (buffer: number, y0: number, y1: number) => ({ ...b.all(buffer), region: { y0, x0: 0, y1, x1: 4 } });
  b.step(0, kernel, [rows(input, 0, 3)], rows(map, 0, 3), { branch: 0 });
  b.step(0, kernel, [rows(input, 2, 4)], rows(map, 2, 4), { branch: 1, guard: { buffer: input, index: 1, value: 1 } });
  b.step(0, kernel, [rows(view, 2, 4)], rows(map, 2, 4), { branch: 1, guard: { buffer: input, index: 1, value: 0 } });
  b.step(1, { op: 'fullyConnected', weights: dense, weightBits: 8, requant }, [b.all(map)], b.all(output));
  b.output(output);
  const program = b.build('example');
  const macs = [12 * 8, 8 * 8, 8 * 8, 512];
  return { graph: g.build(), program: { ...program, steps: program.steps.map((s, i) => ({ ...s, macs: macs[i] })) } };
}

describe('program/cost', () => {
  it('counts MACs and BitOPs with the bits of the buffers that are read', () => {
    const { graph, program } = example();
    const cost = programCost(graph, program, 0.25);
    assert.equal(cost.stage.macs, 96 + 64);
    assert.equal(cost.stage.bitOps, 96 * 4 * 8 + 0.25 * 64 * 4 * 8 + 0.75 * 64 * 4 * 4);
    assert.deepEqual(cost.tail.macs, 512);
    assert.equal(cost.tail.bitOps, 512 * 8 * 4);
    assert.equal(cost.bitOps, cost.stage.bitOps + cost.tail.bitOps);
    assert.equal(cost.bitOpsInt8, (96 + 64 + 512) * 64);
    assert.deepEqual(
      cost.layers.map((l) => l.macs),
      [160, 512],
    );
  });

  it('says how much is computed twice', () => {
    const { graph, program } = example();
    // Row 2 of four: 32 of the convolution's 128 MACs.
    assert.equal(redundantMacsPercent(graph, programCost(graph, program)), (100 * 32) / (128 + 512));
  });

  it('counts flash at the width in which constants are stored', () => {
    const { graph, program } = example();
    assert.deepEqual(programCost(graph, program).flash, { weightBytes: 4 + 512, tableBytes: 32 });
  });

  it('finds the step that peaks', () => {
    const { graph, program } = example();
    const { peaks, peakStep } = programCost(graph, program);
    assert.equal(peaks.length, program.steps.length);
    assert.equal(peaks[peakStep], Math.max(...peaks));
    assert.equal(Math.max(...peaks), program.arenaBytes);
  });
});
