import { UserError } from '../common/errors';
import type { TrueBox } from './annotations';

/**
 * Boxes of a COCO file by the images' file names; images without boxes are there, too.
 *
 * @param optional null instead of an error where the JSON is another kind of file
 * @throws UserError naming the place of the first fault
 */
export function parseCoco(text: string, file: string, optional: boolean): Map<string, TrueBox[]> | null {
  let value: unknown;
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (error) {
    if (optional) return null;
    throw new UserError(`${file}: not valid JSON (${(error as Error).message}${lineOf(text, error as Error)}).`);
  }
  const root = record(value);
  const lists = ['images', 'annotations', 'categories'].map((key) => root?.[key]);
  if (!lists.every((l): l is unknown[] => Array.isArray(l))) {
    if (optional) return null;
    throw new UserError(`${file}: a COCO file has the lists "images", "annotations" and "categories".`);
  }
  const [images, annotations, categories] = lists;
  const fail = (list: string, index: number, message: string): never => {
    throw new UserError(`${file}:${lineOfEntry(text, list, index)}: /${list}/${index} ${message}.`);
  };
  const names = new Map<unknown, string>();
  categories.forEach((entry, i) => {
    const { id, name } = record(entry) ?? fail('categories', i, 'is not an object');
    if (typeof name !== 'string') fail('categories', i, 'has no name');
    names.set(id, name as string);
  });
  const files = new Map<unknown, { name: string; width: number; height: number }>();
  const boxes = new Map<string, TrueBox[]>();
  images.forEach((entry, i) => {
    const { id, file_name, width, height } = record(entry) ?? fail('images', i, 'is not an object');
    if (typeof file_name !== 'string') fail('images', i, 'has no file_name');
    const extent = (v: unknown): number => (typeof v === 'number' && v > 0 ? v : Infinity);
    files.set(id, { name: file_name as string, width: extent(width), height: extent(height) });
    boxes.set(file_name as string, []);
  });
  annotations.forEach((entry, i) => {
    const { image_id, category_id, bbox, iscrowd } = record(entry) ?? fail('annotations', i, 'is not an object');
    const label = names.get(category_id) ?? fail('annotations', i, `has an unknown category_id`);
    const image = files.get(image_id) ?? fail('annotations', i, `has an unknown image_id`);
    if (!Array.isArray(bbox) || bbox.length !== 4 || !bbox.every((v) => typeof v === 'number' && Number.isFinite(v)))
      fail('annotations', i, 'has no bbox of four numbers: x, y, width and height');
    const [x, y, w, h] = bbox as number[];
    if (w < 0 || h < 0) fail('annotations', i, 'has a bbox of negative size');
    if (x < -BEYOND || y < -BEYOND || x + w > image.width + BEYOND || y + h > image.height + BEYOND)
      fail('annotations', i, `has a bbox that reaches beyond the image's ${image.width}×${image.height} pixels`);
    boxes
      .get(image.name)!
      .push({ label, x1: x, y1: y, x2: x + w, y2: y + h, ignored: iscrowd === 1 || iscrowd === true });
  });
  return boxes;
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

/** Pixels by which a box may reach beyond its image: tools round. */
const BEYOND = 2;

/** Line on which an entry of one of the root's lists begins, counted from 1. @param text a valid COCO file */
function lineOfEntry(text: string, list: string, index: number): number {
  const tokens = /"(?:[^"\\]|\\.)*"|[[\]{},\n]/g;
  let [line, depth, entry, inside] = [1, 0, 0, false];
  let key = '';
  for (let token = tokens.exec(text); token; token = tokens.exec(text)) {
    const [mark] = token;
    if (mark === '\n') line++;
    else if (mark === '[' || mark === '{') {
      if (++depth === 2 && mark === '[') [inside, entry] = [key === list, 0];
      else if (depth === 3 && inside && entry === index) return line;
    } else if (mark === ']' || mark === '}') depth--;
    else if (mark === ',') entry += depth === 2 ? 1 : 0;
    else if (depth === 1) key = JSON.parse(mark) as string;
  }
  return line;
}

/** Line of a JSON error, which tells its position. */
function lineOf(text: string, error: Error): string {
  const at = /position (\d+)/.exec(error.message)?.[1];
  return at === undefined || /line \d/.test(error.message)
    ? ''
    : `, line ${text.slice(0, Number(at)).split('\n').length}`;
}
