import { Executor } from '../program/interpreter';
import { resolveAccess } from '../program/interpreter/access';
import type { Program } from '../program/types';
import { isWatched, stepNumbers } from './checkpoints';

/** Most hashes that a self-test stores: 4 bytes of flash each. */
export const MOST_CHECKS = 96;

/** What the self-test compares: a hash of all that was written until after a step. */
export interface Checks {
  /** Steps from one check to the next. */
  readonly every: number;
  /** After steps every - 1, 2 * every - 1 ..., and the last one. */
  readonly hashes: readonly number[];
  /** How many steps there are. */
  readonly steps: number;
}

/** FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
export const HASH_BASIS = 0x811c9dc5;
export const HASH_PRIME = 0x01000193;

/** Runs the reference interpreter on the self-test's input and notes what the firmware has to compute. */
export function selftestChecks(program: Program): Checks {
  const numbers = stepNumbers(program);
  const watched = isWatched(program);
  const steps = (numbers[numbers.length - 1] ?? -1) + 1;
  const every = Math.max(1, Math.ceil(steps / MOST_CHECKS));
  const hashes = new Array<number>(Math.ceil(steps / every)).fill(0);
  const placeOf = new Map(program.steps.map((step, i) => [step, i]));
  let hash = HASH_BASIS;
  new Executor(program).run(selftestInputs(program), {
    afterStep: ({ step, arena }) => {
      const at = placeOf.get(step)!;
      if (!watched[at]) return;
      if (step.kernel.op !== 'classify') {
        const { offset, h, w, channels, bits, rowBytes, pixelBytes } = resolveAccess(program, step.output, true);
        const bytes = Math.ceil((channels * bits) / 8);
        for (let y = 0; y < h; y++)
          for (let x = 0; x < w; x++)
            for (let i = 0; i < bytes; i++)
              hash = Math.imul(hash ^ arena[offset + y * rowBytes + x * pixelBytes + i], HASH_PRIME) >>> 0;
      }
      const number = numbers[at];
      if ((number + 1) % every === 0 || number === steps - 1) hashes[Math.floor(number / every)] = hash;
    },
  });
  return { every, hashes, steps };
}

/**
 * The self-test's input, which the firmware makes for itself: waves with noise on them, each byte from its place alone,
 * so that tiles can be made in any order.
 */
export function selftestInputs(program: Program): Uint8Array[] {
  return program.inputs.map(({ buffer }) => {
    const { bytes, pixelBytes, rowBytes, channels, bits } = program.buffers[buffer];
    const width = rowBytes / pixelBytes;
    const rest = (channels * bits) % 8;
    const input = new Uint8Array(bytes);
    for (let i = 0; i < bytes; i++) {
      const k = i % pixelBytes;
      const x = Math.floor(i / pixelBytes) % width;
      const y = Math.floor(i / rowBytes);
      const t = (5 * x + 3 * y + 32 * k) & 255;
      const noise = Math.imul(i + 1, 0x9e3779b1) >>> 25;
      const value = (t < 128 ? t : 255 - t) + noise;
      input[i] = rest !== 0 && k === pixelBytes - 1 ? value & ((1 << rest) - 1) : value;
    }
    return input;
  });
}
