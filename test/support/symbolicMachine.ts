import { regionHeight, regionPixels, regionWidth, type Region } from '../../src/engine/graph/region';
import { elements, type Graph, type Layer, type MapId, type ResizeLayer } from '../../src/engine/graph/types';
import { isBroadcast } from '../../src/engine/schedule/receptiveField';
import type { Schedule, ScheduleAccess, ScheduleBuffer, ScheduleStep } from '../../src/engine/schedule/schedule';
import type { PatchClass } from '../../src/engine/graph/bits';

/** An access, and the channel of its map that its first channel is (not 0 where a step copies a part only). */
type Meant = ScheduleAccess & { readonly firstChannel: number };

/**
 * Runs a schedule on an arena whose bytes hold names instead of codes: every code is marked with the element of the
 * network that it stands for. Each step looks, by the kernel's own addressing (region, padding of the call, strides),
 * whether it finds exactly the elements that the network's definition asks for, while doing its writes as early as the
 * order within a step allows. So it fails on a wrong region, a wrong lifetime, and a wrong overlap alike.
 */
export class SymbolicMachine {
  /** One entry per 2 bits. */
  private readonly cells: Int32Array;
  private readonly names: Int32Array[];

  /**
   * @param offsets of the buffers in the arena, by buffer id
   * @param decide  class of a branch where it is decided at run time
   */
  constructor(
    private readonly graph: Graph,
    private readonly schedule: Schedule,
    private readonly offsets: readonly number[],
    arenaBytes: number,
    private readonly decide: (branch: number) => PatchClass,
  ) {
    this.cells = new Int32Array(arenaBytes * 4).fill(-1);
    this.names = elementNames(graph);
  }

  /** @throws Error at the first element that is not what it should be */
  run(): void {
    const { graph, schedule } = this;
    graph.inputs.forEach(({ map }, i) => this.write(this.wholeAccess(map, schedule.inputs[i])));
    for (const step of schedule.steps) {
      if (step.guard !== null && step.guard !== this.decide(step.branch!)) continue;
      try {
        this.step(step);
      } catch (error) {
        const layer = graph.layers[step.layer];
        throw new Error(
          `${step.kind} step of ${layer.name}, branch ${step.branch}, output ${JSON.stringify(step.output)}: ` +
            `${(error as Error).message}`,
          { cause: error },
        );
      }
    }
    graph.outputs.forEach(({ map }, i) => this.expect(this.wholeAccess(map, schedule.outputs[i])));
  }

  private wholeAccess(map: MapId, buffer: number): Meant {
    const { h, w, c } = this.graph.maps[map].shape;
    return { buffer, map, region: { y0: 0, x0: 0, y1: h, x1: w }, channel: 0, channels: c, firstChannel: 0 };
  }

  private step(step: ScheduleStep): void {
    const layer = this.graph.layers[step.layer];
    const isLayer = step.kind === 'layer';
    const first = step.slice?.begin ?? 0;
    // A pool reads the channels that it writes.
    const inputs = step.inputs.map((a) => ({
      ...a,
      firstChannel: isLayer && layer.kind === 'slice' ? layer.begin : layer.kind === 'averagePool' ? first : 0,
    }));
    for (const input of inputs) this.expect(input);
    if (!step.output) return;
    const before = layer.kind === 'concat' && layer.axis === 'c' && isLayer ? layer.inputs.slice(0, step.part) : [];
    const output = {
      ...step.output,
      firstChannel: before.reduce((sum, map) => sum + this.graph.maps[map].shape.c, first),
    };
    if (!isLayer) this.elementwise(inputs, output);
    else if ('window' in layer) this.windowed(layer, step, inputs[0], output);
    else if (layer.kind === 'resize') this.byRows(inputs[0], output, resizeRows(this.graph, layer));
    else if (['add', 'mul', 'activation', 'prelu', 'slice', 'concat'].includes(layer.kind) && inputs.length <= 2)
      this.elementwise(inputs, output, layer);
    else this.unordered(layer, step, inputs, output);
    // Whatever is read again later must have survived.
    for (const input of inputs)
      if (this.root(input.buffer).last > this.schedule.steps.indexOf(step)) this.expect(input);
  }

  private root(buffer: number): ScheduleBuffer {
    return this.schedule.buffers[this.schedule.buffers[buffer].aliasOf ?? buffer];
  }

  private windowed(layer: Extract<Layer, { window: unknown }>, step: ScheduleStep, input: Meant, output: Meant): void {
    const { window } = layer;
    const { h, w } = this.graph.maps[input.map].shape;
    const rows = tapsOf('row', {
      ...{ kernel: window.kernelH, stride: window.strideH, dilation: window.dilationH },
      ...{ outputs: regionHeight(output.region), first: output.region.y0, size: h, padding: window.padding.top },
      ...{ held: regionHeight(input.region), heldFirst: input.region.y0, heldPadding: step.padTop },
    });
    const columns = tapsOf('column', {
      ...{ kernel: window.kernelW, stride: window.strideW, dilation: window.dilationW },
      ...{ outputs: regionWidth(output.region), first: output.region.x0, size: w, padding: window.padding.left },
      ...{ held: regionWidth(input.region), heldFirst: input.region.x0, heldPadding: step.padLeft },
    });
    this.byRows(input, output, (oy) => rows[oy], [...new Set(columns.flat())]);
  }

  /**
   * Writes row after row, each at once, and checks after it what this row reads: the latest moment at which a kernel
   * may still read.
   */
  private byRows(
    input: Meant,
    output: Meant,
    rowsOf: (oy: number) => readonly number[],
    cols: readonly number[] = range(regionWidth(input.region)),
  ): void {
    for (const oy of range(regionHeight(output.region))) {
      this.write({ ...output, region: { ...output.region, y0: output.region.y0 + oy, y1: output.region.y0 + oy + 1 } });
      for (const y of rowsOf(oy)) for (const x of cols) this.expectPixel(input, y, x);
    }
  }

  /** Byte after byte of the output; the codes of a byte are read before it is written. */
  private elementwise(inputs: readonly Meant[], output: Meant, layer?: Layer): void {
    const perByte = 8 / this.schedule.buffers[output.buffer].bits;
    const broadcast = inputs.map(
      (_, i) => layer !== undefined && layer.kind !== 'concat' && isBroadcast(this.graph, layer, i),
    );
    for (const y of range(regionHeight(output.region))) {
      for (const x of range(regionWidth(output.region))) {
        for (let c = 0; c < output.channels; c += perByte) {
          const end = Math.min(c + perByte, output.channels);
          inputs.forEach((input, i) => {
            for (let k = c; k < end; k++) this.expectCode(input, broadcast[i] ? 0 : y, broadcast[i] ? 0 : x, k);
          });
          for (let k = c; k < end; k++) this.setCode(output, y, x, k);
        }
      }
    }
  }

  /** Writes everything at once and expects all inputs to be there afterwards. */
  private unordered(layer: Layer, step: ScheduleStep, inputs: readonly Meant[], output: Meant): void {
    if (layer.kind === 'pad') this.checkPad(layer, step, output);
    this.write(output);
    for (const input of inputs) this.expect(input);
  }

  private checkPad(layer: Extract<Layer, { kind: 'pad' }>, step: ScheduleStep, output: Meant): void {
    const [input] = step.inputs;
    if (regionPixels(input.region) === 0) return;
    const { h, w } = this.graph.maps[input.map].shape;
    const y0 = output.region.y0 + step.padTop - layer.padding.top;
    const x0 = output.region.x0 + step.padLeft - layer.padding.left;
    const expected: Region = {
      y0: Math.max(0, output.region.y0 - layer.padding.top),
      x0: Math.max(0, output.region.x0 - layer.padding.left),
      y1: Math.min(h, output.region.y1 - layer.padding.top),
      x1: Math.min(w, output.region.x1 - layer.padding.left),
    };
    if (JSON.stringify(expected) !== JSON.stringify(input.region) || y0 !== input.region.y0 || x0 !== input.region.x0)
      throw new Error('pad is shifted');
  }

  private expect(access: Meant): void {
    for (const y of range(regionHeight(access.region)))
      for (const x of range(regionWidth(access.region))) this.expectPixel(access, y, x);
  }

  private expectPixel(access: Meant, y: number, x: number): void {
    for (let c = 0; c < access.channels; c++) this.expectCode(access, y, x, c);
  }

  private expectCode(access: Meant, y: number, x: number, c: number): void {
    const { at, cells } = this.place(access, y, x, c);
    const wanted = this.name(access, y, x, c);
    for (let k = 0; k < cells; k++) {
      const found = this.cells[at + k];
      if (found === wanted) continue;
      throw new Error(
        `map ${access.map} at row ${access.region.y0 + y}, column ${access.region.x0 + x}, channel ${c}: found ` +
          `${found} instead of ${wanted}`,
      );
    }
  }

  private write(access: Meant): void {
    for (const y of range(regionHeight(access.region))) {
      for (const x of range(regionWidth(access.region)))
        for (let c = 0; c < access.channels; c++) this.setCode(access, y, x, c);
    }
  }

  private setCode(access: Meant, y: number, x: number, c: number): void {
    const { at, cells } = this.place(access, y, x, c);
    this.cells.fill(this.name(access, y, x, c), at, at + cells);
  }

  private name(access: Meant, y: number, x: number, channel: number): number {
    const { w, c } = this.graph.maps[access.map].shape;
    return this.names[access.map][
      ((access.region.y0 + y) * w + access.region.x0 + x) * c + access.firstChannel + channel
    ];
  }

  private place(access: Meant, y: number, x: number, c: number): { at: number; cells: number } {
    const buffer = this.schedule.buffers[access.buffer];
    const row = access.region.y0 + y - buffer.window.y0;
    const col = access.region.x0 + x - buffer.window.x0;
    if (row < 0 || col < 0 || row >= regionHeight(buffer.window) || col >= regionWidth(buffer.window))
      throw new Error('outside of the buffer');
    if (access.channel + c >= buffer.channels) throw new Error('channel outside of the buffer');
    const byte = this.offsets[access.buffer] + row * buffer.rowBytes + col * buffer.pixelBytes;
    return { at: byte * 4 + ((access.channel + c) * buffer.bits) / 2, cells: buffer.bits / 2 };
  }
}

function range(count: number): number[] {
  return Array.from({ length: Math.max(0, count) }, (_, i) => i);
}

/**
 * By map, the name of every element: elements that concat, slice and reshape only pass on keep the name that they have.
 */
function elementNames(graph: Graph): Int32Array[] {
  const names: Int32Array[] = [];
  let next = 0;
  for (const map of graph.maps) {
    const { h, w, c } = map.shape;
    const own = new Int32Array(elements(map.shape));
    names[map.id] = own;
    const layer = map.producer === null ? null : graph.layers[map.producer];
    if (layer?.kind === 'reshape') own.set(names[layer.inputs[0]]);
    else if (layer?.kind === 'slice') {
      const from = graph.maps[layer.inputs[0]].shape.c;
      for (let i = 0; i < own.length; i++)
        own[i] = names[layer.inputs[0]][Math.floor(i / c) * from + layer.begin + (i % c)];
    } else if (layer?.kind === 'concat') {
      let at = 0;
      for (const input of layer.inputs) {
        const s = graph.maps[input].shape;
        const origin = { h: 0, w: 0, c: 0, [layer.axis]: at };
        names[input].forEach((name, i) => {
          const pixel = Math.floor(i / s.c);
          own[((Math.floor(pixel / s.w) + origin.h) * w + (pixel % s.w) + origin.w) * c + (i % s.c) + origin.c] = name;
        });
        at += s[layer.axis];
      }
    } else for (let i = 0; i < h * w * c; i++) own[i] = next++;
  }
  return names;
}

/**
 * Source rows of every output row of a resize, by the definition in graph/types.ts; a superset of two rows for both
 * modes.
 */
function resizeRows(graph: Graph, layer: ResizeLayer): (oy: number) => number[] {
  const { h } = graph.maps[layer.inputs[0]].shape;
  const out = graph.maps[layer.output].shape.h;
  return (oy) => {
    const half = (oy + 0.5) / layer.scaleH - 0.5;
    const source = {
      asymmetric: oy / layer.scaleH,
      half_pixel: half,
      pytorch_half_pixel: out > 1 ? half : 0,
      align_corners: out > 1 ? (oy * (h - 1)) / (out - 1) : 0,
    }[layer.coordinates];
    const clipped = Math.min(Math.max(source, 0), h - 1);
    return [...new Set([Math.floor(clipped), Math.ceil(clipped)])];
  };
}

/** One axis of a windowed layer: the step's output and the part of the input that it holds, in the map's terms. */
interface Axis {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Outputs of the step and the position of the first. */
  readonly outputs: number;
  readonly first: number;
  /** Of the whole input. */
  readonly size: number;
  readonly padding: number;
  /** Of what the step reads. */
  readonly held: number;
  readonly heldFirst: number;
  readonly heldPadding: number;
}

/** Positions in the held part that each output reads. @throws Error where the layer means others */
function tapsOf(name: 'row' | 'column', axis: Axis): number[][] {
  return range(axis.outputs).map((output) =>
    range(axis.kernel).flatMap((k) => {
      const at = output * axis.stride - axis.heldPadding + k * axis.dilation;
      const meant = (axis.first + output) * axis.stride - axis.padding + k * axis.dilation;
      const inside = at >= 0 && at < axis.held;
      if (inside !== (meant >= 0 && meant < axis.size))
        throw new Error(
          `${name} ${meant} of the input is ${inside ? 'read, though it does not exist' : 'taken for padding'}`,
        );
      if (inside && axis.heldFirst + at !== meant)
        throw new Error(`${name} ${axis.heldFirst + at} is read for ${name} ${meant}`);
      return inside ? [at] : [];
    }),
  );
}
