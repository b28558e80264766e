// Emulated boards that count the instructions between the marks of counting.h.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { bundleTests, projectRoot } from '../support/bundle.mjs';

export const counting = path.join(projectRoot, 'test/firmware/counting');

/**
 * test/firmware/board with `count(core, elf)`, which runs an image and counts. @param {string} work folder for the
 * plugin
 */
export async function openCountingBoard(work) {
  const bundle = await bundleTests('bench-firmware', [], {
    stdin: { contents: "export * from './test/firmware/board/board';", resolveDir: projectRoot, loader: 'js' },
  });
  const board = createRequire(import.meta.url)(bundle.file);
  bundle.remove();
  const plugin = path.join(work, 'counting.so');
  run('gcc', ['-O2', '-shared', '-fPIC', '-o', plugin, path.join(counting, 'counting.c')]);
  return {
    ...board,
    /** Runs an image whose main() must return 0. @returns what it printed, and the instructions between its marks */
    count(core, elf) {
      const counts = path.join(work, `${path.basename(elf)}.txt`);
      const { exitCode, output } = board.runOnBoard(core, elf, {
        qemu: ['-plugin', `${plugin},out=${counts},core=${core}`],
      });
      if (exitCode !== 0) throw new Error(`${elf} on ${core} ended with ${exitCode}: ${output}`);
      return { output, instructions: Number(readFileSync(counts, 'utf8').split(/\s/)[0]) };
    },
  };
}

/** Output of a command. @param {string} command @param {readonly string[]} args */
export function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stdout + stderr}`);
  return stdout;
}
