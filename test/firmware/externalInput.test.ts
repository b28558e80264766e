import assert from 'node:assert/strict';
import * as path from 'node:path';
import { keepNothing } from '../../src/engine/schedule/branches';
import { renderC, selftestChecks } from '../../src/engine/codegen';
import { silentProgress } from '../../src/engine/common/progress';
import { runSelftest } from '../../src/engine/emulator/selftest';
import { stageUpTo } from '../../src/engine/schedule/stages';
import type { PatchClass } from '../../src/engine/graph/bits';
import { Executor } from '../../src/engine/program/interpreter';
import { lower } from '../../src/engine/program/lower';
import type { LoweringStage } from '../../src/engine/program/lowering/options';
import type { Program } from '../../src/engine/program/types';
import { quantizeGraph } from '../../src/engine/quantize/quantizeGraph';
import { all8, calibrateGraph, graphSamples, pixelInput } from '../support/quantizedGraph';
import { GraphBuilder, relu6, squareWindow } from '../support/graphBuilder';
import { buildForHost, compile, putFiles, runCommand, sanitizerFlags, scratchForEach } from './support/hostBuild';
import { provenance, reference, toHex } from './support/reference';

const grid = { rows: 2, cols: 3 };

/**
 * Two inputs, one of them reshaped in place, patches over the other: the same network with its inputs in the arena and
 * outside of it.
 */
function programs(): { readonly counted: Program; readonly external: Program; readonly tiles: Program } {
  const g = new GraphBuilder();
  const image = g.input({ h: 17, w: 20, c: 3 });
  const wide = g.conv(image, 12, squareWindow(3, { strideH: 2, strideW: 2 }), 1, relu6);
  const split = g.conv(g.depthwise(wide, squareWindow(3), relu6), 6, squareWindow(1));
  g.fullyConnected(g.globalAveragePool(g.conv(split, 16, squareWindow(1), 1, relu6)), 5);
  g.fullyConnected(g.input({ h: 3, w: 3, c: 2 }), 4);
  const graph = g.build();
  const parameters = quantizeGraph(graph, calibrateGraph(graph, graphSamples(graph, 3, 1)), pixelInput(graph), all8);
  const stage: LoweringStage = {
    stage: stageUpTo(graph, split)!,
    grid,
    keep: keepNothing,
    classes: new Array<PatchClass>(grid.rows * grid.cols).fill('regular'),
    runtime: null,
  };
  return {
    counted: lower(graph, stage, parameters, { name: 'net' }),
    external: lower(graph, stage, parameters, { name: 'net', input: 'external' }),
    tiles: lower(graph, stage, parameters, { name: 'net', input: 'tiles' }),
  };
}

describe('inputs outside of the arena', function () {
  this.timeout(300_000);
  const folder = scratchForEach('external');
  const { counted, external, tiles } = programs();

  it('take nothing of the arena and change no output', () => {
    const { inputs, outputs } = reference(external, 4);
    const executor = new Executor(counted);
    assert.deepEqual(toHex(outputs), toHex(inputs.map((set) => executor.run(set).outputs)));
    const imageBytes = external.buffers[external.inputs[0].buffer].bytes;
    assert.ok(external.arenaBytes < counted.arenaBytes, `${external.arenaBytes} of ${counted.arenaBytes}`);
    assert.ok(external.buffers.every((b) => (b.role === 'input') === b.offset >= external.arenaBytes));
    assert.ok(counted.arenaBytes >= imageBytes);
  });

  it('are read where the application has them by the generated C, byte for byte as the interpreter does', () => {
    const { inputs, outputs, files } = reference(external, 4);
    assert.match(files.find((f) => f.path === 'net.h')!.text, /#define NET_INPUT_EXTERNAL 1\n/);
    const result = buildForHost(folder(), external, files, { flags: ['-O1', ...sanitizerFlags] }).run(inputs);
    assert.deepEqual(toHex(result.outputs), toHex(outputs), `sources in ${folder()}`);
    assert.equal(result.selftest, 0);
    assert.ok(result.guardsWhole);
    assert.ok(result.lastByteUsed);
  });

  it('are tested by checksums in memory that the application lends', () => {
    const checks = selftestChecks(external);
    const run = (hashes: readonly number[]): string => {
      const files = renderC(external, { name: 'net', checks: { ...checks, hashes }, provenance });
      assert.ok(!files.some(({ path: file }) => file.endsWith('_golden.c')));
      const main = `#include <stdio.h>
#include "net.h"
static NET_ARENA(arena);
static uint8_t frame[NET_INPUT_BYTES], other[NET_INPUT_1_BYTES];
int main(void) {
    int32_t step = -2;
    printf("%d ", net_selftest_steps(arena, frame, other, &step));
    printf("%d %d ", (int)step, net_selftest(arena, frame, other));
    printf("%d %d", net_selftest(arena, frame, NULL), net_selftest(NULL, frame, other));
    return 0;
}
`;
      const sources = putFiles(folder(), [...files, { path: 'main.c', text: main }]);
      compile('gcc', sources, path.join(folder(), 'main'), ['-O1', ...sanitizerFlags]);
      return runCommand(path.join(folder(), 'main'), []);
    };
    assert.equal(run(checks.hashes), '0 -1 0 1 1');
    const last = checks.hashes.length - 1;
    assert.equal(
      run(checks.hashes.map((hash, i) => (i === last ? hash ^ 1 : hash) >>> 0)),
      `3 ${checks.steps - 1} 3 1 1`,
    );
    // The driver lends it, too.
    const files = renderC(external, { name: 'net', checks, provenance });
    const { inputs, outputs } = reference(external, 2);
    const result = buildForHost(folder(), external, files).run(inputs);
    assert.deepEqual([toHex(result.outputs), result.selftest], [toHex(outputs), 0]);
  });

  it('tell what the self-test takes: stored inputs and outputs, or checksums alone', () => {
    const options = { name: 'net', checks: selftestChecks(external), provenance };
    const { inputs, outputs } = reference(external, 2);
    const golden = inputs.map((set, i) => ({ inputs: set, outputs: outputs[i] }));
    for (const [files, test] of [
      [renderC(external, { ...options, golden }), 'net_golden.c'],
      [renderC(external, options), 'net_selftest.c'],
    ] as const) {
      const told = Number(/NET_SELFTEST_FLASH_BYTES (\d+)/.exec(files.find((f) => f.path === 'net.h')!.text)![1]);
      putFiles(folder(), files);
      const object = path.join(folder(), 'test.o');
      const flags = ['-mcpu=cortex-m4', '-mthumb', '-O3', '-ffunction-sections', `-I${folder()}`];
      runCommand('arm-none-eabi-gcc', [...flags, '-c', path.join(folder(), test), '-o', object]);
      const [, text] = /^\s*(\d+)/m.exec(runCommand('arm-none-eabi-size', [object]).split('\n')[1])!;
      assert.ok(Number(text) <= told && told <= Number(text) + 640, `${test}: ${told} told, ${text} compiled`);
    }
  });

  it('are tested on the emulated board, and their layers counted', async () => {
    const files = renderC(external, { name: 'net', checks: selftestChecks(external), provenance });
    const { passed, layers, output } = await runSelftest('net', files, 'm4', silentProgress, external);
    assert.ok(passed, output);
    for (const { layer } of external.steps) assert.ok(layers![layer] > 0, `layer ${layer}: ${layers!.join(' ')}`);
  });

  it('come in tiles, which take less of the arena than the input and change no output', () => {
    const { inputs, outputs, files } = reference(tiles, 4);
    const executor = new Executor(counted);
    assert.deepEqual(toHex(outputs), toHex(inputs.map((set) => executor.run(set).outputs)));
    assert.ok(
      tiles.arenaBytes < counted.arenaBytes && tiles.arenaBytes >= external.arenaBytes,
      `${external.arenaBytes}, ${tiles.arenaBytes}, ${counted.arenaBytes}`,
    );
    const header = files.find((f) => f.path === 'net.h')!.text;
    assert.match(header, /#define NET_INPUT_TILES 1\n/);
    assert.match(header, /they overlap, so some pixels are requested again/);
    const result = buildForHost(folder(), tiles, files, { flags: ['-O1', ...sanitizerFlags] }).run(inputs);
    assert.deepEqual(toHex(result.outputs), toHex(outputs), `sources in ${folder()}`);
    assert.equal(result.selftest, 0);
    assert.ok(result.guardsWhole && result.lastByteUsed);
  });

  it('end an inference when the application has no tile, and are no larger than the header says', () => {
    const { files } = reference(tiles, 1);
    const main = `#include <stdio.h>
#include <string.h>
#include "net.h"
static NET_ARENA(arena);
static int left, rows_seen;
static int read(void *context, int32_t row, int32_t rows, int32_t column, int32_t columns, uint8_t *to,
                int32_t row_bytes)
{
    int32_t y;
    if (row + rows > rows_seen) rows_seen = row + rows;
    if (context != &left || column + columns > NET_INPUT_W) return 7;
    if (rows > NET_INPUT_TILE_ROWS || columns > NET_INPUT_TILE_COLUMNS) return 7;
    if (row_bytes != columns * NET_INPUT_PIXEL_BYTES) return 7;
    for (y = 0; y < rows; y++) memset(to + y * row_bytes, 9, (size_t)(columns * NET_INPUT_PIXEL_BYTES));
    return left-- > 0 ? 0 : -1;
}
int main(void) {
    static const uint8_t other[NET_INPUT_1_BYTES];
    const net_source second = {net_read_input_1, (void *)other};
    const net_source source = {read, &left};
    int whole, cut, missing;
    left = 6;
    whole = net_invoke_tiles(arena, &source, &second);
    left = 3;
    cut = net_invoke_tiles(arena, &source, &second);
    missing = net_invoke_tiles(arena, NULL, &second);
    printf("%d %d %d %d", whole, cut == NET_ERROR_INPUT, missing == NET_ERROR_NO_ARENA, rows_seen);
    return 0;
}
`;
    const sources = putFiles(folder(), [...files, { path: 'main.c', text: main }]);
    compile('gcc', sources, path.join(folder(), 'main'), ['-O1', ...sanitizerFlags]);
    assert.equal(runCommand(path.join(folder(), 'main'), []), '0 1 1 17');
  });
});
