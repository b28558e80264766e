import assert from 'node:assert/strict';
import { regionPixels } from '../../src/engine/graph/region';
import type { Graph } from '../../src/engine/graph/types';
import { planPatches } from '../../src/engine/patch/planner';
import type { PlannerOptions } from '../../src/engine/patch/types';
import { isOutside } from '../../src/engine/graph/bits';
import type { InputPlace, PatchClass } from '../../src/engine/graph/bits';
import { Executor } from '../../src/engine/program/interpreter';
import { lower } from '../../src/engine/program/lower';
import { scheduleRules } from '../../src/engine/schedule/scheduleRules';
import type { Program } from '../../src/engine/program/types';
import { quantizeGraph } from '../../src/engine/quantize/quantizeGraph';
import { all8, calibrateGraph, graphSamples, pixelInput } from '../support/quantizedGraph';
import { GraphBuilder, relu, relu6, squareWindow } from '../support/graphBuilder';
import { runGeneratedOnBoard } from './support/boardBuild';
import { buildForHost, removeFolder, sanitizerFlags, scratchFolder } from './support/hostBuild';
import { reference, toHex } from './support/reference';

/** Inverted residuals, then a block of parallel branches, then a classifier. */
function network(): Graph {
  const g = new GraphBuilder();
  let map = g.conv(g.input({ h: 40, w: 36, c: 3 }), 6, squareWindow(3, { strideH: 2, strideW: 2 }), 1, relu6);
  for (const stride of [1, 2, 1]) map = g.invertedResidual(map, 24, 6, stride);
  const squeezed = g.conv(map, 4, squareWindow(1), 1, relu);
  map = g.concat([g.conv(squeezed, 16, squareWindow(1), 1, relu), g.conv(squeezed, 16, squareWindow(3), 1, relu)]);
  g.fullyConnected(g.globalAveragePool(g.conv(map, 88, squareWindow(1), 1, relu)), 5);
  return g.build();
}

/** Inverted residuals down to a few pixels: what needs most is all before them. */
function deepNetwork(): Graph {
  const g = new GraphBuilder();
  let map = g.conv(g.input({ h: 48, w: 40, c: 3 }), 6, squareWindow(3, { strideH: 2, strideW: 2 }), 1, relu6);
  for (const stride of [1, 2, 1, 1, 2]) map = g.invertedResidual(map, 24, 6, stride);
  g.fullyConnected(g.globalAveragePool(map), 5);
  return g.build();
}

type Request = Pick<PlannerOptions, 'sramBytes' | 'strategies' | 'stages' | 'grid'> & {
  readonly input?: InputPlace;
  readonly network?: () => Graph;
};

/** What the planner chooses, lowered. */
function planned(
  graph: Graph,
  request: Request,
): {
  readonly program: Program;
  readonly plain: Program;
  readonly channels: readonly (number | undefined)[];
  readonly kept: number;
  readonly streamed: boolean;
} {
  const { bits, options: schedule } = scheduleRules(
    graph,
    null,
    { mapBits: () => 8, inputBits: () => 8 },
    request.input,
  );
  const { best } = planPatches(graph, {
    memory: { bits, schedule, externalInputs: isOutside(request.input), classes: 'regular' },
    firstFit: true,
    ...request,
  });
  assert.ok(best?.choice, 'a plan with patches');
  const { grid, keep, streamed } = best.choice;
  const parameters = quantizeGraph(graph, calibrateGraph(graph, graphSamples(graph, 3, 1)), pixelInput(graph), all8);
  const classes = new Array<PatchClass>(grid.rows * grid.cols).fill('regular');
  const program = lower(graph, { ...best.choice, classes, runtime: null }, parameters, {
    name: 'net',
    tailStages: best.tailStages,
    input: request.input,
    sramBytes: request.sramBytes,
  });
  assert.ok(program.arenaBytes <= request.sramBytes, `${program.arenaBytes} bytes`);
  return {
    program,
    plain: lower(graph, null, parameters, { name: 'net' }),
    channels: best.tailStages.map((t) => t.channels),
    kept: keep.size,
    streamed: streamed === true,
  };
}

/** Bytes that a program asks its application for in one inference. */
function inputReads(program: Program): number {
  return program.steps.reduce(
    (sum, { kernel, output }) =>
      sum + (kernel.op === 'load' ? regionPixels(output.region) * program.buffers[output.buffer].pixelBytes : 0),
    0,
  );
}

const requests: Readonly<Record<string, Request & { check(found: ReturnType<typeof planned>): void }>> = {
  'a recompute plan': {
    sramBytes: 9500,
    strategies: ['recompute'],
    stages: 'one',
    check: ({ kept, channels }) => assert.deepEqual([kept, channels], [0, []]),
  },
  'a keep-rows plan': {
    sramBytes: 9500,
    strategies: ['keep'],
    stages: 'one',
    check: ({ kept }) => assert.ok(kept > 0),
  },
  'a multi-stage plan with slices of channels before the global average': {
    sramBytes: 6500,
    strategies: ['recompute', 'keep', 'hybrid'],
    check: ({ channels }) => assert.ok(channels.length > 1 && channels.some((c) => c !== undefined), channels.join()),
  },
  'a recompute plan whose input comes in tiles': {
    input: 'tiles',
    sramBytes: 9000,
    strategies: ['recompute'],
    stages: 'one',
    check: ({ kept, program }) => assert.deepEqual([kept, inputReads(program) > 40 * 36 * 3], [0, true]),
  },
  'a keep-rows plan whose input comes row by row, each row once': {
    input: 'tiles',
    sramBytes: 9000,
    strategies: ['keep'],
    grid: { rows: 5, cols: 1 },
    stages: 'one',
    check: ({ program }) => assert.ok(inputReads(program) <= 40 * 36 * 3, `${inputReads(program)} bytes`),
  },
  'a multi-stage plan whose input comes in tiles': {
    input: 'tiles',
    sramBytes: 4600,
    strategies: ['recompute', 'keep', 'hybrid'],
    check: ({ channels, program }) => assert.ok(channels.length > 0 && inputReads(program) > 0),
  },
  'a plan of two stages, one streamed into the other, and others in the tail': {
    input: 'tiles',
    network: deepNetwork,
    sramBytes: 2000,
    strategies: ['recompute', 'keep', 'hybrid'],
    check: ({ streamed, channels }) => assert.ok(streamed && channels.length > 1),
  },
  'a plan of streamed stages': {
    input: 'tiles',
    network: deepNetwork,
    sramBytes: 1600,
    strategies: ['recompute', 'keep', 'hybrid'],
    check: ({ streamed, channels }) => assert.ok(streamed && channels.length > 1),
  },
};

describe('patched plans as C', function () {
  this.timeout(300_000);
  for (const [name, { check, ...request }] of Object.entries(requests)) {
    it(`${name} gives the bits of the layer-by-layer run, on this computer and on emulated Cortex-M4 and M0+`, () => {
      const found = planned((request.network ?? network)(), request);
      check(found);
      const { program, plain } = found;
      assert.ok(program.arenaBytes < 0.85 * plain.arenaBytes, `${program.arenaBytes} of ${plain.arenaBytes} bytes`);
      const { inputs, outputs, files } = reference(program, 4);
      const executor = new Executor(plain);
      const expected = toHex(inputs.map((set) => executor.run(set).outputs.map((o) => o.slice())));
      assert.deepEqual(toHex(outputs), expected, 'interpreter');
      const folder = scratchFolder('stages');
      const host = buildForHost(folder, program, files, { flags: ['-O1', ...sanitizerFlags] }).run(inputs);
      assert.deepEqual(toHex(host.outputs), expected, `sources in ${folder}`);
      assert.ok(host.guardsWhole && host.lastByteUsed);
      // The same calls in another order: one core tells of most plans, streams are seen on both.
      for (const core of found.streamed ? (['m4', 'm0plus'] as const) : (['m4'] as const)) {
        const board = runGeneratedOnBoard(folder, core, program, files, inputs);
        assert.deepEqual(toHex(board.outputs), expected, `sources in ${folder}`);
        assert.equal(board.selftest, 0);
      }
      removeFolder(folder);
    });
  }
});
