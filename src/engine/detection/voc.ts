import { SaxesParser } from 'saxes';
import { UserError } from '../common/errors';
import type { TrueBox } from './annotations';

/** An object while its elements are being read. */
interface Pending {
  readonly line: number;
  readonly values: Map<string, string>;
}

/**
 * Objects of a Pascal VOC annotation. Its corners are the first and last pixel of a box, counted from 1; here they are
 * borders: xmin − 1 and xmax.
 *
 * @param file for messages
 * @throws UserError with the line of the first fault
 */
export function parseVoc(text: string, file: string): TrueBox[] {
  const stack: string[] = [];
  let pending: Pending | null = null;
  const found: Pending[] = [];
  const size = new Map<string, number>();
  const parser = new SaxesParser();
  const fail = (line: number, message: string): never => {
    throw new UserError(`${file}:${line}: ${message}`);
  };
  parser.on('error', (error) => fail(parser.line, error.message.replace(/^\d+:\d+: /, '')));
  parser.on('opentag', ({ name }) => {
    if (stack.length === 0 && name !== 'annotation')
      fail(parser.line, `this is not a Pascal VOC annotation: its first element is <${name}>.`);
    stack.push(name);
    if (stack.length === 2 && name === 'object') pending = { line: parser.line, values: new Map() };
  });
  parser.on('text', (value) => {
    if (stack.length === 3 && stack[1] === 'size') size.set(stack[2], Number(value));
    if (!pending || value.trim() === '') return;
    // Elements of the object itself and of its box; parts of a body have their own boxes.
    const key = stack.slice(2).join('/');
    if (!pending.values.has(key)) pending.values.set(key, value.trim());
  });
  parser.on('closetag', () => {
    stack.pop();
    if (stack.length !== 1 || !pending) return;
    found.push(pending);
    pending = null;
  });
  parser.write(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text).close();
  // The size may come after the objects.
  return found.map((object) => boxOf(object, size.get('width') || Infinity, size.get('height') || Infinity, fail));
}

/** Pixels by which a box may reach beyond its image: tools count from 0 or 1, and round. */
const BEYOND = 2;

function boxOf(
  { line, values }: Pending,
  width: number,
  height: number,
  fail: (line: number, message: string) => never,
): TrueBox {
  const label = values.get('name') ?? fail(line, 'the object has no <name>.');
  const [x1, y1, x2, y2] = ['xmin', 'ymin', 'xmax', 'ymax'].map((key) => {
    const value = values.get(`bndbox/${key}`);
    const n = value === undefined ? NaN : Number(value);
    if (!Number.isFinite(n)) fail(line, `the box of "${label}" has no number in <${key}>.`);
    return n;
  });
  if (x2 < x1 || y2 < y1) fail(line, `the box of "${label}" ends before it begins.`);
  if (x1 < -BEYOND || y1 < -BEYOND || x2 > width + BEYOND || y2 > height + BEYOND)
    fail(line, `the box of "${label}" reaches beyond the image's ${width}×${height} pixels.`);
  return { label, x1: x1 - 1, y1: y1 - 1, x2, y2, ignored: values.get('difficult') === '1' };
}
