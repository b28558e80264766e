import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { emulatedBoards, type EmulatedCore } from '../../../src/engine/emulator/boards';
import { HEADLESS } from '../../../src/engine/emulator/selftest';
import { projectRoot } from '../../support/paths';
import { strictFlags } from '../support/hostBuild';
import { compileObjects } from '../support/objects';
import { runCommand } from '../support/runCommand';

/** Cores that QEMU emulates with enough memory for real networks. */
export type Core = 'm0plus' | 'm3' | 'm4' | 'm7' | 'm33' | 'm55' | 'rv32imac';

interface Board {
  /** Compiler flags that choose the core. */
  readonly cpu: readonly string[];
  readonly machine: string;
  readonly linkerScript: string;
  readonly tools: Tools;
}

/** Compiler, emulator and C library of a kind of core. */
interface Tools {
  readonly gcc: string;
  readonly size: string;
  readonly qemu: string;
  readonly compile: readonly string[];
  readonly link: readonly string[];
  readonly emulate: readonly string[];
}

const arm: Tools = {
  gcc: 'arm-none-eabi-gcc',
  size: 'arm-none-eabi-size',
  qemu: 'qemu-system-arm',
  compile: ['-mthumb'],
  link: ['--specs=nano.specs', '--specs=nosys.specs'],
  emulate: [],
};

const riscv: Tools = {
  gcc: 'riscv64-unknown-elf-gcc',
  size: 'riscv64-unknown-elf-size',
  qemu: 'qemu-system-riscv32',
  // No data near the global pointer, which nobody sets.
  compile: ['-msmall-data-limit=0', '--specs=picolibc.specs'],
  link: ['-Wl,--no-relax'],
  emulate: ['-bios', 'none', '-m', '64M'],
};

/** The emulated board that the extension counts instructions on. */
function cortex(core: EmulatedCore, linkerScript: string): Board {
  const { flags, machine } = emulatedBoards[core];
  return { cpu: flags, machine, linkerScript, tools: arm };
}

const boards: Record<Core, Board> = {
  m0plus: cortex('m0plus', 'mps2.ld'),
  m3: cortex('m3', 'mps2.ld'),
  m4: cortex('m4', 'mps2.ld'),
  m7: cortex('m7', 'mps2-an500.ld'),
  m33: cortex('m33', 'mps2-an505.ld'),
  m55: cortex('m55', 'mps3.ld'),
  rv32imac: { cpu: ['-march=rv32imac', '-mabi=ilp32'], machine: 'virt', linkerScript: 'virt-rv32.ld', tools: riscv },
};

export const cores = Object.keys(boards) as Core[];

const here = path.join(projectRoot, 'test/firmware/board');

/**
 * Compiles and links a program for a board; any warning of ours fails. `sources` have a `main(argc, argv)`.
 * @param compiler of the sources; GCC links
 */
export function buildForBoard(
  core: Core,
  sources: readonly string[],
  elf: string,
  flags: readonly string[] = ['-O2'],
  compiler: 'gcc' | 'clang' = 'gcc',
): void {
  const { cpu, linkerScript, tools } = boards[core];
  if (compiler === 'clang' && tools !== arm) throw new Error(`Clang builds for Arm only, not for ${core}.`);
  const sections = ['-ffunction-sections', '-fdata-sections'];
  // Lines only: to keep track of the variables of inlined kernels takes GCC longer than to compile them.
  const flagsOf = {
    gcc: [...strictFlags, ...tools.compile, ...cpu, ...flags, '-g1', ...sections, `-I${here}`],
    clang: [
      '--target=arm-none-eabi',
      '-munaligned-access',
      ...strictFlags,
      '-mthumb',
      ...cpu,
      ...flags,
      '-fshort-enums',
      ...sections,
      ...(compiler === 'clang' ? ['-isystem', newlibHeaders()] : []),
      `-I${here}`,
    ],
  };
  const objects = (kind: 'gcc' | 'clang', of: readonly string[], prefix: string): string[] =>
    compileObjects(kind === 'gcc' ? tools.gcc : 'clang', flagsOf[kind], of, path.dirname(elf), prefix);
  const board = ['startup.c', 'semihosting.c'].map((file) => path.join(here, file));
  runCommand(
    tools.gcc,
    [
      ...flagsOf.gcc,
      ...objects(compiler, sources, path.basename(elf)),
      ...objects('gcc', board, `${path.basename(elf)}.board`),
      '-nostartfiles',
      ...tools.link,
      `-L${here}`,
      `-T${path.join(here, linkerScript)}`,
      '-Wl,--gc-sections',
      '-Wl,--no-warn-rwx-segments',
      '-Wl,-z,noexecstack',
      `-Wl,-Map=${elf}.map`,
      '-o',
      elf,
    ],
    { silent: true },
  );
}

/** Where GCC finds the C library's headers. */
function newlibHeaders(): string {
  const { stderr } = spawnSync('arm-none-eabi-gcc', ['-xc', '-E', '-v', '-'], { encoding: 'utf8', input: '' });
  const folder = stderr
    .split('\n')
    .map((line) => line.trim())
    .find((line) => /arm-none-eabi\/include$/.test(line));
  if (folder === undefined) throw new Error('arm-none-eabi-gcc names no headers of a C library.');
  return folder;
}

export interface BoardRun {
  /** What main() returned; 99 after a fault. */
  readonly exitCode: number | null;
  /** What the program printed. */
  readonly output: string;
}

/**
 * Runs a program on an emulated board. It sees the files of `cwd` and the words of `args`.
 * @param qemu further options of QEMU, e.g. a plugin
 */
export function runOnBoard(
  core: Core,
  elf: string,
  options: { args?: readonly string[]; cwd?: string; timeout?: number; qemu?: readonly string[] } = {},
): BoardRun {
  const words = ['firmware', ...(options.args ?? [])].map((word) => `,arg=${word}`).join('');
  const { status, stdout, stderr, error } = spawnSync(
    boards[core].tools.qemu,
    [
      ...boards[core].tools.emulate,
      '-M',
      boards[core].machine,
      ...HEADLESS,
      '-semihosting-config',
      `enable=on,target=native,chardev=semihosting${words}`,
      '-kernel',
      elf,
      ...(options.qemu ?? []),
    ],
    { cwd: options.cwd, encoding: 'utf8', timeout: options.timeout ?? 600_000, input: '' },
  );
  if (error) throw error;
  return { exitCode: status, output: stdout + stderr };
}

/** Flash and RAM that a built program takes, in bytes; the stack is part of the RAM. */
export function boardSizes(elf: string, core: Core = 'm4'): { flash: number; ram: number } {
  const [text, data, bss] = runCommand(boards[core].tools.size, [elf]).split('\n')[1].trim().split(/\s+/).map(Number);
  return { flash: text + data, ram: data + bss };
}
