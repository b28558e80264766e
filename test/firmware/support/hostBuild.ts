import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import type { GeneratedFile } from '../../../src/engine/codegen';
import { comesInTiles, lentBy } from '../../../src/engine/codegen/inputs';
import type { Program } from '../../../src/engine/program/types';
import { outRoot } from '../../support/paths';
import { compileObjects } from './objects';
import { runCommand } from './runCommand';

export { runCommand };

/** The warnings that generated code and the runtime must not cause. */
export const strictFlags = ['-std=c99', '-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Werror'];
export const sanitizerFlags = [
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  '-fno-omit-frame-pointer',
  '-g1',
];

/**
 * The same faults found by Clang with half the code: memory is checked by calls, and undefined behavior ends the
 * program without a word. For long code of inlined kernels; rebuilt with {@link sanitizerFlags} it says more.
 */
export const shortSanitizerFlags = [
  ...sanitizerFlags,
  '-fsanitize-trap=undefined',
  // Where it only links.
  '-Wno-unused-command-line-argument',
  '-mllvm',
  '-asan-instrumentation-with-call-threshold=0',
];

/** A fresh folder inside `out/firmware`, removed by {@link removeFolder}. */
export function scratchFolder(label: string): string {
  const root = path.join(outRoot, 'firmware');
  mkdirSync(root, { recursive: true });
  return mkdtempSync(path.join(root, `${label}-`));
}

/** A fresh folder for each test of the suite that calls this, removed after it. @returns what gives its path */
export function scratchForEach(label: string): () => string {
  let folder = '';
  beforeEach(() => {
    folder = scratchFolder(label);
  });
  afterEach(() => removeFolder(folder));
  return () => folder;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Writes files below a folder. @returns absolute paths of the C sources */
export function putFiles(folder: string, files: readonly GeneratedFile[]): string[] {
  for (const { path: file, text } of files) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
  return files.filter((f) => f.path.endsWith('.c')).map((f) => path.join(folder, f.path));
}

/** Compiles and links; any warning fails. */
export function compile(
  compiler: 'gcc' | 'clang',
  sources: readonly string[],
  output: string,
  flags: readonly string[] = [],
): void {
  const all = [...strictFlags, ...flags];
  const objects = compileObjects(compiler, all, sources, path.dirname(output), path.basename(output));
  runCommand(compiler, [...all, ...objects, '-o', output], { silent: true });
}

/** A compiled network on this computer. */
export interface HostBuild {
  /** Runs the network on several sets of inputs; the bytes of each output port per set. */
  run(inputs: readonly (readonly Uint8Array[])[]): HostRun;
}

export interface HostRun {
  readonly outputs: Uint8Array[][];
  /** What the driver found: 0 from the self-test, guard bytes whole, last byte of the arena written to. */
  readonly selftest: number;
  readonly guardsWhole: boolean;
  readonly lastByteUsed: boolean;
}

export interface HostBuildOptions {
  readonly compiler?: 'gcc' | 'clang';
  readonly flags?: readonly string[];
}

/** Compiles generated files together with a driver that feeds inputs from a file. */
export function buildForHost(
  folder: string,
  program: Program,
  files: readonly GeneratedFile[],
  { compiler = 'gcc', flags = ['-O1'] }: HostBuildOptions = {},
): HostBuild {
  const sources = putFiles(folder, [
    ...files,
    { path: 'driver.c', text: driver(program, lentBy(program.name, files)) },
  ]);
  const executable = path.join(folder, `run-${compiler}`);
  compile(compiler, sources, executable, flags);
  return {
    run(inputs) {
      const inputFile = path.join(folder, 'inputs.bin');
      const outputFile = path.join(folder, 'outputs.bin');
      writeFileSync(inputFile, Buffer.concat(inputs.flat()));
      const report = runCommand(executable, [inputFile, outputFile, String(inputs.length)]);
      const [, selftest, guards, last] = /^selftest (\d+) guards (\d) last (\d)$/m.exec(report) ?? [];
      const bytes = readFileSync(outputFile);
      let at = 0;
      const outputs = inputs.map(() =>
        program.outputs.map((port) => bytes.subarray(at, (at += program.buffers[port.buffer].bytes))),
      );
      if (at !== bytes.length) throw new Error(`The driver wrote ${bytes.length} bytes instead of ${at}.`);
      return { outputs, selftest: Number(selftest), guardsWhole: guards === '1', lastByteUsed: last === '1' };
    },
  };
}

/**
 * The arena lies between guard bytes in one block, which the address sanitizer sees as a whole, and once more alone on
 * the heap, where the sanitizer guards both ends. Before each run it is filled with 0x00 or 0xff in turn: no result may
 * depend on it, and a last byte that is used differs from the fill after one of two runs.
 */
function driver(program: Program, lent: readonly string[]): string {
  const { name } = program;
  const prefix = name.toUpperCase();
  const suffix = (i: number): string => (i === 0 ? '' : `_${i}`);
  const isExternal = program.inputs.map(({ buffer }) => program.buffers[buffer].external === true);
  const memories = program.inputs.map((_, i) =>
    isExternal[i] ? `static uint8_t outside${suffix(i)}[${prefix}_INPUT${suffix(i)}_BYTES];\n` : '',
  );
  const pointers = program.inputs.flatMap((_, i) => (isExternal[i] ? [`outside${suffix(i)}`] : []));
  const tiled = comesInTiles(program);
  const sources = tiled
    ? pointers.map(
        (p) => `    const ${name}_source ${p}_source = {${p.replace('outside', `${name}_read_input`)}, ${p}};\n`,
      )
    : [];
  const invoke = tiled
    ? `${name}_invoke_tiles(arena, ${pointers.map((p) => `&${p}_source`).join(', ')})`
    : pointers.length > 0
      ? `${name}_invoke_from(arena, ${pointers.join(', ')})`
      : `${name}_invoke(arena)`;
  const inputs = program.inputs.map(
    (_, i) =>
      `    if (fread(${isExternal[i] ? `outside${suffix(i)}` : `${name}_input${suffix(i)}(arena)`}, 1, ` +
      `${prefix}_INPUT${suffix(i)}_BYTES, in) != ${prefix}_INPUT${suffix(i)}_BYTES) return 1;\n`,
  );
  const outputs = program.outputs.map(
    (_, i) => `    fwrite(${name}_output${suffix(i)}(arena), 1, ${prefix}_OUTPUT${suffix(i)}_BYTES, out);\n`,
  );
  return `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "${name}.h"

#define GUARD 64
static QMCU_ALIGN(64) uint8_t block[GUARD + ${prefix}_ARENA_BYTES + GUARD];
${memories.join('')}
static int infer(uint8_t *arena, FILE *in)
{
${sources.join('')}${inputs.join('')}    return ${invoke};
}

static void save(const uint8_t *arena, FILE *out)
{
${outputs.join('')}}

int main(int argc, char **argv)
{
    FILE *in, *out;
    uint8_t *arena = block + GUARD;
    uint8_t *alone = malloc(${prefix}_ARENA_BYTES);
    int count, i, whole = 1, last = 0, selftest;
    if (argc != 4 || alone == NULL) return 2;
    if ((in = fopen(argv[1], "rb")) == NULL || (out = fopen(argv[2], "wb")) == NULL) return 2;
    count = atoi(argv[3]);
    memset(block, 0x5a, sizeof block);
    for (i = 0; i < count; i++) {
        const uint8_t fill = i % 2 == 0 ? 0x00 : 0xff;
        const long at = ftell(in);
        memset(arena, fill, ${prefix}_ARENA_BYTES);
        if (infer(arena, in) != 0) return 3;
        if (arena[${prefix}_ARENA_BYTES - 1] != fill) last = 1;
        save(arena, out);
        if (fseek(in, at, SEEK_SET) != 0 || infer(alone, in) != 0) return 4;
        if (memcmp(${name}_output(alone), ${name}_output(arena), ${prefix}_OUTPUT_BYTES) != 0) return 5;
    }
    selftest = ${name}_selftest(${['arena', ...lent.map((p) => p.replace('input', 'outside'))].join(', ')});
    for (i = 0; i < GUARD; i++) {
        if (block[i] != 0x5a || block[GUARD + ${prefix}_ARENA_BYTES + i] != 0x5a) whole = 0;
    }
    printf("selftest %d guards %d last %d\\n", selftest, whole, last);
    free(alone);
    return fclose(in) != 0 || fclose(out) != 0;
}
`;
}
