import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Graph, MapId } from '../../../src/engine/graph/types';
import { stageBranches } from '../../../src/engine/schedule/branches';
import type { ScheduledTailStage } from '../../../src/engine/schedule/schedule';
import { candidateStages, channelStage, type Stage } from '../../../src/engine/schedule/stages';
import type { PatchClass } from '../../../src/engine/graph/bits';
import { Executor } from '../../../src/engine/program/interpreter';
import { lower } from '../../../src/engine/program/lower';
import type { LoweringStage } from '../../../src/engine/program/lowering/options';
import { decodePort } from '../../../src/engine/program/ports';
import { quantizeGraph, type BitDecisions } from '../../../src/engine/quantize/quantizeGraph';
import { all8, calibrateGraph, graphSamples, pixelInput } from '../../support/quantizedGraph';
import { randomTailStages } from '../../support/randomStages';
import { GraphBuilder, mulberry32, relu, relu6, squareWindow } from '../../support/graphBuilder';
import { layerNetworks } from '../../support/layerNetworks';
import { graphArbitrary } from '../../support/randomGraph';
import { randomBits } from '../../support/randomPlan';

function outputsOf(
  graph: Graph,
  stage: LoweringStage | null,
  bits: BitDecisions,
  seed = 1,
  tailStages: readonly ScheduledTailStage[] = [],
): { float: Float32Array[][]; integer: Float32Array[][]; bytes: Uint8Array[][] } {
  const samples = graphSamples(graph, 4, seed);
  const parameters = quantizeGraph(graph, calibrateGraph(graph, samples), pixelInput(graph), bits);
  const program = lower(graph, stage, parameters, { name: 'net', tailStages });
  const executor = new Executor(program);
  const results = samples.map((s) => executor.run(s.pixels).outputs.map((o) => o.slice()));
  return {
    float: samples.map((s) => graph.outputs.map((o) => s.maps.get(o.map)!)),
    integer: results.map((r) => r.map((bytes, i) => decodePort(program, program.outputs[i], bytes))),
    bytes: results,
  };
}

function snr(float: Float32Array[][], integer: Float32Array[][]): number {
  let signal = 0;
  let noise = 0;
  float.forEach((outputs, s) =>
    outputs.forEach((values, o) =>
      values.forEach((v, i) => {
        signal += v * v;
        noise += (v - integer[s][o][i]) ** 2;
      }),
    ),
  );
  return noise === 0 ? Infinity : 10 * Math.log10(signal / noise);
}

/** Four convolutions; the first three, of the maps a, b and c, are the patch stage. */
function fourConvolutions(): { graph: Graph; a: MapId; b: MapId; stage: Stage } {
  const g = new GraphBuilder(mulberry32(5));
  const a = g.conv(g.input({ h: 16, w: 16, c: 3 }), 8, squareWindow(3), 1, relu);
  const b = g.conv(a, 8, squareWindow(3), 1, relu);
  const c = g.conv(b, 8, squareWindow(3), 1, relu);
  const graph = g.build([g.conv(c, 6, squareWindow(1))]);
  const stage = candidateStages(graph).find((s) => s.splitMap === c)!;
  return { graph, a, b, stage };
}

describe('lower', () => {
  for (const [name, make] of Object.entries(layerNetworks)) {
    it(`${name}: 8-bit integers stay close to float`, () => {
      const graph = make(new GraphBuilder(mulberry32(7)));
      const { float, integer } = outputsOf(graph, null, all8);
      const ratio = snr(float, integer);
      assert.ok(ratio > 27, `signal to noise ${ratio.toFixed(1)} dB`);
    });
  }

  it('whole random networks at 8 bits follow float', () => {
    const ratios: number[] = [];
    fc.assert(
      fc.property(graphArbitrary({ maxBlocks: 4 }), fc.integer({ min: 1, max: 1000 }), (graph, seed) => {
        const { float, integer } = outputsOf(graph, null, all8, seed);
        ratios.push(snr(float, integer));
      }),
      { numRuns: 60, seed: 11 },
    );
    ratios.sort((a, b) => a - b);
    assert.ok(
      ratios[Math.floor(ratios.length / 2)] > 27,
      `median ${ratios[Math.floor(ratios.length / 2)].toFixed(1)} dB`,
    );
  });

  it('a patched network gives the bits of the unpatched one, whatever the split, grid, kept halos and bits', () => {
    let patched = 0;
    fc.assert(
      fc.property(graphArbitrary({ maxBlocks: 4 }), fc.nat(1e6), (graph, seed) => {
        const random = mulberry32(seed);
        const pick = (n: number): number => Math.floor(((random() + 1) / 2) * n);
        const stages = candidateStages(graph);
        if (stages.length === 0) return;
        const stage = stages[pick(stages.length)];
        const grid = { rows: 1 + pick(3), cols: 1 + pick(3) };
        const keep = new Set(stage.maps.filter((m) => m !== stage.splitMap && pick(3) === 0));
        if (!stageBranches(graph, stage, grid, keep)) return;
        const bits = randomBits(graph, random, seed % 2 === 0);
        const classes = new Array<PatchClass>(grid.rows * grid.cols).fill('regular');
        const whole = outputsOf(graph, null, bits, 3);
        const parts = outputsOf(graph, { stage, grid, keep, classes, runtime: null }, bits, 3);
        assert.deepEqual(parts.bytes, whole.bytes);
        patched++;
      }),
      { numRuns: 120 },
    );
    assert.ok(patched > 30, `only ${patched} random networks had a stage`);
  });

  it('several patch stages give the same bits as none, whatever their ends, grids, kept halos and bits', () => {
    let staged = 0;
    let several = 0;
    fc.assert(
      fc.property(graphArbitrary({ maxBlocks: 5 }), fc.nat(1e6), (graph, seed) => {
        const tailStages = randomTailStages(graph, [], seed);
        if (tailStages.length === 0) return;
        const bits = randomBits(graph, mulberry32(seed), seed % 2 === 0);
        assert.deepEqual(outputsOf(graph, null, bits, 3, tailStages).bytes, outputsOf(graph, null, bits, 3).bytes);
        staged++;
        if (tailStages.length > 1) several++;
      }),
      { numRuns: 120 },
    );
    assert.ok(staged > 60 && several > 20, `${staged} random networks had stages, ${several} several`);
  });

  it('slices of channels before a global average give the same bits as the whole feature map', () => {
    fc.assert(
      fc.property(fc.integer({ min: 9, max: 40 }), fc.constantFrom(8, 16, 24), fc.nat(1e6), (channels, width, seed) => {
        const g = new GraphBuilder(mulberry32(seed));
        const map = g.conv(g.input({ h: 6, w: 7, c: 3 }), 5, squareWindow(3), 1, relu6);
        g.fullyConnected(g.globalAveragePool(g.conv(map, channels, squareWindow(seed % 2 ? 1 : 3), 1, relu)), 4);
        const graph = g.build();
        const tailStages = [
          {
            stage: channelStage(graph, graph.layers[2])!,
            grid: { rows: 1, cols: 1 },
            keep: new Set<number>(),
            channels: width,
          },
        ];
        const bits = randomBits(graph, mulberry32(seed), seed % 2 === 0);
        assert.deepEqual(outputsOf(graph, null, bits, 3, tailStages).bytes, outputsOf(graph, null, bits, 3).bytes);
      }),
      { numRuns: 40 },
    );
  });

  it('branches of outlier class at 8 bits come closer to float than regular ones at 2 bits', () => {
    const { graph, a, b, stage } = fourConvolutions();
    const bits: BitDecisions = {
      mapBits: (m) => (m === a || m === b ? 2 : 8),
      weightBits: () => 8,
      inputBits: (l) => (l === 1 || l === 2 ? 2 : 8),
    };
    const grid = { rows: 2, cols: 2 };
    const run = (kind: PatchClass): number => {
      const { float, integer } = outputsOf(
        graph,
        { stage, grid, keep: new Set(), classes: new Array<PatchClass>(4).fill(kind), runtime: null },
        bits,
      );
      return snr(float, integer);
    };
    assert.ok(
      run('outlier') > run('regular') + 6,
      `${run('outlier').toFixed(1)} dB against ${run('regular').toFixed(1)} dB`,
    );
  });

  it('patches of both classes keep halos for one another, at the bits of the regular class', () => {
    let mixed = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const g = new GraphBuilder(mulberry32(seed));
      const a = g.conv(g.input({ h: 17, w: 16, c: 3 }), 8, squareWindow(3), 1, relu);
      const b = g.depthwise(a, squareWindow(3), relu);
      const c = g.conv(b, 8, squareWindow(3), 1, relu);
      const graph = g.build([g.conv(c, 6, squareWindow(1))]);
      const stage = candidateStages(graph).find((s) => s.splitMap === c)!;
      const low = seed % 2 === 0 ? 4 : 2;
      const bits: BitDecisions = {
        mapBits: (m) => (m === a || m === b ? low : 8),
        weightBits: () => 8,
        inputBits: (l) => (l === 1 || l === 2 ? low : 8),
      };
      const grid = { rows: 3, cols: 2 };
      const keep = new Set([a, b]);
      const run = (classes: PatchClass[], kept: ReadonlySet<number>): ReturnType<typeof outputsOf> =>
        outputsOf(graph, { stage, grid, keep: kept, classes, runtime: null }, bits, seed);
      const regular = new Array<PatchClass>(6).fill('regular');
      assert.deepEqual(run(regular, keep).bytes, run(regular, new Set()).bytes);
      // Every other patch is outlier class: what it gets of the others has their bits, what they get of it has them,
      // too.
      const some = regular.map((kind, i): PatchClass => ((i + seed) % 2 === 0 ? 'outlier' : kind));
      const ratio = ({ float, integer }: ReturnType<typeof outputsOf>): number => snr(float, integer);
      const [none, half, recomputed] = [ratio(run(regular, keep)), ratio(run(some, keep)), ratio(run(some, new Set()))];
      assert.ok(half > none, `${half.toFixed(1)} dB with some patches at 8 bits, ${none.toFixed(1)} dB with none`);
      assert.ok(
        half > recomputed - 4,
        `${half.toFixed(1)} dB where halos are kept, ${recomputed.toFixed(1)} dB where they are recomputed`,
      );
      if (half !== recomputed) mixed++;
    }
    assert.ok(mixed > 6, `${mixed} networks with requantized halos`);
  });

  it('runtime classes: a branch takes the way that its values say', () => {
    const { graph, a, b, stage } = fourConvolutions();
    const bits: BitDecisions = {
      mapBits: (m) => (m === b ? 2 : 8),
      weightBits: () => 8,
      inputBits: (l) => (l === 2 ? 2 : 8),
    };
    const grid = { rows: 2, cols: 2 };
    const samples = graphSamples(graph, 3, 1);
    const parameters = quantizeGraph(graph, calibrateGraph(graph, samples), pixelInput(graph), bits, new Set([a]));
    const run = (classes: LoweringStage['classes'], high: number): Uint8Array[][] => {
      const runtime = 'decidedBy' in classes ? { low: -1, high, epsilon: 0 } : null;
      const executor = new Executor(
        lower(graph, { stage, grid, keep: new Set(), classes, runtime }, parameters, { name: 'net' }),
      );
      return samples.map((s) => executor.run(s.pixels).outputs.map((o) => o.slice()));
    };
    const decided = { decidedBy: a };
    assert.deepEqual(run(decided, 1e9), run(new Array<PatchClass>(4).fill('regular'), 0), 'nothing is an outlier');
    assert.deepEqual(run(decided, -0.5), run(new Array<PatchClass>(4).fill('outlier'), 0), 'everything is an outlier');
    assert.notDeepEqual(run(decided, 1e9), run(decided, -0.5));
  });
});
