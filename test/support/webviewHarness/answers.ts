/**
 * What the host answers in pictures and tests of the page: sweeps, the planner's choices, distributions, boards,
 * another plan.
 */
import type { TriedPlan } from '../../../src/engine/common/progress';
import type { CodesView, DistributionView, LayerDetailsView } from '../../../src/protocol/details';
import type { GeneratedView, OtherPlan, OutcomeView } from '../../../src/protocol/editor';
import type { FirstFitView, FitBoard, FitView, FitWayView } from '../../../src/protocol/fit';
import type { SweepPointView, SweepView } from '../../../src/protocol/sweeps';
import type { MemoryPointView, TradeOffView } from '../../../src/protocol/tradeOff';
import type { EditorView, LayerView, PreviewView, TargetView } from '../../../src/protocol/views';
import { plannedView, target } from './planned';

interface Answer {
  readonly value: unknown;
}

function sweep(
  parameter: SweepView['parameter'],
  values: readonly number[],
  make: (value: number, index: number) => Partial<SweepPointView>,
): SweepView {
  return {
    parameter,
    finished: '2026-01-01T12:00:00Z',
    current: true,
    points: values.map((value, index): SweepPointView => ({
      value,
      problem: null,
      figures: null,
      outliers: null,
      accuracy: null,
      randomAccuracy: null,
      predictedLoss: null,
      notes: [],
      isPlan: false,
      ...make(value, index),
    })),
  };
}

const accuracy = (top1: number): SweepPointView['accuracy'] => ({
  images: 500,
  floatTop1: 0.784,
  floatTop5: 0.94,
  top1,
  top5: 0.93,
  agreement: top1 + 0.12,
  outputSnr: 14,
});
const figures = (reduction: number): SweepPointView['figures'] => {
  const bitOpsInt8 = 21e9;
  return {
    macs: 329e6,
    bitOps: bitOpsInt8 / reduction,
    bitOpsInt8,
    reduction,
    arenaBytes: 240_000 + 90_000 / reduction,
    weightBytes: 2_900_000,
    flashBytes: 3_000_000,
    latencyMs: 2900 / (0.6 + 0.4 * reduction),
  };
};

/** A sweep of BitOPs targets with one that cannot be reached, and one of φ with random positions beside it. */
export function sampleSweeps(): SweepView[] {
  return [
    sweep('bitops-target', [1.2, 1.5, 1.8, 2.2, 2.6, 4], (value) =>
      value === 4
        ? { problem: 'The BitOPs target of 4× cannot be reached with these bits.' }
        : { figures: figures(value), accuracy: accuracy(0.786 - 0.004 * (value - 1) ** 2.6), isPlan: value === 1.5 },
    ),
    sweep('phi', [0.5, 0.8, 0.9, 0.96, 0.99, 0.999], (phi, i) => ({
      figures: figures(1.2 + 0.11 * i),
      accuracy: accuracy(0.782 - 0.0022 * i),
      randomAccuracy: i === 0 ? null : accuracy(0.7785 - 0.0031 * i),
      outliers: { share: 1 - phi ** 3, marked: 1 - phi ** 2, markedByAny: 1 },
    })),
  ];
}

export function sampleTradeOff(): TradeOffView {
  const grids: readonly (readonly [number, number, number, number, number])[] = [
    [0, 0, 1372, 301, 2300],
    [1, 2, 720, 304, 2330],
    [2, 2, 431, 309, 2390],
    [2, 4, 345, 318, 2460],
    [4, 4, 313, 329, 2770],
    [5, 4, 247, 336, 2840],
    [6, 6, 198, 352, 3010],
    [7, 7, 176, 371, 3220],
  ];
  const memory = grids.map(([rows, cols, kib, macs, latencyMs], i): MemoryPointView => ({
    stage: rows === 0 ? null : { splitMap: 'map', rows, cols, keep: [] },
    tailStages: [],
    layers: rows === 0 ? 0 : 13,
    strategy: (['recompute', 'hybrid', 'keep'] as const)[i % 3],
    arenaBytes: kib * 1024,
    macs: macs * 1e6,
    latencyMs,
    isPlan: rows === 4,
  }));
  const phis = [0.5, 0.7, 0.8, 0.9, 0.94, 0.96, 0.98, 0.99, 0.995, 0.999, 0.9999];
  const phi = phis.map((value, i) => ({
    phi: value,
    share: Math.max(0, 1 - (i / 10) ** 1.5),
    anyOutlier: i < 9 ? 1 : 0.94,
    positions: Math.max(0, 1 - (i / 10) ** 1.5),
    covered: i === 10 ? null : Math.min(1, 1.15 - (i / 10) ** 1.7),
  }));
  return { memory, phi };
}

export function tradeOffAnswers(): Record<string, Answer> {
  return { sweeps: { value: sampleSweeps() }, tradeOff: { value: sampleTradeOff() } };
}

function codes(bits: 8 | 4 | 2, signed: boolean, step: number): CodesView {
  const first = signed ? -(2 ** (bits - 1)) : 0;
  const raw = Array.from({ length: 2 ** bits }, (_, k) => Math.exp(-0.5 * (((first + k) * 6) / 2 ** bits) ** 2));
  const total = raw.reduce((a, b) => a + b, 0);
  const shares = raw.map((share) => share / total);
  return {
    bits,
    first,
    shares,
    scale: { zero: 0, step },
    entropy: -shares.reduce((sum, p) => sum + (p > 0 ? p * Math.log2(p) : 0), 0),
  };
}

function distribution(options: {
  readonly mean: number;
  readonly sigma: number;
  readonly low: number;
  readonly high: number;
  readonly zeros: number;
  readonly phi: number | null;
  readonly codes: CodesView | null;
}): DistributionView {
  const { mean, sigma, low, high, zeros } = options;
  const width = (high - low) / 72;
  const raw = Array.from({ length: 72 }, (_, k) => {
    const z = (low + (k + 0.5) * width - mean) / sigma;
    return Math.exp(-(Math.abs(z) ** 1.4)) * (1 + 0.25 * Math.sin(k * 1.7)) + 0.002;
  });
  const total = raw.reduce((a, b) => a + b, 0);
  return {
    low,
    width,
    shares: raw.map((share) => ((1 - zeros) * share) / total),
    zeros,
    min: low,
    max: high,
    mean,
    sigma,
    band: options.phi === null ? null : { phi: options.phi, low: mean - 2.05 * sigma, high: mean + 2.05 * sigma },
    codes: options.codes,
  };
}

export function sampleDetails(layer = 6): LayerDetailsView {
  return {
    layer,
    channel: null,
    channels: 144,
    weights: distribution({
      mean: 0.002,
      sigma: 0.11,
      low: -0.58,
      high: 0.61,
      zeros: 0,
      phi: null,
      codes: codes(8, true, 0.005),
    }),
    activations: distribution({
      mean: 0.84,
      sigma: 0.9,
      low: 0,
      high: 6,
      zeros: 0.41,
      phi: 0.96,
      codes: codes(4, false, 0.4),
    }),
    reference: null,
  };
}

export function detailsAnswers(): Record<string, Answer> {
  return {
    layerDetails: { value: sampleDetails() },
    generatedCode: {
      value: {
        file: 'firmware/lib/mobilenetv2/mobilenetv2.c',
        line: 214,
        text: 'qmcu_conv2d_s8_u4(&branch_0_map_6, &branch_0_map_5, mobilenetv2_weights_6, &params_6);',
      },
    },
  };
}

/** The same plan at 8 bits without patches, but for what a sample can leave out. */
export function otherPlan(): OtherPlan {
  const view = plannedView();
  const plan = view.plan!;
  const { int8Layerwise } = plan.figures;
  const layers = view.model.layers.map((layer): LayerView => ({
    ...layer,
    plan: {
      ...layer.plan!,
      bits: 8,
      weightBits: layer.plan!.weightBits === null ? null : 8,
      inputBits: 8,
      inPatchStage: false,
      bitOps: layer.macs * 64,
      mapBytes: layer.output!.h * layer.output!.w * layer.output!.c,
    },
  }));
  const other: EditorView = {
    ...view,
    model: { ...view.model, layers },
    plan: {
      ...plan,
      stage: null,
      branches: [],
      figures: {
        ...plan.figures,
        ...int8Layerwise,
        accuracy: { images: 500, floatTop1: 0.784, quantizedTop1: 0.783, agreement: 0.96 },
      },
    },
  };
  return { title: '8 bits, layer by layer', view: other };
}

export function boards(): TargetView[] {
  const board = (id: string, name: string, core: string, sram: number, flash: number): TargetView => ({
    ...target,
    id,
    name,
    core,
    sramBytes: sram * 1024,
    flashBytes: flash * 1024,
  });
  return [
    board('nano33ble', 'Arduino Nano 33 BLE Sense (nRF52840)', 'cortex-m4', 256, 1024),
    board('stm32h743', 'STM32H743 (NUCLEO-H743ZI2)', 'cortex-m7', 512, 2048),
    { ...target, core: 'cortex-m7' },
    board('stm32f411', 'STM32F411 (NUCLEO-F411RE)', 'cortex-m4', 128, 512),
  ];
}

/** What a quantization came to that its budget limited. */
export function sampleOutcome(): OutcomeView {
  return {
    loss: {
      expected: 0.84,
      interval: { low: 0.31, high: 1.37 },
      unit: 'points of top-1',
      images: 128,
      heldOut: true,
      at8: 0.42,
      at8Interval: { low: 0.2, high: 0.64 },
      budget: 1,
    },
    limitedBy: 'loss',
    notes: ['The weights of 3 layers have 4 bits, to fit in flash.'],
    seconds: { calibrate: 12, search: 8, total: 74 },
  };
}

/** Sources in a CMake project, with one thing left to do by hand. */
export function sampleGenerated(): GeneratedView {
  return {
    name: 'mobilenetv2',
    folder: 'firmware/lib/mobilenetv2',
    layout: 'CMake',
    written: 14,
    removed: 0,
    upToDate: 3,
    arenaBytes: 187_392,
    weightBytes: 1_911_000,
    flashBytes: 1_948_000,
    code:
      '#include <string.h>\n#include "mobilenetv2.h"\n\nstatic MOBILENETV2_ARENA(mobilenetv2_arena);\n\n' +
      '/* Runs one inference. Returns the class, or -1 on an error. */\n' +
      'int32_t mobilenetv2_run(const void *input)\n{\n    memcpy(mobilenetv2_input(mobilenetv2_arena), input, ' +
      'MOBILENETV2_INPUT_BYTES);\n    if (mobilenetv2_invoke(mobilenetv2_arena) != MOBILENETV2_OK) {\n        ' +
      'return -1;\n    }\n    return mobilenetv2_top(mobilenetv2_arena);\n}\n',
    instructions: ['target_link_libraries(app PRIVATE mobilenetv2)'],
  };
}

/** What a search has tried until now. */
export function sampleTried(): TriedPlan[] {
  const plan = (ms: number, loss: number): TriedPlan => ({ instructions: ms * 200_000, ms, loss, budget: 1 });
  return [plan(310, 0.31), plan(255, 1.62), plan(281, 0.74), plan(268, 1.08), plan(274, 0.92)];
}

/** What a change would lead to. */
export function samplePreview(): PreviewView {
  const { figures, target: board } = plannedView().plan!;
  return {
    arenaBytes: 150 * 1024,
    macs: figures.macs,
    bitOps: figures.bitOps,
    bitOpsInt8: figures.bitOpsInt8,
    flashEstimate: figures.flash.estimate,
    latencyMs: 321,
    target: board,
  };
}

/** A fit check with a board of each verdict. */
export function sampleFit(): FitView {
  const boardOf = ({ id, name, core, sramBytes, flashBytes }: TargetView): FitBoard => ({
    id,
    name,
    core: core as FitBoard['core'],
    clockMHz: 120,
    sramBytes,
    flashBytes,
  });
  const way = (kib: number, flashKib: number, more: Partial<FitWayView> = {}): FitWayView => ({
    mapBits: 8,
    weightBits: 8,
    grid: null,
    tailStages: 0,
    streamed: false,
    arenaBytes: kib * 1024,
    flashBytes: flashKib * 1024,
    latencyMs: null,
    ...more,
  });
  const layerwise = way(1183, 3618, { latencyMs: 2290 });
  const [nano, h743, f746, f411] = boards();
  return {
    layerwise: { arenaBytes: layerwise.arenaBytes, flashBytes: layerwise.flashBytes },
    least: {
      8: { arenaBytes: 207.7 * 1024, grid: { rows: 8, cols: 7 } },
      4: { arenaBytes: 191.7 * 1024, grid: { rows: 8, cols: 7 } },
    },
    flashBytes: { 8: 3618 * 1024, 4: 1924 * 1024 },
    boards: [
      { board: boardOf(nano), verdict: 'no', way: way(228, 1924, { weightBits: 4 }), layerwise },
      {
        board: boardOf(h743),
        verdict: 'tight',
        way: way(455, 1924, { weightBits: 4, grid: { rows: 2, cols: 2 }, latencyMs: 366 }),
        layerwise,
      },
      {
        board: {
          ...boardOf(f746),
          id: 'rp2350',
          name: 'Raspberry Pi Pico 2 (RP2350)',
          sramBytes: 512 << 10,
          flashBytes: 4 << 20,
        },
        verdict: 'fits',
        way: way(455, 3618, { grid: { rows: 2, cols: 2 }, latencyMs: 1530 }),
        layerwise,
      },
      { board: boardOf(f411), verdict: 'no', way: way(191.7, 1924, { mapBits: 4, weightBits: 4 }), layerwise },
      {
        board: { ...boardOf(f746), id: 'own', name: 'Our board', sramBytes: 192 << 10, flashBytes: 8 << 20 },
        verdict: 'tight',
        way: way(181.6, 3618, { grid: { rows: 8, cols: 1 }, tailStages: 2, streamed: true, latencyMs: 3120 }),
        layerwise,
      },
    ],
  };
}

/** What is there of it before patches are planned. */
export function sampleFirstFit(): FirstFitView {
  const { layerwise, flashBytes, boards: all } = sampleFit();
  return {
    layerwise,
    flashBytes,
    boards: all.map(({ board, verdict, layerwise: own }) => ({
      board,
      verdict: verdict === 'no' ? 'no' : null,
      way: null,
      layerwise: own,
    })),
  };
}
