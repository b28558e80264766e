import type { Size } from '../common/size';
import { isWeighted, type Graph, type Layer, type MapId } from '../graph/types';
import type { BoxForm, DetectionHead, HeadLevel, Place, ScoreForm } from './head';
import { defaultLabels } from './labels';

/** What is known of a network before its head is: its outputs' maps and its input. */
export interface HeadClues extends Size {
  readonly outputs: readonly OutputClue[];
  /** Name of the model's file, lower case. */
  readonly model: string;
}

export interface OutputClue {
  readonly name: string;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  /** The function that the network ends in there, as far as it is one of scores. */
  readonly end: 'softmax' | 'sigmoid' | 'other';
  /**
   * What its values come from, behind what only moves them: layers with weights, so that nothing is decoded yet;
   * functions of such, or both. Null where that is not known.
   */
  readonly from: 'weights' | 'functions' | 'both' | null;
}

export function cluesOf(graph: Graph, model: string): HeadClues {
  const { w: width, h: height } = graph.maps[graph.inputs[0].map].shape;
  return {
    outputs: graph.outputs.map(({ name, map }) => ({
      ...{ name, ...graph.maps[map].shape },
      ...{ end: endOf(graph, map), from: sourceOf(graph, map) },
    })),
    width,
    height,
    model: model.toLowerCase(),
  };
}

function endOf(graph: Graph, map: MapId): OutputClue['end'] {
  let { producer } = graph.maps[map];
  while (producer !== null && ['reshape', 'permute'].includes(graph.layers[producer].kind))
    producer = graph.maps[graph.layers[producer].inputs[0]].producer;
  const layer = producer === null ? null : graph.layers[producer];
  if (layer?.kind === 'softmax') return 'softmax';
  return layer?.kind === 'activation' && ['sigmoid', 'hardSigmoid'].includes(layer.fn.name) ? 'sigmoid' : 'other';
}

const MOVES = new Set<Layer['kind']>(['reshape', 'permute', 'concat', 'slice']);

function sourceOf(graph: Graph, map: MapId): OutputClue['from'] {
  const found = new Set<'weights' | 'functions'>();
  const seen = new Set<MapId>();
  const open = [map];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { producer } = graph.maps[next];
    if (seen.has(next) || producer === null) continue;
    seen.add(next);
    const layer = graph.layers[producer];
    if (MOVES.has(layer.kind)) open.push(...layer.inputs);
    else found.add(isWeighted(layer) ? 'weights' : 'functions');
  }
  return found.size === 2 ? 'both' : ([...found][0] ?? null);
}

/** What is still to be done to an output's scores. */
export function remaining({ end }: OutputClue, fn: ScoreForm['fn']): ScoreForm['fn'] {
  return end === 'other' ? fn : 'none';
}

/** A family of detectors that share a head: fills the description where the outputs suit it. */
export interface HeadFamily {
  readonly name: string;
  /** What its outputs look like, for messages. */
  readonly outputs: string;
  /** Whether names or channel counts tell the family; otherwise it has to be asked for. Missing: they always do. */
  readonly propose?: (clues: HeadClues) => boolean;
  readonly fill: (clues: HeadClues) => DetectionHead | null;
}

type Pair = readonly [number, number];

/** Sorted by stride, smallest first. */
export interface Grid {
  readonly output: OutputClue;
  readonly stride: number;
  readonly rows: number;
  readonly cols: number;
}

/** Outputs that are grids of cells with a number of channels, by stride. */
export function grids({ outputs, width, height }: HeadClues, suits: (c: number) => boolean): Grid[] {
  return outputs
    .filter(({ h, w, c }) => h > 0 && w > 0 && h * w < width * height && suits(c))
    .map((output) => ({ output, rows: output.h, cols: output.w, stride: strideOf(width, output.w) }))
    .filter((g) => g.stride === strideOf(height, g.rows))
    .sort((a, b) => a.stride - b.stride);
}

/** Names of families without anchors, whose grids may have as many channels as three anchors would. */
const WITHOUT_ANCHORS = /yolo-?_?v?(8|9|10|11|12)|pico|nanodet|espdet/;
/** Classes that detectors are most often published with: one, VOC's, COCO's. */
const USUAL_CLASSES = [1, 20, 80];
/** Channels of four distances of 16 bins. */
const DISTANCE_CHANNELS = 64;

/** Classes of a grid of three anchors with this many channels; null where it is none. */
export function classesOfThree(channels: number): number | null {
  const classes = channels / 3 - 5;
  return Number.isInteger(classes) && classes >= 1 ? classes : null;
}

/**
 * Whether grids are more likely of three anchors × (box, objectness, classes) than of distances and classes: 75
 * channels are both VOC with anchors and eleven classes without. Heads without anchors have three levels or more.
 */
export function looksAnchored(clues: HeadClues): boolean {
  const levels = grids(clues, (c) => classesOfThree(c) !== null);
  const channels = levels[0]?.output.c ?? 0;
  if (levels.length < 2 || levels.length !== clues.outputs.length) return false;
  if (levels.some((l) => l.output.c !== channels) || WITHOUT_ANCHORS.test(clues.model)) return false;
  return levels.length === 2 || channels <= DISTANCE_CHANNELS || USUAL_CLASSES.includes(classesOfThree(channels)!);
}

function strideOf(size: number, cells: number): number {
  const exact = size / cells;
  // Sizes that the strides do not divide leave a last cell that hangs over.
  return [4, 8, 16, 32, 64, 100, 128].find((s) => Math.ceil(size / s) === cells) ?? exact;
}

/** Levels of cells that follow one another in a flat output of this many rows, one row a cell and anchor. */
export function flatLevels(
  { width, height }: HeadClues,
  total: number,
  strides: readonly number[],
  anchors: (stride: number) => number,
): { stride: number; rows: number; cols: number; row: number }[] | null {
  let row = 0;
  const levels = strides.map((stride) => {
    const [rows, cols] = [Math.ceil(height / stride), Math.ceil(width / stride)];
    const level = { stride, rows, cols, row };
    row += rows * cols * anchors(stride);
    return level;
  });
  return row === total ? levels : null;
}

/** A flat output of rows × fields, whichever comes first. */
export interface Flat {
  readonly output: OutputClue;
  readonly rows: number;
  readonly fields: number;
  readonly fieldsFirst: boolean;
}

export function flats({ outputs }: HeadClues): Flat[] {
  return outputs.flatMap((output) => {
    const pixels = output.h * output.w;
    return [
      { output, rows: pixels, fields: output.c, fieldsFirst: false },
      { output, rows: output.c, fields: pixels, fieldsFirst: true },
    ];
  });
}

/** The flat output that has `anchors` rows for each cell of the strides and fields that suit. */
export function flatOf(
  clues: HeadClues,
  strides: readonly number[],
  suits: (fields: number) => boolean,
  anchors = 1,
): { flat: Flat; levels: NonNullable<ReturnType<typeof flatLevels>> } | null {
  for (const flat of flats(clues)) {
    const levels = flatLevels(clues, flat.rows, strides, () => anchors);
    if (levels && suits(flat.fields)) return { flat, levels };
  }
  return null;
}

export function place(flat: Flat, channel: number, rest: Partial<Place> = {}): Place {
  return { output: flat.output.name, channel, ...(flat.fieldsFirst ? { fieldsFirst: true } : {}), ...rest };
}

export const COMMON = {
  score: 0.3,
  iou: 0.45,
  candidates: 200,
  detections: 50,
  suppress: 'class',
  classes: 'best',
} as const;

export function head(
  preset: string,
  classes: number,
  levels: readonly HeadLevel[],
  more: Partial<DetectionHead> = {},
): DetectionHead {
  return { preset, labels: defaultLabels(classes), ...COMMON, ...more, levels };
}

/** Box of YOLO's anchored heads before version 5: sigmoid, spread by `scale`, and exponential. */
export const sigmoidExp = (scale: number): BoxForm => ({
  form: 'center',
  xy: { fn: 'sigmoid', scale, unit: 'cell' },
  wh: { fn: 'exp', scale: 1 },
});

/** Box of YOLO's anchored heads from version 5 on. */
export const sigmoidSquare: BoxForm = {
  form: 'center',
  xy: { fn: 'sigmoid', scale: 2, unit: 'cell' },
  wh: { fn: 'square', scale: 2 },
};

/** Cell-relative centre and exponential size: YOLOX, YuNet. */
export const linearExp: BoxForm = {
  form: 'center',
  xy: { fn: 'linear', scale: 1, unit: 'cell' },
  wh: { fn: 'exp', scale: 1 },
};

/** A grid whose channels are anchors × (box, objectness, classes). */
export function anchoredLevel(
  { output, stride, rows, cols }: Grid,
  anchors: readonly Pair[],
  box: BoxForm,
  fn: ScoreForm['fn'] = 'sigmoid',
): HeadLevel {
  const fields = output.c / anchors.length;
  const at = (channel: number): Place => ({ output: output.name, channel, channelsPerAnchor: fields });
  return {
    rows,
    cols,
    stride,
    offset: 0,
    anchors,
    box: { ...box, ...at(0) },
    objectness: { ...at(4), fn: 'sigmoid' },
    score: { ...at(5), fn, count: fields - 5 },
  };
}

export function pairs(...values: number[]): Pair[] {
  return Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i], values[2 * i + 1]] as const);
}

export const square = (stride: number): Pair[] => [[stride, stride]];
