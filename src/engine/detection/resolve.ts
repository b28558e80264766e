import type { Size } from '../common/size';
import { UserError } from '../common/errors';
import { elements, type Graph, type MapId } from '../graph/types';
import { labelIndices, type BoxForm, type DetectionHead, type HeadLevel, type Place } from './head';

/**
 * A place as offsets into the output's elements in HWC order: start + cell·perCell + anchor·perAnchor + field·perField.
 */
export interface ResolvedPlace {
  /** Index of the graph's output. */
  readonly output: number;
  readonly start: number;
  readonly perCell: number;
  readonly perAnchor: number;
  readonly perField: number;
  /** Channels of the output's map: an element's channel is its index modulo this. */
  readonly channels: number;
}

/** A level whose places were found in a graph's outputs. */
export interface ResolvedLevel {
  readonly level: HeadLevel;
  readonly cells: number;
  readonly anchors: number;
  readonly box: ResolvedPlace;
  /** Of width and height, where they do not follow x and y. */
  readonly size: ResolvedPlace | null;
  readonly objectness: ResolvedPlace | null;
  readonly score: ResolvedPlace;
  readonly points: ResolvedPlace | null;
  /** Fields of the score that are labels. */
  readonly labels: readonly number[];
  /** x and y pairs of a box. */
  readonly pointCount: number;
}

export interface ResolvedHead {
  readonly head: DetectionHead;
  readonly input: Size;
  readonly levels: readonly ResolvedLevel[];
}

/** Values that a box takes. */
function boxFields(box: BoxForm): number {
  switch (box.form) {
    case 'cell':
      return 0;
    case 'ltrb':
      return 4 * Math.max(1, box.bins);
    case 'center':
      return box.size ? 2 : 4;
    case 'decoded':
      return 4;
  }
}

/**
 * Finds the places of a head in a graph's outputs.
 *
 * @param file that the head is from, for messages
 * @throws UserError naming the level and field that do not fit the network
 */
export function resolveHead(graph: Graph, head: DetectionHead, file: string): ResolvedHead {
  const { w: width, h: height } = graph.maps[graph.inputs[0].map].shape;
  const levels = head.levels.map((level, i) => {
    const at = (field: string, place: Place, fields: number): ResolvedPlace =>
      resolvePlace(graph, level, place, fields, `${file}: level ${i} of the detection head: ${field}`);
    const labels = labelIndices(level.score);
    if (labels.length !== head.labels.length)
      throw new UserError(
        `${file}: level ${i} of the detection head has ${labels.length} classes besides the background, but ` +
          `${head.labels.length} labels are given. Give one label for each class, or correct "count" and ` +
          '"background".',
      );
    const pointCount = pointsOf(level);
    return {
      level,
      cells: level.rows * level.cols,
      anchors: level.anchors.length,
      box: level.box.form === 'cell' ? at('score', level.score, 1) : at('box', level.box, boxFields(level.box)),
      size: level.box.form === 'center' && level.box.size ? at('size', level.box.size, 2) : null,
      objectness: level.objectness ? at('objectness', level.objectness, 1) : null,
      score: at('score', level.score, level.score.count),
      points: level.points ? at('points', level.points, 2 * pointCount) : null,
      labels,
      pointCount,
    };
  });
  return { head, input: { width, height }, levels };
}

/** Channels of the graph's output maps that hold objectness or scores of classes. */
function scoreChannels(graph: Graph, head: ResolvedHead): ReadonlyMap<MapId, ReadonlySet<number>> {
  const result = new Map<MapId, Set<number>>();
  for (const { objectness, score, anchors, level } of head.levels) {
    const places = [
      ...(objectness ? [{ place: objectness, fields: 1 }] : []),
      { place: score, fields: level.score.count },
    ];
    for (const { place, fields } of places) {
      const { map } = graph.outputs[place.output];
      const channels = result.get(map) ?? new Set();
      result.set(map, channels);
      for (let a = 0; a < anchors; a++) {
        for (let k = 0; k < fields; k++)
          channels.add((place.start + a * place.perAnchor + k * place.perField) % place.channels);
      }
    }
  }
  return result;
}

/** Logits below this are scores below any threshold: how far below does not matter. */
const LEAST_LOGIT = -7;

/** The output maps of a head, and per channel the least value that matters. */
export function headMaps(graph: Graph, head: ResolvedHead): ReadonlyMap<MapId, Float64Array> {
  const result = new Map<MapId, Float64Array>();
  const scores = scoreChannels(graph, head);
  for (const { level, box, size, objectness, score, points } of head.levels) {
    for (const place of [box, size, objectness, score, points]) {
      if (!place) continue;
      const { map } = graph.outputs[place.output];
      if (!result.has(map)) result.set(map, new Float64Array(place.channels).fill(-Infinity));
    }
    const sigmoid = [
      ...(level.objectness?.fn === 'sigmoid' ? [objectness] : []),
      ...(level.score.fn === 'sigmoid' ? [score] : []),
    ];
    for (const place of sigmoid) {
      const { map } = graph.outputs[place!.output];
      for (const channel of scores.get(map) ?? []) result.get(map)![channel] = LEAST_LOGIT;
    }
  }
  return result;
}

/** Points of each box, 0 without any. */
export function pointsOf(level: HeadLevel): number {
  return level.points?.count ?? 0;
}

function resolvePlace(graph: Graph, level: HeadLevel, place: Place, fields: number, what: string): ResolvedPlace {
  const output = graph.outputs.findIndex((o) => o.name === place.output);
  if (output < 0)
    throw new UserError(
      `${what}: the network has no output "${place.output}", but ${graph.outputs.map((o) => o.name).join(', ')}.`,
    );
  const { shape } = graph.maps[graph.outputs[output].map];
  const total = elements(shape);
  const { channel, channelsPerAnchor = 0, row = 0, rowsPerCell = 1, rowsPerAnchor = 0, fieldsFirst } = place;
  const width = fieldsFirst ? 1 : shape.c;
  const perField = fieldsFirst ? shape.c : 1;
  const found: ResolvedPlace = {
    output,
    start: row * width + channel * perField,
    perCell: rowsPerCell * width,
    perAnchor: rowsPerAnchor * width + channelsPerAnchor * perField,
    perField,
    channels: shape.c,
  };
  const lastCell = level.rows * level.cols - 1;
  const lastAnchor = level.anchors.length - 1;
  const last = found.start + lastCell * found.perCell + lastAnchor * found.perAnchor + (fields - 1) * perField;
  const rows = fieldsFirst ? shape.c : shape.h * shape.w;
  const lastRow = row + lastCell * rowsPerCell + lastAnchor * rowsPerAnchor;
  const columns = fieldsFirst ? total / shape.c : shape.c;
  if (last >= total || lastRow >= rows || channel + lastAnchor * channelsPerAnchor + fields > columns)
    throw new UserError(
      `${what}: ${level.rows}×${level.cols} cells with ${level.anchors.length} anchors and ${fields} values do ` +
        'not fit ' +
        `output "${place.output}", which has ${shape.h}×${shape.w}×${shape.c}. Correct rows, cols, anchors or ` +
        'channels.',
    );
  return found;
}
