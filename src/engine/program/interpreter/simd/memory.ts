import { moduleText } from './module';

/** The functions of assembly/kernels.ts; addresses and steps in bytes. */
export interface SimdFunctions {
  convolve(
    x: number,
    out: number,
    weights: number,
    table: number,
    rows: number,
    columns: number,
    rowStep: number,
    pixelStep: number,
    tapRows: number,
    tapRowStep: number,
    runs: number,
    runStep: number,
    quads: number,
    channels: number,
    outStep: number,
    preShift: number,
    shift: number,
    min: number,
  ): void;
  depthwise(
    x: number,
    out: number,
    weights: number,
    table: number,
    offsets: number,
    pairs: number,
    rows: number,
    columns: number,
    rowStep: number,
    pixelStep: number,
    channels: number,
    preShift: number,
    shift: number,
    min: number,
  ): void;
}

/** What the Int16Array and Int32Array of one step have to be to hold its data; indices are bytes. */
interface Views {
  readonly int16: Int16Array;
  readonly int32: Int32Array;
}

const PAGE_BYTES = 65_536;
/** Kernels read up to 14 bytes past their data. */
const SLACK_BYTES = 16;
/** A step that needs more runs in TypeScript: nothing that fits a microcontroller does. */
const MOST_BYTES = 512 << 20;

/**
 * One WebAssembly instance per thread. Its memory is working memory of the step that runs: every step lays out its data
 * from address 0, so nothing has to be freed and the memory is as large as the largest step needs.
 */
class SimdMemory {
  private views: Views;

  private constructor(
    readonly functions: SimdFunctions,
    private readonly memory: WebAssembly.Memory,
  ) {
    this.views = { int16: new Int16Array(memory.buffer), int32: new Int32Array(memory.buffer) };
  }

  /** @throws where the JavaScript engine has no WebAssembly with SIMD */
  static create(): SimdMemory {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(moduleText, 'base64')), {});
    return new SimdMemory(exports as unknown as SimdFunctions, exports.memory as WebAssembly.Memory);
  }

  /** The memory with at least `bytes` bytes; valid until the next call. */
  reserve(bytes: number): Views {
    const { buffer } = this.memory;
    if (bytes > buffer.byteLength) {
      this.memory.grow(Math.ceil((bytes - buffer.byteLength) / PAGE_BYTES));
      this.views = { int16: new Int16Array(this.memory.buffer), int32: new Int32Array(this.memory.buffer) };
    }
    return this.views;
  }
}

/** Addresses of a step's data, one after the other, each with room for what kernels read past its end. */
export class SimdLayout {
  bytes = SLACK_BYTES;

  /** Address of `bytes` more bytes, a multiple of 16. */
  place(bytes: number): number {
    const address = this.bytes;
    this.bytes = address + Math.ceil((bytes + SLACK_BYTES) / 16) * 16;
    return address;
  }

  /** Whether it is small enough for the memory. */
  get fits(): boolean {
    return this.bytes <= MOST_BYTES;
  }
}

let shared: SimdMemory | null | undefined;

/**
 * The memory of this thread; null where the JavaScript engine lacks SIMD and the kernels in TypeScript do all the work.
 */
export function simdMemory(): SimdMemory | null {
  if (shared === undefined) {
    try {
      shared = SimdMemory.create();
    } catch {
      shared = null;
    }
  }
  return shared;
}
