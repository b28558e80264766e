import { regionHeight, regionWidth, type Region } from '../../../../../src/engine/graph/region';
import type { Bits } from '../../../../../src/engine/graph/bits';
import type {
  Access,
  Constant,
  ConstantKind,
  Kernel,
  Program,
  ProgramBuffer,
  Step,
} from '../../../../../src/engine/program/types';
import type { Random } from './random';

export interface Format {
  readonly bits: Bits;
  readonly signed: boolean;
}

export interface Size {
  readonly h: number;
  readonly w: number;
  readonly channels: number;
}

/** An access with what it looks like, so that generators need not ask the buffer. */
export interface RandomMap extends Size, Format {
  readonly access: Access;
  /** The access is its whole buffer. */
  readonly whole: boolean;
}

/** Where an output starts relative to the input that it may overwrite: at most `delta` bytes after it. */
export interface Overlap {
  readonly over: RandomMap;
  readonly delta: number;
}

/**
 * Collects buffers, constants and steps of a random program. Accesses are windows and slices of larger buffers at any
 * byte of the arena.
 */
export class ProgramBuilder {
  readonly buffers: ProgramBuffer[] = [];
  readonly constants: Constant[] = [];
  readonly steps: Step[] = [];
  private readonly maps: RandomMap[] = [];
  private end = 0;

  /** @param wide some maps have 16 bits; weights have 8 then */
  constructor(
    readonly random: Random,
    readonly wide = false,
  ) {}

  /** A new map, or sometimes an access of an earlier one that fits. */
  input(size: Size, format: Format): RandomMap {
    const fitting = this.maps.filter(
      (m) =>
        m.h === size.h &&
        m.w === size.w &&
        m.channels === size.channels &&
        m.bits === format.bits &&
        m.signed === format.signed,
    );
    if (fitting.length > 0 && this.random.chance(0.7)) return this.random.pick(fitting);
    return this.newMap(size, format, false, null);
  }

  /** A map that shares no memory with others, or overwrites an input as far as the order within a step allows. */
  output(size: Size, format: Format, overlap: Overlap | null = null): RandomMap {
    return this.newMap(size, format, true, overlap);
  }

  /** A map that is whole in its buffer, so that an output may be laid over it. */
  wholeInput(size: Size, format: Format): RandomMap {
    return this.newMap(size, format, false, null, true);
  }

  constant(kind: ConstantKind, bits: Constant['bits'], signed: boolean, values: Constant['values']): number {
    const id = this.constants.length;
    this.constants.push({ id, kind, name: `${kind}${id}`, bits, signed, values, dims: [values.length] });
    return id;
  }

  /** 16-bit values, of a kind that the kernels only read by value. */
  table16(values: ArrayLike<number>): number {
    return this.constant('table', 16, true, Int16Array.from(values));
  }

  table32(values: ArrayLike<number>): number {
    return this.constant('table', 32, true, Int32Array.from(values));
  }

  step(kernel: Kernel, inputs: readonly RandomMap[], output: RandomMap | Access, guard: Step['guard'] = null): void {
    this.steps.push({
      id: this.steps.length,
      layer: 0,
      kernel,
      inputs: inputs.map((m) => m.access),
      output: 'access' in output ? output.access : output,
      branch: null,
      guard,
      scratch: null,
      macs: 0,
    });
    if ('access' in output) this.maps.push(output);
  }

  /** The flags of run-time classes. */
  flags(count: number): Access {
    const region = { y0: 0, x0: 0, y1: 1, x1: 1 };
    const buffer = this.addBuffer(region, count, { bits: 8, signed: false }, this.end, 'flags');
    return { buffer: buffer.id, region, channel: 0, channels: count };
  }

  finish(): Program {
    const arenaBytes = Math.max(...this.buffers.map((b) => b.offset + b.bytes));
    // The interpreter is given the whole arena as its input, so that every byte outside of the accesses is checked too.
    const region = { y0: 0, x0: 0, y1: 1, x1: arenaBytes };
    const arena = this.addBuffer(region, 1, { bits: 8, signed: false }, 0, 'input');
    const port = {
      buffer: arena.id,
      map: 0,
      name: 'arena',
      dims: [arenaBytes],
      memory: [0],
      shape: { h: 1, w: arenaBytes, c: 1 },
      signed: false,
      scales: [1],
      zeroPoints: [0],
    };
    return {
      name: 'random',
      buffers: this.buffers,
      constants: this.constants,
      steps: this.steps,
      branches: [],
      inputs: [port],
      outputs: [port],
      arenaBytes,
      arenaAlign: 1,
    };
  }

  private newMap(size: Size, format: Format, writes: boolean, overlap: Overlap | null, whole = false): RandomMap {
    const { random } = this;
    const plain = whole || overlap !== null || random.chance(0.4);
    const margin = (): number => (plain ? 0 : random.pick([0, 0, 1, 2]));
    const region: Region = { y0: random.int(0, 9), x0: random.int(0, 9), y1: 0, x1: 0 };
    const inner = { ...region, y1: region.y0 + size.h, x1: region.x0 + size.w };
    const window = {
      y0: inner.y0 - margin(),
      x0: inner.x0 - margin(),
      y1: inner.y1 + margin(),
      x1: inner.x1 + margin(),
    };
    const perByte = Math.max(1, 8 / format.bits);
    const before = plain ? 0 : random.pick([0, 0, 1, 3]) * perByte;
    const mayContinue = !writes || size.channels % perByte === 0;
    const after = plain || !mayContinue ? 0 : random.int(0, 5);
    const channels = before + size.channels + after;
    const offset = overlap === null ? this.end + random.pick([0, 0, 1, 3]) : this.offsetOver(overlap);
    const buffer = this.addBuffer(window, channels, format, offset, 'map');
    const access = { buffer: buffer.id, region: inner, channel: before, channels: size.channels };
    return { ...size, ...format, access, whole: plain };
  }

  /** The input is the last buffer laid, so that there is room to move it up for an output that begins before it. */
  private offsetOver({ over, delta }: Overlap): number {
    const id = over.access.buffer;
    const input = this.buffers[id];
    if (id !== this.buffers.length - 1) throw new Error('Only the buffer laid last can be overwritten.');
    if (delta >= 0) return input.offset + delta;
    this.buffers[id] = { ...input, offset: input.offset - delta };
    this.end -= delta;
    return input.offset;
  }

  private addBuffer(
    window: Region,
    channels: number,
    format: Format,
    offset: number,
    role: ProgramBuffer['role'],
  ): ProgramBuffer {
    const pixelBytes = Math.ceil((channels * format.bits) / 8);
    const rowBytes = pixelBytes * regionWidth(window);
    const buffer: ProgramBuffer = {
      id: this.buffers.length,
      name: `b${this.buffers.length}`,
      role,
      map: null,
      window,
      channels,
      bits: format.bits,
      signed: format.signed,
      pixelBytes,
      rowBytes,
      bytes: rowBytes * regionHeight(window),
      firstStep: 0,
      lastStep: 0,
      aliasOf: null,
      offset,
      align: 1,
    };
    this.buffers.push(buffer);
    this.end = Math.max(this.end, offset + buffer.bytes);
    return buffer;
  }
}
