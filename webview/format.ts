/** Numbers as the page writes them: few digits, a unit apart from its number, so that columns align. */
import type { ShapeView } from '../src/protocol/views';

export interface Quantity {
  readonly number: string;
  readonly unit: string;
}

/** Bytes in binary units: 512 B, 61.3 KiB, 3.40 MiB. */
export function bytes(value: number): Quantity {
  if (Math.abs(value) < 1024) return { number: plain(value, 0), unit: 'B' };
  if (Math.abs(value) < 1024 * 1024) return { number: digits(value / 1024), unit: 'KiB' };
  return { number: digits(value / (1024 * 1024)), unit: 'MiB' };
}

/** Counts in decimal units: 999, 3.50 M, 19.2 G. */
export function count(value: number): Quantity {
  const steps: readonly [number, string][] = [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ];
  for (const [size, unit] of steps) {
    if (Math.abs(value) >= size) return { number: digits(value / size), unit };
  }
  return { number: plain(value, 0), unit: '' };
}

export function text(quantity: Quantity, suffix = ''): string {
  const unit = `${quantity.unit}${suffix}`;
  return unit === '' ? quantity.number : `${quantity.number} ${unit}`;
}

export const bytesText = (value: number): string => text(bytes(value));
export const millisecondsText = (value: number): string => text(milliseconds(value));
export const countText = (value: number, suffix = ''): string => text(count(value), suffix);

/** Three significant digits, never fewer than the integer part needs. */
export function digits(value: number): string {
  const size = Math.abs(value);
  return plain(value, size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

const formats = new Map<number, Intl.NumberFormat>();
/** The number with that many decimals, in the page's language. */
export function plain(value: number, decimals: number): string {
  let format = formats.get(decimals);
  if (format === undefined) {
    const options = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    try {
      format = new Intl.NumberFormat(document.documentElement.lang || 'en', options);
    } catch {
      // A language tag that the browser does not know.
      format = new Intl.NumberFormat('en', options);
    }
    formats.set(decimals, format);
  }
  return format.format(value);
}

/** Times: 12.3 ms, 1.24 s. */
export function milliseconds(value: number): Quantity {
  return value >= 1000
    ? { number: digits(value / 1000), unit: 's' }
    : { number: value > 0 && value < 1 ? plain(value, 3) : digits(value), unit: 'ms' };
}

export function percent(fraction: number, decimals = 1): string {
  return `${plain(fraction * 100, decimals)} %`;
}

/** Height × width × channels, or `—` where the shape is not known. */
export function shapeText(shape: ShapeView | null): string {
  if (shape === null) return '—';
  return shape.h === 1 && shape.w === 1 ? String(shape.c) : `${shape.h}×${shape.w}×${shape.c}`;
}
