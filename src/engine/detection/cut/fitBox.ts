import type { Size } from '../../common/size';
import type { EndingResult } from '../../onnx/ending';
import type { BoxForm } from '../head';
import type { FoundLevel } from './probe';
import { at, type Table } from './tables';

/** What the four columns of a box are. */
export type Order = Extract<BoxForm, { form: 'decoded' }>['order'];
export const ORDERS: readonly Order[] = ['center', 'xyxy', 'yxyx'];

/** Where the columns of boxes are, what they are, and how many pixels 1 is. */
export interface BoxColumns {
  readonly table: Table;
  readonly first: number;
  readonly order: Order;
  readonly unit: Size;
}

/** Values that all inputs have, one after the other, and the outputs for them. */
export const LEVELS_OF_INPUT = [0, 1, -1.5] as const;
export type Steps = readonly (readonly EndingResult[])[];

/** A box in pixels. */
export interface CenterBox {
  readonly cx: number;
  readonly cy: number;
  readonly w: number;
  readonly h: number;
}

/** The box of a row, as its columns have it. */
export function boxOf(
  results: readonly EndingResult[],
  { table, first, order, unit }: BoxColumns,
  row: number,
): CenterBox {
  const [a, b, c, d] = [0, 1, 2, 3].map((k) => at(results, table, row, first + k));
  const { width: x, height: y } = unit;
  if (order === 'center') return { cx: a * x, cy: b * y, w: c * x, h: d * y };
  const [x1, y1, x2, y2] = order === 'xyxy' ? [a, b, c, d] : [b, a, d, c];
  return { cx: ((x1 + x2) / 2) * x, cy: ((y1 + y2) / 2) * y, w: (x2 - x1) * x, h: (y2 - y1) * y };
}

/** What boxes of a level are made with. */
export interface FittedBox {
  readonly stride: number;
  readonly offset: number;
  readonly anchors: readonly (readonly [number, number])[];
  readonly box: BoxForm;
}

/** A few digits fewer than a float has, so that the constants are those that somebody wrote. */
export function tidy(value: number): number {
  if (Math.abs(value) < 1e-6) return 0;
  const short = Number(value.toPrecision(4));
  return Math.abs(value - short) <= 4e-6 * Math.max(1e-3, Math.abs(value)) ? short : Number(value.toPrecision(7));
}

const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));

/** The values that functions take at {@link LEVELS_OF_INPUT}. */
const XY: readonly { readonly fn: 'sigmoid' | 'linear' | 'tanh'; readonly of: (v: number) => number }[] = [
  { fn: 'linear', of: (v) => v },
  { fn: 'sigmoid', of: sigmoid },
  { fn: 'tanh', of: Math.tanh },
];

/** How far measured values may be from fitted ones: the proof that follows is exact. */
const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-3 * Math.max(1e-3, Math.abs(a), Math.abs(b));

/**
 * Constants of a level's boxes from what the ending gives for three values of all its inputs; null where no form fits.
 *
 * @param count channels of a box: 4, or 4 times the bins of a distribution
 */
export function fitBox(
  steps: Steps,
  columns: BoxColumns,
  level: FoundLevel,
  count: number,
  form: 'center' | 'ltrb',
  input: Size,
): FittedBox | null {
  const box = (step: number, cell: number, anchor = 0): CenterBox =>
    boxOf(steps[step], columns, level.row + cell * level.rowsPerCell + anchor * level.rowsPerAnchor);
  const { rows, cols } = level;
  const last = rows * cols - 1;
  const stride = tidy(
    cols > 1
      ? (box(0, cols - 1).cx - box(0, 0).cx) / (cols - 1)
      : rows > 1
        ? (box(0, last).cy - box(0, 0).cy) / (rows - 1)
        : input.width / cols,
  );
  if (!(stride > 0)) return null;
  if (form === 'ltrb') {
    const offset = tidy(box(0, 0).cx / stride);
    const fn = distanceFunction([0, 1, 2].map((step) => box(step, 0).w / (2 * stride)));
    if (count === 4 && fn === null) return null;
    return { stride, offset, anchors: [[stride, stride]], box: { form, fn: fn ?? 'linear', bins: count / 4 } };
  }
  const all = Array.from({ length: level.anchors }, (_, a) => LEVELS_OF_INPUT.map((_, step) => box(step, 0, a)));
  const size = fitSize(all);
  const xy = size && fitPoint(all, stride, size.anchors);
  if (!size || !xy) return null;
  const { fn, shift } = xy;
  const offset = tidy((all[0][0].cx - (fn === 'sigmoid' ? 0.5 * stride : 0)) / stride);
  return { stride, offset, anchors: size.anchors, box: { form, xy: { fn, ...shift }, wh: size.wh } };
}

function distanceFunction([zero, one]: readonly number[]): 'linear' | 'exp' | null {
  if (close(zero, 0) && close(one, 1)) return 'linear';
  return close(zero, 1) && close(one, Math.E) ? 'exp' : null;
}

type Center = Extract<BoxForm, { form: 'center' }>;

/** Function and scale of widths and heights, and the anchors. */
function fitSize(
  all: readonly (readonly CenterBox[])[],
): { readonly wh: Center['wh']; readonly anchors: (readonly [number, number])[] } | null {
  const sides = all.flatMap((boxes) => [boxes.map((b) => b.w), boxes.map((b) => b.h)]);
  const pairs = (of: (values: readonly number[]) => number): (readonly [number, number])[] =>
    all.map((_, a) => [tidy(of(sides[2 * a])), tidy(of(sides[2 * a + 1]))] as const);
  if (sides.every(([zero, one, minus]) => Math.abs(zero) < 1e-3 && one > 1e-3 && close(minus, -1.5 * one)))
    return { wh: { fn: 'linear', scale: 1 }, anchors: pairs(([, one]) => one) };
  if (!sides.every(([zero, one]) => zero > 0 && one > 0)) return null;
  const ratios = (wanted: (v: number) => number): boolean =>
    sides.every(([zero, one, minus]) => close(one / zero, wanted(1)) && close(minus / zero, wanted(-1.5)));
  const [[zero, one]] = sides;
  const scale = tidy(Math.log(one / zero));
  if (scale > 0 && ratios((v) => Math.exp(scale * v)))
    return { wh: { fn: 'exp', scale }, anchors: pairs(([side]) => side) };
  if (ratios((v) => (2 * sigmoid(v)) ** 2)) return { wh: { fn: 'square', scale: 2 }, anchors: pairs(([side]) => side) };
  if (ratios((v) => 2 * sigmoid(v))) return { wh: { fn: 'sigmoid', scale: 1 }, anchors: pairs(([side]) => 2 * side) };
  return null;
}

/** Function, scale and unit of centres. */
function fitPoint(
  all: readonly (readonly CenterBox[])[],
  stride: number,
  anchors: readonly (readonly [number, number])[],
): {
  readonly fn: Center['xy']['fn'];
  readonly shift: { readonly unit: 'cell' | 'anchor'; readonly scale: number };
} | null {
  const axes = all.flatMap((boxes) => [boxes.map((b) => b.cx), boxes.map((b) => b.cy)]);
  for (const { fn, of } of XY) {
    const amounts = axes.map(([zero, one]) => (one - zero) / (of(1) - of(0)));
    const fits = axes.every(([zero, , minus], i) => close(minus - zero, amounts[i] * (of(-1.5) - of(0))));
    if (!fits || amounts.some((amount) => !(amount > 0))) continue;
    const units = [
      { unit: 'cell', sizes: axes.map(() => stride) },
      { unit: 'anchor', sizes: anchors.flat() },
    ] as const;
    for (const { unit, sizes } of units) {
      const scale = tidy(amounts[0] / sizes[0]);
      if (unit === 'anchor' && fn === 'sigmoid') continue;
      if (amounts.every((amount, i) => close(amount, scale * sizes[i]))) return { fn, shift: { unit, scale } };
    }
  }
  return null;
}
