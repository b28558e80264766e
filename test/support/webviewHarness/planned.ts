/**
 * A plan for the sample network: patches with exact halos, branches, steps, buffers at first-fit offsets, and figures
 * that follow from them.
 */
import type {
  BranchView,
  BufferView,
  CandidateView,
  EditorView,
  LayerPlanView,
  LayerView,
  PlanView,
  StepView,
  TargetView,
} from '../../../src/protocol/views';
import { mobilenetLayers, modelOf } from './mobilenet';

export const target: TargetView = {
  id: 'sample',
  name: 'STM32F746',
  core: 'Cortex-M7',
  clockMHz: 216,
  sramBytes: 320 * 1024,
  flashBytes: 4 * 1024 * 1024,
  source: 'a sample of the tests, not a real part',
  regions: [
    { name: 'SRAM1', kind: 'sram', bytes: 320 * 1024 },
    { name: 'DTCM', kind: 'sram', bytes: 64 * 1024 },
    { name: 'FLASH', kind: 'flash', bytes: 4 * 1024 * 1024 },
  ],
  arenaRegion: 'SRAM1',
};

/** Last layer of the patch stage: the end of the first block with 32 channels. */
const splitLayer = 12;
const outliers = new Set([5, 6, 9, 10]);

type Bits = 8 | 4 | 2;
type Rows = readonly [number, number, number, number];

/** Deterministic noise in 0…1. */
function noise(n: number): number {
  const x = Math.sin(n * 127.1 + 311.7) * 43758.5453;
  return x - Math.floor(x);
}

function outputBits(layer: LayerView, layers: readonly LayerView[]): Bits {
  const feedsAdd = layers.some((other) => other.kind === 'add' && other.inputs.includes(layer.id));
  if (layer.id === 0 || layer.id === layers.length - 1 || feedsAdd || layer.kind === 'add') return 8;
  if (layer.id > 20 && layer.id < 50 && layer.kind === 'conv' && noise(layer.id) > 0.7) return 2;
  return noise(layer.id + 7) > 0.25 ? 4 : 8;
}

/** Region of a layer's input that a region of its output reads, clipped at the border. */
function readRegion(region: Rows, kernel: number, stride: number, size: number): Rows {
  const pad = Math.floor(kernel / 2);
  const low = (v: number): number => Math.max(0, v * stride - pad);
  const high = (v: number): number => Math.min(size, (v - 1) * stride - pad + kernel);
  return [low(region[0]), low(region[1]), high(region[2]), high(region[3])];
}

interface Piece {
  readonly layer: number;
  readonly region: Rows;
}

/** Regions of every map of the stage that one patch needs; the entry −1 is the network's input. */
function regionsFor(patch: Rows, layers: readonly LayerView[]): Map<number, Rows> {
  const regions = new Map<number, Rows>([[splitLayer, patch]]);
  const join = (id: number, region: Rows): void => {
    const old = regions.get(id);
    regions.set(
      id,
      old === undefined
        ? region
        : [
            Math.min(old[0], region[0]),
            Math.min(old[1], region[1]),
            Math.max(old[2], region[2]),
            Math.max(old[3], region[3]),
          ],
    );
  };
  for (let id = splitLayer; id >= 0; id--) {
    const region = regions.get(id);
    if (region === undefined) continue;
    const layer = layers[id];
    const kernel = Number(layer.detail[0] ?? 1);
    const stride = layer.detail.includes('s2') ? 2 : 1;
    if (layer.inputs.length === 0) join(-1, readRegion(region, kernel, stride, 224));
    for (const input of layer.inputs)
      join(input, layer.kind === 'add' ? region : readRegion(region, kernel, stride, layers[input].output!.h));
  }
  return regions;
}

const area = (r: Rows): number => (r[2] - r[0]) * (r[3] - r[1]);

/** Puts each buffer at the lowest offset that is free over its life, the input first, then the largest. */
function place(buffers: Omit<BufferView, 'offset'>[]): BufferView[] {
  const placed: BufferView[] = [];
  for (const buffer of [...buffers].sort(
    (a, b) => Number(b.role === 'input') - Number(a.role === 'input') || b.bytes - a.bytes,
  )) {
    const busy = placed
      .filter((p) => p.firstStep <= buffer.lastStep && p.lastStep >= buffer.firstStep)
      .sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const other of busy)
      if (other.offset < offset + buffer.bytes)
        offset = Math.max(offset, Math.ceil((other.offset + other.bytes) / 4) * 4);
    placed.push({ ...buffer, offset });
  }
  return placed.sort((a, b) => a.id - b.id);
}

/** The planned view; `rows` × `cols` patches. */
export function plannedView(rows = 4, cols = 4): EditorView {
  const layers = mobilenetLayers();
  const bits = layers.map((layer) => outputBits(layer, layers));
  const size = layers[splitLayer].output!.h;
  const edge = (index: number, parts: number): number => Math.round((index * size) / parts);
  const branches: BranchView[] = [];
  const steps: StepView[] = [];
  const open: Omit<BufferView, 'offset'>[] = [];
  const macsOf = new Map<number, number>();
  const wholeMap = (id: number): number =>
    layers[id].output!.h * layers[id].output!.w * Math.ceil((layers[id].output!.c * bits[id]) / 8);
  const shortName = (name: string): string =>
    name.replace('/features/features.', 'f').replace('/conv/conv.', '.').replace('/Conv', '');
  open.push({
    id: 0,
    name: 'input',
    role: 'input',
    layer: -1,
    bytes: 224 * 224 * 3,
    firstStep: -1,
    lastStep: rows * cols * (splitLayer + 1) - 1,
    bits: 8,
  });
  open.push({
    id: 1,
    name: shortName(layers[splitLayer].name),
    role: 'map',
    layer: splitLayer,
    bytes: wholeMap(splitLayer),
    firstStep: splitLayer,
    lastStep: rows * cols * (splitLayer + 1) + 3,
    bits: bits[splitLayer],
  });
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const id = row * cols + col;
      const patch: Rows = [edge(row, rows), edge(col, cols), edge(row + 1, rows), edge(col + 1, cols)];
      const outlier = outliers.has(id);
      const regions = regionsFor(patch, layers);
      const input = regions.get(-1)!;
      branches.push({
        id,
        row,
        col,
        class: outlier ? 'outlier' : 'regular',
        patch: patch.map((v) => v / size) as unknown as Rows,
        input: input.map((v) => v / 224) as unknown as Rows,
      });
      const pieces: Piece[] = [...regions]
        .filter(([layer]) => layer >= 0)
        .map(([layer, region]) => ({ layer, region }))
        .sort((a, b) => a.layer - b.layer);
      for (const { layer, region } of pieces) {
        const view = layers[layer];
        const macs = Math.round(view.macs * (area(region) / area([0, 0, view.output!.h, view.output!.w])));
        macsOf.set(layer, (macsOf.get(layer) ?? 0) + macs);
        const step = steps.length;
        steps.push({ id: step, layer, op: kernelOf(view.kind), branch: id, peakBytes: 0, macs });
        if (layer === splitLayer) continue;
        const lastReader = Math.max(...layers.filter((other) => other.inputs.includes(layer)).map((other) => other.id));
        open.push({
          id: open.length,
          name: shortName(view.name),
          role: 'branch',
          layer,
          bytes: area(region) * Math.ceil((view.output!.c * (outlier ? 8 : bits[layer])) / 8),
          firstStep: step,
          lastStep: step + (lastReader - layer),
          bits: outlier ? 8 : bits[layer],
        });
      }
    }
  }
  for (const layer of layers.slice(splitLayer + 1)) {
    const step = steps.length;
    steps.push({ id: step, layer: layer.id, op: kernelOf(layer.kind), branch: -1, peakBytes: 0, macs: layer.macs });
    macsOf.set(layer.id, layer.macs);
    const readers = layers.filter((other) => other.inputs.includes(layer.id)).map((other) => other.id);
    open.push({
      id: open.length,
      name: shortName(layer.name),
      role: readers.length === 0 ? 'output' : 'map',
      layer: layer.id,
      bytes: wholeMap(layer.id),
      firstStep: step,
      lastStep:
        readers.length === 0
          ? rows * cols * (splitLayer + 1) + layers.length - splitLayer - 1
          : step + Math.max(...readers) - layer.id,
      bits: bits[layer.id],
    });
  }
  const buffers = place(open);
  const used = steps.map((step) =>
    buffers.reduce(
      (top, b) => (b.firstStep <= step.id && b.lastStep >= step.id ? Math.max(top, b.offset + b.bytes) : top),
      0,
    ),
  );
  const arenaBytes = Math.max(...used);
  const weightBits = (layer: LayerView): 8 | 4 | null =>
    layer.parameters === 0 ? null : layer.id > 12 && layer.kind === 'conv' && noise(layer.id + 3) > 0.5 ? 4 : 8;
  const inputBits = (layer: LayerView): Bits => (layer.inputs.length === 0 ? 8 : bits[layer.inputs[0]]);
  const int8Total = [...macsOf.values()].reduce((sum, macs) => sum + macs * 64, 0);
  const planned = layers.map((layer): LayerView => {
    const macs = macsOf.get(layer.id) ?? 0;
    const plan: LayerPlanView = {
      bits: bits[layer.id],
      weightBits: weightBits(layer),
      inputBits: inputBits(layer),
      inPatchStage: layer.id <= splitLayer,
      macs,
      bitOps: macs * (weightBits(layer) ?? 0) * inputBits(layer),
      mapBytes: wholeMap(layer.id),
      weightBytes: Math.ceil((layer.parameters * (weightBits(layer) ?? 0)) / 8),
      candidates: candidates(layer, layers, int8Total),
      inputCandidates: [],
      reasons: {
        output: { bits: bits[layer.id], by: 'score' },
        weights: weightBits(layer) === null ? null : { bits: weightBits(layer)!, by: 'flash' },
        input: null,
      },
      allowedBits: layer.id === layers.length - 1 ? [8] : [8, 4, 2],
      locked: layer.id === 0,
      instructions: 200 + macs * 1.4,
      latencyMs: ((200 + macs * 1.4) * 1.3) / 216_000,
      entropy: bits[layer.id] * (0.7 + 0.2 * noise(layer.id + 3)),
      snr: 8 + 22 * noise(layer.id + 5),
      counted: null,
    };
    return { ...layer, plan };
  });
  const bitOps = planned.reduce((sum, layer) => sum + layer.plan!.bitOps, 0);
  const weightBytes = planned.reduce((sum, layer) => sum + layer.plan!.weightBytes, 0);
  const macs = [...macsOf.values()].reduce((a, b) => a + b, 0);
  const plan: PlanView = {
    planFile: '/home/user/models/mobilenetv2_1.0_224_tv.quantmcu.json',
    target,
    stale: false,
    unfitted: false,
    stage: {
      splitLayer,
      rows,
      cols,
      layers: splitLayer + 1,
      classMode: 'static',
      redundantMacsPercent: (macs / layers.reduce((s, l) => s + l.macs, 0) - 1) * 100,
    },
    tailStages: [],
    branches,
    buffers,
    steps: steps.map((step, i) => ({ ...step, peakBytes: used[i] })),
    figures: {
      arenaBytes,
      latencyMs: planned.reduce((sum, layer) => sum + layer.plan!.latencyMs!, 0),
      int8Layerwise: {
        arenaBytes: 1372 * 1024 + 147 * 1024,
        flashBytes: 3_600_000,
        bitOps: layers.reduce((s, l) => s + l.macs, 0) * 64,
        latencyMs: 2710,
      },
      flashBytes: weightBytes + 24_576,
      flash: {
        weights: weightBytes - 60_000,
        tables: 60_000,
        code: 24_576,
        selfTest: 150_000,
        optimize: 'balanced',
        core: 'cortex-m7',
        level: '-O3',
        reserveBytes: 524_288,
        estimate: weightBytes + 30_000,
      },
      levels: [
        { optimize: 'size', flashBytes: weightBytes + 14_576, latencyMs: 2400 },
        { optimize: 'balanced', flashBytes: weightBytes + 24_576, latencyMs: 1800 },
        { optimize: 'speed', flashBytes: weightBytes + 64_576, latencyMs: 1750 },
      ],
      macs,
      bitOps,
      bitOpsInt8: int8Total,
      accuracy: { images: 500, floatTop1: 0.784, quantizedTop1: 0.778, agreement: 0.932 },
    },
    search: { method: 'entropy', phi: 0.96, lambda: 0.01, images: 64 },
    head: null,
    calibrated: true,
    countedCore: null,
  };
  return { model: modelOf('mobilenetv2_1.0_224_tv', planned), plan, planProblem: null };
}

function kernelOf(kind: string): string {
  return (
    (
      {
        conv: 'conv2d',
        depthwise: 'depthwise2d',
        add: 'add',
        globalAveragePool: 'averagePool',
        fullyConnected: 'fullyConnected',
      } as Record<string, string>
    )[kind] ?? kind
  );
}

function candidates(layer: LayerView, layers: readonly LayerView[], total: number): CandidateView[] {
  const saved = layers.filter((other) => other.inputs.includes(layer.id)).reduce((sum, other) => sum + other.macs, 0);
  return ([8, 4, 2] as const).map((b) => {
    const full = 5.2 + 1.6 * noise(layer.id + 11);
    const entropy = b === 8 ? full : Math.min(full, b * (0.72 + 0.2 * noise(layer.id + b)));
    const omega = (full - entropy) / full;
    const phi = (saved * 8 * (8 - b)) / total;
    return { bits: b, entropy, omega, phi, score: -0.01 * omega + 0.99 * phi };
  });
}
