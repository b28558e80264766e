import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
// The sample's board files serve here, too: the sample stands alone, and they are the same for any program.
import semihosting from '../../../media/sample/firmware/board/semihosting.h';
import startup from '../../../media/sample/firmware/board/startup.c';
import { lentBy, type GeneratedFile } from '../codegen';
import { UserError } from '../common/errors';
import { checkCancelled, type Progress } from '../common/progress';
import type { Program } from '../program/types';
import { emulatedBoards, linkerScript, type SelftestCore } from './boards';
import { runTool } from './process';
import { countingArguments, countingLinkFlags, countingSource, layerCounts } from './stepCounts';

const compileSeconds = 300;
const runSeconds = 600;
const armHint =
  'Install the Arm GNU Toolchain and put its bin folder on the PATH (Debian, Ubuntu: gcc-arm-none-eabi and ' +
  'libnewlib-arm-none-eabi).';
const qemuHint = 'Install QEMU and put it on the PATH (Debian, Ubuntu: qemu-system-arm; Windows, macOS: qemu).';
const hostHint = 'Install a C compiler and put it on the PATH.';

export interface SelftestResult {
  readonly core: SelftestCore;
  readonly passed: boolean;
  /** What came out, in words. */
  readonly message: string;
  /** What compiler and program printed. */
  readonly output: string;
  /**
   * Instructions of each layer, by position, counted on the emulated board; null on this computer, and where no
   * inference ran.
   */
  readonly layers: readonly number[] | null;
}

/**
 * Builds generated sources with their self-test and runs it: everything that steps write has to be what the
 * generator computed. Works in a temporary folder; needs `arm-none-eabi-gcc` and `qemu-system-arm`, or for `host` a C
 * compiler.
 *
 * @param counted the Program of the sources: its layers' instructions are counted on the way
 * @throws UserError if a tool is missing, or the sources do not compile or fit the board
 */
export async function runSelftest(
  name: string,
  files: readonly GeneratedFile[],
  core: SelftestCore,
  progress: Progress,
  counted?: Program,
): Promise<SelftestResult> {
  const folder = await mkdtemp(path.join(tmpdir(), 'quantmcu-selftest-'));
  try {
    const program = await build(folder, name, files, core, progress, counted);
    checkCancelled(progress);
    progress.report('Running the self-test', 0, 0);
    const { exitCode, output } =
      core === 'host'
        ? await runTool(program, [], { cwd: folder, seconds: runSeconds, hint: '' }, progress)
        : await emulate(folder, program, emulatedBoards[core].machine, progress);
    const layers = counted && core !== 'host' && exitCode === 0 ? layerCounts(counted, output) : null;
    return { core, passed: exitCode === 0, message: verdict(exitCode), output, layers };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function build(
  folder: string,
  name: string,
  files: readonly GeneratedFile[],
  core: SelftestCore,
  progress: Progress,
  counted: Program | undefined,
): Promise<string> {
  progress.report('Compiling the self-test', 0, 0);
  const board: GeneratedFile[] =
    core === 'host'
      ? []
      : [
          { path: 'startup.c', text: startup },
          { path: 'semihosting.h', text: semihosting },
          { path: 'board.ld', text: linkerScript(emulatedBoards[core]) },
          ...(counted ? [{ path: 'counting.c', text: countingFor(files, counted, name) }] : []),
        ];
  const all = [
    ...files.map((file) => ({ ...file, path: `model/${file.path}` })),
    ...board,
    { path: 'selftest_main.c', text: mainProgram(name, core, files, counted !== undefined && core !== 'host') },
  ];
  for (const { path: file, text } of all) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
  const sources = all.map((file) => file.path).filter((file) => file.endsWith('.c'));
  // A name with a dot, so that Windows runs it too.
  const program = path.join(folder, core === 'host' ? 'selftest.exe' : 'selftest.elf');
  const common = [
    '-std=c99',
    '-O2',
    '-ffunction-sections',
    '-fdata-sections',
    '-Imodel',
    '-I.',
    ...sources,
    '-o',
    program,
  ];
  const { exitCode, output } =
    core === 'host'
      ? await runTool(
          process.platform === 'win32' ? 'gcc' : 'cc',
          common,
          { cwd: folder, seconds: compileSeconds, hint: hostHint },
          progress,
        )
      : await runTool(
          'arm-none-eabi-gcc',
          [
            '-mthumb',
            ...emulatedBoards[core].flags,
            ...common,
            '-nostartfiles',
            '-Wl,--gc-sections',
            '-Tboard.ld',
            ...(counted ? countingLinkFlags(counted, name) : []),
          ],
          { cwd: folder, seconds: compileSeconds, hint: armHint },
          progress,
        );
  if (exitCode === 0) return program;
  if (/region `(FLASH|CONST|RAM)' overflowed/.test(output))
    throw new UserError(
      `${name}: the program does not fit the emulated board, which has 16 MB for constants and ` +
        `${core === 'm55' ? 2 : 4} MB of RAM.`,
    );
  throw new UserError(
    `${name}: the self-test does not compile: ${/^.*\berror\b.*$/m.exec(output)?.[0] ?? output.slice(-500)}`,
  );
}

/** QEMU's options for a board whose program speaks to the host alone, which it knows as `semihosting`. */
export const HEADLESS: readonly string[] = [
  ...['-display', 'none', '-monitor', 'none', '-serial', 'none'],
  ...['-chardev', 'stdio,id=semihosting'],
];

/** Sources in one folder have their own runtime, whose names begin with theirs. */
function countingFor(files: readonly GeneratedFile[], program: Program, name: string): string {
  const text = countingSource(program, name);
  return files.some((file) => file.text.includes(`${name}_qmcu_watch`))
    ? text.replace(/\bqmcu_/g, `${name}_qmcu_`)
    : text;
}

/** @see https://www.qemu.org/docs/master/about/emulation.html#semihosting */
function emulate(folder: string, program: string, machine: string, progress: Progress): ReturnType<typeof runTool> {
  return runTool(
    'qemu-system-arm',
    [
      '-M',
      machine,
      ...HEADLESS,
      '-semihosting-config',
      'enable=on,target=native,chardev=semihosting',
      ...countingArguments,
      '-kernel',
      path.basename(program),
    ],
    { cwd: folder, seconds: runSeconds, hint: qemuHint },
    progress,
  );
}

/**
 * A firmware that does nothing but test itself; it prints the sizes that were generated, and ends with the self-test's
 * code.
 */
function mainProgram(name: string, core: SelftestCore, files: readonly GeneratedFile[], counted: boolean): string {
  const boxes = files.some((f) => f.path === `${name}_detect.h`);
  const print =
    core === 'host'
      ? { include: '#include <stdio.h>', line: 'puts' }
      : { include: '#include "semihosting.h"', line: 'semihosting_print' };
  const end = core === 'host' ? '' : '\\n';
  const scratch = boxes ? `static uint32_t scratch[${name.toUpperCase()}_DETECT_SCRATCH_BYTES / 4];\n` : '';
  const lent = lentBy(name, files);
  const memory = lent.map((p) => `static uint8_t ${p}[${name.toUpperCase()}_${p.toUpperCase()}_BYTES];\n`);
  const test = `${name}${boxes ? '_detect' : ''}_selftest`;
  const args = ['arena', ...lent, ...(boxes ? ['scratch'] : [])];
  return `${print.include}
#include "${name}.h"
${boxes ? `#include "${name}_detect.h"\n` : ''}
static ${name.toUpperCase()}_ARENA(arena);
${counted ? 'void print_steps(void);\n' : ''}${scratch}${memory.join('')}
int main(void)
{
    const int error = ${test}(${args.join(', ')});
    ${print.line}(error == 0 ? "${name}_selftest: passed${end}" : "${name}_selftest: FAILED${end}");
${counted ? '    print_steps();\n' : ''}    return error;
}
`;
}

/** What an exit code says: the error codes of the generated header, 99 from the start-up code. */
function verdict(exitCode: number | null): string {
  switch (exitCode) {
    case 0:
      return 'passed: it computes what the editor simulates, byte for byte';
    case 3:
      return 'failed: it computes something else than the editor simulates';
    case 4:
      return 'not run: the sources contain no self-test';
    case 99:
      return 'failed: the processor took an exception';
    default:
      return `failed: the program ended with ${exitCode ?? 'a signal'}`;
  }
}
