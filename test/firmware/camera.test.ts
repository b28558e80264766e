import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import {
  CAMERA_FORMATS,
  CAMERA_SCALES,
  cameraFrame,
  cameraLineBytes,
  cameraRule,
  readCamera,
  type Camera,
} from '../../src/engine/calibration/camera';
import { decodeImage } from '../../src/engine/calibration/images';
import { presetPreprocess } from '../../src/engine/calibration/preprocess';
import { resizeBilinear } from '../../src/engine/calibration/resample';
import type { Preprocess } from '../../src/engine/calibration/types';
import { renderC } from '../../src/engine/codegen';
import type { PatchClass } from '../../src/engine/graph/bits';
import { type OpenedPlan } from '../../src/engine/planned/open';
import { Executor } from '../../src/engine/program/interpreter';
import { lower } from '../../src/engine/program/lower';
import type { Program } from '../../src/engine/program/types';
import { quantizeGraph } from '../../src/engine/quantize/quantizeGraph';
import { generateSources } from '../../src/engine/run/generate';
import { keepNothing } from '../../src/engine/schedule/branches';
import { stageUpTo } from '../../src/engine/schedule/stages';
import { projectRoot } from '../support/paths';
import { planSample, sample } from '../support/sample';
import { all8, calibrateGraph, graphSamples, pixelInput } from '../support/quantizedGraph';
import { GraphBuilder, mulberry32, relu6, squareWindow } from '../support/graphBuilder';
import { buildForBoard, runOnBoard, type Core } from './board/board';
import {
  compile,
  putFiles,
  removeFolder,
  runCommand,
  sanitizerFlags,
  scratchFolder,
  scratchForEach,
} from './support/hostBuild';
import { provenance } from './support/reference';

/** A small classifier of pictures, its input in the arena, or in tiles of 2 x 3 patches. */
function network(channels: 1 | 3, input: 'counted' | 'tiles'): Program {
  const g = new GraphBuilder();
  const image = g.input({ h: 17, w: 20, c: channels });
  const wide = g.conv(image, 12, squareWindow(3, { strideH: 2, strideW: 2 }), 1, relu6);
  const split = g.conv(g.depthwise(wide, squareWindow(3), relu6), 6, squareWindow(1));
  g.fullyConnected(g.globalAveragePool(g.conv(split, 16, squareWindow(1), 1, relu6)), 5);
  const graph = g.build();
  const parameters = quantizeGraph(graph, calibrateGraph(graph, graphSamples(graph, 3, 1)), pixelInput(graph), all8);
  return lower(
    graph,
    {
      stage: stageUpTo(graph, split)!,
      grid: { rows: 2, cols: 3 },
      keep: keepNothing,
      classes: new Array<PatchClass>(6).fill('regular'),
      runtime: null,
    },
    parameters,
    { name: 'net', input },
  );
}

const rules: readonly Preprocess[] = [
  presetPreprocess('unit'),
  { ...presetPreprocess('stretch'), channels: 'bgr' },
  { ...presetPreprocess('letterbox'), channels: 'gray' },
];
const sizes = [
  { width: 54, height: 40 },
  { width: 22, height: 61 },
  { width: 20, height: 17 },
  { width: 12, height: 9 },
];

function randomFrame(camera: Camera, seed: number): Uint8Array {
  const random = mulberry32(seed);
  return Uint8Array.from({ length: cameraLineBytes(camera) * camera.height }, () => Math.floor(random() * 256));
}

describe("a camera's pictures", function () {
  this.timeout(600_000);
  const folder = scratchForEach('camera');

  /** Compiles a network's camera, and the network where it is called, with a main(), and runs it on one picture. */
  const run = (program: Program, camera: Camera, preprocess: Preprocess, frame: Uint8Array, main: string): Buffer => {
    const all = renderC(program, { name: 'net', provenance, camera: { camera, preprocess } });
    const files = main.includes('invoke') ? all : all.filter((f) => f.path.endsWith('.h') || /_camera/.test(f.path));
    writeFileSync(path.join(folder(), 'frame.bin'), frame);
    const text = `#include <stdio.h>
#include "net_camera.h"
static uint8_t frame[NET_CAMERA_LINE_BYTES * NET_CAMERA_ROWS];
${main}
int main(void)
{
    FILE *in = fopen("frame.bin", "rb"), *out = fopen("out.bin", "wb");
    if (fread(frame, 1, sizeof frame, in) != sizeof frame || infer(out) != 0) return 1;
    fclose(in);
    return fclose(out);
}
`;
    const sources = putFiles(folder(), [...files, { path: 'main.c', text }]);
    compile('gcc', sources, path.join(folder(), 'main'), ['-O1', ...sanitizerFlags]);
    runCommand(path.join(folder(), 'main'), [], { cwd: folder() });
    return readFileSync(path.join(folder(), 'out.bin'));
  };

  const whole = `static uint8_t input[NET_INPUT_BYTES];
static int last = -1;
static const uint8_t *line(void *context, int32_t row)
{
    if (NET_CAMERA_ROWS == 40 && row <= last) return NULL; /* where it is made smaller: each once, downward */
    last = row;
    return net_camera_frame(context, row);
}
static int infer(FILE *out)
{
    net_camera camera = {.line = line, .context = frame};
    if (net_camera_input(&camera, input) != 0) return 1;
    return fwrite(input, 1, sizeof input, out) != sizeof input;
}`;

  for (const format of CAMERA_FORMATS)
    it(`of ${format} are what the simulator reads, scaled either way, cropped, stretched or with borders`, () => {
      const shape = { h: 17, w: 20, c: format === 'gray' ? 1 : 3 } as const;
      const program = network(shape.c, 'counted');
      for (const scale of CAMERA_SCALES)
        rules.forEach((preprocess, i) => {
          const camera = { format, scale, ...sizes[(i + CAMERA_SCALES.indexOf(scale)) % sizes.length] };
          const frame = randomFrame(camera, i + 1);
          const expected = readCamera(frame, camera, cameraRule(camera, shape, preprocess), shape);
          assert.deepEqual([...run(program, camera, preprocess, frame, whole)], [...expected], JSON.stringify(camera));
        });
    });

  it('are read in tiles, each as if the picture were scaled as a whole', () => {
    const program = network(3, 'tiles');
    const shape = { h: 17, w: 20, c: 3 };
    rules.slice(1).forEach((preprocess, i) => {
      const camera: Camera = { format: 'yuyv', scale: CAMERA_SCALES[i % 2], ...sizes[i] };
      const frame = randomFrame(camera, 9);
      const pixels = readCamera(frame, camera, cameraRule(camera, shape, preprocess), shape);
      const outputs = run(
        program,
        camera,
        preprocess,
        frame,
        `static NET_ARENA(arena);
static int infer(FILE *out)
{
    net_camera camera = {.line = net_camera_frame, .context = frame};
    const net_source source = {net_camera_read, &camera};
    if (net_invoke_tiles(arena, &source) != NET_OK) return 1;
    return fwrite(net_output(arena), 1, NET_OUTPUT_BYTES, out) != NET_OUTPUT_BYTES;
}`,
      );
      assert.deepEqual([...outputs], [...new Executor(program).run([pixels]).outputs[0]]);
    });
  });

  it('end the reading where a line is missing', () => {
    const camera: Camera = { format: 'rgb565', scale: 'box', width: 54, height: 40 };
    const main = `static const uint8_t *line(void *context, int32_t row)
{
    return row < 30 ? net_camera_frame(context, row) : NULL;
}
static uint8_t input[NET_INPUT_BYTES];
static int infer(FILE *out)
{
    net_camera camera = {.line = line, .context = frame};
    return fputc(net_camera_input(&camera, input), out) == EOF;
}`;
    assert.deepEqual([...run(network(3, 'counted'), camera, rules[1], randomFrame(camera, 3), main)], [1]);
  });
});

describe('the example with a camera', function () {
  this.timeout(600_000);
  const camera: Camera = { format: 'rgb565be', width: 320, height: 240, scale: 'box' };
  const example = path.join(projectRoot, 'docs/examples/camera_lines');
  let folder: string;
  let opened: OpenedPlan;
  let frames: Uint8Array[];

  before(async () => {
    folder = scratchFolder('camera-example');
    opened = await planSample(path.join(folder, 'gauge.quantmcu.json'), {
      target: { id: 'custom', sramBytes: 128 * 1024, flashBytes: 512 * 1024 },
      grid: 'auto',
      weights: 8,
      bits: [8],
      preprocess: presetPreprocess('unit'),
      limit: 4,
    });
    const pictures = readdirSync(path.join(sample, 'fresh')).filter((file) => file.endsWith('.jpg'));
    frames = await Promise.all(
      pictures.slice(0, 4).map(async (file) => {
        const image = await decodeImage(readFileSync(path.join(sample, 'fresh', file)), file);
        return cameraFrame(resizeBilinear(image, camera.width, camera.height), camera);
      }),
    );
    writeFileSync(path.join(folder, 'frames.bin'), Buffer.concat(frames));
  });
  after(() => removeFolder(folder));

  for (const core of ['m4', 'm0plus'] as Core[])
    it(`on the emulated ${core}, line by line, what the simulator gives for the same pictures`, () => {
      const { files } = generateSources(opened, undefined, 'target', 'checksum', camera);
      const at = path.join(folder, core);
      const [port] = opened.program.outputs;
      const sources = [...putFiles(at, files), path.join(example, 'main.c')];
      sources.push(path.join(projectRoot, 'test/firmware/camera/board.c'));
      const elf = path.join(folder, `${core}.elf`);
      buildForBoard(core, sources, elf, [
        '-O2',
        `-I${at}`,
        `-I${example}`,
        `-DCLASSES=${port.shape.c}`,
        '-DTICKS=24999',
      ]);
      // Time by instructions, so that no line comes too late because this computer is busy.
      const { exitCode, output } = runOnBoard(core, elf, { cwd: folder, qemu: ['-icount', 'shift=4,sleep=off'] });
      assert.equal(exitCode, 0, output);
      const executor = new Executor(opened.program);
      const { shape } = opened.program.inputs[0];
      const rule = cameraRule(camera, shape, opened.plan.preprocess);
      const expected = frames.map((frame) => {
        const [scores] = executor.run([readCamera(frame, camera, rule, shape)]).outputs;
        const signed = Int8Array.from(scores);
        return [signed.indexOf(Math.max(...signed)), ...scores];
      });
      assert.deepEqual([...readFileSync(path.join(folder, 'outputs.bin'))], expected.flat());
    });
});
