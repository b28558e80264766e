// The commands that benches run: `quantize` and `evaluate` of the built command line.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { projectRoot } from '../support/bundle.mjs';

/** The command line that `npm run build` makes. */
export const builtCli = path.join(projectRoot, 'dist/cli.js');

/** A board with memory for anything: what is measured does not depend on its limits. */
export const roomyBoard = ['--target', 'custom', '--sram', '4M', '--flash', '16M'];

/**
 * Runs a command in a process of its own. @param {string[]} args @param {string} [cli] @param {string[]} [node] options
 * of Node @returns {any} what it prints with --json
 */
export function runCommand(args, cli = builtCli, node = []) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, cli, ...args, '--json'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/**
 * Arguments of `quantize` for the roomy board.
 * @param {{model: string, images: string, limit: string, preprocess: string, options: string[], out: string}} request
 */
export function quantizeArgs({ model, images, limit, preprocess, options, out }) {
  const samples = ['--images', images, '--limit', limit];
  return ['quantize', model, ...samples, ...roomyBoard, '--preprocess', preprocess, ...options, '--out', out];
}

/** Arguments of `evaluate`. @param {string} plan @param {string} images @param {string} limit @param {string[]} more */
export function evaluateArgs(plan, images, limit, ...more) {
  return ['evaluate', plan, '--images', images, '--limit', limit, ...more];
}
