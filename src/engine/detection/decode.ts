import type { Detection, PointForm } from './head';
import type { ResolvedHead, ResolvedLevel, ResolvedPlace } from './resolve';

/** A place of the network's outputs at which a box may be. */
export interface Location {
  readonly level: ResolvedLevel;
  readonly cell: number;
  readonly anchor: number;
}

/**
 * Boxes of one image from the outputs' real values, before suppression: those with a score of at least `least`, in the
 * order of levels, cells, anchors and classes. Corners in pixels of the network's input, not clipped.
 *
 * @param outputs by the graph's outputs, HWC
 * @param least least score; the head's own if missing
 */
export function decodeHead(
  resolved: ResolvedHead,
  outputs: readonly Float32Array[],
  least = resolved.head.score,
): Detection[] {
  const found: Detection[] = [];
  const { classes } = resolved.head;
  forEachScore(resolved, outputs, least, (location, scores) => {
    let best = 0;
    for (let k = 1; k < scores.length; k++) if (scores[k] > scores[best]) best = k;
    for (let k = 0; k < scores.length; k++) {
      if (scores[k] < least || (classes === 'best' && k !== best)) continue;
      if (location.level.level.score.peaks && !isPeak(location, outputs, k)) continue;
      found.push({ ...boxAt(resolved, location, outputs), score: scores[k], label: k });
    }
  });
  return found;
}

/**
 * Calls for every location whose objectness lets a score of `least` be. `scores` are those of the labels; they are
 * overwritten by the next call.
 */
export function forEachScore(
  resolved: ResolvedHead,
  outputs: readonly Float32Array[],
  least: number,
  visit: (location: Location, scores: Float64Array) => void,
): void {
  for (const level of resolved.levels) {
    const { objectness, labels, cells, anchors } = level;
    const scores = new Float64Array(labels.length);
    const probabilities = new Float64Array(level.level.score.count);
    const [powerOfObjectness, powerOfClass] = level.level.score.powers ?? [1, 1];
    for (let cell = 0; cell < cells; cell++) {
      for (let anchor = 0; anchor < anchors; anchor++) {
        const raw = objectness ? valueAt(outputs, objectness, cell, anchor, 0) : 1;
        const p = level.level.objectness?.fn === 'sigmoid' ? sigmoid(raw) : raw;
        const factor = objectness ? Math.max(0, p) ** powerOfObjectness : 1;
        if (factor < least) continue;
        classProbabilities(level, outputs, cell, anchor, probabilities);
        labels.forEach((k, i) => {
          const c = Math.max(0, probabilities[k]);
          scores[i] = factor * (powerOfClass === 1 ? c : c ** powerOfClass);
        });
        visit({ level, cell, anchor }, scores);
      }
    }
  }
}

function classProbabilities(
  { level, score }: ResolvedLevel,
  outputs: readonly Float32Array[],
  cell: number,
  anchor: number,
  to: Float64Array,
): void {
  const values = outputs[score.output];
  const start = score.start + cell * score.perCell + anchor * score.perAnchor;
  const { fn, count } = level.score;
  if (fn === 'softmax') {
    let largest = -Infinity;
    for (let k = 0; k < count; k++) largest = Math.max(largest, values[start + k * score.perField]);
    let sum = 0;
    for (let k = 0; k < count; k++) sum += to[k] = Math.exp(values[start + k * score.perField] - largest);
    for (let k = 0; k < count; k++) to[k] /= sum;
    return;
  }
  for (let k = 0; k < count; k++) {
    const v = values[start + k * score.perField];
    to[k] = fn === 'sigmoid' ? sigmoid(v) : v;
  }
}

/**
 * Whether no neighbour has more of a class, by the network's own values; of equal neighbours the first is the peak.
 */
function isPeak({ level, cell, anchor }: Location, outputs: readonly Float32Array[], label: number): boolean {
  const { rows, cols } = level.level;
  const k = level.labels[label];
  const own = valueAt(outputs, level.score, cell, anchor, k);
  const y = Math.floor(cell / cols);
  const x = cell % cols;
  for (let ny = Math.max(0, y - 1); ny <= Math.min(rows - 1, y + 1); ny++) {
    for (let nx = Math.max(0, x - 1); nx <= Math.min(cols - 1, x + 1); nx++) {
      const other = ny * cols + nx;
      if (other === cell) continue;
      const value = valueAt(outputs, level.score, other, anchor, k);
      if (value > own || (value === own && other < cell)) return false;
    }
  }
  return true;
}

/** The box of a location. */
export function boxAt(
  { input }: ResolvedHead,
  { level: resolved, cell, anchor }: Location,
  outputs: readonly Float32Array[],
): Pick<Detection, 'x1' | 'y1' | 'x2' | 'y2' | 'points'> {
  const { level, box, points, pointCount } = resolved;
  const { stride, offset } = level;
  const [anchorW, anchorH] = level.anchors[anchor];
  const x = (cell % level.cols) + offset;
  const y = Math.floor(cell / level.cols) + offset;
  const t = (k: number): number => valueAt(outputs, box, cell, anchor, k);
  const unit = (form: PointForm, vertical: boolean): number =>
    form.scale * unitOf(form.unit, stride, vertical ? anchorH : anchorW, vertical ? input.height : input.width);
  const at =
    points && level.points
      ? Array.from({ length: 2 * pointCount }, (_, k) => {
          const value = valueAt(outputs, points, cell, anchor, k);
          return (k % 2 === 0 ? x : y) * stride + value * unit(level.points!, k % 2 === 1);
        })
      : undefined;
  const withPoints = at ? { points: at } : {};
  switch (level.box.form) {
    case 'cell':
      return { x1: x * stride, y1: y * stride, x2: (x + 1) * stride, y2: (y + 1) * stride, ...withPoints };
    case 'ltrb': {
      const { fn, bins } = level.box;
      const distance = (k: number): number => {
        const d = bins > 1 ? expectation(bins, (i) => t(k * bins + i)) : fn === 'exp' ? Math.exp(t(k)) : t(k);
        return d * stride;
      };
      return {
        x1: x * stride - distance(0),
        y1: y * stride - distance(1),
        x2: x * stride + distance(2),
        y2: y * stride + distance(3),
        ...withPoints,
      };
    }
    case 'center': {
      const { xy, wh } = level.box;
      const shift = (v: number): number => {
        const f = xy.fn === 'sigmoid' ? sigmoid(v) : xy.fn === 'tanh' ? Math.tanh(v) : v;
        return xy.fn === 'sigmoid' ? f * xy.scale - (xy.scale - 1) / 2 : f * xy.scale;
      };
      const size = (v: number): number => {
        switch (wh.fn) {
          case 'exp':
            return Math.exp(Math.min(wh.scale * v, 20));
          case 'square':
            return (wh.scale * sigmoid(v)) ** 2;
          case 'sigmoid':
            return wh.scale * sigmoid(v);
          case 'linear':
            return wh.scale * v;
        }
      };
      const cx = x * stride + shift(t(0)) * unitOf(xy.unit, stride, anchorW, input.width);
      const cy = y * stride + shift(t(1)) * unitOf(xy.unit, stride, anchorH, input.height);
      const extent = (k: number): number =>
        resolved.size ? valueAt(outputs, resolved.size, cell, anchor, k) : t(2 + k);
      const w = size(extent(0)) * anchorW;
      const h = size(extent(1)) * anchorH;
      return { x1: cx - w / 2, y1: cy - h / 2, x2: cx + w / 2, y2: cy + h / 2, ...withPoints };
    }
    case 'decoded': {
      const { order, unit: of } = level.box;
      const sx = of === 'input' ? input.width : 1;
      const sy = of === 'input' ? input.height : 1;
      const [a, b, c, d] = [t(0), t(1), t(2), t(3)];
      const [x1, y1, x2, y2] =
        order === 'xyxy'
          ? [a, b, c, d]
          : order === 'yxyx'
            ? [b, a, d, c]
            : [a - c / 2, b - d / 2, a + c / 2, b + d / 2];
      return { x1: x1 * sx, y1: y1 * sy, x2: x2 * sx, y2: y2 * sy, ...withPoints };
    }
  }
}

function unitOf(unit: PointForm['unit'], stride: number, anchor: number, input: number): number {
  switch (unit) {
    case 'cell':
      return stride;
    case 'anchor':
      return anchor;
    case 'input':
      return input;
    case 'pixel':
      return 1;
  }
}

function expectation(bins: number, value: (bin: number) => number): number {
  let largest = -Infinity;
  for (let i = 0; i < bins; i++) largest = Math.max(largest, value(i));
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < bins; i++) {
    const e = Math.exp(value(i) - largest);
    sum += e;
    weighted += i * e;
  }
  return weighted / sum;
}

function valueAt(
  outputs: readonly Float32Array[],
  { output, start, perCell, perAnchor, perField }: ResolvedPlace,
  cell: number,
  anchor: number,
  field: number,
): number {
  return outputs[output][start + cell * perCell + anchor * perAnchor + field * perField];
}

function sigmoid(v: number): number {
  return 1 / (1 + Math.exp(-v));
}
