import { chanceOf, combine, sigmoid, timesExp } from './math';
import {
  UNITS,
  type DetectionLevel,
  type DetectionProgram,
  type FieldCodes,
  type ImageMap,
  type IntegerBox,
} from './types';

/** A box that may be given, in 1/16 pixel of the network's input. */
interface Candidate extends Omit<IntegerBox, 'points'> {
  /** Its location: counted over levels, cells and anchors. */
  readonly location: number;
}

/**
 * Boxes of one inference, by falling score: what the C's `NAME_detect` gives, bit for bit (qmcu_detect.c has the same
 * steps in the same order). Of equal scores the earlier location is the better one, then the lower label.
 *
 * @param outputs bytes of each output of the program
 * @param image   another image than the plan's, for evaluations
 */
export function detect(
  head: DetectionProgram,
  outputs: readonly Uint8Array[],
  image: ImageMap = head.image,
): IntegerBox[] {
  const heap = new CandidateHeap(head.candidates);
  let location = 0;
  for (const level of head.levels) {
    const scores = new Int32Array(level.score.count);
    for (let cell = 0; cell < level.rows * level.cols; cell++) {
      for (let anchor = 0; anchor < level.anchors; anchor++, location++)
        scan(head, level, outputs, cell, anchor, location, scores, heap);
    }
  }
  const kept = suppress(head, heap.sorted());
  return kept.map((c) => finish(head, outputs, c, image));
}

function code(outputs: readonly Uint8Array[], f: FieldCodes, cell: number, anchor: number, field: number): number {
  const byte = outputs[f.output][f.start + cell * f.perCell + anchor * f.perAnchor + field * f.perField];
  return f.signed ? (byte << 24) >> 24 : byte;
}

function value(outputs: readonly Uint8Array[], f: FieldCodes, cell: number, anchor: number, field: number): number {
  const format = anchor * f.formatsPerAnchor + field * f.formatsPerField;
  const distance = code(outputs, f, cell, anchor, field) - f.zeros[format];
  return (distance * f.multipliers[format] + 2 ** (f.shift - 1)) >> f.shift;
}

/** Looks at one location: the codes first, and only where they let a score be, at values. */
function scan(
  head: DetectionProgram,
  level: DetectionLevel,
  outputs: readonly Uint8Array[],
  cell: number,
  anchor: number,
  location: number,
  scores: Int32Array,
  heap: CandidateHeap,
): void {
  const { objectness, score } = level;
  let object = 32768;
  if (objectness) {
    const c = code(outputs, objectness, cell, anchor, 0);
    if (c < objectness.least[objectness.formatsPerAnchor > 0 ? anchor : 0]) return;
    const v = value(outputs, objectness, cell, anchor, 0);
    object = objectness.fn === 'sigmoid' ? sigmoid(v) : chanceOf(v);
  }
  if (score.fn === 'softmax' && !softmax(level, outputs, cell, anchor, scores)) return;
  let bestScore = 0;
  let best = -1;
  for (let k = 0, label = 0; k < score.count; k++) {
    if (k === score.background) continue;
    const own = label++;
    let chance: number;
    if (score.fn === 'softmax') chance = scores[k];
    else {
      const c = code(outputs, score, cell, anchor, k);
      if (c < score.least[anchor * score.leastPerAnchor + k * score.leastPerField]) continue;
      const v = value(outputs, score, cell, anchor, k);
      chance = score.fn === 'sigmoid' ? sigmoid(v) : chanceOf(v);
    }
    const s = combine(object, chance, level.powers);
    if (s < head.score || (score.peaks && !isPeak(level, outputs, cell, anchor, k))) continue;
    if (!head.best) heap.offer(boxOf(level, outputs, cell, anchor, s, own, location));
    else if (s > bestScore) {
      bestScore = s;
      best = own;
    }
  }
  if (best >= 0) heap.offer(boxOf(level, outputs, cell, anchor, bestScore, best, location));
}

/** Chances of all classes; false where the background leaves too little for any. */
function softmax(
  { score }: DetectionLevel,
  outputs: readonly Uint8Array[],
  cell: number,
  anchor: number,
  to: Int32Array,
): boolean {
  let largest = -(2 ** 30);
  let largestOther = -(2 ** 30);
  for (let k = 0; k < score.count; k++) {
    const v = value(outputs, score, cell, anchor, k);
    to[k] = v;
    if (v > largest) largest = v;
    if (k !== score.background && v > largestOther) largestOther = v;
  }
  if (score.background >= 0 && largestOther - to[score.background] < score.leastAbove) return false;
  let sum = 0;
  for (let k = 0; k < score.count; k++) sum += to[k] = timesExp(16384, to[k] - largest);
  for (let k = 0; k < score.count; k++) to[k] = Math.floor((to[k] * 32768 + (sum >> 1)) / sum);
  return true;
}

/** Whether no neighbour has a larger code of the class; of equal ones the first is the peak. */
function isPeak(
  { rows, cols, score }: DetectionLevel,
  outputs: readonly Uint8Array[],
  cell: number,
  anchor: number,
  field: number,
): boolean {
  const own = code(outputs, score, cell, anchor, field);
  const y = Math.floor(cell / cols);
  const x = cell % cols;
  for (let ny = Math.max(0, y - 1); ny <= Math.min(rows - 1, y + 1); ny++) {
    for (let nx = Math.max(0, x - 1); nx <= Math.min(cols - 1, x + 1); nx++) {
      const other = ny * cols + nx;
      const c = code(outputs, score, other, anchor, field);
      if (c > own || (c === own && other < cell)) return false;
    }
  }
  return true;
}

/** v·unit, v with 12 bits behind the point, within ±2^18. */
function times(v: number, unit: number): number {
  const most = unit > 0 ? Math.floor(0x3fffffff / unit) : 0x3fffffff;
  const t = v > most ? most : v < -most ? -most : v;
  return (t * unit + 2048) >> 12;
}

function saturate(v: number): number {
  return v > 32767 ? 32767 : v < -32768 ? -32768 : v;
}

function boxOf(
  level: DetectionLevel,
  outputs: readonly Uint8Array[],
  cell: number,
  anchor: number,
  score: number,
  label: number,
  location: number,
): Candidate {
  const { box, size, form } = level;
  const [unitX, unitY, unitW, unitH] = level.units.subarray(anchor * UNITS, anchor * UNITS + 4);
  const [px, py] = pointOf(level, cell);
  const v = (k: number): number => value(outputs, box, cell, anchor, k);
  let x1: number, y1: number, x2: number, y2: number;
  if (form === 'cell') {
    [x1, y1, x2, y2] = [px, py, px + unitW, py + unitH];
  } else if (form === 'ltrb') {
    const d = [0, 1, 2, 3].map((side) =>
      level.bins > 1
        ? expectation(level, outputs, cell, anchor, side, unitW)
        : level.wh === 'exp'
          ? timesExp(unitW, v(side))
          : times(v(side), unitW),
    );
    [x1, y1, x2, y2] = [px - d[0], py - d[1], px + d[2], py + d[3]];
  } else {
    const [a, b] = [v(0), v(1)];
    const [c, d] = size ? [0, 1].map((k) => value(outputs, size, cell, anchor, k)) : [v(2), v(3)];
    if (form === 'center') {
      const cx = px + times(shiftOf(level, a), unitX);
      const cy = py + times(shiftOf(level, b), unitY);
      const w = extent(level, c, unitW);
      const h = extent(level, d, unitH);
      [x1, y1] = [cx - (w >> 1), cy - (h >> 1)];
      [x2, y2] = [x1 + w, y1 + h];
    } else {
      const t = [times(a, unitX), times(b, unitY), times(c, unitX), times(d, unitY)];
      if (level.order === 'yxyx') {
        [x1, y1, x2, y2] = [times(b, unitX), times(a, unitY), times(d, unitX), times(c, unitY)];
      } else if (level.order === 'xyxy') [x1, y1, x2, y2] = t;
      else {
        [x1, y1] = [t[0] - (t[2] >> 1), t[1] - (t[3] >> 1)];
        [x2, y2] = [x1 + t[2], y1 + t[3]];
      }
    }
  }
  [x1, y1] = [saturate(x1), saturate(y1)];
  return { x1, y1, x2: Math.max(x1, saturate(x2)), y2: Math.max(y1, saturate(y2)), score, label, location };
}

/** A cell's point, 1/16 pixel. */
function pointOf({ cols, stride, offset }: DetectionLevel, cell: number): [number, number] {
  const y = Math.floor(cell / cols);
  return [((cell - y * cols) * stride + offset + 128) >> 8, (y * stride + offset + 128) >> 8];
}

/** How far a centre is from its cell's point, 12 bits behind the point. */
function shiftOf({ xy, xyScale }: DetectionLevel, v: number): number {
  if (xy === 'linear') return v;
  if (xy === 'sigmoid') return ((sigmoid(v) * xyScale) >> 15) - ((xyScale - 4096) >> 1);
  const t = Math.max(-32768, Math.min(32767, v));
  return ((2 * sigmoid(2 * t) - 32768) * xyScale) >> 15;
}

/** Width or height, 1/16 pixel. */
function extent({ wh, whScale }: DetectionLevel, v: number, unit: number): number {
  if (wh === 'exp') return Math.min(timesExp(unit, v), 65535);
  if (wh === 'linear') return Math.max(0, times(v, unit));
  const s = (sigmoid(v) * whScale) >> 15;
  return times(wh === 'square' ? (s * s) >> 12 : s, unit);
}

/** Mean of the bins by a softmax over them, in 1/16 pixel. */
function expectation(
  { box, bins }: DetectionLevel,
  outputs: readonly Uint8Array[],
  cell: number,
  anchor: number,
  side: number,
  unit: number,
): number {
  let largest = -(2 ** 30);
  for (let i = 0; i < bins; i++) largest = Math.max(largest, value(outputs, box, cell, anchor, side * bins + i));
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < bins; i++) {
    const e = timesExp(16384, value(outputs, box, cell, anchor, side * bins + i) - largest);
    sum += e;
    weighted += i * e;
  }
  return times(Math.floor(weighted / (sum >> 8)) << 4, unit);
}

/** The best candidates, the worst one at the root. */
class CandidateHeap {
  private readonly items: Candidate[] = [];

  constructor(private readonly most: number) {}

  offer(c: Candidate): void {
    const { items } = this;
    if (items.length < this.most) {
      items.push(c);
      for (let i = items.length - 1; i > 0;) {
        const parent = (i - 1) >> 1;
        if (!isBetter(items[parent], items[i])) break;
        [items[parent], items[i]] = [items[i], items[parent]];
        i = parent;
      }
    } else if (isBetter(c, items[0])) {
      items[0] = c;
      this.sink(items.length);
    }
  }

  /** Best first; the heap is used up. */
  sorted(): Candidate[] {
    const { items } = this;
    for (let n = items.length - 1; n > 0; n--) {
      [items[0], items[n]] = [items[n], items[0]];
      this.sink(n);
    }
    return items;
  }

  private sink(count: number): void {
    const { items } = this;
    for (let i = 0; ;) {
      let worst = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < count && isBetter(items[worst], items[child])) worst = child;
      }
      if (worst === i) return;
      [items[worst], items[i]] = [items[i], items[worst]];
      i = worst;
    }
  }
}

function isBetter(a: Candidate, b: Candidate): boolean {
  if (a.score !== b.score) return a.score > b.score;
  return a.location !== b.location ? a.location < b.location : a.label < b.label;
}

function suppress({ suppress: kind, iou, detections }: DetectionProgram, sorted: readonly Candidate[]): Candidate[] {
  const kept: Candidate[] = [];
  for (const c of sorted) {
    if (kept.length === detections) break;
    const rival = (k: Candidate): boolean => (kind === 'all' || k.label === c.label) && overlaps(k, c, iou);
    if (kind === 'none' || !kept.some(rival)) kept.push(c);
  }
  return kept;
}

/** Whether shared area·(1 + iou) > iou·(sum of areas): no division. Products stay below 2^53. */
function overlaps(a: Candidate, b: Candidate, iou: number): boolean {
  const w = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const h = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (w <= 0 || h <= 0) return false;
  const areas = (a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1);
  return w * h * (32768 + iou) > areas * iou;
}

function finish(
  head: DetectionProgram,
  outputs: readonly Uint8Array[],
  { x1, y1, x2, y2, score, label, location }: Candidate,
  image: ImageMap,
): IntegerBox {
  const x = (v: number): number => onImage(v, image.left, image.scaleX, image.width);
  const y = (v: number): number => onImage(v, image.top, image.scaleY, image.height);
  const points: number[] = [];
  if (head.points > 0) {
    let rest = location;
    const level = head.levels.find((l) => {
      const count = l.rows * l.cols * l.anchors;
      if (rest < count) return true;
      rest -= count;
      return false;
    })!;
    const cell = Math.floor(rest / level.anchors);
    const anchor = rest % level.anchors;
    const [px, py] = pointOf(level, cell);
    for (let k = 0; k < head.points; k++) {
      const at = (axis: number): number =>
        times(value(outputs, level.points!, cell, anchor, 2 * k + axis), level.units[anchor * UNITS + 4 + axis]);
      points.push(x(saturate(px + at(0))), y(saturate(py + at(1))));
    }
  }
  return { x1: x(x1), y1: y(y1), x2: x(x2), y2: y(y2), score, label, points };
}

function onImage(v: number, first: number, scale: number, size: number): number {
  const t = Math.floor(((v - first) * scale + 32768) / 65536);
  return t < 0 ? 0 : t > size ? size : t;
}
