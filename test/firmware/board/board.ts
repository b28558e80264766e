import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { projectRoot } from '../../support/paths';
import { runCommand, strictFlags } from '../support/hostBuild';

/** Cores that QEMU emulates with enough memory for real networks. */
export type Core = 'm0plus' | 'm3' | 'm4' | 'm7' | 'm55';

interface Board {
  /** Compiler flags that choose the core. */
  readonly cpu: readonly string[];
  readonly machine: string;
  readonly linkerScript: string;
}

const boards: Record<Core, Board> = {
  // QEMU has no board with an M0+ and enough memory; the M3 executes Armv6-M code.
  m0plus: { cpu: ['-mcpu=cortex-m0plus', '-mfloat-abi=soft'], machine: 'mps2-an385', linkerScript: 'mps2.ld' },
  m3: { cpu: ['-mcpu=cortex-m3', '-mfloat-abi=soft'], machine: 'mps2-an385', linkerScript: 'mps2.ld' },
  m4: {
    cpu: ['-mcpu=cortex-m4', '-mfpu=fpv4-sp-d16', '-mfloat-abi=hard'],
    machine: 'mps2-an386',
    linkerScript: 'mps2.ld',
  },
  m7: {
    cpu: ['-mcpu=cortex-m7', '-mfpu=fpv5-d16', '-mfloat-abi=hard'],
    machine: 'mps2-an500',
    linkerScript: 'mps2-an500.ld',
  },
  m55: { cpu: ['-mcpu=cortex-m55', '-mfloat-abi=hard'], machine: 'mps3-an547', linkerScript: 'mps3.ld' },
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
  const { cpu, linkerScript } = boards[core];
  const given =
    compiler === 'gcc'
      ? sources
      : sources.map((source, i) => {
          const object = `${elf}.${i}.o`;
          runCommand(
            'clang',
            [
              '--target=arm-none-eabi',
              '-munaligned-access',
              ...strictFlags,
              '-mthumb',
              ...cpu,
              ...flags,
              '-fshort-enums',
              '-ffunction-sections',
              '-fdata-sections',
              '-isystem',
              newlibHeaders(),
              `-I${here}`,
              '-c',
              source,
              '-o',
              object,
            ],
            { silent: true },
          );
          return object;
        });
  runCommand(
    'arm-none-eabi-gcc',
    [
      ...strictFlags,
      '-mthumb',
      ...cpu,
      ...flags,
      '-g',
      '-ffunction-sections',
      '-fdata-sections',
      `-I${here}`,
      ...given,
      path.join(here, 'startup.c'),
      path.join(here, 'semihosting.c'),
      '-nostartfiles',
      '--specs=nano.specs',
      '--specs=nosys.specs',
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
    'qemu-system-arm',
    [
      '-M',
      boards[core].machine,
      '-display',
      'none',
      '-monitor',
      'none',
      '-serial',
      'none',
      '-chardev',
      'stdio,id=semihosting',
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
export function boardSizes(elf: string): { flash: number; ram: number } {
  const [text, data, bss] = runCommand('arm-none-eabi-size', [elf]).split('\n')[1].trim().split(/\s+/).map(Number);
  return { flash: text + data, ram: data + bss };
}
