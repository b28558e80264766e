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
    throw new UserError(`${file}: /${list}/${index} ${message}.`);
  };
  const names = new Map<unknown, string>();
  categories.forEach((entry, i) => {
    const { id, name } = record(entry) ?? fail('categories', i, 'is no object');
    if (typeof name !== 'string') fail('categories', i, 'has no name');
    names.set(id, name as string);
  });
  const files = new Map<unknown, string>();
  const boxes = new Map<string, TrueBox[]>();
  images.forEach((entry, i) => {
    const { id, file_name } = record(entry) ?? fail('images', i, 'is no object');
    if (typeof file_name !== 'string') fail('images', i, 'has no file_name');
    files.set(id, file_name as string);
    boxes.set(file_name as string, []);
  });
  annotations.forEach((entry, i) => {
    const { image_id, category_id, bbox, iscrowd } = record(entry) ?? fail('annotations', i, 'is no object');
    const label = names.get(category_id) ?? fail('annotations', i, `has an unknown category_id`);
    const image = files.get(image_id) ?? fail('annotations', i, `has an unknown image_id`);
    if (!Array.isArray(bbox) || bbox.length !== 4 || !bbox.every((v) => typeof v === 'number' && Number.isFinite(v)))
      fail('annotations', i, 'has no bbox of four numbers: x, y, width and height');
    const [x, y, w, h] = bbox as number[];
    if (w < 0 || h < 0) fail('annotations', i, 'has a bbox of negative size');
    boxes.get(image)!.push({ label, x1: x, y1: y, x2: x + w, y2: y + h, ignored: iscrowd === 1 || iscrowd === true });
  });
  return boxes;
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

/** Line of a JSON error, which tells its position. */
function lineOf(text: string, error: Error): string {
  const at = /position (\d+)/.exec(error.message)?.[1];
  return at === undefined || /line \d/.test(error.message)
    ? ''
    : `, line ${text.slice(0, Number(at)).split('\n').length}`;
}
