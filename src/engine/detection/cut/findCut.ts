import { basename } from 'node:path';
import { UserError } from '../../common/errors';
import type { Size } from '../../common/size';
import type { Graph } from '../../graph/types';
import { endingsOf, importOpenModel, openModel, type Ending, type OnnxModel, type Selection } from '../../onnx';
import type { ImportOptions } from '../../onnx';
import { COMMON, head as headOf } from '../families';
import type { DetectionHead, HeadLevel, Place } from '../head';
import { resolveHead } from '../resolve';
import { boxOf, fitBox, LEVELS_OF_INPUT, ORDERS, type BoxColumns, type FittedBox, type Steps } from './fitBox';
import { boxFields, guessScores, type FieldPlace, type ScoreGuess } from './fitScore';
import { presetOf } from './presetOf';
import { Probe, type FoundLevel, type FoundPart, type Roles } from './probe';
import { provesBoxes, provesScores, type Proof } from './prove';
import { product } from './random';
import { tablesOf, withoutCopies, type Table } from './tables';

/** A detector that decodes its boxes itself, cut before it does. */
export interface Cut {
  /** The network up to the raw values. */
  readonly graph: Graph;
  /** Names of these in the file: what {@link ImportOptions.outputs} takes. */
  readonly outputs: readonly string[];
  /** What makes boxes of them: the same as the file's own decoding. */
  readonly head: DetectionHead;
  /** Outputs of the file that are not computed any more. */
  readonly replaced: readonly string[];
  /** What the file selects boxes with, if it does. */
  readonly selection: Selection | null;
}

/**
 * Looks whether a network ends in the decoding of boxes, and finds a head that does the same. What comes behind the
 * last layers with weights is computed for chosen values: which rows and columns change tells where levels, anchors and
 * fields are, how much tells strides, anchors and functions. A head that is found so must give the boxes and scores of
 * the file's own decoding for random values, up to float rounding; otherwise there is none.
 *
 * @returns null where there is no decoding, or none that a head describes
 * @throws UserError when the file cannot be read
 */
export async function findCut(modelPath: string, options: ImportOptions = {}): Promise<Cut | null> {
  const model = await openModel(modelPath);
  try {
    for (const ending of endingsOf(model, options.sizes)) {
      const cut = cutAt(model, withoutCopies(ending), options);
      if (cut) return cut;
    }
    return null;
  } finally {
    await model.close();
  }
}

function cutAt(model: OnnxModel, ending: Ending, { sizes }: ImportOptions): Cut | null {
  const first = ending.run(ending.inputs.map(({ dims }) => new Float32Array(product(dims))));
  if (!first) return null;
  const outputs = ending.inputs.map(({ name }) => name);
  for (const tables of tablesOf(first)) {
    if (tables[0].rows < ending.inputs.reduce((n, { dims }) => n + dims[2] * dims[3], 0) / ending.inputs.length)
      continue;
    const probed = Probe.of(ending, tables);
    const graph = probed && cutGraph(model, { sizes, outputs });
    const head = graph && probed && headOfCut({ file: basename(model.path), graph, ending, ...probed }, tables);
    if (!head) continue;
    const replaced = model.outputs.flatMap(({ name }) => (outputs.includes(name) ? [] : [name]));
    return { graph, outputs, head: withSelection(head, ending.selection), replaced, selection: ending.selection };
  }
  return null;
}

/** The network up to some values; null where it cannot be imported. */
function cutGraph(model: OnnxModel, options: ImportOptions): Graph | null {
  try {
    const graph = importOpenModel(model, options);
    return graph.inputs.length === 1 ? graph : null;
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** Scores that files select from are often as low as an evaluation wants them. */
const LEAST_SCORE = 0.05;

function withSelection(head: DetectionHead, selection: Selection | null): DetectionHead {
  const { iou, score } = selection ?? { iou: null, score: null };
  return {
    ...head,
    ...(iou !== null && iou > 0 && iou < 1 ? { iou } : {}),
    ...(score !== null && score >= LEAST_SCORE && score < 1 ? { score } : {}),
  };
}

/** What a head is looked for in. */
interface Probed extends Proof {
  readonly roles: Roles;
}

function headOfCut(probed: Probed, tables: readonly Table[]): DetectionHead | null {
  const { file, graph, ending, roles } = probed;
  const { w: width, h: height } = graph.maps[graph.inputs[0].map].shape;
  const input = { width, height };
  const steps: Steps = LEVELS_OF_INPUT.flatMap((value) => {
    const results = ending.run(ending.inputs.map(({ dims }) => new Float32Array(product(dims)).fill(value)));
    return results ? [results] : [];
  });
  if (steps.length !== LEVELS_OF_INPUT.length) return null;
  for (const [t, table] of tables.entries()) {
    if (table.fields < 4) continue;
    const place = boxFields(roles, t, 0);
    if (!place) continue;
    const box = fittedBoxes({ steps, table, place, input, probed });
    if (!box) continue;
    const own = new Set(Array.from({ length: place.count }, (_, k) => `${place.part}/${place.field + k}`));
    // Distances come without objectness, centres with it, where one table has both boxes and scores.
    const withObjectness = box[0].box.form === 'center' && tables.length === 1;
    for (const guess of guessScores(roles, own, tables, withObjectness)) {
      const head = assemble(probed, box, place, guess);
      if (provesScores(probed, resolveHead(graph, head, file), guess, tables)) return head;
    }
  }
  return null;
}

interface BoxQuestion {
  readonly steps: Steps;
  readonly table: Table;
  readonly place: FieldPlace & { readonly count: number };
  readonly input: Size;
  readonly probed: Probed;
}

/** Boxes of all levels in a form that is proven; null where there is none. */
function fittedBoxes({ steps, table, place, input, probed }: BoxQuestion): FittedBox[] | null {
  const { levels, graph, file } = probed;
  for (const form of place.count > 4 ? (['ltrb'] as const) : (['center', 'ltrb'] as const)) {
    for (const order of ORDERS) {
      const columns: BoxColumns = { table, first: 0, order, unit: unitOf(steps, table, levels, order, input) };
      const fitted = levels.map((level) => fitBox(steps, columns, level, place.count, form, input));
      if (fitted.some((level) => level === null)) continue;
      const boxes = fitted as FittedBox[];
      // Scores do not matter yet: any channel is one.
      const guess: ScoreGuess = {
        ...{ objectness: null, first: place, fn: 'none', count: 1, background: null },
        ...{ objectColumn: null, columns: [] },
      };
      const head = assemble(probed, boxes, place, guess);
      if (provesBoxes(probed, resolveHead(graph, head, file), columns)) return boxes;
    }
  }
  return null;
}

/** Columns are in pixels, or in shares of the input: cells are less than a pixel apart then. */
function unitOf(
  steps: Steps,
  table: Table,
  levels: readonly FoundLevel[],
  order: BoxColumns['order'],
  input: Size,
): Size {
  const level = levels.reduce((a, b) => (b.cols > a.cols ? b : a));
  const columns = { table, first: 0, order, unit: { width: 1, height: 1 } };
  const [a, b] = [0, level.cols - 1].map((cell) => boxOf(steps[0], columns, level.row + cell * level.rowsPerCell).cx);
  return b - a <= 2 ? input : columns.unit;
}

/** The part of a level that is as another level's: it has as many channels for each anchor, or the same turn. */
function partOf(levels: readonly FoundLevel[], level: FoundLevel, part: number): FoundPart {
  const largest = levels.reduce((a, b) => (b.rows * b.cols > a.rows * a.cols ? b : a));
  const fields = largest.parts[part].channels / largest.anchors;
  const same = level.parts.filter(({ channels }) => channels / level.anchors === fields);
  return same.length === 1 ? same[0] : level.parts[part];
}

function assemble(
  { file, ending, levels }: Probed,
  boxes: readonly FittedBox[],
  box: FieldPlace,
  guess: ScoreGuess,
): DetectionHead {
  const { objectness, first, fn, count, background } = guess;
  const classes = background === null ? count : count - 1;
  const built = levels.map((level, i): HeadLevel => {
    const place = ({ part, field }: FieldPlace): Place => {
      const { input, channels } = partOf(levels, level, part);
      const perAnchor = level.anchors > 1 ? { channelsPerAnchor: channels / level.anchors } : {};
      return { output: ending.inputs[input].name, channel: field, ...perAnchor };
    };
    const { stride, offset, anchors, box: form } = boxes[i];
    return {
      ...{ rows: level.rows, cols: level.cols, stride, offset, anchors },
      box: { ...form, ...place(box) },
      ...(objectness ? { objectness: { ...place(objectness), fn: 'sigmoid' } } : {}),
      score: {
        ...{ ...place(first), fn, count },
        ...(background === null ? {} : { background }),
      },
    };
  });
  const faces = classes === 1 && /face/i.test(file) ? { labels: ['face'] } : {};
  return headOf(presetOf(built[0]), classes, built, { ...COMMON, ...faces });
}
