import type {
  Access,
  Kernel,
  PerChannel,
  Program,
  Requantization,
  ScaledSum,
  Step,
  StepWindow,
} from '../../../../../src/engine/program/types';

/**
 * The formulas of types.ts read out once more, one code at a time and in BigInt: the check of the interpreter. Nothing
 * here is shared with it. Runs a program on a copy of the arena and returns that.
 */
export function runNaively(program: Program, before: Uint8Array): Uint8Array {
  const arena = before.slice();
  for (const step of program.steps) {
    const { guard } = step;
    if (guard !== null && arena[program.buffers[guard.buffer].offset + guard.index] !== guard.value) continue;
    new NaiveStep(program, step, arena).run();
  }
  return arena;
}

const big = (n: number): bigint => BigInt(n);
const floorDiv = (a: bigint, b: bigint): bigint => (a % b !== 0n && a < 0n !== b < 0n ? a / b - 1n : a / b);
const shiftRight = (a: bigint, n: number): bigint => floorDiv(a, 1n << big(n));

class NaiveStep {
  private readonly snapshot: Uint8Array;

  constructor(
    private readonly program: Program,
    private readonly step: Step,
    private readonly arena: Uint8Array,
  ) {
    this.snapshot = arena.slice();
  }

  run(): void {
    const { kernel, output } = this.step;
    if (kernel.op === 'classify') {
      let outside = 0;
      this.eachInput((code) => (outside += code < kernel.low || code > kernel.high ? 1 : 0));
      this.arena[this.program.buffers[output.buffer].offset + kernel.index] = outside > kernel.limit ? 1 : 0;
      return;
    }
    const buffer = this.program.buffers[output.buffer];
    // Unused bits of a pixel's last byte become 0.
    const endBit = (output.channel + output.channels) * buffer.bits;
    for (let y = 0; y < height(output); y++) {
      for (let x = 0; x < width(output); x++) {
        for (let c = 0; c < output.channels; c++) this.setCode(y, x, c, Number(this.code(kernel, y, x, c)));
        for (let bit = endBit; bit % 8 !== 0; bit++) this.setBit(output, y, x, bit, 0);
      }
    }
  }

  private code(kernel: Exclude<Kernel, { op: 'classify' }>, y: number, x: number, c: number): bigint {
    const [in0, in1] = this.step.inputs;
    const { output } = this.step;
    switch (kernel.op) {
      case 'conv2d': {
        const inC = in0.channels / kernel.group;
        const g = Math.floor(c / (output.channels / kernel.group));
        const { kernelH, kernelW } = kernel.window;
        let acc = 0n;
        for (let ky = 0; ky < kernelH; ky++) {
          for (let kx = 0; kx < kernelW; kx++) {
            for (let i = 0; i < inC; i++)
              acc +=
                this.value(kernel.weights, ((c * kernelH + ky) * kernelW + kx) * inC + i) *
                this.tap(kernel, y, x, ky, kx, g * inC + i);
          }
        }
        return this.requantize(kernel.requant, acc, c);
      }
      case 'depthwise2d': {
        const { kernelH, kernelW } = kernel.window;
        let acc = 0n;
        for (let ky = 0; ky < kernelH; ky++) {
          for (let kx = 0; kx < kernelW; kx++)
            acc +=
              this.value(kernel.weights, (ky * kernelW + kx) * output.channels + c) * this.tap(kernel, y, x, ky, kx, c);
        }
        return this.requantize(kernel.requant, acc, c);
      }
      case 'fullyConnected': {
        let acc = 0n;
        let i = c * height(in0) * width(in0) * in0.channels;
        this.eachInput((code) => (acc += this.value(kernel.weights, i++) * big(code)));
        return this.requantize(kernel.requant, acc, c);
      }
      case 'add':
      case 'requantize':
        return this.scaledSum(kernel.sum, y, x, c);
      case 'mul': {
        const acc =
          (big(this.elementOf(in0, y, x, c)) - big(kernel.zeros[0])) *
          (big(this.elementOf(in1, y, x, c)) - big(kernel.zeros[1]));
        return this.requantize(kernel.requant, acc, c);
      }
      case 'maxPool':
        return big(Math.max(...this.inside(kernel.window, y, x, c).codes));
      case 'averagePool': {
        const inside = this.inside(kernel.window, y, x, c);
        const acc = inside.codes.reduce((sum, code) => sum + big(code), 0n);
        const e = kernel.perChannel ? c : (inside.rows - 1) * kernel.window.kernelW + inside.columns - 1;
        const scaled = shiftRight((acc << big(kernel.preShift)) * this.value(kernel.multiplier, e), 32);
        return clamp(shiftRight(scaled + this.value(kernel.offset, e), kernel.shift), kernel.min, kernel.max);
      }
      case 'lookup': {
        const { bits } = this.program.buffers[in0.buffer];
        if (bits === 16) {
          const x0 = this.codeAt(in0, y, x, c) + 32768;
          const first = this.value(kernel.table, Math.floor(x0 / 128));
          const next = this.value(kernel.table, Math.floor(x0 / 128) + 1);
          return first + shiftRight((next - first) * big(x0 % 128) + 64n, 7);
        }
        return this.value(kernel.table, this.codeAt(in0, y, x, c) & (2 ** bits - 1));
      }
      case 'prelu': {
        const code = big(this.codeAt(in0, y, x, c));
        const slope = code >= 0n ? this.perChannel(kernel.positive, c) : this.value(kernel.negative, c);
        return clamp(shiftRight(code * slope + big(kernel.offset), kernel.shift), kernel.min, kernel.max);
      }
      case 'copy':
      case 'load':
        return big(this.codeAt(in0, y, x, c));
      case 'fill':
        return this.value(kernel.codes, c);
      case 'resize': {
        const [sy, fy] = [0, 1].map((i) => Number(this.value(kernel.rows, y * 2 + i)));
        const [sx, fx] = [0, 1].map((i) => Number(this.value(kernel.cols, x * 2 + i)));
        const at = (dy: number, dx: number, weight: number): number =>
          weight === 0 ? 0 : weight * this.codeAt(in0, sy + dy, sx + dx, c);
        const sum =
          at(0, 0, (256 - fy) * (256 - fx)) + at(0, 1, (256 - fy) * fx) + at(1, 0, fy * (256 - fx)) + at(1, 1, fy * fx);
        return shiftRight(big(sum) + 32768n, 16);
      }
      case 'softmax': {
        const codes = Array.from({ length: in0.channels }, (_, i) => this.codeAt(in0, y, x, i));
        const largest = Math.max(...codes);
        const e = (code: number): bigint => this.value(kernel.table, largest - code);
        const sum = codes.reduce((s, code) => s + e(code), 0n);
        return clamp((e(codes[c]) * big(kernel.one) + sum / 2n) / sum, 0, 255);
      }
      case 'normalize': {
        const channels = big(in0.channels);
        const codes = Array.from({ length: in0.channels }, (_, i) => big(this.codeAt(in0, y, x, i)));
        const zero = big(kernel.zeroIn);
        const sum = codes.reduce((s, code) => s + code, 0n);
        const squares = codes.reduce((s, code) => s + (kernel.centered ? code : code - zero) ** 2n, 0n);
        const size = (kernel.centered ? channels * squares - sum ** 2n : squares) + BigInt(kernel.epsilon);
        const d = kernel.centered ? channels * codes[c] - sum : codes[c] - zero;
        let v = size > 1n ? size : 1n;
        let t = 0;
        for (; v >= 1n << 32n; t++) v /= 4n;
        for (; v < 1n << 30n; t--) v *= 4n;
        const r = (1n << 31n) / big(Math.floor(Math.sqrt(Number(v))));
        const multiplier = (r < 65535n ? r : 65535n) * big(kernel.multiplier);
        const s = Math.max(1, Math.min(31, kernel.shift + t));
        const share = shiftRight((d << big(kernel.preShift)) * multiplier, 32);
        return clamp(shiftRight(share + (1n << big(s - 1)), s) + big(kernel.zeroOut), kernel.min, kernel.max);
      }
      case 'permute': {
        const from = Number(this.value(kernel.permutation, (y * width(output) + x) * output.channels + c));
        return big(
          this.codeAt(
            in0,
            Math.floor(from / (width(in0) * in0.channels)),
            Math.floor(from / in0.channels) % width(in0),
            from % in0.channels,
          ),
        );
      }
    }
  }

  private requantize(r: Requantization, acc: bigint, c: number): bigint {
    const bias = this.value(r.bias, c);
    const shifted =
      r.biasShift >= 0 ? bias << big(r.biasShift) : shiftRight(bias + (1n << big(-r.biasShift - 1)), -r.biasShift);
    const a = int32((acc + shifted) << big(r.preShift));
    const y = shiftRight(shiftRight(a * this.value(r.multiplier, c), 32) + (1n << big(r.shift - 1)), r.shift);
    return clamp(y, r.min, Number(this.perChannel(r.max, c)));
  }

  private scaledSum(sum: ScaledSum, y: number, x: number, c: number): bigint {
    let total = this.perChannel(sum.offset, c);
    const bits = this.step.inputs.map(({ buffer }) => this.program.buffers[buffer].bits);
    this.step.inputs.forEach((access, i) => {
      const code = big(this.elementOf(access, y, x, c)) * (bits[i] < 16 && bits.includes(16) ? 128n : 1n);
      total += code * this.perChannel(sum.multipliers[i], c);
    });
    return clamp(shiftRight(int32(total), sum.shift), sum.min, sum.max);
  }

  /** Code under a tap of a convolution; of padding outside. */
  private tap(
    kernel: { window: StepWindow; padCodes: number | null },
    oy: number,
    ox: number,
    ky: number,
    kx: number,
    c: number,
  ): bigint {
    const [in0] = this.step.inputs;
    const y = oy * kernel.window.strideH - kernel.window.padTop + ky * kernel.window.dilationH;
    const x = ox * kernel.window.strideW - kernel.window.padLeft + kx * kernel.window.dilationW;
    if (y >= 0 && y < height(in0) && x >= 0 && x < width(in0)) return big(this.codeAt(in0, y, x, c));
    return kernel.padCodes === null ? 0n : this.value(kernel.padCodes, c);
  }

  private inside(
    window: StepWindow,
    oy: number,
    ox: number,
    c: number,
  ): { codes: number[]; rows: number; columns: number } {
    const [in0] = this.step.inputs;
    const rows = range(window.kernelH)
      .map((k) => oy * window.strideH - window.padTop + k * window.dilationH)
      .filter((y) => y >= 0 && y < height(in0));
    const columns = range(window.kernelW)
      .map((k) => ox * window.strideW - window.padLeft + k * window.dilationW)
      .filter((x) => x >= 0 && x < width(in0));
    return {
      codes: rows.flatMap((y) => columns.map((x) => this.codeAt(in0, y, x, c))),
      rows: rows.length,
      columns: columns.length,
    };
  }

  private elementOf(access: Access, y: number, x: number, c: number): number {
    const single = height(access) === 1 && width(access) === 1;
    return this.codeAt(access, single ? 0 : y, single ? 0 : x, c);
  }

  private eachInput(visit: (code: number) => void): void {
    const [in0] = this.step.inputs;
    for (let y = 0; y < height(in0); y++)
      for (let x = 0; x < width(in0); x++) for (let c = 0; c < in0.channels; c++) visit(this.codeAt(in0, y, x, c));
  }

  private codeAt(access: Access, y: number, x: number, c: number): number {
    const { bits, signed } = this.program.buffers[access.buffer];
    let pattern = 0;
    for (let b = 0; b < bits; b++) {
      const [byte, bit] = this.address(access, y, x, (access.channel + c) * bits + b);
      pattern += ((this.snapshot[byte] >> bit) & 1) * 2 ** b;
    }
    return signed && pattern >= 2 ** (bits - 1) ? pattern - 2 ** bits : pattern;
  }

  private setCode(y: number, x: number, c: number, code: number): void {
    const { output } = this.step;
    const { bits } = this.program.buffers[output.buffer];
    for (let b = 0; b < bits; b++) this.setBit(output, y, x, (output.channel + c) * bits + b, (code >> b) & 1);
  }

  private setBit(access: Access, y: number, x: number, bitOfPixel: number, value: number): void {
    const [byte, bit] = this.address(access, y, x, bitOfPixel);
    this.arena[byte] = (this.arena[byte] & ~(1 << bit)) | (value << bit);
  }

  /** Byte of the arena and bit in it. */
  private address(access: Access, y: number, x: number, bitOfPixel: number): [number, number] {
    const buffer = this.program.buffers[access.buffer];
    const pixel =
      (access.region.y0 + y - buffer.window.y0) * (buffer.window.x1 - buffer.window.x0) +
      access.region.x0 +
      x -
      buffer.window.x0;
    return [
      buffer.offset + pixel * Math.ceil((buffer.channels * buffer.bits) / 8) + Math.floor(bitOfPixel / 8),
      bitOfPixel % 8,
    ];
  }

  private perChannel(value: number | PerChannel, c: number): bigint {
    return typeof value === 'number' ? big(value) : this.value(value.constant, c);
  }

  private value(id: number, index: number): bigint {
    const value = this.program.constants[id].values[index];
    if (value === undefined) throw new Error(`Constant ${id} has no value ${index}.`);
    return big(value);
  }
}

function height(access: Access): number {
  return access.region.y1 - access.region.y0;
}

function width(access: Access): number {
  return access.region.x1 - access.region.x0;
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

function clamp(y: bigint, min: number, max: number): bigint {
  const low = y < big(min) ? big(min) : y;
  return low > big(max) ? big(max) : low;
}

/** The bounds that lower() has to keep: a program that leaves them is a fault of the generator. */
function int32(a: bigint): bigint {
  if (a !== BigInt.asIntN(32, a)) throw new Error(`${a} overflows 32 bits.`);
  return a;
}
