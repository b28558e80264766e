import { packScale, packWeights, type Pack } from '../../../src/engine/codegen/weights/packs';
import { runOf } from '../../../src/engine/codegen/weights/runs';
import { twinWeights } from '../../../src/engine/codegen/weights/twins';
import { regionHeight, regionWidth } from '../../../src/engine/graph/region';
import type {
  Access,
  KernelOf,
  KernelOp,
  PerChannel,
  Program,
  Requantization,
  ScaledSum,
  Step,
  StepWindow,
} from '../../../src/engine/program/types';

/** Numbers of the kernels in harness.c. */
const opNumbers: Record<KernelOp, number> = {
  conv2d: 0,
  depthwise2d: 1,
  fullyConnected: 2,
  add: 3,
  requantize: 4,
  mul: 5,
  maxPool: 6,
  averagePool: 7,
  lookup: 8,
  prelu: 9,
  copy: 10,
  fill: 11,
  resize: 12,
  softmax: 13,
  permute: 14,
  classify: 15,
  // The same moves.
  load: 10,
  normalize: 17,
};

/** A program and the arena that it starts from. */
export interface Case {
  readonly program: Program;
  readonly arena: Uint8Array;
  /** How the convolution takes its weights, where not as `qmcu_conv2d` does. */
  readonly pack?: Pack;
  /** Whether the fully connected layer takes its weights in twins. */
  readonly twins?: boolean;
}

/** Number of `qmcu_fully_connected_twins` in harness.c. */
const TWINS = 16;

/** The file that harness_main.c reads. */
export function encodeCases(cases: readonly Case[]): Buffer {
  const parts: Buffer[] = [words([cases.length])];
  for (const { program, arena, pack, twins } of cases) {
    parts.push(words([arena.length]), padded(arena), words([program.steps.length]));
    for (const step of program.steps) {
      const encoder = new StepEncoder(program, pack, twins);
      encoder.step(step);
      const body = Buffer.concat(encoder.parts);
      parts.push(words([body.length / 4]), body);
    }
  }
  return Buffer.concat(parts);
}

function words(values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  values.forEach((v, i) => buffer.writeInt32LE(v, i * 4));
  return buffer;
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}

class StepEncoder {
  readonly parts: Buffer[] = [];

  constructor(
    private readonly program: Program,
    private readonly pack?: Pack,
    private readonly twins = false,
  ) {}

  step(step: Step): void {
    const { guard } = step;
    this.words(
      guard === null ? -1 : this.program.buffers[guard.buffer].offset + guard.index,
      guard?.value ?? 0,
      this.twins ? TWINS : opNumbers[step.kernel.op],
      step.inputs.length,
    );
    for (const access of [...step.inputs, step.output]) this.map(access);
    this.kernel(step);
  }

  private map({ buffer: id, region, channel, channels }: Access): void {
    const b = this.program.buffers[id];
    const offset =
      b.offset +
      (region.y0 - b.window.y0) * b.rowBytes +
      (region.x0 - b.window.x0) * b.pixelBytes +
      (channel * b.bits) / 8;
    const format = { 2: 0, 4: 2, 8: 4, 16: 6 }[b.bits] + (b.signed ? 1 : 0);
    this.words(offset, regionHeight(region), regionWidth(region), channels, b.pixelBytes, b.rowBytes, format);
  }

  private kernel(step: Step): void {
    const k = step.kernel;
    switch (k.op) {
      case 'conv2d':
        this.weighted(
          k,
          (k.window.kernelH * k.window.kernelW * step.inputs[0].channels) / k.group,
          step.output.channels / k.group,
        );
        return this.words(k.group, this.pack ? 0 : runOf(this.program, step));
      case 'depthwise2d':
        return this.weighted(k, step.output.channels, 1);
      case 'fullyConnected':
        return this.weighted(
          k,
          regionHeight(step.inputs[0].region) * regionWidth(step.inputs[0].region) * step.inputs[0].channels,
          step.output.channels,
        );
      case 'add':
      case 'requantize':
        return this.sum(k.sum);
      case 'mul':
        this.words(...k.zeros);
        return this.requant(k.requant);
      case 'maxPool':
        return this.window(k.window);
      case 'averagePool':
        this.window(k.window);
        this.int32(k.multiplier);
        this.int32(k.offset);
        return this.words(k.perChannel ? 1 : 0, k.preShift, k.shift, k.min, k.max);
      case 'lookup':
        return this.int16(k.table);
      case 'prelu':
        this.perChannel(k.positive, 16);
        this.int16(k.negative);
        return this.words(k.offset, k.shift, k.min, k.max);
      case 'load':
      case 'copy':
        return;
      case 'fill':
        return this.int16(k.codes);
      case 'resize':
        this.int16(k.rows);
        this.int16(k.cols);
        return this.words(k.mode === 'linear' ? 1 : 0);
      case 'softmax':
        this.block(Uint16Array.from(this.values(k.table)));
        return this.words(k.one);
      case 'normalize':
        return this.words(
          (k.epsilon % 2 ** 32) | 0,
          Math.floor(k.epsilon / 2 ** 32),
          k.multiplier,
          k.centered ? 1 : 0,
          k.zeroIn,
          k.zeroOut,
          k.preShift,
          k.shift,
          k.min,
          k.max,
        );
      case 'permute':
        return this.permutation(k, this.values(k.permutation));
      case 'classify':
        return this.words(k.low, k.high, k.limit, this.program.buffers[step.output.buffer].offset + k.index);
    }
  }

  private weighted(k: KernelOf<'conv2d' | 'depthwise2d' | 'fullyConnected'>, rowLength: number, rows: number): void {
    if (k.op !== 'fullyConnected') this.window(k.window);
    const values =
      k.op === 'depthwise2d'
        ? Array.from(this.values(k.weights))
        : inPairs(Array.from(this.values(k.weights)), rowLength, rows, k.weightBits);
    if (this.pack) this.block(packWeights(this.values(k.weights), this.pack));
    else if (this.twins) this.block(twinWeights(this.values(k.weights), rowLength));
    else
      this.block(
        k.weightBits === 8
          ? Int8Array.from(values)
          : packNibbles(values, k.op === 'depthwise2d' ? rowLength : 2 * rowLength),
      );
    this.words(k.weightBits);
    if (k.op !== 'fullyConnected') {
      if (k.padCodes === null) this.words(-1);
      else this.int16(k.padCodes);
    }
    this.requant(k.requant, this.pack && packScale(this.program, k.requant, this.pack.kind));
  }

  private window(w: StepWindow): void {
    this.words(w.kernelH, w.kernelW, w.strideH, w.strideW, w.dilationH, w.dilationW, w.padTop, w.padLeft);
  }

  private requant(r: Requantization, scale?: Int32Array): void {
    if (scale) {
      this.block(scale);
      this.words(-1);
    } else {
      this.int32(r.bias);
      this.int32(r.multiplier);
    }
    if (typeof r.max === 'number') this.words(-1);
    else this.int16(r.max.constant);
    this.words(r.biasShift, r.preShift, r.shift, r.min, typeof r.max === 'number' ? r.max : 0);
  }

  private sum(s: ScaledSum): void {
    this.perChannel(s.multipliers[0], 16);
    this.perChannel(s.multipliers[1] ?? 0, 16);
    this.perChannel(s.offset, 32);
    this.words(s.shift, s.min, s.max);
  }

  /** A table or NULL, then the plain value. */
  private perChannel(value: number | PerChannel, bits: 16 | 32): void {
    if (typeof value === 'number') return this.words(-1, value);
    if (bits === 16) this.int16(value.constant);
    else this.int32(value.constant);
    this.words(0);
  }

  private permutation({ counters, first }: KernelOf<'permute'>, values: ArrayLike<number>): void {
    if (counters > 0) {
      this.words(-1, -1);
      this.block(Int32Array.from(values));
      return this.words(first, counters);
    }
    // Both widths get their share of cases.
    if (values.length % 2 === 0) {
      this.block(Uint16Array.from(values));
      return this.words(-1, -1, 0, 0);
    }
    this.words(-1);
    this.block(Int32Array.from(values));
    this.words(-1, 0, 0);
  }

  private int16(id: number): void {
    this.block(Int16Array.from(this.values(id)));
  }

  private int32(id: number): void {
    this.block(Int32Array.from(this.values(id)));
  }

  private block(values: Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array): void {
    this.words(values.byteLength);
    this.parts.push(padded(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)));
  }

  private values(id: number): ArrayLike<number> {
    return this.program.constants[id].values;
  }

  private words(...values: number[]): void {
    this.parts.push(words(values));
  }
}

/** 4-bit weights as quantmcu.h defines them: two to a byte, low nibble first, each row from a byte on. */
function packNibbles(values: ArrayLike<number>, rowLength: number): Uint8Array {
  const rowBytes = Math.ceil(rowLength / 2);
  const packed = new Uint8Array((values.length / rowLength) * rowBytes);
  for (let i = 0; i < values.length; i++) {
    const column = i % rowLength;
    packed[((i - column) / rowLength) * rowBytes + (column >> 1)] |= (values[i] & 15) << ((column & 1) * 4);
  }
  return packed;
}

/**
 * The order of weights that quantmcu.h gives: rows of a group in pairs, weight by weight; at 4 bits places 1 and 2 of
 * each four exchanged.
 */
function inPairs(values: readonly number[], rowLength: number, rowsPerGroup: number, bits: number): number[] {
  const result: number[] = [];
  const order = Array.from({ length: rowLength }, (_, i) => i);
  for (let i = 0; bits === 4 && i + 3 < rowLength; i += 4) order.splice(i + 1, 2, i + 2, i + 1);
  for (let group = 0; group < values.length; group += rowLength * rowsPerGroup) {
    for (let row = 0; row < rowsPerGroup; row += 2) {
      for (const i of order) {
        result.push(
          values[group + row * rowLength + i],
          row + 1 < rowsPerGroup ? values[group + (row + 1) * rowLength + i] : 0,
        );
      }
    }
  }
  return result;
}
