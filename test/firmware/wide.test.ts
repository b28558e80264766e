import assert from 'node:assert/strict';
import type { Graph } from '../../src/engine/graph/types';
import type { PatchClass } from '../../src/engine/graph/bits';
import { lower } from '../../src/engine/program/lower';
import type { LoweringStage } from '../../src/engine/program/lowering/options';
import type { Program } from '../../src/engine/program/types';
import { quantizeGraph } from '../../src/engine/quantize/quantizeGraph';
import { stageBranches } from '../../src/engine/schedule/branches';
import { candidateStages } from '../../src/engine/schedule/stages';
import { GraphBuilder, mulberry32, open, relu, squareWindow } from '../support/graphBuilder';
import { calibrateGraph, graphSamples, pixelInput } from '../support/quantizedGraph';
import { randomGraph } from '../support/randomGraph';
import { randomBits, wideBits } from '../support/randomPlan';
import { runGeneratedOnBoard } from './support/boardBuild';
import { buildForHost, removeFolder, sanitizerFlags, scratchFolder } from './support/hostBuild';
import { reference, toHex } from './support/reference';

/** A graph whose maps have 16 bits, all or some, in patches where there is a stage. */
function wideProgram(graph: Graph, seed: number, all: boolean): { program: Program; isStaged: boolean } {
  const bits = all ? wideBits(graph) : randomBits(graph, mulberry32(seed), true);
  const parameters = quantizeGraph(graph, calibrateGraph(graph, graphSamples(graph, 3, 1)), pixelInput(graph), bits);
  const [stage] = candidateStages(graph).slice(-1);
  const grid = { rows: 2, cols: 2 };
  const keep = new Set(stage?.maps.filter((m) => m !== stage.splitMap && m % 2 === 0) ?? []);
  const suits = stage && stageBranches(graph, stage, grid, keep);
  const classes = (['regular', 'outlier', 'regular', 'regular'] as const).slice() as PatchClass[];
  const planned: LoweringStage | null = suits ? { stage, grid, keep, classes, runtime: null } : null;
  return { program: lower(graph, planned, parameters, { name: 'net' }), isStaged: planned !== null };
}

/** Every kind of layer that takes 16 bits. */
function network(): Graph {
  const g = new GraphBuilder(mulberry32(9));
  let map = g.conv(g.input({ h: 18, w: 17, c: 3 }), 8, squareWindow(3, { strideH: 2, strideW: 2 }), 1, relu);
  map = g.invertedResidual(map, 24, 8, 1);
  map = g.activation(g.conv(map, 12, squareWindow(3), 2, open), { name: 'hardSwish' });
  map = g.mul(map, g.activation(g.conv(g.globalAveragePool(map), 12, squareWindow(1)), { name: 'sigmoid' }));
  map = g.prelu(g.conv(map, 9, squareWindow(1)));
  map = g.concat([g.conv(map, 5, squareWindow(1), 1, relu), g.maxPool(map, squareWindow(3))]);
  const small = g.averagePool(map, squareWindow(3, { strideH: 2, strideW: 2 }));
  const large = g.conv(g.resize(small, 2, 'linear'), 4, squareWindow(1));
  return g.build([large, g.fullyConnected(g.globalAveragePool(small), 10)]);
}

describe('maps of 16 bits in generated C', function () {
  this.timeout(600_000);

  const onHost = (program: Program, compiler: 'gcc' | 'clang', flags: readonly string[]): void => {
    const { inputs, outputs, files } = reference(program, 4);
    const folder = scratchFolder('wide');
    const result = buildForHost(folder, program, files, { compiler, flags }).run(inputs);
    assert.deepEqual(toHex(result.outputs), toHex(outputs), `sources in ${folder}`);
    assert.equal(result.selftest, 0);
    assert.ok(result.guardsWhole && result.lastByteUsed);
    removeFolder(folder);
  };

  it('equals the interpreter byte for byte in random networks, in patches and layer by layer', () => {
    let staged = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const { program, isStaged } = wideProgram(randomGraph(seed, { blocks: 4 }), seed, seed % 3 === 0);
      if (isStaged) staged++;
      onHost(program, seed % 2 === 0 ? 'gcc' : 'clang', ['-O1', ...sanitizerFlags]);
    }
    assert.ok(staged > 2, `${staged} in patches`);
  });

  it('on emulated cores too, with every kind of layer', () => {
    const { program } = wideProgram(network(), 3, true);
    assert.ok(program.outputs.every(({ buffer }) => program.buffers[buffer].bits === 16));
    const { inputs, outputs, files } = reference(program, 2);
    const folder = scratchFolder('wide-board');
    for (const core of ['m4', 'm0plus', 'm55'] as const) {
      const board = runGeneratedOnBoard(folder, core, program, files, inputs);
      assert.deepEqual(toHex(board.outputs), toHex(outputs), core);
      assert.equal(board.selftest, 0);
    }
    removeFolder(folder);
  });

  it('gives outputs their type in the header, and what their codes mean', () => {
    const { program } = wideProgram(network(), 3, true);
    const { files } = reference(program, 1);
    const header = files.find(({ path }) => path === 'net.h')!.text;
    assert.match(header, /const int16_t \*net_output\w*\(const void \*arena\);/);
    assert.match(header, /#define NET_OUTPUT\w*_BITS 16/);
    assert.match(header, /static inline float net_score\w*\(/);
  });
});
