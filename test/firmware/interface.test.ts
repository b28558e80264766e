import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { renderC, usageOf, writeToProject, type GeneratedFile } from '../../src/engine/codegen';
import { firmwareIncludes, firmwareSources } from '../support/firmwareSources';
import { ProgramBuilder } from '../support/programBuilder';
import { randomByteProgram, randomProgram } from '../support/randomProgram';
import { compile, putFiles, runCommand, sanitizerFlags, scratchForEach, strictFlags } from './support/hostBuild';
import { compileObjects } from './support/objects';
import { provenance, reference } from './support/reference';

describe('interface of generated C', function () {
  this.timeout(300_000);
  const folder = scratchForEach('interface');

  /** Compiles the sources with a main() and runs it. */
  const run = (files: readonly GeneratedFile[], main: string, flags: readonly string[] = sanitizerFlags): string => {
    const sources = putFiles(folder(), [...files, { path: 'main.c', text: main }]);
    compile('gcc', sources, path.join(folder(), 'main'), ['-O1', ...flags]);
    return runCommand(path.join(folder(), 'main'), []);
  };

  it('returns error codes for a missing and a misaligned arena', () => {
    const { files } = reference(randomProgram(4), 1, 1);
    const output = run(
      files,
      `#include <stdio.h>
#include "net.h"
static NET_ARENA(arena);
static QMCU_ALIGN(8) uint8_t odd[NET_ARENA_BYTES + 1];
int main(void) {
    printf("%d %d %d %d %d\\n", net_invoke(NULL), net_invoke(odd + 1), net_selftest(NULL), net_selftest(odd + 1),
           net_selftest(arena));
    return 0;
}
`,
    );
    assert.equal(output, '1 2 1 2 0\n');
  });

  it('runs by the code that is offered for an application, with the outputs of the interpreter', () => {
    for (const seed of [2, 4, 9]) {
      const { program, inputs, outputs, files } = reference(randomProgram(seed), 1, 1);
      const { includes, code } = usageOf(program, 'net');
      const arrays = inputs[0].map((bytes, i) => `static const uint8_t in${i}[] = {${bytes.join(', ')}};\n`);
      const main = `#include <stdio.h>
${includes.map((file) => `#include ${file}\n`).join('')}
${code}
${arrays.join('')}
int main(void) {
    const int result = (int)net_run(${inputs[0].map((_, i) => `in${i}`).join(', ')});
    const uint8_t *out = (const uint8_t *)net_output(net_arena);
    printf("%d", result < 0 ? 1 : 0);
    for (int i = 0; i < ${outputs[0][0].length}; i++) {
        printf(" %d", out[i]);
    }
    return 0;
}
`;
      assert.equal(run(files, main, [...sanitizerFlags, ...strictFlags]), ['0', ...outputs[0][0]].join(' '));
    }
  });

  it('finds a wrong byte in the self-test, and says when there are no golden vectors', () => {
    const { program, inputs, outputs } = reference(randomProgram(4), 2);
    const main =
      '#include <stdio.h>\n#include "net.h"\nstatic NET_ARENA(arena);\nint main(void) { printf("%d", ' +
      'net_selftest(arena)); return 0; }\n';
    const wrong = outputs.map((set) => set.map((bytes) => bytes.slice()));
    const last = wrong[1][wrong[1].length - 1];
    last[last.length - 1] ^= 1;
    const golden = inputs.map((set, i) => ({ inputs: set, outputs: wrong[i] }));
    assert.equal(run(renderC(program, { name: 'net', golden, provenance }), main), '3');
    assert.equal(run(renderC(program, { name: 'net', provenance }), main), '4');
  });

  it('calls the timing hooks around every layer', () => {
    const { program, files } = reference(randomProgram(6), 1, 1);
    writeFileSync(
      path.join(folder(), 'hooks.h'),
      'void hook(int layer, int begin);\n#define QMCU_LAYER_BEGIN(layer) hook(layer, 1)\n#define ' +
        'QMCU_LAYER_END(layer) hook(layer, 0)\n',
    );
    const main = `#include <stdio.h>
#include "net.h"
static NET_ARENA(arena);
void hook(int layer, int begin) { printf("%s%d ", begin ? "<" : ">", layer); }
int main(void) { return net_invoke(arena); }
`;
    const output = run(files, main, [`-DQMCU_PORT_FILE="${path.join(folder(), 'hooks.h')}"`]);
    const layers = program.steps.map((s) => s.layer);
    const entered = layers.filter(
      (layer, i) => i === 0 || layers[i - 1] !== layer || program.steps[i - 1].branch !== program.steps[i].branch,
    );
    assert.equal(output.trim(), entered.map((layer) => `<${layer} >${layer}`).join(' '));
  });

  it("puts weights, tables and the arena into sections of the user's choice", () => {
    const { files } = reference(randomProgram(5), 1, 1);
    run(files, '#include "net.h"\nstatic NET_ARENA(arena);\nint main(void) { return net_selftest(arena); }\n', [
      '-DQMCU_SECTION_WEIGHTS=__attribute__((section(".weights_here")))',
      '-DQMCU_SECTION_TABLES=__attribute__((section(".tables_here")))',
      '-DQMCU_SECTION_ARENA=__attribute__((section(".arena_here")))',
    ]);
    const sections = runCommand('readelf', ['-S', '-W', path.join(folder(), 'main')]);
    for (const name of ['.weights_here', '.tables_here', '.arena_here']) assert.ok(sections.includes(name), name);
  });

  it('links two models into one C++ firmware, with flat object folders and equal kernels', () => {
    const names = ['net', 'face'];
    const files = names.map((name, i) => {
      // Each with a runtime that is compiled for what it uses alone.
      const random = randomByteProgram(10 + i, i === 0 ? ['conv2d'] : ['depthwise2d', 'add']);
      const { program, inputs, outputs } = reference({ ...random, name }, 1);
      const golden = [{ inputs: inputs[0], outputs: outputs[0] }];
      return renderC(program, { name, golden, provenance, cores: ['dsp'] });
    });
    const objects: string[] = [];
    const sourceNames: string[] = [];
    files.forEach((set, i) => {
      for (const source of putFiles(path.join(folder(), names[i]), set)) {
        const name = path.basename(source, '.c');
        assert.ok(!sourceNames.includes(name), `two sources named ${name}`);
        sourceNames.push(name);
        objects.push(...compileObjects('gcc', [...strictFlags, '-O1'], [source], folder(), name));
      }
    });
    writeFileSync(
      path.join(folder(), 'main.cpp'),
      `#include "net.h"
#include "face.h"
static NET_ARENA(net_arena);
static FACE_ARENA(face_arena);
int main() { return net_selftest(net_arena) * 10 + face_selftest(face_arena); }
`,
    );
    runCommand(
      'clang',
      [
        '-x',
        'c++',
        '-std=c++11',
        ...strictFlags.slice(1),
        '-Wold-style-cast',
        '-c',
        `-I${path.join(folder(), 'net')}`,
        `-I${path.join(folder(), 'face')}`,
        path.join(folder(), 'main.cpp'),
        '-o',
        path.join(folder(), 'main.o'),
      ],
      { silent: true },
    );
    runCommand('clang', [...objects, path.join(folder(), 'main.o'), '-o', path.join(folder(), 'main')]);
    runCommand(path.join(folder(), 'main'), []);
  });

  it('compiles whatever the layers, buffers, constants and the model are called', () => {
    const evil = [
      '*/ #error "out of the comment" /*',
      '??/',
      'ends with \\',
      'line\n#error two',
      '\u202e\u0000\u2028',
      '"); system("true',
      '// /* nested',
      '%s%n',
      '',
    ];
    const program = randomProgram(8);
    const name = (i: number): string => evil[i % evil.length];
    const hostile = {
      ...program,
      buffers: program.buffers.map((b, i) => ({ ...b, name: name(i) })),
      constants: program.constants.map((c, i) => ({ ...c, name: name(i) })),
      inputs: program.inputs.map((p, i) => ({ ...p, name: name(i) })),
      outputs: program.outputs.map((p, i) => ({ ...p, name: name(i + 3) })),
    };
    const layers = program.steps.map((_, i) => ({ name: name(i), onnx: [{ name: name(i), opType: name(i + 1) }] }));
    for (const modelFile of evil) {
      const sources = putFiles(
        folder(),
        renderC(hostile, { name: 'net', layers, provenance: { ...provenance, modelFile } }),
      );
      for (const compiler of ['gcc', 'clang'] as const)
        compileObjects(
          compiler,
          [...strictFlags, '-trigraphs', '-Wcomment'],
          sources.filter((s) => !s.includes('_qmcu_')),
          folder(),
          'net',
        );
    }
  });

  it('takes the DSP extension under Arm Compiler 6 at every level that optimizes', () => {
    const header = firmwareSources()
      .find((file) => file.endsWith('qmcu_pool.c'))!
      .replace('qmcu_pool.c', 'qmcu_core.h');
    const arm = ['--target=arm-none-eabi', '-mthumb', '-mcpu=cortex-m4', '-ffreestanding', '-D__ARMCC_VERSION=6210000'];
    const macros = (level: string): string =>
      runCommand('clang', [...arm, level, ...firmwareIncludes, '-E', '-dM', header]);
    for (const level of ['-O1', '-O2', '-Os', '-Oz']) assert.match(macros(level), /#define QMCU_HAS_DSP 1\n/, level);
    assert.match(macros('-O0'), /#define QMCU_HAS_DSP 0\n/);
  });

  it('scales per channel and several inputs and outputs are in the header', () => {
    const p = new ProgramBuilder();
    const a = p.buffer('input', 2, 3, 2, 8, false);
    const b = p.buffer('input', 2, 3, 2, 8, true);
    const out = p.buffer('map', 2, 3, 2, 8, true);
    p.step(
      0,
      { op: 'add', sum: { multipliers: [1, 1], offset: 0, shift: 0, min: -128, max: 127 } },
      [p.all(a), p.all(b)],
      p.all(out),
    );
    p.output(out);
    const base = p.build('net');
    const program = {
      ...base,
      inputs: base.inputs.map((port) => ({ ...port, scales: [0.5, 0.25], zeroPoints: [0, 3] })),
    };
    const output = run(
      renderC(program, { name: 'net', provenance }),
      `#include <stdio.h>
#include "net.h"
int main(void) {
    static const float scales[] = NET_INPUT_1_SCALES;
    static const int zeros[NET_INPUT_C] = NET_INPUT_1_ZERO_POINTS;
    printf("%d %d %dx%dx%d %d %d %g %g %d %d %g %d", NET_INPUTS, NET_OUTPUTS, NET_INPUT_H,
           NET_INPUT_W, NET_INPUT_C, NET_INPUT_SIGNED, NET_INPUT_1_SIGNED, (double)scales[0], (double)scales[1],
           zeros[0], zeros[1], (double)(NET_OUTPUT_SCALE * 255.0f), NET_OUTPUT_BYTES);
    return 0;
}
`,
    );
    assert.equal(output, '2 1 2x3x2 0 1 0.5 0.25 0 3 1 12');
  });

  it('builds as a CMake library in a project', async () => {
    const { files } = reference(randomProgram(9), 1, 1);
    writeFileSync(
      path.join(folder(), 'CMakeLists.txt'),
      `cmake_minimum_required(VERSION 3.16)
project(firmware C)
add_subdirectory(lib/net)
add_executable(firmware main.c)
target_link_libraries(firmware PRIVATE net)
`,
    );
    writeFileSync(
      path.join(folder(), 'main.c'),
      '#include "net.h"\nstatic NET_ARENA(arena);\nint main(void) { return net_selftest(arena); }\n',
    );
    await writeToProject(folder(), 'net', files);
    runCommand('cmake', ['-S', folder(), '-B', path.join(folder(), 'build')]);
    runCommand('cmake', ['--build', path.join(folder(), 'build')]);
    runCommand(path.join(folder(), 'build', 'firmware'), []);
  });
});
