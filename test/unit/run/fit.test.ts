import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import type { Graph } from '../../../src/engine/graph/types';
import { importModel } from '../../../src/engine/onnx';
import { int8LayerwiseArenaBytes } from '../../../src/engine/patch/int8Layerwise';
import { checkFit, checkLayerwise, ROOMY, type BoardFit, type FitBoard } from '../../../src/engine/run/fit';
import { graphFlashBytes } from '../../../src/engine/cost/graphFlash';
import { GraphBuilder, relu6, squareWindow } from '../../support/graphBuilder';
import { projectRoot } from '../../support/paths';

const progress = { report: () => undefined, isCancelled: () => false };

describe('fit check', () => {
  let graph: Graph;
  let layerwise: number;
  let flash: number;
  before(async () => {
    graph = await importModel(path.join(projectRoot, 'media/sample/gauge.onnx'), {});
    layerwise = int8LayerwiseArenaBytes(graph);
    flash = graphFlashBytes(graph, () => 8, 'cortex-m4');
  });

  const on = async (sramBytes: number, flashBytes: number, more: Partial<FitBoard> = {}): Promise<BoardFit> => {
    const board: FitBoard = { id: 'x', name: 'X', core: 'cortex-m4', clockMHz: 100, sramBytes, flashBytes, ...more };
    return (await checkFit(graph, [board], progress)).boards[0];
  };

  it('is green where 8 bits layer by layer leave the application room', async () => {
    const { verdict, way } = await on(Math.ceil(layerwise / ROOMY), Math.ceil(flash / ROOMY));
    assert.equal(verdict, 'fits');
    assert.deepEqual([way.grid, way.mapBits, way.weightBits], [null, 8, 8]);
    assert.equal(way.arenaBytes, layerwise);
  });

  it('computes in patches, at more time, where layer by layer does not fit', async () => {
    const sram = Math.ceil(layerwise * 0.8);
    const { way, layerwise: whole } = await on(sram, 4 * flash);
    assert.notEqual(way.grid, null);
    assert.ok(way.arenaBytes <= sram);
    assert.ok(way.latencyMs! > whole.latencyMs!);
  });

  it('streams stages into one another where nothing else fits, at 8 bits as a plan would', async () => {
    const g = new GraphBuilder();
    let map = g.conv(g.input({ h: 48, w: 40, c: 1 }), 6, squareWindow(3, { strideH: 2, strideW: 2 }), 1, relu6);
    for (const stride of [1, 2, 1, 1, 2]) map = g.invertedResidual(map, 24, 6, stride);
    g.fullyConnected(g.globalAveragePool(map), 5);
    const residuals = g.build();
    const fitIn = async (sramBytes: number): Promise<BoardFit> => {
      const board: FitBoard = { id: 'x', name: 'X', core: 'cortex-m4', clockMHz: 100, sramBytes, flashBytes: 1e6 };
      return (await checkFit(residuals, [board], progress)).boards[0];
    };
    const { least } = await checkFit(residuals, [], progress);
    const { verdict, way, layerwise: whole } = await fitIn(least[8].arenaBytes - 1);
    assert.deepEqual([verdict, way.streamed, way.mapBits], ['tight', true, 8]);
    assert.ok(way.arenaBytes < least[8].arenaBytes && way.latencyMs! > whole.latencyMs!);
    // What it needs at least is what it needs at least: in a byte less it does not fit.
    const missing = (await fitIn(512)).way;
    assert.deepEqual([(await fitIn(missing.arenaBytes)).verdict, missing.streamed], ['tight', true]);
    assert.equal((await fitIn(missing.arenaBytes - 1)).verdict, 'no');
  });

  it('is tight with weights at 4 bits, and where no room is left', async () => {
    const few = await on(4 * layerwise, flash - 1);
    assert.deepEqual([few.verdict, few.way.weightBits], ['tight', 4]);
    assert.equal((await on(4 * layerwise, flash)).verdict, 'tight');
  });

  it('needs at least what the least of all ways takes', async () => {
    const { least, boards } = await checkFit(
      graph,
      [{ id: 'x', name: 'X', core: 'cortex-m4', clockMHz: 0, sramBytes: 1024, flashBytes: 1024 }],
      progress,
    );
    const [{ verdict, way }] = boards;
    assert.equal(verdict, 'no');
    assert.equal(way.arenaBytes, least[4].arenaBytes);
    assert.equal(way.latencyMs, null);
    // A board that has just that is one that it fits, and with a byte less one that it does not.
    assert.equal((await on(way.arenaBytes, way.flashBytes)).verdict, 'tight');
    assert.equal((await on(way.arenaBytes - 1, way.flashBytes)).verdict, 'no');
    assert.equal((await on(way.arenaBytes, way.flashBytes - 1)).verdict, 'no');
  });

  it('says at once, layer by layer, nothing else than it says in the end', async () => {
    const shares = [0.3, 0.55, 0.95, ROOMY + 0.05, 1.0, 1.2, 3];
    const boards = shares.flatMap((sram) =>
      shares.map((part, i): FitBoard => ({
        id: String(i),
        name: 'X',
        core: 'cortex-m7',
        clockMHz: 100,
        sramBytes: Math.round(layerwise * sram),
        flashBytes: Math.round(flash * part),
      })),
    );
    const first = checkLayerwise(graph, boards);
    const whole = await checkFit(graph, boards, progress);
    assert.deepEqual([first.layerwise, first.flashBytes], [whole.layerwise, whole.flashBytes]);
    const verdicts = new Map<string | null, number>();
    first.boards.forEach(({ board, verdict, way, layerwise: alone }, i) => {
      const { [i]: told } = whole.boards;
      assert.deepEqual([board, alone], [told.board, told.layerwise]);
      if (verdict !== null) assert.equal(verdict, told.verdict);
      if (way !== null) assert.deepEqual(way, told.way);
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    });
    assert.deepEqual([...verdicts.keys()].sort(), ['fits', 'no', null].sort());
  });

  it('can be cancelled', async () => {
    await assert.rejects(checkFit(graph, [], { report: () => undefined, isCancelled: () => true }), /[Cc]ancel/);
  });
});
