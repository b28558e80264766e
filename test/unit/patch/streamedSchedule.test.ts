import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PatchClass } from '../../../src/engine/graph/bits';
import type { MapId } from '../../../src/engine/graph/types';
import { buildSchedule, type ScheduledStage } from '../../../src/engine/schedule/schedule';
import { stageUpTo } from '../../../src/engine/schedule/stages';
import { GraphBuilder, squareWindow } from '../../support/graphBuilder';
import { randomStream } from '../../support/randomStages';
import { bits8, cases, checkOnArena, inPlace, randomBits } from './support/scheduleCases';

describe('patch/schedule of streams', () => {
  it('streams stages into one another: of the maps between them only the rows that are read next exist', () => {
    let streamed = 0;
    let kept = 0;
    let partial = 0;
    fc.assert(
      fc.property(cases, fc.nat(), (c, seed) => {
        const stages = randomStream(c.graph, seed);
        fc.pre(stages !== null);
        streamed++;
        const isPatchStage = seed % 2 === 0;
        const [first, ...others] = stages;
        const classes = Array.from({ length: first.grid.rows * first.grid.cols }, (_, i): PatchClass =>
          (seed >> (i % 16)) % 2 === 0 ? 'outlier' : 'regular',
        );
        const fixed = stages.flatMap((s) => [...s.keep, ...(s.keepColumns ?? []), s.stage.splitMap]);
        const schedule = buildSchedule(
          c.graph,
          isPatchStage ? { ...first, classes } : null,
          randomBits(c.graph, c.bitsSeed, new Set([...fixed, ...c.graph.inputs.map((i) => i.map)])),
          {
            ...(c.share ? inPlace : {}),
            tailStages: isPatchStage ? others : stages,
            inputTiles: seed % 3 === 0,
          },
        );
        for (const { stage } of stages.slice(0, -1)) {
          const { h } = c.graph.maps[stage.splitMap].shape;
          const bands = schedule.buffers.filter((b) => b.map === stage.splitMap && b.role === 'map');
          if (bands.every(({ window }) => window.y1 - window.y0 < h)) partial++;
          kept += schedule.buffers.filter((b) => b.map === stage.splitMap && b.role === 'cache').length;
        }
        checkOnArena(c.graph, schedule, () => 'regular', true);
      }),
      { numRuns: 300 },
    );
    assert.ok(streamed > 100 && kept > 50 && partial > 50, `${streamed} chains, ${kept} caches, ${partial} in bands`);
  });

  it('streams what a dilated window reads from further up for a later row of patches', () => {
    const g = new GraphBuilder();
    const streamed = g.conv(g.input({ h: 5, w: 6, c: 1 }), 4, squareWindow(1));
    // Of five rows the middle one reads the first, and the one before it does not.
    const padding = { top: 2, left: 0, bottom: 2, right: 0 };
    const window = { kernelH: 3, kernelW: 1, strideH: 1, strideW: 1, dilationH: 2, dilationW: 1, padding };
    const pooled = g.maxPool(streamed, window);
    g.fullyConnected(pooled, 3);
    const graph = g.build();
    const stage = (map: MapId, from: MapId[], rows: number): ScheduledStage => ({
      stage: stageUpTo(graph, map, new Set(from))!,
      grid: { rows, cols: 1 },
      keep: new Set(),
      classes: new Array<PatchClass>(rows).fill('regular'),
    });
    const tailStages = [{ ...stage(streamed, [], 1), streamed: true }, stage(pooled, [streamed], 5)];
    checkOnArena(graph, buildSchedule(graph, null, bits8, { tailStages }));
  });

  it('refuses to stream what is read elsewhere as well', () => {
    const g = new GraphBuilder();
    const a = g.conv(g.input({ h: 8, w: 8, c: 2 }), 4, squareWindow(3));
    const b = g.conv(a, 4, squareWindow(3));
    const graph = g.build([g.addMaps([g.conv(b, 4, squareWindow(1)), a])]);
    const stageOf = (map: MapId, from: MapId[]) => ({
      stage: stageUpTo(graph, map, new Set(from))!,
      grid: { rows: 2, cols: 2 },
      keep: new Set<MapId>(),
    });
    const tailStages = [{ ...stageOf(a, []), streamed: true }, stageOf(b, [a])];
    assert.throws(() => buildSchedule(graph, null, bits8, { tailStages }), /streamed/);
  });
});
