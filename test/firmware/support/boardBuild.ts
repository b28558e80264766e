import { readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { GeneratedFile } from '../../../src/engine/codegen';
import { comesInTiles } from '../../../src/engine/codegen/inputs';
import type { Program } from '../../../src/engine/program/types';
import { boardSizes, buildForBoard, runOnBoard, type Core } from '../board/board';
import { putFiles } from './hostBuild';

export interface BoardResult {
  readonly outputs: Uint8Array[][];
  readonly selftest: number;
  readonly flash: number;
  readonly ram: number;
}

/**
 * Builds generated files for a board and runs them there on the given inputs, which the program reads from a file of
 * this computer.
 */
export function runGeneratedOnBoard(
  folder: string,
  core: Core,
  program: Program,
  files: readonly GeneratedFile[],
  inputs: readonly (readonly Uint8Array[])[],
): BoardResult {
  const sources = putFiles(folder, [...files, { path: 'driver.c', text: driver(program, inputs.length) }]);
  const elf = path.join(folder, `${core}.elf`);
  buildForBoard(core, sources, elf);
  writeFileSync(path.join(folder, 'inputs.bin'), Buffer.concat(inputs.flat()));
  const { exitCode, output } = runOnBoard(core, elf, { cwd: folder });
  const selftest = /^selftest (\d+)$/m.exec(output)?.[1];
  if (exitCode !== 0 || selftest === undefined) throw new Error(`${elf} ended with ${exitCode}: ${output}`);
  const bytes = readFileSync(path.join(folder, 'outputs.bin'));
  let at = 0;
  const outputs = inputs.map(() =>
    program.outputs.map((port) => bytes.subarray(at, (at += program.buffers[port.buffer].bytes))),
  );
  return { outputs, selftest: Number(selftest), ...boardSizes(elf, core) };
}

function driver(program: Program, count: number): string {
  const { name } = program;
  const prefix = name.toUpperCase();
  const suffix = (i: number): string => (i === 0 ? '' : `_${i}`);
  // Tiles are read from the file itself: nothing of the input is in the board's memory but what the network asks for.
  const tiled = comesInTiles(program);
  const setBytes = program.inputs.map((_, i) => `${prefix}_INPUT${suffix(i)}_BYTES`).join(' + ');
  const writes = program.outputs.map(
    (_, i) =>
      `        if (!semihosting_write(out, ${name}_output${suffix(i)}(arena), ` +
      `${prefix}_OUTPUT${suffix(i)}_BYTES)) return 5;\n`,
  );
  const readers = !tiled
    ? ''
    : program.inputs
        .map(
          (_, i) => `
static int read_tile${suffix(i)}(void *context, int32_t row, int32_t rows, int32_t column, int32_t columns, uint8_t *to,
                     int32_t row_bytes)
{
    const uint32_t pixel = ${prefix}_INPUT${suffix(i)}_PIXEL_BYTES;
    for (; rows > 0; rows--, row++, to += row_bytes) {
        const uint32_t at = ((uint32_t)row * ${prefix}_INPUT${suffix(i)}_W + (uint32_t)column) * pixel;
        if (!semihosting_seek(file, *(const uint32_t *)context + at)) return 1;
        if (!semihosting_read(file, to, (uint32_t)columns * pixel)) return 1;
    }
    return 0;
}
`,
        )
        .join('');
  const begins = (i: number): string =>
    ['i * (' + setBytes + ')', ...program.inputs.slice(0, i).map((_, k) => `${prefix}_INPUT${suffix(k)}_BYTES`)].join(
      ' + ',
    );
  const infer = tiled
    ? program.inputs
        .map(
          (_, i) =>
            `        uint32_t begin${suffix(i)} = (uint32_t)(${begins(i)});\n        const ${name}_source ` +
            `source${suffix(i)} = {read_tile${suffix(i)}, &begin${suffix(i)}};\n`,
        )
        .join('') +
      `        if (${name}_invoke_tiles(arena, ` +
      `${program.inputs.map((_, i) => `&source${suffix(i)}`).join(', ')}) != ${prefix}_OK) return 4;\n`
    : program.inputs
        .map(
          (_, i) =>
            `        if (!semihosting_read(in, ${name}_input${suffix(i)}(arena), ` +
            `${prefix}_INPUT${suffix(i)}_BYTES)) return 3;\n`,
        )
        .join('') + `        if (${name}_invoke(arena) != ${prefix}_OK) return 4;\n`;
  return `#include "semihosting.h"
#include "${name}.h"

static ${prefix}_ARENA(arena);
${tiled ? 'static int file;\n' : ''}${readers}
int main(int argc, char **argv)
{
    int i;
    const int in = semihosting_open("inputs.bin", SEMIHOSTING_MODE_RB);
    const int out = semihosting_open("outputs.bin", SEMIHOSTING_MODE_WB);
    (void)argv;
    if (argc < 1 || in < 0 || out < 0) return 2;
${tiled ? '    file = in;\n' : ''}    for (i = 0; i < ${count}; i++) {
${infer}${writes.join('')}    }
    semihosting_close(in);
    semihosting_close(out);
    semihosting_print("selftest ");
    semihosting_print_unsigned((uint32_t)${name}_selftest(arena));
    semihosting_print("\\n");
    return 0;
}
`;
}
