import type {
  Access,
  Branch,
  BufferId,
  BufferRole,
  Constant,
  ConstantId,
  Kernel,
  Port,
  Program,
  ProgramBuffer,
  Step,
  StepWindow,
} from '../../src/engine/program/types';
import type { Bits } from '../../src/engine/graph/bits';
import type { Region } from '../../src/engine/graph/region';

/** A k×k window of stride 1 without padding, changed by `other`. */
export function stepWindow(kernel: number, other: Partial<StepWindow> = {}): StepWindow {
  const one = { strideH: 1, strideW: 1, dilationH: 1, dilationW: 1 };
  return { kernelH: kernel, kernelW: kernel, ...one, padTop: 0, padLeft: 0, ...other };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Builds valid Programs by hand. Buffers live from their first to their last use and are placed first-fit, nowhere over
 * each other while alive.
 */
export class ProgramBuilder {
  readonly buffers: Writable<ProgramBuffer>[] = [];
  readonly constants: Constant[] = [];
  readonly steps: Step[] = [];
  readonly branches: Branch[] = [];
  private readonly inputs: BufferId[] = [];
  private readonly outputs: BufferId[] = [];

  buffer(
    role: BufferRole,
    h: number,
    w: number,
    channels: number,
    bits: Bits,
    signed: boolean,
    window: Region = { y0: 0, x0: 0, y1: h, x1: w },
  ): BufferId {
    const id = this.buffers.length;
    const pixelBytes = Math.ceil((channels * bits) / 8);
    const rowBytes = pixelBytes * (window.x1 - window.x0);
    const isInput = role === 'input';
    this.buffers.push({
      id,
      name: `buffer ${id}`,
      role,
      map: id,
      window,
      channels,
      bits,
      signed,
      pixelBytes,
      rowBytes,
      bytes: rowBytes * (window.y1 - window.y0),
      firstStep: isInput ? -1 : Infinity,
      lastStep: -1,
      aliasOf: null,
      offset: 0,
      align: 4,
    });
    if (isInput) this.inputs.push(id);
    return id;
  }

  constant(
    kind: Constant['kind'],
    bits: Constant['bits'],
    values: Constant['values'],
    dims: readonly number[],
  ): ConstantId {
    const id = this.constants.length;
    this.constants.push({ id, kind, name: `constant ${id}`, bits, signed: true, values, dims });
    return id;
  }

  /** All of a buffer. */
  all(buffer: BufferId): Access {
    const { window, channels } = this.buffers[buffer];
    return { buffer, region: window, channel: 0, channels };
  }

  step(
    layer: number,
    kernel: Kernel,
    inputs: readonly Access[],
    output: Access,
    extra: Partial<Pick<Step, 'branch' | 'guard'>> = {},
  ): void {
    const id = this.steps.length;
    const { branch = null, guard = null } = extra;
    for (const buffer of [...inputs, output, ...(guard ? [guard] : [])].map((a) => this.buffers[a.buffer])) {
      buffer.firstStep = Math.min(buffer.firstStep, id);
      buffer.lastStep = Math.max(buffer.lastStep, id);
    }
    this.steps.push({ id, layer, kernel, inputs, output, branch, guard, scratch: null, macs: 0 });
  }

  /** The buffer becomes an output port. */
  output(buffer: BufferId): void {
    this.buffers[buffer].role = 'output';
    this.outputs.push(buffer);
  }

  build(name: string): Program {
    for (const id of this.outputs) this.buffers[id].lastStep = this.steps.length;
    return {
      name,
      buffers: this.buffers,
      constants: this.constants,
      steps: this.steps,
      branches: this.branches,
      inputs: this.inputs.map((b) => this.port(b)),
      outputs: this.outputs.map((b) => this.port(b)),
      arenaBytes: this.place(),
      arenaAlign: 4,
    };
  }

  private port(id: BufferId): Port {
    const { window, channels, signed, name } = this.buffers[id];
    const shape = { h: window.y1 - window.y0, w: window.x1 - window.x0, c: channels };
    return {
      buffer: id,
      map: id,
      name,
      dims: [1, shape.c, shape.h, shape.w],
      memory: [0, 2, 3, 1],
      shape,
      signed,
      scales: [1 / 255],
      zeroPoints: [0],
    };
  }

  private place(): number {
    const placed: ProgramBuffer[] = [];
    for (const buffer of this.buffers) {
      const blocking = placed
        .filter((p) => p.firstStep <= buffer.lastStep && buffer.firstStep <= p.lastStep)
        .sort((a, b) => a.offset - b.offset);
      let offset = 0;
      for (const p of blocking) {
        if (offset + buffer.bytes <= p.offset) break;
        offset = Math.max(offset, Math.ceil((p.offset + p.bytes) / buffer.align) * buffer.align);
      }
      buffer.offset = offset;
      placed.push(buffer);
    }
    return Math.max(...this.buffers.map((b) => b.offset + b.bytes));
  }
}
