import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Graph, MapId } from '../../../src/engine/graph/types';
import { stageBranches, type Grid } from '../../../src/engine/schedule/branches';
import { buildSchedule, type Schedule, type ScheduledStage } from '../../../src/engine/schedule/schedule';
import { candidateStages, channelStage } from '../../../src/engine/schedule/stages';
import type { PatchClass } from '../../../src/engine/graph/bits';
import { GraphBuilder, mulberry32, relu6, squareWindow } from '../../support/graphBuilder';
import { graphArbitrary } from '../../support/randomGraph';
import { randomTailStages } from '../../support/randomStages';
import { bits8, cases, checkOnArena, inPlace, randomBits, type Case } from './support/scheduleCases';

/** A stage of the case's graph with its grid, or null when it has none that suits. */
function stageOf(
  { graph, pick, rows, cols, keepSeed }: Case,
  keeping: boolean,
): (Omit<ScheduledStage, 'classes'> & { grid: Grid }) | null {
  const stages = candidateStages(graph);
  if (stages.length === 0) return null;
  const stage = stages[pick % stages.length];
  const random = mulberry32(keepSeed);
  const keep = new Set(keeping ? stage.maps.filter((m) => m !== stage.splitMap && random() > 0) : []);
  const grid = { rows, cols };
  return stageBranches(graph, stage, grid, keep) ? { stage, grid, keep } : null;
}

const classesOf = (c: Case, random: () => number): PatchClass[] =>
  Array.from({ length: c.rows * c.cols }, () => (random() > 0 ? 'outlier' : 'regular'));

/** With patches of random classes and maps of random bits. */
function patchSchedule(c: Case, staged: Omit<ScheduledStage, 'classes'>): Schedule {
  const classes = classesOf(c, mulberry32(c.bitsSeed));
  const bits = randomBits(c.graph, c.bitsSeed, new Set());
  return buildSchedule(c.graph, { ...staged, classes }, bits, c.share ? inPlace : {});
}

/** Checks cases that have a stage. @param keeping with halos kept between its branches */
function checkStages(
  keeping: boolean,
  check: (c: Case, staged: NonNullable<ReturnType<typeof stageOf>>) => void,
): void {
  fc.assert(
    fc.property(cases, (c) => {
      const staged = stageOf(c, keeping);
      fc.pre(staged !== null);
      check(c, staged);
    }),
    { numRuns: 200 },
  );
}

describe('patch/schedule', () => {
  it('computes a graph layer by layer from nothing but what is in the arena', () => {
    fc.assert(
      fc.property(
        graphArbitrary({ size: 10, channels: 6 }),
        fc.nat({ max: 100_000 }),
        fc.boolean(),
        (graph, seed, share) => {
          checkOnArena(
            graph,
            buildSchedule(graph, null, seed % 2 ? bits8 : randomBits(graph, seed, new Set()), share ? inPlace : {}),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it('computes every patch from exactly its receptive field, with any bits and classes', () => {
    let patched = 0;
    checkStages(false, (c, staged) => {
      patched++;
      checkOnArena(c.graph, patchSchedule(c, staged));
    });
    assert.ok(patched > 100, `${patched} graphs had a stage`);
  });

  it('goes either way at run time', () => {
    fc.assert(
      fc.property(cases, fc.nat(), (c, which) => {
        const staged = stageOf(c, false);
        fc.pre(staged !== null);
        const { maps } = staged.stage;
        const decidedBy = maps[which % maps.length];
        fc.pre(decidedBy !== staged.stage.splitMap);
        const schedule = buildSchedule(
          c.graph,
          { ...staged, classes: { decidedBy } },
          randomBits(c.graph, c.bitsSeed, new Set()),
          c.share ? inPlace : {},
        );
        for (const decide of [() => 'regular', () => 'outlier', (b: number) => (b % 2 ? 'regular' : 'outlier')] as ((
          b: number,
        ) => PatchClass)[])
          checkOnArena(c.graph, schedule, decide);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps halos so that the kept part is there when the next branches need it', () => {
    let restored = 0;
    checkStages(true, (c, staged) => {
      fc.pre(staged.keep.size > 0);
      const schedule = patchSchedule(c, staged);
      restored += schedule.steps.filter((s) => s.kind === 'restore').length;
      checkOnArena(c.graph, schedule);
    });
    assert.ok(restored > 200, `${restored} halos were restored`);
  });

  it('loads inputs in tiles, each with what its branch needs and has not kept', () => {
    let loads = 0;
    let kept = 0;
    fc.assert(
      fc.property(cases, fc.nat(), (c, seed) => {
        const { graph } = c;
        const random = mulberry32(c.bitsSeed);
        const found = seed % 4 === 0 ? null : stageOf(c, seed % 2 === 0);
        // Tiles are kept like any other map, where the patches suit that.
        const inputs = found && seed % 3 === 0 ? found.stage.inputs : [];
        const keep = new Set([...(found?.keep ?? []), ...inputs]);
        const first = found && stageBranches(graph, found.stage, found.grid, keep) ? { ...found, keep } : found;
        const tailStages = seed % 5 === 0 ? randomTailStages(graph, first?.stage.layers ?? [], seed) : [];
        const classes = classesOf(c, random);
        const bits = randomBits(
          graph,
          c.bitsSeed,
          new Set([
            ...(first?.keep ?? []),
            ...graph.inputs.map((i) => i.map),
            ...tailStages.flatMap((t) => [...t.keep]),
          ]),
        );
        const schedule = buildSchedule(graph, first && { ...first, classes }, bits, {
          ...(c.share ? inPlace : {}),
          tailStages,
          inputTiles: true,
        });
        loads += schedule.steps.filter((s) => s.kind === 'load').length;
        const isInput = (map: MapId): boolean => graph.maps[map].producer === null;
        kept += schedule.steps.filter((s) => s.kind === 'restore' && isInput(s.output!.map)).length;
        for (const step of schedule.steps) {
          const sources = step.inputs.filter((a) => schedule.buffers[a.buffer].role === 'input');
          assert.ok(
            step.kind === 'load' ||
              sources.every((a) => schedule.outputs.some((o) => (schedule.buffers[o].aliasOf ?? o) === a.buffer)),
            `${step.kind} reads an input in place`,
          );
        }
        checkOnArena(graph, schedule, undefined, true);
      }),
      { numRuns: 250 },
    );
    assert.ok(loads > 500 && kept > 50, `${loads} loads, ${kept} tiles kept`);
  });

  it('computes every patch of several stages from exactly its receptive field, some halos kept', () => {
    let several = 0;
    let behindPatchStage = 0;
    fc.assert(
      fc.property(cases, fc.nat(), (c, seed) => {
        const first = seed % 3 === 0 ? null : stageOf(c, seed % 2 === 0);
        const tailStages = randomTailStages(c.graph, first?.stage.layers ?? [], seed);
        fc.pre(tailStages.length > 0);
        if (tailStages.length > 1) several++;
        if (first) behindPatchStage++;
        const random = mulberry32(c.bitsSeed);
        const classes = classesOf(c, random);
        const bits = randomBits(
          c.graph,
          c.bitsSeed,
          new Set([...(first?.keep ?? []), ...tailStages.flatMap((t) => [...t.keep])]),
        );
        const schedule = buildSchedule(c.graph, first && { ...first, classes }, bits, {
          ...(c.share ? inPlace : {}),
          tailStages,
        });
        assert.deepEqual(
          new Set(schedule.steps.flatMap((s) => (s.tailStage ? [s.tailStage.index] : []))).size,
          tailStages.length,
        );
        checkOnArena(c.graph, schedule);
      }),
      { numRuns: 250 },
    );
    assert.ok(
      several > 40 && behindPatchStage > 40,
      `${several} with several stages, ${behindPatchStage} behind a patch stage`,
    );
  });

  it('averages a feature map slice by slice of its channels, never holding it whole', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 9, max: 40 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom(8, 16, 24),
        fc.nat(1000),
        (channels, size, width, seed) => {
          const g = new GraphBuilder();
          const map = g.conv(g.input({ h: size, w: size + 1, c: 3 }), 5, squareWindow(3), 1, relu6);
          g.fullyConnected(g.globalAveragePool(g.conv(map, channels, squareWindow(3), 1, relu6)), 4);
          const graph = g.build();
          const stage = channelStage(graph, graph.layers[2])!;
          const tailStages = [{ stage, grid: { rows: 1, cols: 1 }, keep: new Set<MapId>(), channels: width }];
          const schedule = buildSchedule(graph, null, seed % 2 ? bits8 : randomBits(graph, seed, new Set()), {
            ...inPlace,
            tailStages,
          });
          checkOnArena(graph, schedule);
          for (const b of schedule.buffers)
            if (b.map === stage.maps[0] && b.role !== 'view') assert.ok(b.channels <= width);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('computes nothing twice when everything is kept', () => {
    const { graph, splitMap } = invertedResiduals();
    const stage = candidateStages(graph).find((s) => s.splitMap === splitMap)!;
    const grid = { rows: 4, cols: 3 };
    const schedule = buildSchedule(
      graph,
      { stage, grid, keep: new Set(stage.maps), classes: new Array<PatchClass>(12).fill('regular') },
      bits8,
    );
    const pixels = new Map<MapId, number>();
    for (const step of schedule.steps) {
      if (step.kind !== 'layer') continue;
      const { y0, x0, y1, x1 } = step.output!.region;
      pixels.set(step.output!.map, (pixels.get(step.output!.map) ?? 0) + (y1 - y0) * (x1 - x0));
    }
    for (const map of stage.maps)
      assert.equal(pixels.get(map), graph.maps[map].shape.h * graph.maps[map].shape.w, graph.maps[map].name);
  });

  it('makes no copy for concats in place, nor for slices and reshapes', () => {
    const g = new GraphBuilder();
    const map = g.conv(g.input({ h: 6, w: 6, c: 3 }), 8, squareWindow(3), 1, relu6);
    const joined = g.concat([
      g.conv(g.slice(map, 0, 4), 4, squareWindow(1)),
      g.conv(g.slice(map, 4, 8), 4, squareWindow(3)),
    ]);
    g.fullyConnected(g.reshape(joined, { h: 1, w: 1, c: 288 }), 5);
    const graph = g.build();
    const kinds = (schedule: Schedule) => schedule.steps.map((s) => graph.layers[s.layer].kind);
    assert.deepEqual(kinds(buildSchedule(graph, null, bits8, inPlace)), ['conv', 'conv', 'conv', 'fullyConnected']);
    assert.deepEqual(kinds(buildSchedule(graph, null, bits8)), [
      'conv',
      'slice',
      'conv',
      'slice',
      'conv',
      'concat',
      'concat',
      'fullyConnected',
    ]);
  });
});

function invertedResiduals(): { graph: Graph; splitMap: MapId } {
  const g = new GraphBuilder();
  let map = g.conv(g.input({ h: 32, w: 32, c: 3 }), 8, squareWindow(3, { strideH: 2, strideW: 2 }), 1, relu6);
  for (let i = 0; i < 3; i++) {
    const deep = g.depthwise(g.conv(map, 24, squareWindow(1), 1, relu6), squareWindow(3), relu6);
    map = g.addMaps([map, g.conv(deep, 8, squareWindow(1))]);
  }
  g.fullyConnected(g.globalAveragePool(map), 4);
  return { graph: g.build(), splitMap: map };
}
