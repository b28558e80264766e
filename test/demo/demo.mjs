// The main job on the sample, from a fresh checkout: quantize the gauge reader, generate C into its firmware project,
// build and run it on this computer and, where the tools are there, on an emulated Cortex-M4. Works on a copy in
// out/demo, so the sample stays as it is.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../support/bundle.mjs';
import { ensureTools } from '../support/tools.mjs';

const sample = path.join(projectRoot, 'media/sample');
const work = path.join(projectRoot, 'out/demo');
const plan = path.join(work, 'gauge.quantmcu.json');
const firmware = path.join(work, 'firmware');
// A part with 48 KB of RAM; the stack and the application keep 4 KB.
const SRAM_BYTES = 44 * 1024;

/** An argument as somebody in the project's folder would type it. @param {string} arg */
function shown(arg) {
  if (arg === process.execPath) return 'node';
  return path.isAbsolute(arg) ? path.relative(projectRoot, arg) || '.' : arg;
}

/**
 * Runs a command, showing what it prints; ends the demo when it fails. @param {string} command @param {string[]} args
 */
function run(command, args, options = {}) {
  console.log(`\n$ ${[command, ...args].map(shown).join(' ')}`);
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', cwd: projectRoot, ...options });
  if (status !== 0) {
    console.error(error ? `${command}: ${error.message}` : `${command} failed.`);
    process.exit(1);
  }
}

const cli = (...args) => run(process.execPath, [path.join(projectRoot, 'dist/cli.js'), ...args]);

const missing = ensureTools(['gcc', 'make']);
if (missing.length > 0) {
  console.error(`The demo compiles C and needs:\n  ${missing.join('\n  ')}`);
  process.exit(1);
}
run(process.execPath, [path.join(projectRoot, 'esbuild.mjs')]);
rmSync(work, { recursive: true, force: true });
cpSync(path.join(sample, 'firmware'), firmware, { recursive: true, filter: (file) => !/[\\/](build|lib)$/.test(file) });

cli(
  'quantize',
  path.join(sample, 'gauge.onnx'),
  '--images',
  path.join(sample, 'images'),
  '--target',
  'nano33ble',
  '--sram',
  String(SRAM_BYTES),
  '--preprocess',
  'unit',
  '--out',
  plan,
);
cli('evaluate', plan, '--images', path.join(sample, 'fresh'));
cli('generate', plan, '--project', firmware);
run('make', ['-s', '-C', firmware, 'run']);

const boardTools = ensureTools(['armGcc', 'newlib', 'qemu']);
if (boardTools.length > 0) {
  console.log(`\nNot run on an emulated Cortex-M4, for want of:\n  ${boardTools.join('\n  ')}`);
} else {
  run('make', ['-s', '-C', firmware, 'run-board', 'CORE=m4']);
  run('arm-none-eabi-size', [path.join(firmware, 'build/m4/gauge_reader.elf')]);
}
