import { readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { GeneratedFile } from '../../../src/engine/codegen';
import type { Program } from '../../../src/engine/program/types';
import { boardSizes, buildForBoard, runOnBoard, type Core } from '../board/board';
import { putFiles } from './hostBuild';

export interface BoardResult {
  readonly outputs: Uint8Array[][];
  readonly selftest: number;
  readonly flash: number;
  readonly ram: number;
}

/** Builds generated files for a board and runs them there on the given inputs, which the program reads from a file of this computer. */
export function runGeneratedOnBoard(folder: string, core: Core, program: Program, files: readonly GeneratedFile[], inputs: readonly (readonly Uint8Array[])[]): BoardResult {
  const sources = putFiles(folder, [...files, { path: 'driver.c', text: driver(program, inputs.length) }]);
  const elf = path.join(folder, `${core}.elf`);
  buildForBoard(core, sources, elf);
  writeFileSync(path.join(folder, 'inputs.bin'), Buffer.concat(inputs.flat()));
  const { exitCode, output } = runOnBoard(core, elf, { cwd: folder });
  const selftest = /^selftest (\d+)$/m.exec(output)?.[1];
  if (exitCode !== 0 || selftest === undefined) throw new Error(`${elf} ended with ${exitCode}: ${output}`);
  const bytes = readFileSync(path.join(folder, 'outputs.bin'));
  let at = 0;
  const outputs = inputs.map(() => program.outputs.map((port) => bytes.subarray(at, (at += program.buffers[port.buffer].bytes))));
  return { outputs, selftest: Number(selftest), ...boardSizes(elf) };
}

function driver(program: Program, count: number): string {
  const { name } = program;
  const prefix = name.toUpperCase();
  const suffix = (i: number): string => (i === 0 ? '' : `_${i}`);
  return `#include "semihosting.h"
#include "${name}.h"

static ${prefix}_ARENA(arena);

int main(int argc, char **argv)
{
    int i;
    const int in = semihosting_open("inputs.bin", SEMIHOSTING_MODE_RB);
    const int out = semihosting_open("outputs.bin", SEMIHOSTING_MODE_WB);
    (void)argv;
    if (argc < 1 || in < 0 || out < 0) return 2;
    for (i = 0; i < ${count}; i++) {
${program.inputs.map((_, i) => `        if (!semihosting_read(in, ${name}_input${suffix(i)}(arena), ${prefix}_INPUT${suffix(i)}_BYTES)) return 3;\n`).join('')}        if (${name}_invoke(arena) != ${prefix}_OK) return 4;
${program.outputs.map((_, i) => `        if (!semihosting_write(out, ${name}_output${suffix(i)}(arena), ${prefix}_OUTPUT${suffix(i)}_BYTES)) return 5;\n`).join('')}    }
    semihosting_close(in);
    semihosting_close(out);
    semihosting_print("selftest ");
    semihosting_print_unsigned((uint32_t)${name}_selftest(arena));
    semihosting_print("\\n");
    return 0;
}
`;
}
