import assert from 'node:assert/strict';
import { renderC } from '../../src/engine/codegen';
import type { GeneratedFile, RenderOptions } from '../../src/engine/codegen';
import { Executor } from '../../src/engine/program/interpreter';
import type { KernelOp, Program } from '../../src/engine/program/types';
import { randomInputs, randomProgram } from '../support/randomProgram';
import { buildForHost, removeFolder, sanitizerFlags, scratchFolder } from './support/hostBuild';

const provenance: RenderOptions['provenance'] = { generator: 'QuantMCU test', planHash: '0123abcd', modelFile: 'net.onnx' };

/** Inputs, the outputs that the reference interpreter computes from them, and the sources with the first two as golden vectors. */
function reference(program: Program, count: number): { inputs: Uint8Array[][]; outputs: Uint8Array[][]; files: GeneratedFile[] } {
  const executor = new Executor(program);
  const inputs = Array.from({ length: count }, (_, i) => randomInputs(program, 1000 + i));
  const outputs = inputs.map((set) => executor.run(set).outputs);
  const golden = inputs.slice(0, 2).map((set, i) => ({ inputs: set, outputs: outputs[i] }));
  return { inputs, outputs, files: renderC(program, { name: program.name, golden, provenance }) };
}

describe('generated C on the host', function () {
  this.timeout(600_000);
  const seen = new Set<KernelOp>();

  for (const [compiler, flags, first, count] of [
    ['gcc', ['-O1', ...sanitizerFlags], 0, 14],
    ['clang', ['-O1', ...sanitizerFlags], 100, 14],
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
        assert.deepEqual(result.outputs.map((set) => set.map(toHex)), outputs.map((set) => set.map(toHex)), `seed ${seed}, sources in ${folder}`);
        assert.equal(result.selftest, 0, `self-test of seed ${seed} in ${folder}`);
        assert.ok(result.guardsWhole, `guard bytes of seed ${seed}`);
        assert.ok(result.lastByteUsed, `last byte of the arena of seed ${seed}`);
        removeFolder(folder);
      }
    });
  }

  it('has met every kind of kernel above', () => {
    assert.deepEqual([...seen].sort(), ['add', 'averagePool', 'classify', 'conv2d', 'copy', 'depthwise2d', 'fill', 'fullyConnected', 'lookup', 'maxPool', 'mul', 'permute', 'prelu', 'requantize', 'resize', 'softmax']);
  });
});

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
