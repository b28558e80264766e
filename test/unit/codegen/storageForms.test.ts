import assert from 'node:assert/strict';
import { regionPixels } from '../../../src/engine/graph/region';
import { assemble } from '../../../src/engine/codegen';
import { packOf, packWeights, type Pack } from '../../../src/engine/codegen/weights/packs';
import { storageForms } from '../../../src/engine/codegen/weights/storageForms';
import type { Core, Optimize } from '../../../src/engine/targets/types';
import { maxCode, minCode } from '../../../src/engine/program/arithmetic';
import type { Program } from '../../../src/engine/program/types';
import { Random } from '../program/interpreter/support/random';
import { randomPackable } from '../program/interpreter/support/randomWeighted';

const programs = Array.from({ length: 60 }, (_, i) => randomPackable(i + 1));

function packed(program: Program): ReturnType<typeof packOf> {
  const [step] = program.steps;
  return step.kernel.op === 'conv2d' ? packOf(program, step, step.kernel) : undefined;
}

describe('wider 4-bit weights', () => {
  it('stand in words from which both of two channels come back', () => {
    let compared = 0;
    for (const program of programs) {
      const pack = packed(program);
      if (!pack) continue;
      const { values } = program.constants.find((c) => c.kind === 'weights')!;
      const words = packWeights(values, pack);
      for (let c = 0; c < values.length / pack.length; c++) {
        for (let k = 0; k < pack.length; k++) {
          const four = c >> 2;
          const second = (c >> 1) & 1;
          const halves: boolean = pack.kind === 'halves';
          const word: number =
            words[halves ? four * pack.padded + (k >> 1) * 2 + second : (four * pack.padded + k) * 2 + second];
          const both: number = halves ? (k % 2 === 0 ? (word << 16) >> 16 : word >> 16) : word;
          const bits: number = halves ? 12 : 28;
          const low: number = (both << (32 - bits)) >> (32 - bits);
          assert.equal(c % 2 === 0 ? low : (both - low) / 2 ** bits, values[c * pack.length + k]);
        }
      }
      compared++;
    }
    assert.ok(compared > 20);
  });

  it('are taken out of their fields before any codes could make sums leave them', () => {
    const random = new Random(7);
    let segmented = 0;
    let always = 0;
    for (const program of programs) {
      const pack = packed(program);
      if (!pack) continue;
      const { values } = program.constants.find((c) => c.kind === 'weights')!;
      const { bits, signed } = program.buffers[program.steps[0].inputs[0].buffer];
      assert.ok(
        pack.limits.length === (pack.always ? 0 : pack.padded / pack.unit) &&
          pack.unit % 4 === 0 &&
          pack.padded >= pack.length &&
          pack.padded % pack.unroll === 0,
      );
      if (pack.always) always++;
      for (const share of [0.05, 0.3, 1]) {
        const codes = Array.from({ length: pack.length }, (_, k) =>
          random.chance(share)
            ? k % 2 === 0 && share === 1
              ? maxCode(bits, signed)
              : random.int(minCode(bits, signed), maxCode(bits, signed))
            : 0,
        );
        const segments = segmentsOf(pack, codes);
        if (segments.length > 1) segmented++;
        const bound = pack.kind === 'halves' ? 2 ** 11 : 2 ** 13;
        for (let c = 0; c < values.length / pack.length; c += pack.kind === 'halves' ? 2 : 1) {
          let k = 0;
          for (const units of segments) {
            let sum = 0;
            for (const end = k + units * pack.unit; k < end; k++) {
              if (k < pack.length) sum += values[c * pack.length + k] * codes[k];
              assert.ok(sum >= -bound && sum < bound, `channel ${c}, code ${k}: ${sum}`);
            }
          }
        }
      }
    }
    assert.ok(segmented > 20 && always > 5, `${segmented} ${always}`);
  });

  it('take no more flash than there is, and none on cores that read them no faster', () => {
    for (const program of programs) {
      const at = (core: Core, flashBytes: number, optimize: Optimize = 'speed') =>
        assemble(program, 'net', { optimize, target: { core, flashBytes } }).flash;
      for (const core of [
        'cortex-m4',
        'cortex-m7',
        'cortex-m0plus',
        'cortex-m3',
        'cortex-m55',
        'xtensa-lx7',
      ] as const) {
        const size = at(core, 1e9, 'size');
        for (const room of [0, 1000, 5000, 20_000]) {
          const { total } = at(core, size.total + room);
          assert.ok(total <= Math.max(size.total + room, size.total), `${core}: ${total} of ${size.total + room}`);
        }
      }
      assert.equal(at('xtensa-lx7', 1e9).weights, at('xtensa-lx7', 1e9, 'size').weights);
      const plain = assemble(program, 'net', { optimize: 'size' }).flash;
      if (packed(program)) assert.ok(at('cortex-m7', 1e9).weights > plain.weights);
    }
  });

  it('are stored as bytes where these are read faster than nibbles', () => {
    for (const program of programs) {
      const [step] = program.steps;
      const { kernel } = step;
      const { region, channels } = step.output;
      for (const core of ['cortex-m0plus', 'cortex-m3', 'cortex-m55'] as const) {
        const { packed: none, bytes } = storageForms(program, { core, optimize: 'speed', flashBytes: 1e9 });
        // Rows of eight pixels read nibbles as fast: on the M0+ those on words.
        const byEights =
          kernel.op === 'conv2d' &&
          kernel.group === 1 &&
          regionPixels(region) >= 4 &&
          (core === 'cortex-m3' ||
            (core === 'cortex-m0plus' && (program.constants[kernel.weights].values.length / channels) % 4 === 0));
        assert.equal(none.size, 0);
        assert.equal(bytes.size, byEights ? 0 : 1);
      }
    }
  });

  it(
    "are stored in each way that a layer's steps need, where patches of one class have 4-bit maps and those of " +
      'the other 8-bit ones',
    () => {
      let compared = 0;
      const options = { core: 'cortex-m4', optimize: 'speed', flashBytes: 1e9 } as const;
      // On most of these small maps packed weights do not pay.
      for (let seed = 1; seed <= 240; seed++) {
        const program = randomPackable(seed);
        const both = inBothClasses(program);
        if (!both || storageForms(program, options).packed.size === 0) continue;
        const ways = storageForms(both, options).packed.size;
        // What pays for maps of 4 bits may not for both.
        if (ways === 0) continue;
        assert.equal(ways, 2);
        const weights = (p: Program): number =>
          assemble(p, 'net', { optimize: 'speed', target: { core: 'cortex-m4', flashBytes: 1e9 } }).flash.weights;
        assert.ok(weights(both) > weights(program));
        compared++;
      }
      assert.ok(compared > 5);
    },
  );
});

/** Units of each segment of a column, unit by unit as qmcu_join.c finds them. */
function segmentsOf({ always, limits, padded, unit }: Pack, codes: readonly number[]): number[] {
  if (always) return [padded / unit];
  const segments = [0];
  let sum = 0;
  for (let k = 0; k < padded; k += unit) {
    const more = codes.slice(k, k + unit).reduce((squares, code) => squares + code ** 2, 0);
    const units = segments[segments.length - 1];
    if (units > 0 && sum + more > limits[units]) {
      segments.push(1);
      sum = more;
    } else {
      segments[segments.length - 1]++;
      sum += more;
    }
  }
  return segments;
}

/** The program with its convolution of 4-bit codes once more, of 8-bit ones; null where either cannot be packed. */
function inBothClasses(program: Program): Program | null {
  const [step] = program.steps;
  const [input] = step.inputs;
  const narrow = program.buffers[input.buffer];
  if (packed(program)?.kind !== 'halves') return null;
  const pixelBytes = narrow.channels;
  const rowBytes = pixelBytes * (narrow.window.x1 - narrow.window.x0);
  const wide = {
    ...narrow,
    id: program.buffers.length,
    role: 'map' as const,
    bits: 8 as const,
    pixelBytes,
    rowBytes,
    bytes: rowBytes * (narrow.window.y1 - narrow.window.y0),
  };
  const again = { ...step, id: program.steps.length, inputs: [{ ...input, buffer: wide.id }] };
  const both = { ...program, buffers: [...program.buffers, wide], steps: [...program.steps, again] };
  return again.kernel.op === 'conv2d' && packOf(both, again, again.kernel)?.kind === 'words' ? both : null;
}
