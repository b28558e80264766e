import type { Constant, Program, ProgramBuffer, Step } from './types';

/** Work of a part of a Program. */
export interface Work {
  /** Multiply-accumulates of steps with weights, those on padding included. */
  readonly macs: number;
  /** Σ MACs · weight bits · bits of the input as it is read. */
  readonly bitOps: number;
}

/** What a Program takes, counted from its steps, buffers and constants. */
export interface ProgramCost {
  readonly total: Work;
  /** Steps in branches, and those after them. */
  readonly stage: Work;
  readonly tail: Work;
  /** Work on output elements that an earlier step of the same layer has computed already, in proportion to the pixels. */
  readonly redundant: Work;
  /** By graph layer. Layers without weights have no entry. */
  readonly layers: ReadonlyMap<number, Work>;
  readonly flash: {
    /** Weight codes as they are stored. */
    readonly weightBytes: number;
    /** Biases, multipliers and other tables. */
    readonly tableBytes: number;
  };
  readonly memory: {
    readonly arenaBytes: number;
    /** Highest byte in use in each step, plus one. */
    readonly highWater: readonly number[];
    /** Bytes of the buffers that are alive in each step; those under permitted overlaps count twice. */
    readonly live: readonly number[];
    /** The first of the steps with the highest high-water mark; −1 without steps. */
    readonly peakStep: number;
  };
}

/**
 * Counts MACs, BitOPs, flash and memory of a Program. Steps that run for one class only count by the share of inferences in which they run:
 * `outlierShare` says how many of the branches go the way of the outlier class where that is decided at run time.
 */
export function programCost(program: Program, outlierShare = 0.5): ProgramCost {
  const total = new Sum();
  const stage = new Sum();
  const tail = new Sum();
  const layers = new Map<number, LayerSum>();
  for (const step of program.steps) {
    const bits = weightBits(step);
    if (bits === null) continue;
    const share = step.guard === null ? 1 : step.guard.value === 1 ? outlierShare : 1 - outlierShare;
    const macs = step.macs * share;
    const bitOps = macs * bits * program.buffers[step.inputs[0].buffer].bits;
    let layer = layers.get(step.layer);
    if (!layer) layers.set(step.layer, (layer = new LayerSum()));
    for (const sum of [total, step.branch === null ? tail : stage, layer]) sum.add(macs, bitOps);
    layer.pixels += share * outputPixels(step);
    layer.steps.push(step);
  }
  const redundant = new Sum();
  for (const layer of layers.values()) {
    const share = layer.pixels > 0 ? 1 - distinctPixels(layer.steps) / layer.pixels : 0;
    redundant.add(layer.macs * share, layer.bitOps * share);
  }
  return { total, stage, tail, redundant, layers, flash: flashBytes(program.constants), memory: memoryOf(program) };
}

class Sum implements Work {
  macs = 0;
  bitOps = 0;

  add(macs: number, bitOps: number): void {
    this.macs += macs;
    this.bitOps += bitOps;
  }
}

class LayerSum extends Sum {
  pixels = 0;
  readonly steps: Step[] = [];
}

function weightBits({ kernel }: Step): number | null {
  return kernel.op === 'conv2d' || kernel.op === 'depthwise2d' || kernel.op === 'fullyConnected' ? kernel.weightBits : null;
}

function outputPixels({ output: { region } }: Step): number {
  return (region.y1 - region.y0) * (region.x1 - region.x0);
}

/** Pixels of the union of the steps' output regions: by the cells of the grid that their borders make. */
function distinctPixels(steps: readonly Step[]): number {
  const regions = steps.map((s) => s.output.region);
  const borders = (values: number[]) => [...new Set(values)].sort((a, b) => a - b);
  const ys = borders(regions.flatMap((r) => [r.y0, r.y1]));
  const xs = borders(regions.flatMap((r) => [r.x0, r.x1]));
  const column = new Map(xs.map((x, i) => [x, i]));
  let pixels = 0;
  for (let y = 0; y + 1 < ys.length; y++) {
    const covered = new Uint8Array(xs.length);
    for (const r of regions) if (r.y0 <= ys[y] && r.y1 > ys[y]) covered.fill(1, column.get(r.x0), column.get(r.x1));
    for (let x = 0; x + 1 < xs.length; x++) pixels += covered[x] * (ys[y + 1] - ys[y]) * (xs[x + 1] - xs[x]);
  }
  return pixels;
}

function flashBytes(constants: readonly Constant[]): ProgramCost['flash'] {
  let weightBytes = 0;
  let tableBytes = 0;
  for (const { kind, bits, values } of constants) {
    const bytes = Math.ceil((values.length * bits) / 8);
    if (kind === 'weights') weightBytes += bytes;
    else tableBytes += bytes;
  }
  return { weightBytes, tableBytes };
}

function memoryOf({ buffers, steps, arenaBytes }: Program): ProgramCost['memory'] {
  const highWater = new Array<number>(steps.length).fill(0);
  const live = new Array<number>(steps.length).fill(0);
  const each = (buffer: ProgramBuffer, visit: (step: number) => void) => {
    for (let step = Math.max(0, buffer.firstStep); step <= Math.min(steps.length - 1, buffer.lastStep); step++) visit(step);
  };
  for (const buffer of buffers) {
    if (buffer.aliasOf !== null) continue;
    each(buffer, (step) => {
      highWater[step] = Math.max(highWater[step], buffer.offset + buffer.bytes);
      live[step] += buffer.bytes;
    });
  }
  const peakStep = highWater.reduce((best, bytes, step) => (best < 0 || bytes > highWater[best] ? step : best), -1);
  return { arenaBytes, highWater, live, peakStep };
}
