import assert from 'node:assert/strict';
import { keepNothing } from '../../src/engine/patch/branches';
import { stageUpTo } from '../../src/engine/patch/stages';
import type { PatchClass } from '../../src/engine/plan/types';
import { Executor } from '../../src/engine/program/interpreter';
import { lower, type LoweringStage } from '../../src/engine/program/lower';
import type { Program } from '../../src/engine/program/types';
import { quantizeGraph } from '../../src/engine/quantize/quantizeGraph';
import { all8, calibrateGraph, graphSamples, pixelInput } from '../support/quantizedGraph';
import { GraphBuilder, relu6, squareWindow } from '../support/randomGraph';
import { buildForHost, removeFolder, sanitizerFlags, scratchFolder } from './support/hostBuild';
import { reference, toHex } from './support/reference';

const grid = { rows: 2, cols: 3 };

/** Two inputs, one of them reshaped in place, patches over the other: the same network with its inputs in the arena and outside of it. */
function programs(): { readonly counted: Program; readonly external: Program } {
  const g = new GraphBuilder();
  const image = g.input({ h: 17, w: 20, c: 3 });
  const wide = g.conv(image, 12, squareWindow(3, { strideH: 2, strideW: 2 }), 1, relu6);
  const split = g.conv(g.depthwise(wide, squareWindow(3), relu6), 6, squareWindow(1));
  g.fullyConnected(g.globalAveragePool(g.conv(split, 16, squareWindow(1), 1, relu6)), 5);
  g.fullyConnected(g.input({ h: 3, w: 3, c: 2 }), 4);
  const graph = g.build();
  const parameters = quantizeGraph(graph, calibrateGraph(graph, graphSamples(graph, 3, 1)), pixelInput(graph), all8);
  const stage: LoweringStage = { stage: stageUpTo(graph, split)!, grid, keep: keepNothing, classes: new Array<PatchClass>(grid.rows * grid.cols).fill('regular'), runtime: null };
  return {
    counted: lower(graph, stage, parameters, { name: 'net' }),
    external: lower(graph, stage, parameters, { name: 'net', externalInputs: true }),
  };
}

describe('inputs outside of the arena', function () {
  this.timeout(300_000);
  const { counted, external } = programs();

  it('take nothing of the arena and change no output', () => {
    const { inputs, outputs } = reference(external, 4);
    const executor = new Executor(counted);
    assert.deepEqual(toHex(outputs), toHex(inputs.map((set) => executor.run(set).outputs)));
    const imageBytes = external.buffers[external.inputs[0].buffer].bytes;
    assert.ok(external.arenaBytes < counted.arenaBytes, `${external.arenaBytes} of ${counted.arenaBytes}`);
    assert.ok(external.buffers.every((b) => (b.role === 'input') === (b.offset >= external.arenaBytes)));
    assert.ok(counted.arenaBytes >= imageBytes);
  });

  it('are read where the application has them by the generated C, byte for byte as the interpreter does', () => {
    const { inputs, outputs, files } = reference(external, 4);
    assert.match(files.find((f) => f.path === 'net.h')!.text, /#define NET_INPUT_EXTERNAL 1\n/);
    const folder = scratchFolder('external');
    const result = buildForHost(folder, external, files, { flags: ['-O1', ...sanitizerFlags] }).run(inputs);
    assert.deepEqual(toHex(result.outputs), toHex(outputs), `sources in ${folder}`);
    assert.equal(result.selftest, 0);
    assert.ok(result.guardsWhole);
    assert.ok(result.lastByteUsed);
    removeFolder(folder);
  });
});
