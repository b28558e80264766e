import assert from 'node:assert/strict';
import { Executor, runProgram, type StepResult } from '../../../../src/engine/program/interpreter';
import type { Kernel, Program, ProgramBuffer, Step } from '../../../../src/engine/program/types';
import { stepWindow } from '../../../support/programBuilder';
import { Random } from './support/random';
import { randomProgram } from './support/randomSteps';

const window = { y0: 4, x0: 2, y1: 6, x1: 5 };

/** Copies a 2×3 map of 5 four-bit channels at offset 3 to one at offset 24. */
function copyProgram(): Program {
  const buffer = (id: number, offset: number): ProgramBuffer => ({
    id,
    name: `b${id}`,
    role: 'map',
    map: 0,
    window,
    channels: 5,
    bits: 4,
    signed: false,
    pixelBytes: 3,
    rowBytes: 9,
    bytes: 18,
    firstStep: 0,
    lastStep: 0,
    aliasOf: null,
    offset,
    align: 1,
  });
  const port = (id: number): Program['inputs'][number] => ({
    buffer: id,
    map: 0,
    name: '',
    dims: [1, 5, 2, 3],
    memory: [0, 2, 3, 1],
    shape: { h: 2, w: 3, c: 5 },
    signed: false,
    scales: [1],
    zeroPoints: [0],
  });
  const access = (id: number): Step['output'] => ({ buffer: id, region: window, channel: 0, channels: 5 });
  return {
    name: 'copy',
    buffers: [buffer(0, 3), buffer(1, 24)],
    constants: [],
    branches: [],
    inputs: [port(0)],
    outputs: [port(1)],
    arenaBytes: 42,
    arenaAlign: 1,
    steps: [
      {
        id: 0,
        layer: 0,
        kernel: { op: 'copy' },
        inputs: [access(0)],
        output: access(1),
        branch: null,
        guard: null,
        scratch: null,
        macs: 0,
      },
    ],
  };
}

function withStep(change: Partial<Step>): Program {
  const program = copyProgram();
  return { ...program, steps: [{ ...program.steps[0], ...change }] };
}

function withOutput(change: Partial<Step['output']>): Program {
  return withStep({ output: { ...copyProgram().steps[0].output, ...change } });
}

function withBuffer(change: Partial<ProgramBuffer>): Program {
  const program = copyProgram();
  return { ...program, buffers: [program.buffers[0], { ...program.buffers[1], ...change }] };
}

function withKernel(kernel: Kernel): Program {
  return withStep({ kernel });
}

describe('Executor', () => {
  it('copies codes and clears the bits after the last channel', () => {
    const input = new Uint8Array(18).fill(0xff);
    const { outputs, arena } = runProgram(copyProgram(), [input], { fill: 0xaa });
    const expected = Uint8Array.from({ length: 18 }, (_, i) => (i % 3 === 2 ? 0x0f : 0xff));
    assert.deepEqual(outputs, [expected]);
    assert.deepEqual([...arena.subarray(0, 3)], [0xaa, 0xaa, 0xaa]);
    assert.deepEqual([...arena.subarray(21, 24)], [0xaa, 0xaa, 0xaa]);
    assert.equal(arena.length, 42);
  });

  it('reports every step with its codes', () => {
    const seen: { id: number; codes: number[] }[] = [];
    const afterStep = ({ step, codes, length }: StepResult): number =>
      seen.push({ id: step.id, codes: [...codes.subarray(0, length)] });
    runProgram(copyProgram(), [new Uint8Array(18).fill(0x21)], { afterStep });
    assert.deepEqual(seen, [{ id: 0, codes: Array.from({ length: 6 }, () => [1, 2, 1, 2, 1]).flat() }]);
  });

  it('gives the same bits on every run, whatever was computed before', () => {
    const program = randomProgram(77, 'conv2d', 4);
    const executor = new Executor(program);
    const [first, second] = [1, 2].map((seed) => new Random(seed).bytes(program.arenaBytes));
    const once = executor.run([first]).outputs[0];
    executor.run([second]);
    assert.deepEqual(executor.run([first]).outputs[0], once);
    assert.deepEqual(runProgram(program, [first]).outputs[0], once);
  });

  it('refuses inputs of another number or length', () => {
    assert.throws(() => runProgram(copyProgram(), []), /takes 1 inputs/);
    assert.throws(() => runProgram(copyProgram(), [new Uint8Array(17)]), /17 bytes instead of 18/);
  });

  const faults: [string, Program, RegExp][] = [
    ['rows outside the window', withOutput({ region: { ...window, y1: 7 } }), /outside buffer 1's window/],
    ['columns before the window', withOutput({ region: { ...window, x0: 1, x1: 4 } }), /outside buffer 1's window/],
    ['an empty region', withOutput({ region: { ...window, y1: 4 } }), /empty or outside/],
    ['channels past the last', withOutput({ channels: 6 }), /Channels 0…6/],
    ['channels that begin inside a byte', withOutput({ channel: 1, channels: 4 }), /does not begin on a byte/],
    ['written channels that end inside a byte', withOutput({ channels: 3 }), /do not end on a byte/],
    ['an unknown buffer', withOutput({ buffer: 9 }), /no buffer 9/],
    ['shapes that differ', withOutput({ region: { ...window, y1: 5 } }), /differ/],
    ['a buffer past the arena', withBuffer({ offset: 25 }), /outside the arena of 42/],
    ['a buffer before the arena', withBuffer({ offset: -1 }), /outside the arena/],
    ['a misaligned buffer', withBuffer({ offset: 22, align: 4 }), /misaligned/],
    ['byte sizes that do not fit', withBuffer({ rowBytes: 10 }), /byte sizes/],
    ['a number of inputs that the kernel does not take', withStep({ inputs: [] }), /0 inputs/],
    ['a guard outside its buffer', withStep({ guard: { buffer: 0, index: 18, value: 1 } }), /flag 18/],
    ['an unknown constant', withKernel({ op: 'lookup', table: 0 }), /no constant 0/],
    [
      'a clamp outside the format',
      withKernel({ op: 'requantize', sum: { multipliers: [1], offset: 0, shift: 0, min: 0, max: 16 } }),
      /leaves the codes 0…15/,
    ],
    [
      'a shift of 32',
      withKernel({ op: 'requantize', sum: { multipliers: [1], offset: 0, shift: 32, min: 0, max: 15 } }),
      /Shift 32/,
    ],
    [
      'a pooling window in the padding',
      withKernel({
        op: 'maxPool',
        window: stepWindow(1, { padTop: 1 }),
      }),
      /padding/,
    ],
  ];
  for (const [what, program, message] of faults) {
    it(`refuses ${what}`, () =>
      assert.throws(
        () => new Executor(program),
        (error: Error) => error instanceof RangeError && message.test(error.message),
      ));
  }

  it('refuses tables that lead outside', () => {
    const program = copyProgram();
    const constant = (values: Int16Array): Program['constants'] => [
      { id: 0, kind: 'table', name: 't', bits: 16, signed: true, values, dims: [values.length] },
    ];
    const lookup = { ...withKernel({ op: 'lookup', table: 0 }), constants: constant(new Int16Array(16).fill(16)) };
    assert.throws(() => new Executor(lookup), /leaves the codes/);
    assert.throws(
      () => new Executor({ ...lookup, constants: constant(new Int16Array(15)) }),
      /15 values instead of 16/,
    );
    const rows = {
      ...withKernel({ op: 'resize', mode: 'nearest', rows: 0, cols: 0 }),
      constants: constant(Int16Array.from([0, 0, 2, 0])),
    };
    const square = { y0: 4, x0: 2, y1: 6, x1: 4 };
    const [step] = rows.steps;
    const steps = [
      { ...step, inputs: [{ ...step.inputs[0], region: square }], output: { ...step.output, region: square } },
    ];
    assert.throws(() => new Executor({ ...rows, steps }), /source index of 2/);
    assert.equal(program.constants.length, 0);
  });

  it('adds up exactly where sums are as large as 32 bits allow', () => {
    // Two output channels of opposite sign: 255·(±127)·n for n just below, at and above 2²⁶, and near 2³¹.
    for (const n of [2071, 2072, 2073, 66_300]) {
      const buffer = (id: number, channels: number, offset: number, signed: boolean): ProgramBuffer => ({
        id,
        name: '',
        role: 'map',
        map: 0,
        window: { y0: 0, x0: 0, y1: 1, x1: 1 },
        channels,
        bits: 8,
        signed,
        pixelBytes: channels,
        rowBytes: channels,
        bytes: channels,
        firstStep: 0,
        lastStep: 0,
        aliasOf: null,
        offset,
        align: 1,
      });
      const access = (id: number, channels: number): Step['output'] => ({
        buffer: id,
        region: { y0: 0, x0: 0, y1: 1, x1: 1 },
        channel: 0,
        channels,
      });
      const weights = Int8Array.from({ length: 2 * n }, (_, i) => (i < n ? 127 : -127));
      const table = (id: number, bits: 8 | 32, values: Int8Array | Int32Array): Program['constants'][number] => ({
        id,
        kind: 'table',
        name: '',
        bits,
        signed: true,
        values,
        dims: [values.length],
      });
      const sum = 255 * 127 * n;
      const program: Program = {
        ...copyProgram(),
        buffers: [buffer(0, n, 0, false), buffer(1, 2, n, true)],
        // The bias leaves 5 and −5; multiplied by 2³⁰ / 2³² and shifted by 1 with rounding this gives 1 and −1.
        constants: [
          table(0, 8, weights),
          table(1, 32, Int32Array.from([5 - sum, sum - 5])),
          table(2, 32, Int32Array.from([2 ** 30, 2 ** 30])),
        ],
        steps: [
          {
            ...copyProgram().steps[0],
            inputs: [access(0, n)],
            output: access(1, 2),
            kernel: {
              op: 'conv2d',
              group: 1,
              weights: 0,
              weightBits: 8,
              padCodes: null,
              window: stepWindow(1),
              requant: { bias: 1, biasShift: 0, multiplier: 2, preShift: 0, shift: 1, min: -128, max: 127 },
            },
          },
        ],
        arenaBytes: n + 2,
      };
      const { outputs } = runProgram(program, [new Uint8Array(n).fill(255)]);
      assert.deepEqual([...new Int8Array(outputs[0])], [1, -1], `${n} products`);
    }
  });
});
