import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { renderSources, runtimeFiles, type GeneratedFile } from '../../../src/engine/codegen';
import { comesInTiles, externalInputs } from '../../../src/engine/codegen/inputs';
import { coreKinds, joinNeeds, type RuntimeNeeds } from '../../../src/engine/codegen/runtime';
import type { Program } from '../../../src/engine/program/types';
import type { Optimize } from '../../../src/engine/targets/types';
import { putFiles, runCommand } from './hostBuild';
import { cached } from './objects';

const arm = (...cpu: string[]): CoreBuild => ({
  tools: 'arm-none-eabi',
  flags: ['-mthumb', ...cpu],
  link: ['--specs=nosys.specs', '--specs=nano.specs'],
});

interface CoreBuild {
  readonly tools: string;
  readonly flags: readonly string[];
  readonly link: readonly string[];
}

/** Cores that flash is linked for. */
export const LINKED_CORES = {
  'cortex-m4': arm('-mcpu=cortex-m4', '-mfpu=fpv4-sp-d16', '-mfloat-abi=hard'),
  'cortex-m0plus': arm('-mcpu=cortex-m0plus', '-mfloat-abi=soft'),
  riscv32: {
    tools: 'riscv64-unknown-elf',
    flags: ['-march=rv32imac', '-mabi=ilp32', '-msmall-data-limit=0', '--specs=picolibc.specs'],
    // Any board: the linker's own script has memory for small programs.
    link: ['-Wl,--defsym=__flash_size=16M', '-Wl,--defsym=__ram_size=16M'],
  },
} as const satisfies Record<string, CoreBuild>;
export type LinkedCore = keyof typeof LINKED_CORES;

/** And cores of single boards. */
const BUILDS = {
  ...LINKED_CORES,
  'cortex-m7': arm('-mcpu=cortex-m7', '-mfpu=fpv5-d16', '-mfloat-abi=hard'),
} as const satisfies Record<string, CoreBuild>;

const COMPILE = ['-O3', '-std=c99', '-ffunction-sections', '-fdata-sections'];
const EMPTY = 'int main(void) { return 0; }\n';

/** Told flash of a program's sources, and what a program that runs one inference takes more than an empty one. */
export class FlashLinker {
  private empty: number | undefined;

  constructor(
    private readonly folder: string,
    private readonly core: keyof typeof BUILDS,
  ) {}

  measure(program: Program, optimize: Optimize, flashBytes: number): { told: number; linked: number } {
    return this.measureTogether([program], optimize, flashBytes);
  }

  /** The same of several models in one program, what is told summed up. */
  measureTogether(
    programs: readonly Program[],
    optimize: Optimize,
    flashBytes: number,
  ): { told: number; linked: number } {
    const generated = programs.map((program) => this.generate(program, optimize, flashBytes));
    const runtimeC = this.runtime(runtimeFiles(joinNeeds(generated.map((g) => g.runtime))));
    const objects = [
      ...runtimeC.map((source) => this.compile(source, [path.dirname(runtimeC[0])])),
      ...generated.flatMap(({ folder, sources }) =>
        sources.map((source) => this.compile(source, [path.dirname(runtimeC[0]), folder])),
      ),
      this.compile(this.main(programs, optimize), []),
    ];
    this.empty ??= this.link(
      putFiles(path.join(this.folder, 'empty'), [{ path: 'main.c', text: EMPTY }]).map((f) => this.compile(f, [])),
    );
    return { told: generated.reduce((sum, { told }) => sum + told, 0), linked: this.link(objects) - this.empty };
  }

  private generate(
    program: Program,
    optimize: Optimize,
    flashBytes: number,
  ): { told: number; runtime: RuntimeNeeds; folder: string; sources: readonly string[] } {
    const { name } = program;
    const { files, runtime } = renderSources(program, {
      name,
      provenance: { generator: 'test', planHash: '', modelFile: '' },
      optimize,
      target: { core: this.core, flashBytes },
      cores: coreKinds(this.core),
      ...(program.head ? { detection: { head: program.head, golden: [] } } : {}),
    });
    const folder = path.join(this.folder, name, optimize);
    const sources = putFiles(folder, [...files, { path: 'run.c', text: runOf(program) }]);
    const header = files.find((f) => f.path === `${name}.h`)!.text;
    const told = Number(new RegExp(`#define ${name.toUpperCase()}_FLASH_BYTES (\\d+)`).exec(header)![1]);
    return { told, runtime, folder, sources };
  }

  private main(programs: readonly Program[], optimize: Optimize): string {
    const names = programs.map(({ name }) => name);
    const text =
      names.map((name) => `int run_${name}(void);\n`).join('') +
      `int main(void)\n{\n    return ${names.map((name) => `run_${name}()`).join(' | ')};\n}\n`;
    return putFiles(path.join(this.folder, names.join('-'), optimize, 'main'), [{ path: 'main.c', text }])[0];
  }

  /**
   * Each file of the runtime is compiled once with the same headers, which say what is compiled of it.
   */
  private runtime(files: readonly GeneratedFile[]): string[] {
    const headers = files.filter((f) => f.path.endsWith('.h'));
    const key = createHash('sha256').update(JSON.stringify(headers)).digest('hex').slice(0, 16);
    const folder = path.join(this.folder, 'runtime', key);
    const others = files.filter((f) => {
      const file = path.join(folder, f.path);
      return !existsSync(file) || readFileSync(file, 'utf8') !== f.text;
    });
    putFiles(folder, others).forEach((source) => rmSync(source.replace(/c$/, 'o'), { force: true }));
    return files.filter((f) => f.path.endsWith('.c')).map((f) => path.join(folder, f.path));
  }

  private compile(source: string, include: readonly string[]): string {
    const { tools, flags } = BUILDS[this.core];
    const object = source.replace(/c$/, 'o');
    if (existsSync(object)) return object;
    const cwd = path.dirname(source);
    const { command, first, env } = cached(`${tools}-gcc`);
    const folders = include.map((i) => `-I${path.relative(cwd, i) || '.'}`);
    const files = ['-c', path.basename(source), '-o', path.basename(object)];
    runCommand(command, [...first, ...flags, ...COMPILE, ...folders, ...files], { cwd, env });
    return object;
  }

  private link(objects: readonly string[]): number {
    const { tools, flags, link } = BUILDS[this.core];
    const program = path.join(this.folder, 'program.elf');
    runCommand(`${tools}-gcc`, [...flags, ...link, ...objects, '-Wl,--gc-sections', '-o', program]);
    return Number(runCommand(`${tools}-size`, [program]).split('\n')[1].trim().split(/\s+/)[0]);
  }
}

/** A function that runs one inference. */
function runOf(program: Program): string {
  const { name } = program;
  const inputs = externalInputs(program).map((_, i) => `, &input_${name}[${i}]`);
  const tiles = comesInTiles(program);
  const invoke = tiles ? `${name}_invoke_tiles` : inputs.length > 0 ? `${name}_invoke_from` : `${name}_invoke`;
  const arena = `static ${name.toUpperCase()}_ARENA(arena);\n`;
  const type = tiles ? `${name}_source` : 'const uint8_t';
  const held = inputs.length === 0 ? '' : `${type} input_${name}[${tiles ? inputs.length : 1}];`;
  const head = `int run_${name}(void);\nint run_${name}(void)\n{\n`;
  if (program.head)
    return (
      `#include "${name}_detect.h"\n${arena}extern ${name}_box boxes_${name}[1];\n${name}_box boxes_${name}[1];\n` +
      `static uint32_t scratch[${name.toUpperCase()}_DETECT_SCRATCH_BYTES / 4];\n` +
      `${head}    ${name}_invoke(arena);\n    return ${name}_detect(arena, scratch, boxes_${name}, 1);\n}\n`
    );
  return (
    `#include "${name}.h"\n${arena}${held === '' ? '' : `extern ${held}\n${held}\n`}` +
    `${head}    return ${invoke}(arena${inputs.join('')});\n}\n`
  );
}
