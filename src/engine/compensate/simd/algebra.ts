import { moduleText } from './module';

/** The functions of assembly/algebra.ts and its parts; addresses in bytes. */
interface AlgebraFunctions {
  gram(a: number, n: number, length: number, out: number): void;
  products(a: number, rows: number, b: number, n: number, length: number, out: number): void;
  combine(w: number, rows: number, x: number, n: number, length: number, out: number): void;
  feedback(
    weights: number,
    factor: number,
    n: number,
    scales: number,
    top: number,
    codes: number,
    error: number,
    total: number,
  ): void;
  aim(
    targets: number,
    predicted: number,
    rows: number,
    length: number,
    stride: number,
    offsets: number,
    low: number,
    high: number,
    sums: number,
  ): void;
  forward(l: number, step: number, n: number, x: number): void;
  /** @returns 0 if the matrix is not positive definite */
  cholesky(a: number, n: number, x: number): number;
  reversedTranspose(l: number, n: number, to: number): void;
  reverse(x: number, n: number): void;
  descend(
    weights: number,
    hessian: number,
    n: number,
    length: number,
    scale: number,
    top: number,
    sweeps: number,
    codes: number,
    slope: number,
  ): void;
  gather(codes: number, at: number, count: number, channels: number, added: number, out: number, outStep: number): void;
  lessZero(codes: number, length: number, padding: number, zero: number): void;
  translate(codes: number, length: number, table: number): void;
  sum(codes: number, length: number): number;
  center(codes: number, length: number, mean: number, out: number): void;
  predict(w: number, taps: number, codes: number, length: number, offsets: number, out: number): void;
}

const PAGE_BYTES = 65_536;
/** Larger problems are left to the plain implementation. */
const MOST_BYTES = 1 << 30;

/**
 * A WebAssembly instance whose memory one computation lays out at a time: {@link place} hands out addresses starting at
 * 0, {@link clear} takes them all back.
 */
export class Algebra {
  readonly functions: AlgebraFunctions;
  private readonly memory: WebAssembly.Memory;
  private top = 16;

  private constructor() {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(moduleText, 'base64')), {});
    this.functions = exports as unknown as AlgebraFunctions;
    this.memory = exports.memory as WebAssembly.Memory;
  }

  /** Null where the JavaScript engine has no WebAssembly with SIMD. */
  static create(): Algebra | null {
    try {
      return new Algebra();
    } catch {
      return null;
    }
  }

  /** Whether so many bytes can be placed after {@link clear}. */
  static fits(bytes: number): boolean {
    return bytes <= MOST_BYTES;
  }

  clear(): void {
    this.top = 16;
  }

  /** Where the next array will lie; give it to {@link release} to take back what was placed since. */
  mark(): number {
    return this.top;
  }

  release(mark: number): void {
    this.top = mark;
  }

  /**
   * Address of `bytes` bytes, a multiple of 16, contents undefined. Views made before are invalid if the memory had to
   * grow.
   */
  place(bytes: number): number {
    const address = this.top;
    this.top = address + Math.ceil(bytes / 16) * 16;
    const missing = this.top - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE_BYTES));
    return address;
  }

  int16(address: number, length: number): Int16Array {
    return new Int16Array(this.memory.buffer, address, length);
  }

  int32(address: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, address, length);
  }

  float32(address: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length);
  }

  float64(address: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, address, length);
  }
}

let shared: Algebra | null | undefined;

/** The instance of this thread. */
export function algebra(): Algebra | null {
  if (shared === undefined) shared = Algebra.create();
  return shared;
}
