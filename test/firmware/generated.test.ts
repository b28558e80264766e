import assert from 'node:assert/strict';
import type { KernelOp } from '../../src/engine/program/types';
import { randomProgram } from '../support/randomProgram';
import { buildForHost, removeFolder, sanitizerFlags, scratchFolder } from './support/hostBuild';
import { reference, toHex } from './support/reference';

describe('generated C on the host', function () {
  this.timeout(600_000);
  const seen = new Set<KernelOp>();

  for (const [compiler, flags, first, count] of [
    ['gcc', ['-O1', ...sanitizerFlags], 0, 14],
    ['clang', ['-O0', ...sanitizerFlags], 100, 14],
    ['gcc', ['-O3'], 200, 6],
    ['clang', ['-Os'], 300, 6],
  ] as const) {
    it(`equals the interpreter byte for byte in random programs: ${compiler} ${flags.join(' ')}`, () => {
      for (let seed: number = first; seed < first + count; seed++) {
        const program = randomProgram(seed);
        program.steps.forEach((step) => seen.add(step.kernel.op));
        const { inputs, outputs, files } = reference(program, 6);
        const folder = scratchFolder('random');
        const result = buildForHost(folder, program, files, { compiler, flags }).run(inputs);
        assert.deepEqual(toHex(result.outputs), toHex(outputs), `seed ${seed}, sources in ${folder}`);
        assert.equal(result.selftest, 0, `self-test of seed ${seed} in ${folder}`);
        assert.ok(result.guardsWhole, `guard bytes of seed ${seed}`);
        assert.ok(result.lastByteUsed, `last byte of the arena of seed ${seed}`);
        removeFolder(folder);
      }
    });
  }

  it('has met every kind of kernel above', () => {
    assert.deepEqual([...seen].sort(), [
      'add',
      'averagePool',
      'classify',
      'conv2d',
      'copy',
      'depthwise2d',
      'fill',
      'fullyConnected',
      'lookup',
      'maxPool',
      'mul',
      'normalize',
      'permute',
      'prelu',
      'requantize',
      'resize',
      'softmax',
    ]);
  });
});
