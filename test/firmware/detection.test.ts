import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { presetPreprocess } from '../../src/engine/calibration/preprocess';
import { detectFlash } from '../../src/engine/codegen/detection/detectFlash';
import type { ExternalInput } from '../../src/engine/codegen/inputs';
import { renderDetect } from '../../src/engine/codegen/detection/renderDetect';
import { findCut } from '../../src/engine/detection/cut/findCut';
import type { DetectionHead } from '../../src/engine/detection/head';
import { headPreset } from '../../src/engine/detection/presets';
import { resolveHead } from '../../src/engine/detection/resolve';
import type { Graph } from '../../src/engine/graph/types';
import { detect } from '../../src/engine/program/detection/decode';
import { lowerHead } from '../../src/engine/program/detection/lowerHead';
import type { DetectionProgram } from '../../src/engine/program/detection/types';
import type { Program } from '../../src/engine/program/types';
import { projectRoot } from '../support/paths';
import { decodedExports, type DecodedExport } from '../support/decodedExports';
import { mulberry32 } from '../support/graphBuilder';
import { families, headGraph, type HeadCase } from '../support/headFamilies';
import { buildForBoard, runOnBoard } from './board/board';
import { compile, putFiles, removeFolder, runCommand, sanitizerFlags, scratchFolder } from './support/hostBuild';

const IMAGES = 100;

interface Case {
  readonly name: string;
  readonly label: string;
  readonly program: Program;
  readonly head: DetectionProgram;
  /** Codes of all outputs, by image. */
  readonly images: readonly Uint8Array[][];
}

/** A head on the outputs of a network. */
interface Described {
  readonly label: string;
  readonly graph: Graph;
  readonly description: DetectionHead;
}

function ofFamily(family: HeadCase): Described {
  const graph = headGraph(family);
  return { label: family.head, graph, description: headPreset(graph, family.head, 'model.onnx') };
}

/** The head that is found in a network that decodes its boxes itself. */
async function ofExport({ name, build }: DecodedExport, folder: string): Promise<Described> {
  const file = path.join(folder, 'decoded.onnx');
  writeFileSync(file, build());
  const { graph, head } = (await findCut(file))!;
  return { label: `${name}, decoded`, graph, description: head };
}

/** A head on outputs of random formats, by channel for every other one, and random codes for them. */
function caseOf({ label, graph, description }: Described, index: number): Case {
  const signed = mulberry32(1000 + index);
  const random = (): number => Math.abs(signed());
  const outputs = graph.outputs.map(({ name, map }) => ({ name, ...graph.maps[map].shape }));
  const resolved = resolveHead(
    graph,
    { ...description, classes: index % 3 === 0 ? 'all' : 'best', candidates: 40 },
    'model.onnx',
  );
  let offset = 16;
  const buffers = outputs.map(({ h, w, c }, id) => {
    const buffer = { id, bits: 8, signed: index % 4 !== 1, bytes: h * w * c, offset };
    offset += h * w * c + 8;
    return buffer;
  });
  const ports = outputs.map(({ name, h, w, c }, i) => {
    const channels = index % 2 === 0 ? c : 1;
    const zero = buffers[i].signed ? 0 : 128;
    const wide = label === 'blazeface' ? 0.5 : label === 'decoded' || label === 'fomo' ? 0.008 : 0.05;
    return {
      buffer: i,
      name,
      shape: { h, w, c },
      signed: buffers[i].signed,
      scales: Array.from({ length: channels }, () => wide * (0.5 + random())),
      zeroPoints: Array.from({ length: channels }, () => zero + Math.floor(40 * random()) - 20),
    };
  });
  const program = { name: `m${index}`, buffers, outputs: ports, inputs: [], arenaBytes: offset } as unknown as Program;
  const head = lowerHead(program, resolved, presetPreprocess(index % 2 === 0 ? 'stretch' : 'letterbox'));
  const images = Array.from({ length: IMAGES }, () =>
    buffers.map((b) => {
      // Mostly background, as outputs are, with values of all sizes between.
      const level = random();
      return Uint8Array.from(
        { length: b.bytes },
        () => Math.floor(256 * random() ** (1 + level)) ^ (b.signed ? 0x80 : 0),
      );
    }),
  );
  return { name: program.name, label, program, head, images };
}

const provenance = { generator: 'test', planHash: '0', modelFile: 'model.onnx' };

/** Every second network keeps its input outside of the arena: its self-test is lent memory for it. */
function lentTo({ name }: Case): ExternalInput[] {
  return name.charCodeAt(name.length - 1) % 2 === 0 ? [] : [{ port: 0, buffer: 0, parameter: 'input', tiles: null }];
}

/** The function of the network's own self-test, which boxes are checked after. */
function selftestOf(c: Case): string {
  return `int ${c.name}_selftest(void *at${lentTo(c).length > 0 ? ', void *input' : ''})`;
}

function filesOf(c: Case): { path: string; text: string }[] {
  const { name, program, head } = c;
  const prefix = name.toUpperCase();
  return [
    ...renderDetect(program, head, { name, provenance, golden: null, lent: lentTo(c) }),
    {
      path: `${name}.h`,
      text:
        `#ifndef ${prefix}_H\n#define ${prefix}_H\n#include <stdint.h>\n#include "quantmcu_port.h"\n#define ` +
        `${prefix}_OK 0\n${selftestOf(c)};\n#endif\n`,
    },
  ];
}

/** What the C writes of a case's images: how many boxes, then their values. */
function expected({ head, images }: Case): number[] {
  return images.flatMap((outputs) => {
    const boxes = detect(head, outputs);
    return [boxes.length, ...boxes.flatMap((b) => [b.x1, b.y1, b.x2, b.y2, b.score, b.label, ...b.points])];
  });
}

function driver(cases: readonly Case[], board: boolean): string {
  const read = (what: string, bytes: number): string =>
    board
      ? `if (!semihosting_read(in, ${what}, ${bytes})) return 2;`
      : `if (fread(${what}, 1, ${bytes}, in) != ${bytes}) return 2;`;
  const write = board ? 'semihosting_write(out, values, (uint32_t)n * 4u);' : 'fwrite(values, 4, (size_t)n, out);';
  const bodies = cases.map(({ name, program, head }) => {
    const prefix = name.toUpperCase();
    const reads = program.outputs.map(({ buffer }) => {
      const b = program.buffers[buffer];
      return `        ${read(`arena + ${b.offset}`, b.bytes)}\n`;
    });
    const values = ['x1', 'y1', 'x2', 'y2', 'score', 'label'].map((f) => `            values[n++] = boxes[k].${f};\n`);
    const points =
      head.points > 0 ? `            for (p = 0; p < ${2 * head.points}; p++) values[n++] = boxes[k].points[p];\n` : '';
    return `    for (i = 0; i < ${IMAGES}; i++) {
        static ${name}_box boxes[${prefix}_DETECT_MAX];
        int n = 0, k, count;
${reads.join('')}        count = ${name}_detect(arena, scratch, boxes, ${prefix}_DETECT_MAX);
        values[n++] = count;
        for (k = 0; k < count; k++) {
${values.join('')}${points}        }
        ${write}
    }
`;
  });
  const selftests = cases.map(
    (c) =>
      `${selftestOf(c)} { return at == 0${lentTo(c)
        .map(() => ' || input == 0')
        .join('')}; }\n`,
  );
  const open = board
    ? 'const int in = semihosting_open("in.bin", SEMIHOSTING_MODE_RB);\n    const int out = ' +
      'semihosting_open("out.bin", SEMIHOSTING_MODE_WB);'
    : 'FILE *in = fopen("in.bin", "rb"), *out = fopen("out.bin", "wb");';
  return `${board ? '#include "semihosting.h"' : '#include <stdio.h>'}
#include <stdint.h>
${cases.map(({ name }) => `#include "${name}_detect.h"\n`).join('')}
static uint8_t arena[65536];
static uint32_t scratch[1024];
static int32_t values[4096];
${selftests.join('')}
int main(${board ? 'int argc, char **argv' : 'void'})
{
    int i, p = 0;
    ${open}
    ${board ? '(void)argc; (void)argv;' : ''}
${bodies.join('')}    ${board ? 'semihosting_close(in);\n    semihosting_close(out);' : 'fclose(in);\n    fclose(out);'}
    (void)p;
    return 0;
}
`;
}

describe('boxes in C', function () {
  this.timeout(600_000);
  let cases: Case[];
  let want: number[];
  let folder: string;

  before(async () => {
    folder = scratchFolder('detection');
    const described = families.map(ofFamily);
    for (const decoded of decodedExports) described.push(await ofExport(decoded, folder));
    cases = described.map(caseOf);
    want = cases.flatMap(expected);
    writeFileSync(path.join(folder, 'in.bin'), Buffer.concat(cases.flatMap((c) => c.images.flat())));
  });
  after(() => removeFolder(folder));

  const port = {
    path: 'quantmcu_port.h',
    text: readFileSync(path.join(projectRoot, 'src/firmware/common/quantmcu_port.h'), 'utf8'),
  };
  const sources = (board: boolean): string[] =>
    putFiles(path.join(folder, board ? 'board' : 'host'), [
      ...cases.flatMap(filesOf),
      port,
      { path: 'driver.c', text: driver(cases, board) },
    ]);
  const found = (): number[] => {
    const bytes = readFileSync(path.join(folder, 'out.bin'));
    return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32LE(4 * i));
  };

  it('are found by every family', () => {
    cases.forEach((c) => {
      const boxes = expected(c).length - IMAGES;
      assert.ok(boxes > 0, `${c.label} finds nothing in ${IMAGES} images`);
    });
  });

  it('take at most the flash that is told, less than 640 bytes below', () => {
    const target = ['-mthumb', '-mcpu=cortex-m4', '-mfpu=fpv4-sp-d16', '-mfloat-abi=hard'];
    for (const wanted of ['yolov2', 'yolov5', 'ssd', 'yunet', 'centernet']) {
      const c = cases.find(({ label }) => label === wanted)!;
      const files = putFiles(path.join(folder, 'flash'), [...filesOf(c), port]);
      const object = path.join(folder, 'flash', `${c.name}.o`);
      const source = files.find((f) => f.endsWith('_detect.c'))!;
      const flags = ['-O3', '-std=c99', '-ffunction-sections', '-fdata-sections', `-I${path.dirname(source)}`];
      runCommand('arm-none-eabi-gcc', [...target, ...flags, '-c', source, '-o', object]);
      const sections = runCommand('arm-none-eabi-size', ['-A', object]).matchAll(/^\.(?:text|rodata)(\S*)\s+(\d+)/gm);
      let compiled = 0;
      for (const [, name, bytes] of sections) if (!name.includes('selftest')) compiled += Number(bytes);
      const { code, tables } = detectFlash({ ...c.program, head: c.head }, 'cortex-m4');
      const told = code + tables;
      // Numbers of a single level go into the code, their tables with them.
      assert.ok(told >= compiled && told - compiled < 640, `${wanted}: ${told} told, ${compiled} compiled`);
    }
  });

  for (const flags of [['-O2'], ['-O1', ...sanitizerFlags]]) {
    it(`equal the interpreter's on ${IMAGES} images of each family on this computer, ${flags[0]}`, () => {
      const executable = path.join(folder, 'run');
      compile('gcc', sources(false), executable, flags);
      runCommand(executable, [], { cwd: folder });
      assert.deepEqual(found(), want);
    });
  }

  for (const core of ['m4', 'm0plus'] as const) {
    it(`and on an emulated ${core}`, () => {
      const elf = path.join(folder, `${core}.elf`);
      buildForBoard(core, sources(true), elf);
      assert.equal(runOnBoard(core, elf, { cwd: folder }).exitCode, 0);
      assert.deepEqual(found(), want);
    });
  }
});
