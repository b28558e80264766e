import type { Size } from '../../common/size';
import { placeImage } from '../../detection/imagePlace';
import type { PointForm } from '../../detection/head';
import type { ResolvedHead, ResolvedLevel, ResolvedPlace } from '../../detection/resolve';
import type { Preprocess } from '../../calibration/types';
import { UserError } from '../../common/errors';
import type { Program } from '../types';
import { chanceOf, combine, sigmoid } from './math';
import { UNITS, type DetectionLevel, type DetectionProgram, type FieldCodes, type ImageMap } from './types';

const ONE = 4096;
const SIXTEENTHS = 16;

/**
 * A head in integers, for the formats of a program's outputs.
 *
 * @param preprocess how the application's image becomes the network's input
 * @throws UserError where an output or the head leaves the range of the arithmetic
 */
export function lowerHead(
  program: Program,
  resolved: ResolvedHead,
  preprocess: Pick<Preprocess, 'resize' | 'cropFraction'>,
): DetectionProgram {
  const { head, input } = resolved;
  if (input.width > 2047 || input.height > 2047)
    throw new UserError('The detection head supports inputs of at most 2047×2047 pixels: boxes have 16 bits.');
  const score = Math.max(1, Math.ceil(head.score * 32768 - 1e-9));
  return {
    labels: head.labels,
    levels: resolved.levels.map((level) => lowerLevel(program, resolved, level, score)),
    score,
    iou: Math.round(head.iou * 32768),
    candidates: head.candidates,
    detections: head.detections,
    suppress: head.suppress,
    best: head.classes === 'best',
    points: Math.max(...resolved.levels.map((l) => l.pointCount)),
    image: imageMap(head.image ?? input, input, preprocess),
  };
}

/** A Program with its head, where that can be lowered; where it cannot, generating says why. */
export function withHead(
  program: Program,
  resolved: ResolvedHead | null | undefined,
  preprocess: Pick<Preprocess, 'resize' | 'cropFraction'>,
): Program {
  if (!resolved) return program;
  try {
    return { ...program, head: lowerHead(program, resolved, preprocess) };
  } catch (error) {
    if (error instanceof UserError) return program;
    throw error;
  }
}

/** From the network's input to an image of a size, as the preprocessing places it. */
function imageMap(image: Size, input: Size, preprocess: Pick<Preprocess, 'resize' | 'cropFraction'>): ImageMap {
  const place = placeImage(image, input, preprocess);
  return {
    width: image.width * SIXTEENTHS,
    height: image.height * SIXTEENTHS,
    left: place.left * SIXTEENTHS,
    top: place.top * SIXTEENTHS,
    scaleX: Math.round(65536 / place.scaleX),
    scaleY: Math.round(65536 / place.scaleY),
  };
}

function lowerLevel(program: Program, { input }: ResolvedHead, resolved: ResolvedLevel, score: number): DetectionLevel {
  const { level, anchors, pointCount } = resolved;
  const { box } = level;
  const fields = (place: ResolvedPlace, count: number, factor: (field: number) => number = () => 1): FieldCodes =>
    fieldCodes(program, place, anchors, count, factor);
  const center = box.form === 'center' ? box : null;
  if (center && center.wh.fn === 'square' && center.wh.scale > 2.8)
    throw new UserError('The detection head: "scale" of a squared size must be at most 2.8.');
  const linearXy = center?.xy.fn === 'linear' ? center.xy.scale : 1;
  const foldedWh = center && (center.wh.fn === 'exp' || center.wh.fn === 'linear') ? center.wh.scale : 1;
  const units = new Int32Array(anchors * UNITS);
  level.anchors.forEach(([w, h], a) => {
    const of = (unit: PointForm['unit'], vertical: boolean): number =>
      ({ cell: level.stride, anchor: vertical ? h : w, input: vertical ? input.height : input.width, pixel: 1 })[unit];
    const decoded = box.form === 'decoded' ? [of(box.unit, false), of(box.unit, true)] : null;
    const xy =
      decoded ?? (center ? [of(center.xy.unit, false), of(center.xy.unit, true)] : [level.stride, level.stride]);
    const points = level.points ? [of(level.points.unit, false), of(level.points.unit, true)] : [0, 0];
    const wh = decoded ?? (center ? [w, h] : [level.stride, level.stride]);
    const values = [...xy, ...wh, ...points].map((v) => Math.round(v * SIXTEENTHS));
    if (values.some((v) => v > 32767))
      throw new UserError(`The detection head: an anchor of ${w}×${h} pixels is larger than 2047.`);
    units.set(values, a * UNITS);
  });
  const lowered: Omit<DetectionLevel, 'objectness' | 'score'> = {
    rows: level.rows,
    cols: level.cols,
    anchors,
    stride: Math.round(level.stride * SIXTEENTHS * 256),
    offset: Math.round(level.offset * level.stride * SIXTEENTHS * 256),
    form: box.form,
    xy: center?.xy.fn ?? 'linear',
    xyScale: Math.round((center && center.xy.fn !== 'linear' ? center.xy.scale : 1) * ONE),
    wh: center?.wh.fn ?? (box.form === 'ltrb' ? box.fn : 'linear'),
    whScale: Math.round((center?.wh.scale ?? 1) * ONE),
    bins: box.form === 'ltrb' ? Math.max(1, box.bins) : 0,
    order: box.form === 'decoded' ? box.order : 'xyxy',
    units,
    box:
      box.form === 'cell'
        ? fields(resolved.score, 1)
        : fields(resolved.box, center?.size ? 2 : box.form === 'ltrb' ? 4 * Math.max(1, box.bins) : 4, (k) =>
            center ? (k < 2 ? linearXy : foldedWh) : 1,
          ),
    size: resolved.size ? fields(resolved.size, 2, () => foldedWh) : null,
    powers: (level.score.powers ?? [1, 1]).map((p) => Math.round(p * ONE)) as [number, number],
    points: resolved.points ? fields(resolved.points, 2 * pointCount, () => level.points!.scale) : null,
  };
  return { ...lowered, ...thresholds(resolved, lowered.powers, fields, score) };
}

/** Where scores are, and the codes below which no score can be reached. */
function thresholds(
  { level, objectness, score: place, anchors }: ResolvedLevel,
  powers: readonly [number, number],
  fields: (place: ResolvedPlace, count: number) => FieldCodes,
  score: number,
): Pick<DetectionLevel, 'objectness' | 'score'> {
  const of = (chance: 'sigmoid' | 'none') => (chance === 'sigmoid' ? sigmoid : chanceOf);
  const object = objectness ? fields(objectness, 1) : null;
  const objectFn = level.objectness?.fn ?? 'none';
  const classes = fields(place, level.score.count);
  const { fn, background, peaks } = level.score;
  const perField = classes.formatsPerField > 0 ? 1 : 0;
  const perAnchor = classes.formatsPerAnchor > 0 ? (perField ? level.score.count : 1) : 0;
  const count = (perAnchor ? anchors : 1) * (perField ? level.score.count : 1);
  const share = score / 32768;
  // A class that is p beside a background that is no more than 1 − p: p/(1 − p) is how far apart they are at least.
  const apart = share < 1 ? Math.log(share / (1 - share)) : 8;
  return {
    objectness: object && {
      ...object,
      fn: objectFn,
      least: Int16Array.from({ length: object.formatsPerAnchor > 0 ? anchors : 1 }, (_, a) =>
        leastCode(object, a, (v) => combine(of(objectFn)(v), 32768, powers) >= score),
      ),
    },
    score: {
      ...classes,
      fn,
      count: level.score.count,
      background: background ?? -1,
      least:
        fn === 'softmax'
          ? new Int16Array(0)
          : Int16Array.from({ length: count }, (_, i) =>
              leastCode(classes, i, (v) => combine(32768, of(fn)(v), powers) >= score),
            ),
      leastPerAnchor: perAnchor,
      leastPerField: perField,
      leastAbove: background !== undefined && powers[1] === ONE ? Math.floor(apart * ONE) - 64 : -(2 ** 30),
      peaks: peaks ?? false,
    },
  };
}

/** The least code of a format whose value suffices; 256 if none does. */
function leastCode(fields: FieldCodes, format: number, suffices: (value: number) => boolean): number {
  const first = fields.signed ? -128 : 0;
  for (let code = first; code < first + 256; code++) if (suffices(valueOf(fields, format, code))) return code;
  return 256;
}

/** Real value of a code, 12 bits behind the point. */
export function valueOf({ multipliers, zeros, shift }: FieldCodes, format: number, code: number): number {
  return ((code - zeros[format]) * multipliers[format] + 2 ** (shift - 1)) >> shift;
}

function fieldCodes(
  program: Program,
  { output, start, perCell, perAnchor, perField, channels }: ResolvedPlace,
  anchors: number,
  fields: number,
  factor: (field: number) => number,
): FieldCodes {
  const port = program.outputs[output];
  const { bits, signed } = program.buffers[port.buffer];
  if (bits !== 8) throw new UserError(`Output "${port.name}" has ${bits} bits; a detection head reads 8. Give it 8.`);
  const scales = new Float64Array(anchors * fields);
  const zeros = new Int16Array(anchors * fields);
  for (let a = 0; a < anchors; a++) {
    for (let k = 0; k < fields; k++) {
      const channel = (start + a * perAnchor + k * perField) % channels;
      scales[a * fields + k] = port.scales[port.scales.length === 1 ? 0 : channel] * factor(k);
      zeros[a * fields + k] = port.zeroPoints[port.zeroPoints.length === 1 ? 0 : channel];
    }
  }
  const largest = scales.reduce((a, b) => Math.max(a, b), 1e-12);
  // Distances of codes have 9 bits at most, multipliers 21, and a bit is left for rounding.
  const shift = Math.min(30, Math.floor(20 - Math.log2(largest * ONE)));
  const reach = zeros.reduce((m, z) => Math.max(m, Math.abs(z) + 256), 0);
  if (shift < 1 || reach > 1023)
    throw new UserError(
      `Output "${port.name}": its values reach ${(largest * 255).toPrecision(3)}, more than a detection head ` +
        'supports. Scale the boxes to the input, 0…1.',
    );
  const multipliers = Int32Array.from(scales, (s) => Math.round(s * ONE * 2 ** shift));
  const same = (i: number, j: number): boolean => multipliers[i] === multipliers[j] && zeros[i] === zeros[j];
  const indices = Array.from({ length: anchors * fields }, (_, i) => i);
  const base = { output, signed, start, perCell, perAnchor, perField, shift };
  if (indices.every((i) => same(i, 0)))
    return {
      ...base,
      multipliers: multipliers.slice(0, 1),
      zeros: zeros.slice(0, 1),
      formatsPerAnchor: 0,
      formatsPerField: 0,
    };
  if (indices.every((i) => same(i, i % fields)))
    return {
      ...base,
      multipliers: multipliers.slice(0, fields),
      zeros: zeros.slice(0, fields),
      formatsPerAnchor: 0,
      formatsPerField: 1,
    };
  return { ...base, multipliers, zeros, formatsPerAnchor: fields, formatsPerField: 1 };
}
