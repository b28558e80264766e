import assert from 'node:assert/strict';
import fc from 'fast-check';
import { graphMacs } from '../../../src/engine/graph/macs';
import type { Graph, Layer, MapId } from '../../../src/engine/graph/types';
import { stageBranches } from '../../../src/engine/schedule/branches';
import { MemoryEstimator, type MemoryModel } from '../../../src/engine/patch/estimate';
import { noFitText } from '../../../src/engine/patch/noFit';
import { planPatches } from '../../../src/engine/patch/planner';
import { buildSchedule } from '../../../src/engine/schedule/schedule';
import { scheduleArena } from '../../../src/engine/schedule/scheduleArena';
import { candidateStages, tiledInputs } from '../../../src/engine/schedule/stages';
import { StageCalls } from '../../../src/engine/patch/stageCalls';
import { StageShapes } from '../../../src/engine/patch/stageShapes';
import type { PatchClass } from '../../../src/engine/graph/bits';
import type { Core } from '../../../src/engine/targets/types';
import { stepNeeds } from '../../../src/engine/arena/lowerBound';
import { GraphBuilder, mulberry32, relu6, squareWindow } from '../../support/graphBuilder';
import { graphArbitrary } from '../../support/randomGraph';

const int8: MemoryModel = {
  bits: { stored: () => 8, read: () => null },
  align: 1,
  externalInputs: false,
  classes: 'regular',
  schedule: { concatInPlace: () => true, sliceInPlace: () => true },
};

/** A MobileNetV2-like network: 64×64×3, four inverted residuals, then a classifier. */
function network(): Graph {
  const g = new GraphBuilder();
  let map = g.conv(g.input({ h: 64, w: 64, c: 3 }), 8, squareWindow(3, { strideH: 2, strideW: 2 }), 1, relu6);
  for (const stride of [1, 2, 1, 2]) map = g.invertedResidual(map, 48, 8, stride);
  g.fullyConnected(g.globalAveragePool(g.conv(map, 64, squareWindow(1), 1, relu6)), 10);
  return g.build();
}

describe('patch/planner', () => {
  it('estimates what the complete schedule needs, from a few branches', () => {
    let compared = 0;
    const exact: number[] = [];
    const cases = fc.record({
      graph: graphArbitrary({ size: 14, channels: 6 }),
      pick: fc.nat(),
      rows: fc.integer({ min: 1, max: 5 }),
      cols: fc.integer({ min: 1, max: 5 }),
      seed: fc.nat({ max: 3 }),
      inputTiles: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ graph, pick, rows, cols, seed, inputTiles }) => {
        const stages = candidateStages(graph);
        fc.pre(stages.length > 0);
        const stage = stages[pick % stages.length];
        const random = mulberry32(seed);
        const tiles = inputTiles ? tiledInputs(graph, stage) : [];
        const keep = new Set<MapId>(
          seed === 0 ? [] : [...tiles, ...stage.maps].filter((m) => m !== stage.splitMap && random() > 0),
        );
        const grid = { rows, cols };
        const shapes = new StageShapes(graph, stage, keep, tiles);
        fc.pre(rows * cols > 1 && shapes.suits(grid) && stageBranches(graph, stage, grid, keep) !== null);
        const schedule = { ...int8.schedule, inputTiles };
        const estimator = new MemoryEstimator(graph, { ...int8, schedule, externalInputs: inputTiles });
        const classes = new Array<PatchClass>(rows * cols).fill('regular');
        const { requests, overlaps } = scheduleArena(
          graph,
          buildSchedule(graph, { stage, grid, keep, classes }, int8.bits, schedule),
          { align: 1, externalInputs: inputTiles },
        );
        const needed = stepNeeds(requests, overlaps).reduce((most, { bytes }) => Math.max(most, bytes), 0);
        const estimated = Math.max(estimator.stage(shapes, grid), estimator.tail(stage));
        compared++;
        const layerText = (l: Layer): string =>
          `${l.kind}(${l.inputs.join()})→${l.output}:${JSON.stringify(graph.maps[l.output].shape)}`;
        // Exact but for ties that the cheap bound cannot tell apart; what the planner then chooses is laid out for
        // real.
        assert.ok(
          estimated >= 0.9 * needed,
          `${estimated} of ${needed}: ` +
            `${graph.layers.map(layerText).join(' ')} ` +
            `split ${stage.splitMap} keep ${[...keep].join()} ${rows}×${cols}`,
        );
        exact.push(estimated >= needed ? 1 : 0);
        assert.ok(
          estimator.stageFloor(shapes, grid) <= needed,
          `floor ${estimator.stageFloor(shapes, grid)} of ${needed}`,
        );
      }),
      { numRuns: 300 },
    );
    assert.ok(compared >= 300);
    const share = exact.reduce((a, b) => a + b, 0) / exact.length;
    assert.ok(share > 0.9, `exact in ${share} of the cases`);
  });

  it('counts the MACs of recomputed halos', () => {
    const graph = network();
    for (const stage of candidateStages(graph)) {
      const grid = { rows: 3, cols: 2 };
      const branches = stageBranches(graph, stage, grid);
      if (!branches) continue;
      let macs = 0;
      for (const id of stage.layers) {
        const layer = graph.layers[id];
        if (layer.kind !== 'conv' && layer.kind !== 'depthwise') continue;
        const taps = layer.weights.length / graph.maps[layer.output].shape.c;
        for (const { parts } of branches) {
          const { y0, y1, x0, x1 } = parts.get(layer.output)!.fresh;
          macs += (y1 - y0) * (x1 - x0) * graph.maps[layer.output].shape.c * taps;
        }
      }
      assert.equal(new StageShapes(graph, stage, new Set()).macs(grid), macs);
    }
  });

  it('takes the plan with the least work that fits, laid out', () => {
    const graph = network();
    const whole = new MemoryEstimator(graph, int8).layout(null).layout.bytes;
    const roomy = planPatches(graph, { memory: int8, sramBytes: whole });
    assert.equal(roomy.best!.choice, null);
    assert.equal(roomy.best!.macs, graphMacs(graph));
    const tight = planPatches(graph, { memory: int8, sramBytes: Math.floor(whole * 0.62), stages: 'one' });
    assert.ok(tight.best!.choice && tight.best!.arenaBytes <= whole * 0.62 && tight.best!.redundantMacs > 0);
    assert.equal(new MemoryEstimator(graph, int8).layout(tight.best!.choice).layout.bytes <= whole * 0.62, true);
    // Nothing cheaper fits: every choice with less work needs more.
    for (const stage of candidateStages(graph)) {
      const shapes = new StageShapes(graph, stage, new Set());
      const work = shapes.instructions(new StageCalls(graph, int8));
      const plain = work({ rows: 1, cols: 1 });
      for (let rows = 1; rows <= 8; rows++) {
        for (let cols = 1; cols <= 8; cols++) {
          const grid = { rows, cols };
          if (!shapes.suits(grid) || work(grid) - plain >= tight.best!.extraInstructions) continue;
          const { layout } = new MemoryEstimator(graph, int8).layout(
            { stage, grid, keep: new Set() },
            { effort: 'quick' },
          );
          assert.ok(layout.lowerBound > whole * 0.62, `${rows}×${cols} after ${stage.splitMap}`);
        }
      }
    }
  });

  it('returns a Pareto set from most to least SRAM', () => {
    const { pareto } = planPatches(network(), { memory: int8, sramBytes: 1, strategies: ['recompute', 'hybrid'] });
    assert.ok(pareto.length > 3);
    for (let i = 1; i < pareto.length; i++) {
      assert.ok(pareto[i].arenaBytes < pareto[i - 1].arenaBytes);
      assert.ok(pareto[i].extraInstructions >= pareto[i - 1].extraInstructions);
    }
  });

  it('needs fewer redundant MACs when halos are kept, none when all are', () => {
    const graph = network();
    const sramBytes = 32_000;
    const of = (strategies: ('recompute' | 'keep' | 'hybrid')[]) =>
      planPatches(graph, { memory: int8, sramBytes, strategies }).best!.redundantMacs;
    assert.ok(of(['hybrid']) < of(['recompute']));
    assert.equal(of(['keep']), 0);
  });

  it('says what peaks, by how much, and what would help when nothing fits', () => {
    const graph = network();
    const sramBytes = 16_000;
    const { best, noFit } = planPatches(graph, { memory: int8, sramBytes, stages: 'one' });
    assert.equal(best, null);
    assert.equal(noFit!.missingBytes, noFit!.closest.arenaBytes - sramBytes);
    assert.ok(noFit!.peak.bytes > sramBytes);
    assert.ok(
      noFit!.peak.buffers.some((b) => b.role === 'input'),
      'the input of 12288 bytes is alive at the peak',
    );
    assert.ok(
      noFit!.remedies.some((r) => r.fits && /input/.test(r.change)),
      JSON.stringify(noFit!.remedies),
    );
    const text = noFitText(noFit!, sramBytes);
    assert.match(text, /^Does not fit: at least \d+ bytes/);
    assert.ok(!text.includes('\n') && text.includes(noFit!.peak.layer));
  });

  it('lacks bytes wherever it refuses, also where the bound fits and its layout does not', () => {
    let refused = 0;
    for (const first of [false, true])
      fc.assert(
        fc.property(graphArbitrary({ size: 14, channels: 6 }), (graph) => {
          const of = (sramBytes: number) => planPatches(graph, { memory: int8, sramBytes, firstFit: first });
          const least = of(1).noFit!.closest.arenaBytes;
          for (const sramBytes of [least - 1, least, least + 1]) {
            const { best, noFit } = of(sramBytes);
            assert.ok(best || sramBytes < least, `${sramBytes} of ${least} bytes are refused`);
            if (best) assert.ok(best.arenaBytes <= sramBytes);
            else refused++;
            if (noFit) assert.ok(noFit.missingBytes > 0 && noFit.closest.arenaBytes > sramBytes);
          }
        }),
        { numRuns: 25, seed: 7 },
      );
    assert.ok(refused > 0);
  });

  it('finds stages of the tail where a patch stage alone does not fit, laid out, with no more work than that', () => {
    // Wide expansions far behind: a patch stage that reaches them has a long halo.
    const g = new GraphBuilder();
    let map = g.conv(g.input({ h: 64, w: 64, c: 3 }), 8, squareWindow(3, { strideH: 2, strideW: 2 }), 1, relu6);
    for (const stride of [2, 1, 1, 1, 1, 1, 1]) {
      const narrow = g.conv(
        g.depthwise(
          g.conv(map, 96, squareWindow(1), 1, relu6),
          squareWindow(3, { strideH: stride, strideW: stride }),
          relu6,
        ),
        8,
        squareWindow(1),
      );
      map = stride === 1 ? g.addMaps([map, narrow]) : narrow;
    }
    g.fullyConnected(g.globalAveragePool(map), 10);
    const graph = g.build();
    const options = {
      memory: { ...int8, externalInputs: true },
      strategies: ['recompute', 'keep', 'hybrid'] as const,
      firstFit: true,
    };
    const one = planPatches(graph, { ...options, sramBytes: 1, stages: 'one' }).noFit!.closest;
    const several = planPatches(graph, { ...options, sramBytes: 1 }).noFit!.closest;
    assert.ok(several.arenaBytes < 0.85 * one.arenaBytes, `${several.arenaBytes} of ${one.arenaBytes} bytes`);
    const sramBytes = Math.floor((several.arenaBytes + one.arenaBytes) / 2);
    const { best } = planPatches(graph, { ...options, sramBytes });
    assert.ok(best && best.tailStages.length > 0 && best.arenaBytes <= sramBytes);
    assert.equal(
      new MemoryEstimator(graph, options.memory).layout(best.choice, {}, best.tailStages).layout.bytes <= sramBytes,
      true,
    );
    for (const budget of [20_000, 30_000, 40_000]) {
      const more = planPatches(graph, { ...options, sramBytes: budget }).best;
      const alone = planPatches(graph, { ...options, sramBytes: budget, stages: 'one' }).best;
      if (alone) assert.ok(more!.extraInstructions <= alone.extraInstructions, `${budget}`);
    }
  });

  it('is never worse off with several stages than with one, where chains of layers need more than each of them', () => {
    // Depthwise layers write 4 bits, others 8: an output of 8 bits over an input of 4 leaves no room for the next to
    // lie over it again.
    const g = new GraphBuilder();
    let map = g.conv(g.input({ h: 96, w: 96, c: 3 }), 8, squareWindow(3, { strideH: 2, strideW: 2 }), 1, relu6);
    const narrow = new Set<MapId>();
    for (const [stride, channels] of [
      [1, 16],
      [2, 32],
      [1, 32],
      [2, 64],
      [1, 64],
      [2, 128],
      [1, 128],
    ]) {
      map = g.depthwise(map, squareWindow(3, { strideH: stride, strideW: stride }), relu6);
      narrow.add(map);
      map = g.conv(map, channels, squareWindow(1), 1, relu6);
    }
    g.fullyConnected(g.globalAveragePool(map), 10);
    const graph = g.build();
    const memory: MemoryModel = {
      ...int8,
      bits: { stored: (id) => (narrow.has(id) ? 4 : 8), read: () => null },
      externalInputs: true,
    };
    const strategies = ['recompute', 'keep', 'hybrid'] as const;
    let staged = 0;
    for (const kib of [5, 6, 7, 9, 11, 13, 16, 20, 26, 32]) {
      const plan = (stages: 'one' | 'several') =>
        planPatches(graph, { memory, strategies, stages, sramBytes: kib * 1024, firstFit: true }).best;
      const one = plan('one');
      const several = plan('several');
      if (several && several.tailStages.length > 0) staged++;
      if (one)
        assert.ok(
          several && several.extraInstructions <= one.extraInstructions,
          `${kib} KiB: ${several?.extraInstructions} instead of ${one.extraInstructions}`,
        );
    }
    assert.ok(staged > 2, `${staged} budgets with stages of the tail`);
    const estimator = new MemoryEstimator(graph, memory);
    for (const candidate of planPatches(graph, { memory, strategies, sramBytes: Infinity }).pareto) {
      const { lowerBound } = estimator.layout(candidate.choice, { effort: 'quick' }, candidate.tailStages).layout;
      assert.ok(
        lowerBound <= 1.03 * candidate.arenaBytes,
        `${candidate.arenaBytes} bytes estimated, at least ${lowerBound} needed`,
      );
    }
  });

  it('plans slices of channels where the map before a global average does not fit', () => {
    const g = new GraphBuilder();
    const map = g.conv(g.input({ h: 8, w: 8, c: 3 }), 8, squareWindow(3), 1, relu6);
    g.fullyConnected(g.globalAveragePool(g.conv(map, 128, squareWindow(1), 1, relu6)), 10);
    const { best } = planPatches(g.build(), { memory: int8, sramBytes: 2000, firstFit: true });
    assert.deepEqual(
      best!.tailStages.map((t) => t.channels),
      [16],
    );
    assert.equal(best!.redundantMacs, 0);
  });

  it('finds on a graph that was planned at other bits and for other cores what it finds on a new one', () => {
    const modelOf = (narrow: number, core: Core): MemoryModel => ({
      ...int8,
      core,
      bits: {
        stored: (map) => (map % 5 === narrow ? 4 : 8),
        read: () => null,
        weights: (layer) => (layer % 4 === narrow ? 4 : 8),
      },
    });
    const planned = network();
    for (const core of ['cortex-m4', 'cortex-m0plus', 'cortex-m4'] as const)
      for (const narrow of [9, 1, 2, 1]) {
        const options = {
          memory: modelOf(narrow, core),
          sramBytes: 20_000,
          strategies: ['recompute', 'keep'] as const,
        };
        const figures = (graph: Graph): number[][] =>
          planPatches(graph, options).pareto.map((c) => [c.extraInstructions, c.arenaBytes, c.macs]);
        assert.deepEqual(figures(planned), figures(network()));
      }
  });

  it('can be cancelled', () => {
    const stop = (): never => {
      throw new Error('cancelled');
    };
    assert.throws(() => planPatches(network(), { memory: int8, sramBytes: 16_000, checkCancelled: stop }), /cancelled/);
  });

  it('stays with the grid and split map that are asked for', () => {
    const graph = network();
    const [stage] = candidateStages(graph).slice(5);
    const { best } = planPatches(graph, {
      memory: int8,
      sramBytes: 1e9,
      grid: { rows: 2, cols: 3 },
      splitMap: stage.splitMap,
    });
    assert.deepEqual(best!.choice!.grid, { rows: 2, cols: 3 });
    assert.equal(best!.choice!.stage.splitMap, stage.splitMap);
    assert.equal(planPatches(graph, { memory: int8, sramBytes: 1e9, grid: { rows: 99, cols: 99 } }).best, null);
  });
});
