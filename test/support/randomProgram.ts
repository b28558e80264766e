import type { Region } from '../../src/engine/graph/region';
import { maxCode, minCode } from '../../src/engine/program/arithmetic';
import type { Bits } from '../../src/engine/graph/bits';
import type {
  BufferId,
  Kernel,
  KernelOp,
  Program,
  ProgramBuffer,
  Step,
  StepWindow,
} from '../../src/engine/program/types';
import { mulberry32 } from './graphBuilder';
import { RandomPieces, range } from './randomPieces';

/**
 * A random valid Program of several steps that uses every kind of kernel sooner or later, with branches, run-time
 * classes and several outputs.
 */
export function randomProgram(seed: number): Program {
  return new Generator(seed).run();
}

/** The same with 8 bits alone: that of the first seed from this one that has all of these kernels. */
export function randomByteProgram(seed: number, kernels: readonly KernelOp[]): Program {
  for (; ; seed++) {
    const program = new Generator(seed, [8]).run();
    const has = new Set(program.steps.map(({ kernel }) => kernel.op));
    if (kernels.every((op) => has.has(op))) return program;
  }
}

/** Random bytes for the inputs of a Program: any byte is a valid code, but unused bits of a pixel are 0. */
export function randomInputs(program: Program, seed: number): Uint8Array[] {
  const random = mulberry32(seed);
  return program.inputs.map((port) => {
    const b = program.buffers[port.buffer];
    const bytes = Uint8Array.from({ length: b.bytes }, () => Math.floor((random() + 1) * 128));
    const unused = b.pixelBytes * 8 - b.channels * b.bits;
    for (let last = b.pixelBytes - 1; last < bytes.length; last += b.pixelBytes) bytes[last] &= 255 >> unused;
    return bytes;
  });
}

/** A load is a copy from outside: programs of an application that hands its input over are tested with schedules. */
export type RandomOp = Exclude<KernelOp, 'load'>;

/** Those of which maps may have 16 bits. */
export function mayBeWide(op: RandomOp): boolean {
  return op !== 'softmax' && op !== 'normalize' && op !== 'classify';
}

export const allOps: readonly RandomOp[] = [
  'conv2d',
  'depthwise2d',
  'fullyConnected',
  'add',
  'requantize',
  'mul',
  'maxPool',
  'averagePool',
  'lookup',
  'prelu',
  'copy',
  'fill',
  'resize',
  'softmax',
  'normalize',
  'permute',
  'classify',
];

/** Convolutions twice as often. */
const ops: readonly RandomOp[] = ['conv2d', 'conv2d', 'depthwise2d', 'depthwise2d', ...allOps.slice(2)];

class Generator extends RandomPieces {
  private layer = 0;

  run(): Program {
    let map = this.p.buffer('input', this.int(2, 9), this.int(2, 9), this.int(1, 9), this.bits(), this.flip());
    const length = this.int(3, 10);
    for (let i = 0; i < length; i++) {
      const next = this.next(map);
      if (this.p.buffers[map].role !== 'input' && this.random() > 0.8) this.p.output(map);
      map = next;
      this.layer++;
    }
    this.p.output(map);
    return this.p.build('net');
  }

  private next(from: BufferId): BufferId {
    const b = this.p.buffers[from];
    const h = b.window.y1;
    const w = b.window.x1;
    const c = b.channels;
    const op = ops[this.int(0, ops.length - 1)];
    const out = (oh: number, ow: number, oc: number, bits: Bits = this.bits(), signed = this.flip()): BufferId =>
      this.p.buffer('map', oh, ow, oc, bits, signed);
    const one = (kernel: Kernel, to: BufferId): BufferId => {
      this.p.step(this.layer, kernel, [this.p.all(from)], this.p.all(to));
      return to;
    };
    switch (op) {
      case 'conv2d': {
        const group = c % 2 === 0 && this.flip() ? 2 : 1;
        const outC = group * this.int(1, 5);
        return this.windowed(b, outC, (window, to) => {
          const weightBits = this.weightBits();
          const n = window.kernelH * window.kernelW * (c / group);
          const weights = this.weights(weightBits, [outC, window.kernelH, window.kernelW, c / group]);
          const requant = this.requant(this.p.buffers[to], n);
          const padCodes = this.flip() ? this.codes(b, c) : null;
          return (w2) => ({ op, window: w2, group, weights, weightBits, padCodes, requant });
        });
      }
      case 'depthwise2d':
        return this.windowed(b, c, (window, to) => {
          const weightBits = this.weightBits();
          const weights = this.weights(weightBits, [window.kernelH, window.kernelW, c]);
          const requant = this.requant(this.p.buffers[to], window.kernelH * window.kernelW);
          const padCodes = this.flip() ? this.codes(b, c) : null;
          return (w2) => ({ op, window: w2, weights, weightBits, padCodes, requant });
        });
      case 'maxPool':
        return this.windowed(b, c, () => (window) => ({ op, window }), { bits: b.bits, signed: b.signed });
      case 'averagePool':
        return this.windowed(b, c, (window, to) => {
          const perChannel = this.flip();
          const n = perChannel ? c : window.kernelH * window.kernelW;
          const [min, max] = range(this.p.buffers[to]);
          const shift = this.p.buffers[to].bits === 8 ? 3 : 8;
          const multiplier = this.p.constant(
            'multiplier',
            32,
            Int32Array.from({ length: n }, () => this.int(2 ** 28, 2 ** 30)),
            [n],
          );
          const offset = this.p.constant(
            'table',
            32,
            Int32Array.from({ length: n }, () => this.int(-(1 << shift), 1 << shift)),
            [n],
          );
          return (w2) => ({ op, window: w2, perChannel, multiplier, offset, preShift: 4, shift, min, max });
        });
      case 'fullyConnected': {
        const to = out(1, 1, this.int(1, 12));
        const outC = this.p.buffers[to].channels;
        const weightBits = this.weightBits();
        return one(
          {
            op,
            weights: this.weights(weightBits, [outC, h * w * c]),
            weightBits,
            requant: this.requant(this.p.buffers[to], h * w * c),
          },
          to,
        );
      }
      case 'add':
      case 'mul': {
        const broadcast = this.flip();
        const other = this.p.buffer('input', broadcast ? 1 : h, broadcast ? 1 : w, c, this.bits(), this.flip());
        const to = out(h, w, c);
        const kernel: Kernel =
          op === 'add'
            ? { op, sum: this.scaledSum(this.p.buffers[to], 2) }
            : { op, zeros: [this.int(0, 3), this.int(-3, 3)], requant: this.requant(this.p.buffers[to], 2) };
        this.p.step(this.layer, kernel, [this.p.all(from), this.p.all(other)], this.p.all(to));
        return to;
      }
      case 'requantize': {
        const to = out(h, w, c);
        return one({ op, sum: this.scaledSum(this.p.buffers[to], 1) }, to);
      }
      case 'lookup': {
        const to = out(h, w, c);
        return one({ op, table: this.codes(this.p.buffers[to], 2 ** b.bits) }, to);
      }
      case 'prelu': {
        const to = out(h, w, c);
        const table = (): number =>
          this.p.constant(
            'table',
            16,
            Int16Array.from({ length: c }, () => this.int(-2000, 2000)),
            [c],
          );
        const { shift, min, max } = this.scaledSum(this.p.buffers[to], 1);
        return one(
          {
            op,
            positive: this.flip() ? this.int(1, 2000) : { constant: table() },
            negative: table(),
            offset: this.int(0, 200),
            shift,
            min,
            max,
          },
          to,
        );
      }
      case 'copy': {
        // Twice beside each other, as a concat does it.
        const step = 8 / b.bits;
        const second = Math.ceil(c / step) * step;
        const to = out(h, w, second + c, b.bits, b.signed);
        // The gap of the first copy's last byte is part of the second map: fill it first.
        this.p.step(this.layer, { op: 'fill', codes: this.codes(this.p.buffers[to], second + c) }, [], this.p.all(to));
        if (second === c)
          this.p.step(this.layer, { op }, [this.p.all(from)], { ...this.p.all(to), channel: 0, channels: c });
        this.p.step(this.layer, { op }, [this.p.all(from)], { ...this.p.all(to), channel: second, channels: c });
        return to;
      }
      case 'fill': {
        // A border around the map.
        const to = out(h + 2, w + 3, c, b.bits, b.signed);
        this.p.step(this.layer, { op, codes: this.codes(this.p.buffers[to], c) }, [], this.p.all(to));
        this.p.step(this.layer, { op: 'copy' }, [this.p.all(from)], {
          ...this.p.all(to),
          region: { y0: 1, x0: 2, y1: h + 1, x1: w + 2 },
        });
        return to;
      }
      case 'resize': {
        const to = out(this.int(1, 10), this.int(1, 10), c, b.bits, b.signed);
        const linear = this.flip();
        const axis = (size: number, n: number): number => {
          const entries = Array.from({ length: n }, () => this.int(0, size - 1)).flatMap((at) => [
            at,
            linear && at + 1 < size ? this.int(0, 255) : 0,
          ]);
          return this.p.constant('table', 16, Int16Array.from(entries), [n, 2]);
        };
        const { window } = this.p.buffers[to];
        return one({ op, mode: linear ? 'linear' : 'nearest', rows: axis(h, window.y1), cols: axis(w, window.x1) }, to);
      }
      case 'softmax': {
        const to = out(h, w, c, 8, false);
        const table = Uint16Array.from({ length: 2 ** b.bits }, (_, d) => Math.round(65535 * Math.exp(-d / 8)));
        return one({ op, table: this.p.constant('table', 16, table, [table.length]), one: 2 ** this.int(8, 15) }, to);
      }
      case 'normalize': {
        const bits = this.bits();
        const signed = this.flip();
        const range = { min: minCode(bits, signed), max: maxCode(bits, signed) };
        const to = out(h, w, c, bits, signed);
        const centered = this.flip();
        const preShift = Math.floor(Math.log2((2 ** 31 - 1) / ((centered ? c : 1) * 255)));
        const [multiplier, shift] = [this.int(16384, 32767), preShift + this.int(6, 10)];
        const zeros = { zeroIn: this.int(0, 1), zeroOut: this.int(0, 1) };
        const epsilon = this.int(0, 1000);
        return one({ op, centered, ...zeros, epsilon, multiplier, preShift, shift, ...range }, to);
      }
      case 'permute': {
        const to = out(h, w, c, 8, b.signed);
        if (b.bits !== 8) return one({ op: 'requantize', sum: this.scaledSum(this.p.buffers[to], 1) }, to);
        if (this.int(0, 1) === 0) {
          // Another order of the axes, which counters step through.
          const axes = [
            [h, w * c],
            [w, c],
            [c, 1],
          ].sort(() => this.int(0, 1) - 0.5);
          const table = this.p.constant('table', 32, Int32Array.from(axes.flat()), [3, 2]);
          return one({ op, permutation: table, counters: 3, first: 0 }, to);
        }
        const order = Array.from({ length: h * w * c }, (_, i) => i);
        for (let i = order.length - 1; i > 0; i--) {
          const j = this.int(0, i);
          [order[i], order[j]] = [order[j], order[i]];
        }
        return one(
          {
            op,
            permutation: this.p.constant('table', 32, Int32Array.from(order), [order.length]),
            counters: 0,
            first: 0,
          },
          to,
        );
      }
      case 'classify': {
        // A class decided at run time chooses between two ways to write the same map.
        const flags = this.p.buffer('flags', 1, 1, 2, 8, false);
        const to = out(h, w, c);
        this.p.step(
          this.layer,
          { op, low: 0, high: this.int(0, 3), limit: Math.floor((h * w * c) / 2), index: 1 },
          [this.p.all(from)],
          this.p.all(flags),
        );
        for (const value of [0, 1] as const) {
          const kernel: Kernel = { op: 'requantize', sum: this.scaledSum(this.p.buffers[to], 1) };
          this.p.step(this.layer + 1, kernel, [this.p.all(from)], this.p.all(to), {
            guard: { buffer: flags, index: 1, value },
          });
        }
        this.layer++;
        return to;
      }
    }
  }

  /** A windowed layer, as a whole or patch by patch; `prepare` makes the constants, which all patches share. */
  private windowed(
    from: ProgramBuffer,
    outC: number,
    prepare: (window: StepWindow, to: BufferId) => (window: StepWindow) => Kernel,
    format?: { bits: Bits; signed: boolean },
  ): BufferId {
    const y = this.axis(from.window.y1);
    const x = this.axis(from.window.x1);
    const to = this.p.buffer('map', y.out, x.out, outC, format?.bits ?? this.bits(), format?.signed ?? this.flip());
    const whole: StepWindow = {
      kernelH: y.kernel,
      kernelW: x.kernel,
      strideH: y.stride,
      strideW: x.stride,
      dilationH: y.dilation,
      dilationW: x.dilation,
      padTop: y.pad,
      padLeft: x.pad,
    };
    const kernel = prepare(whole, to);
    const rows = this.flip() ? 1 : Math.min(2, y.out);
    const cols = this.flip() ? 1 : Math.min(3, x.out);
    for (let r = 0; r < rows; r++) {
      for (let k = 0; k < cols; k++) {
        const region: Region = {
          y0: cut(y.out, rows, r),
          y1: cut(y.out, rows, r + 1),
          x0: cut(x.out, cols, k),
          x1: cut(x.out, cols, k + 1),
        };
        const [y0, y1, padTop] = needed(region.y0, region.y1, y, from.window.y1);
        const [x0, x1, padLeft] = needed(region.x0, region.x1, x, from.window.x1);
        let branch: Step['branch'] = null;
        if (rows * cols > 1) {
          branch = this.p.branches.length;
          this.p.branches.push({
            id: branch,
            row: r,
            col: k,
            patch: region,
            class: this.flip() ? 'outlier' : 'regular',
          });
        }
        this.p.step(
          this.layer,
          kernel({ ...whole, padTop, padLeft }),
          [{ ...this.p.all(from.id), region: { y0, y1, x0, x1 } }],
          { ...this.p.all(to), region },
          { branch },
        );
      }
    }
    return to;
  }
}

function cut(size: number, parts: number, at: number): number {
  return Math.floor((size * at) / parts);
}

/** Input positions that outputs [from, to) read, cut at the map's border, and what was cut off in front. */
function needed(
  from: number,
  to: number,
  axis: { kernel: number; stride: number; dilation: number; pad: number },
  size: number,
): [number, number, number] {
  const first = from * axis.stride - axis.pad;
  const end = (to - 1) * axis.stride - axis.pad + (axis.kernel - 1) * axis.dilation + 1;
  const begin = Math.max(0, first);
  return [begin, Math.max(begin + 1, Math.min(size, end)), begin - first];
}
