import { promises as fs } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../common/errors';
import { parseCoco } from './coco';
import type { Corners } from './head';
import { parseVoc } from './voc';
import { parseYolo } from './yolo';

/** What is known to be on an image. */
export interface TrueBox extends Corners {
  readonly label: string;
  /** Neither found nor missed: VOC's `difficult`, COCO's `iscrowd`. */
  readonly ignored: boolean;
}

export interface ImageTruth {
  readonly boxes: readonly TrueBox[];
  /** Corners are in shares of the image's width and height. */
  readonly relative: boolean;
}

/** Boxes of a folder of images. */
export interface Annotations {
  readonly format: 'voc' | 'yolo' | 'coco';
  /** Folder or file that they are from. */
  readonly path: string;
  /** Boxes of an image by its name in the sample set; null where there is none. @throws UserError for a damaged file */
  of(sample: string): Promise<ImageTruth | null>;
}

const MAX_FILE_BYTES = 512 << 20;
const MAX_LABEL_FILE_BYTES = 16 << 20;

/**
 * Finds the boxes that belong to a folder of images: Pascal VOC's XML, YOLO's text files or a COCO JSON, among the
 * images, or in a folder `annotations`, `Annotations` or `labels` in it or next to it.
 *
 * @param images folder of the images
 * @param given  folder or file that a person names instead
 * @param labels of the network, for the numbers of YOLO's files
 * @returns null when there are none
 * @throws UserError when what was given holds none, or a file is damaged
 */
export async function findAnnotations(
  images: string,
  given: string | undefined,
  labels: readonly string[],
): Promise<Annotations | null> {
  if (given !== undefined) {
    const stat = await fs.stat(given).catch(() => null);
    if (stat === null) throw new UserError(`${given} does not exist; give a folder or a COCO .json file with boxes.`);
    const found = stat.isFile() ? await openCoco(given) : await inFolder(given, images, labels);
    if (!found) throw new UserError(`${given} contains no boxes: no VOC .xml, YOLO .txt or COCO .json file.`);
    return found;
  }
  const parent = path.dirname(path.resolve(images));
  const names = ['annotations', 'Annotations', 'labels'];
  const twin = path.resolve(images).replace(/([\\/])images(?=[\\/]|$)/, '$1labels');
  const folders = [
    images,
    ...names.map((n) => path.join(images, n)),
    ...names.map((n) => path.join(parent, n)),
    ...(twin === path.resolve(images) ? [] : [twin]),
  ];
  for (const folder of folders) {
    const found = await inFolder(folder, images, labels);
    if (found) return found;
  }
  return null;
}

async function inFolder(folder: string, images: string, labels: readonly string[]): Promise<Annotations | null> {
  const entries = (await fs.readdir(folder, { recursive: false }).catch(() => [])).sort();
  if (entries.some((e) => /\.xml$/i.test(e))) return vocFolder(folder);
  const stems = new Set(entries.filter((e) => /\.(jpe?g|png)$/i.test(e)).map(stem));
  const texts = entries.filter((e) => /\.txt$/i.test(e) && !/^(classes|labels|readme|train|val|test)\.txt$/i.test(e));
  // Among images, a text file is a label file only if an image has its name.
  if (texts.some((e) => stems.size === 0 || stems.has(stem(e)))) return yoloFolder(folder, images, labels);
  for (const file of entries.filter((e) => /\.json$/i.test(e))) {
    const coco = await openCoco(path.join(folder, file), true);
    if (coco) return coco;
  }
  return null;
}

function vocFolder(folder: string): Annotations {
  return {
    format: 'voc',
    path: folder,
    async of(sample) {
      const file = path.join(folder, `${stem(sample)}.xml`);
      const text = await readText(file, MAX_LABEL_FILE_BYTES);
      return text === null ? null : { boxes: parseVoc(text, file), relative: false };
    },
  };
}

async function yoloFolder(folder: string, images: string, labels: readonly string[]): Promise<Annotations> {
  let names = labels;
  for (const file of [path.join(folder, 'classes.txt'), path.join(images, 'classes.txt')]) {
    const text = await readText(file, MAX_LABEL_FILE_BYTES);
    if (text !== null) {
      names = text.split(/\r?\n/).map((l) => l.trim());
      break;
    }
  }
  return {
    format: 'yolo',
    path: folder,
    async of(sample) {
      const nested = path.join(folder, path.dirname(sample), `${stem(sample)}.txt`);
      const flat = path.join(folder, `${stem(sample)}.txt`);
      for (const file of [nested, flat]) {
        const text = await readText(file, MAX_LABEL_FILE_BYTES);
        if (text !== null) return { boxes: parseYolo(text, file, names), relative: true };
      }
      return null;
    },
  };
}

async function openCoco(file: string, optional = false): Promise<Annotations | null> {
  const text = await readText(file, MAX_FILE_BYTES);
  if (text === null) return null;
  const images = parseCoco(text, file, optional);
  if (images === null) return null;
  return {
    format: 'coco',
    path: file,
    of: async (sample) => {
      const boxes = images.get(sample) ?? images.get(path.basename(sample));
      return boxes ? { boxes, relative: false } : null;
    },
  };
}

/** Text of a file, null where there is none. */
async function readText(file: string, most: number): Promise<string | null> {
  const stat = await fs.stat(file).catch(() => null);
  if (!stat?.isFile()) return null;
  if (stat.size > most) throw new UserError(`${file} has ${stat.size} bytes, more than the limit of ${most}.`);
  return fs.readFile(file, 'utf8');
}

function stem(file: string): string {
  return path.basename(file).replace(/\.[^.]*$/, '');
}
