import type { SampleInput } from '../calibration/inputs';
import { isWeighted, type Graph, type LayerId } from '../graph/types';
import { ConstantPool } from '../program/constants';
import { resolveAccess } from '../program/interpreter/access';
import { packCodes, unpackCodes, type CodeBlock } from '../program/interpreter/codes';
import { ConstantTables, Scratch, type PreparedKernel } from '../program/interpreter/context';
import { prepareKernel } from '../program/interpreter/kernels';
import { inputCodes } from '../program/ports';
import { lower } from '../program/lower';
import { baseFormat } from '../program/lowering/formats';
import { WeightedLowering } from '../program/lowering/weighted';
import type { Access, Kernel, Program, Step } from '../program/types';
import type { LayerParameters, MapFormat, QuantizedParameters } from '../quantize/types';

interface StreamStep {
  readonly step: Step;
  readonly inputs: readonly CodeBlock[];
  /** Buffers that own the memory of the inputs. */
  readonly sources: readonly number[];
  readonly output: CodeBlock;
  readonly target: number;
  kernel: PreparedKernel;
}

/** Changes codes in place, dense [pixels][channels]. */
export type CodeChange = (codes: Int16Array, pixels: number, channels: number) => void;

/** What {@link LayerStream.rerun} changes, by step. */
export interface StreamChange {
  readonly kernels?: ReadonlyMap<number, PreparedKernel>;
  readonly beforeRead?: ReadonlyMap<number, CodeChange>;
  afterWrite?(step: number): CodeChange | null;
}

/** Memory of one image: packed codes by buffer. */
interface ImageMemory {
  get(buffer: number): Uint8Array | undefined;
  set(buffer: number, bytes: Uint8Array): unknown;
  has(buffer: number): boolean;
}

/** The arena of the firmware: buffers that do not live together share its bytes. */
class ArenaMemory implements ImageMemory {
  private readonly arena: Uint8Array;

  constructor(private readonly buffers: Program['buffers']) {
    this.arena = new Uint8Array(Math.max(0, ...buffers.map(({ offset, bytes }) => offset + bytes)));
  }

  has(): boolean {
    return true;
  }

  get(buffer: number): Uint8Array {
    const { offset, bytes } = this.buffers[buffer];
    return this.arena.subarray(offset, offset + bytes);
  }

  set(buffer: number, bytes: Uint8Array): void {
    this.arena.set(bytes, this.buffers[buffer].offset);
  }
}

/**
 * The integer network, layer by layer over several images at once, with the kernels of the reference interpreter: the
 * codes are those of the firmware (without patches, which do not change them at these bits). Weights of a layer may be
 * replaced before it runs, so that each layer is quantized knowing what those before it really compute.
 */
export class LayerStream {
  readonly program: Program;
  private readonly steps: StreamStep[];
  private readonly scratch = new Scratch();
  private readonly codesIn: Int16Array[];
  private readonly codesOut: Int16Array;
  private readonly memory: ImageMemory[];
  private wholeMap = new Int16Array(0);
  private readonly copies = new Map<number, Uint8Array>();

  /**
   * @param images inputs of the network, per image
   * @param keeps  whether maps stay when all their readers have run, which {@link rerun} needs; otherwise an image
   *   takes no more than an arena
   */
  constructor(
    private readonly graph: Graph,
    private readonly parameters: QuantizedParameters,
    images: readonly (readonly SampleInput[])[],
    keeps: boolean,
  ) {
    this.program = lower(graph, null, parameters, { name: 'calibration' });
    const constants = new ConstantTables(this.program.constants);
    this.steps = this.program.steps.map((step) => {
      const inputs = step.inputs.map((a) => this.block(a, false));
      const output = this.block(step.output, true);
      const kernel = prepareKernel(step.kernel, { inputs, output, constants, scratch: this.scratch });
      return {
        step,
        inputs,
        sources: step.inputs.map((a) => this.owner(a.buffer)),
        output,
        target: this.owner(step.output.buffer),
        kernel,
      };
    });
    const size = (b: CodeBlock): number => b.h * b.w * b.channels;
    this.codesIn = [0, 1].map(
      (i) => new Int16Array(Math.max(1, ...this.steps.map((s) => (s.inputs.length > i ? size(s.inputs[i]) : 0)))),
    );
    this.codesOut = new Int16Array(Math.max(1, ...this.steps.map((s) => size(s.output))));
    this.memory = images.map((inputs) => {
      const memory: ImageMemory = keeps ? new Map<number, Uint8Array>() : new ArenaMemory(this.program.buffers);
      for (const [i, input] of inputs.entries())
        memory.set(this.owner(this.program.inputs[i].buffer), inputCodes(this.program, i, input));
      return memory;
    });
  }

  /** Number of steps; layers appear in topological order, a view's step before its layer's. */
  get length(): number {
    return this.steps.length;
  }

  /** Number of steps up to the last with weights: those behind it matter to no fit. */
  get fitted(): number {
    return this.steps.map((_, step) => this.weightedLayer(step) !== null).lastIndexOf(true) + 1;
  }

  /** The layer with weights that a step computes; null for all other steps. */
  weightedLayer(step: number): LayerId | null {
    const { kernel, layer } = this.steps[step].step;
    return kernel.op === 'conv2d' || kernel.op === 'depthwise2d' || kernel.op === 'fullyConnected' ? layer : null;
  }

  /** Codes of the whole map that a step reads from as its first input, dense HWC; valid until the next call. */
  inputCodes(step: number, image: number): Int16Array {
    const s = this.steps[step];
    // A step with strides reads less than the map, and a view holds no more than is read; what is missing is not read.
    const access = s.step.inputs[0];
    const { window, map } = this.program.buffers[access.buffer];
    const { h, w } = this.graph.maps[map!].shape;
    const length = h * w * access.channels;
    if (this.wholeMap.length < length) this.wholeMap = new Int16Array(length);
    for (let y = window.y0; y < window.y1; y++) {
      const row = this.block({ ...access, region: { ...window, y0: y, y1: y + 1 } }, false);
      unpackCodes(this.bytes(s.sources[0], image), row, this.wholeMap.subarray((y * w + window.x0) * access.channels));
    }
    return this.wholeMap;
  }

  /** Replaces the weights of the layer that a step computes. */
  replace(step: number, parameters: LayerParameters): void {
    this.steps[step].kernel = this.kernelWith(step, parameters);
  }

  /**
   * What a step would compute with other weights. @param format of the codes that it is given, when not of those that
   * it reads
   */
  kernelWith(step: number, parameters: LayerParameters, format?: MapFormat): PreparedKernel {
    const s = this.steps[step];
    const layer = this.graph.layers[s.step.layer];
    if (!isWeighted(layer)) throw new Error(`Layer ${layer.id} has no weights.`);
    const pool = new ConstantPool();
    const input = format ?? this.parameters.views.get(layer.id) ?? this.parameters.formats.get(layer.inputs[0])!;
    const output = this.parameters.formats.get(layer.output)!;
    const window = 'window' in s.step.kernel ? s.step.kernel.window : null;
    const kernel: Kernel = new WeightedLowering(this.graph, layer, parameters, input, output, pool).kernel(
      baseFormat(input),
      baseFormat(output),
      window,
    );
    return prepareKernel(kernel, {
      inputs: format ? s.inputs.map((block) => ({ ...block, bits: format.bits, signed: format.signed })) : s.inputs,
      output: s.output,
      constants: new ConstantTables(pool.constants),
      scratch: this.scratch,
    });
  }

  /** Runs a step on one image. */
  run(step: number, image: number): void {
    const s = this.steps[step];
    s.inputs.forEach((block, i) => unpackCodes(this.bytes(s.sources[i], image), block, this.codesIn[i]));
    s.kernel(this.codesIn, this.codesOut);
    packCodes(this.codesOut, this.bytes(s.target, image), s.output);
  }

  /**
   * Runs only what depends on a change, and leaves the memory as it was.
   *
   * @param change what is different: weights that a step computes with, and what becomes of codes that a step has
   *   written or that it is about to read
   * @returns packed bytes of each output port, valid until the next call
   */
  rerun(image: number, change: StreamChange): Uint8Array[] {
    const base = this.memory[image];
    const changed: ImageMemory = new Map<number, Uint8Array>();
    this.memory[image] = changed;
    try {
      this.steps.forEach((s, i) => {
        const reads = change.beforeRead?.get(i);
        const dirty = s.sources.some((b) => changed.has(b)) || change.kernels?.has(i) === true || reads !== undefined;
        const writes = change.afterWrite?.(i);
        if (!dirty && !writes) return;
        if (!changed.has(s.target)) changed.set(s.target, this.copied(s.target, base.get(s.target)!));
        if (dirty) {
          s.inputs.forEach((block, k) =>
            unpackCodes((changed.get(s.sources[k]) ?? base.get(s.sources[k]))!, block, this.codesIn[k]),
          );
          reads?.(this.codesIn[0], s.inputs[0].h * s.inputs[0].w, s.inputs[0].channels);
          (change.kernels?.get(i) ?? s.kernel)(this.codesIn, this.codesOut);
        } else unpackCodes(base.get(s.target)!, s.output, this.codesOut);
        writes?.(this.codesOut, s.output.h * s.output.w, s.output.channels);
        packCodes(this.codesOut, changed.get(s.target)!, s.output);
      });
      return this.program.outputs.map(
        (port) => (changed.get(this.owner(port.buffer)) ?? base.get(this.owner(port.buffer)))!,
      );
    } finally {
      this.memory[image] = base;
    }
  }

  /** Map whose whole width a step writes; null for parts of maps and views. */
  writtenMap(step: number): number | null {
    const { output } = this.steps[step].step;
    const buffer = this.program.buffers[output.buffer];
    return buffer.role !== 'view' && output.channels === buffer.channels ? buffer.map : null;
  }

  /** The step that computes a layer with weights. */
  stepOf(layer: LayerId): number {
    return this.steps.findIndex((_, i) => this.weightedLayer(i) === layer);
  }

  private bytes(buffer: number, image: number): Uint8Array {
    let bytes = this.memory[image].get(buffer);
    if (!bytes) this.memory[image].set(buffer, (bytes = new Uint8Array(this.program.buffers[buffer].bytes)));
    return bytes;
  }

  /** A copy of a buffer, in memory that the next run again takes for it. */
  private copied(buffer: number, bytes: Uint8Array): Uint8Array {
    let copy = this.copies.get(buffer);
    if (!copy) this.copies.set(buffer, (copy = new Uint8Array(bytes.length)));
    copy.set(bytes);
    return copy;
  }

  private owner(buffer: number): number {
    return this.program.buffers[buffer].aliasOf ?? buffer;
  }

  /** The access with addresses relative to its own buffer. */
  private block(access: Access, writes: boolean): CodeBlock {
    const block = resolveAccess(this.program, access, writes);
    return { ...block, offset: block.offset - this.program.buffers[access.buffer].offset };
  }
}
