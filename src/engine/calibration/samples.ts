import { counted } from '../common/wording';
import { closeSync, constants, openSync, promises as fs, readSync } from 'node:fs';
import * as path from 'node:path';
import { readBounded } from '../common/boundedFile';
import { UserError, reasonOf } from '../common/errors';
import { openArrayFile, readIntegerArray, type ArrayFile, type GraphInputs } from './arrayFile';
import { parseCsv } from './csv';
import { imageFormat } from './images';

/** One calibration or evaluation sample: where it is and what it shows, not its data. */
export interface Sample {
  /** Path relative to the sample folder, '/' separated; rows of arrays are `file#row`. */
  readonly name: string;
  /** Class index, or null when unknown. */
  readonly label: number | null;
  readonly source:
    | { readonly kind: 'image'; readonly file: string }
    | { readonly kind: 'array'; readonly array: ArrayFile; readonly row: number };
}

export interface SampleSet {
  /** What the user gave: a folder, or a .npy or .npz file. */
  readonly path: string;
  readonly kind: 'images' | 'arrays';
  readonly samples: readonly Sample[];
  /** What the firmware's input buffer gets: the pixels, the array's 8-bit elements, or codes made from real values. */
  readonly elementType: 'uint8' | 'int8' | 'real';
  /** How many there were before `limit`. */
  readonly available: number;
  /** Things the user should know, one line each. */
  readonly notes: readonly string[];
}

const MAX_SAMPLES = 1_000_000;
/** Rows for some hundred thousand samples. */
const MAX_LABELS_BYTES = 16 * 1024 * 1024;

/**
 * Lists the samples at `location`: a folder of JPEG and PNG files (recognized by content, sorted by name), also in its
 * folders one level down; or a `.npy` or `.npz` file, or a folder of them.
 *
 * Labels come from a `labels.csv` (columns `file` and `class_index`, others ignored) in the folder; without one, from
 * class folders, when all images are in folders: their names if these are all numbers, else their position in the
 * sorted list of folders. For arrays: `labels.csv` for one-sample files, the integer array `label`, `labels` or `y` of
 * a `.npz`, or a `labels.npy` next to the arrays.
 *
 * @param graph its inputs decide how arrays are read
 * @param limit take so many, evenly spread over the sorted list; 0 takes all
 * @throws UserError when there is nothing to use
 */
export async function listSamples(location: string, graph: GraphInputs, limit = 0): Promise<SampleSet> {
  const stat = await fs.stat(location).catch(() => null);
  if (stat === null) throw new UserError(`Sample folder ${location} does not exist.`);
  if (stat.isFile() && !/\.np[yz]$/i.test(location))
    throw new UserError(`${location} is neither a folder of images nor a .npy or .npz file.`);
  if (stat.isFile())
    return selected(
      await arraySamples(location, [path.basename(location)], path.dirname(location), graph, null),
      limit,
    );
  const files = await listFiles(location);
  const labels = await readLabels(location);
  const arrays = files.filter((f) => /\.np[yz]$/i.test(f));
  const images = onlyImages(
    location,
    files.filter((f) => !/\.(np[yz]|csv|json|txt|md)$/i.test(f)),
  );
  const left = leftOut(files, images);
  if (images.length > 0) {
    const set = imageSamples(location, images, labels, arrays.length);
    return selected({ ...set, notes: [...(left === null ? [] : [left]), ...set.notes] }, limit);
  }
  if (arrays.length > 0) return selected(await arraySamples(location, arrays, location, graph, labels), limit);
  throw new UserError(
    `${location} has no JPEG or PNG images and no .npy or .npz arrays; choose a folder with sample inputs.` +
      (left === null ? '' : ` ${left}`),
  );
}

/** Pictures by their names. */
const PICTURE = /\.(png|apng|jpe?g|jpe|jfif|webp|gif|bmp|tiff?|hei[cf]|avif|jxl|jp2|p[bgpn]m|tga)$/i;
const MOST_NAMED = 3;

/** What to know of files that are named as pictures are and are none that can be read; null without such. */
function leftOut(files: readonly string[], images: readonly string[]): string | null {
  const taken = new Set(images);
  const others = files.filter((file) => PICTURE.test(file) && !taken.has(file));
  if (others.length === 0) return null;
  const more = others.length - MOST_NAMED;
  const names = others.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
  const [is, them] = others.length === 1 ? ['is', 'it'] : ['are', 'them'];
  const pictures = counted(others.length, 'picture');
  return `${pictures} ${is} left out (not readable as JPEG or PNG): ${names}. Convert ${them}.`;
}

/** Indices of `count` out of `total` items, evenly spread and always the same. */
export function spread(total: number, count: number): number[] {
  if (count <= 0 || count >= total) return Array.from({ length: total }, (_, i) => i);
  return Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * total) / count));
}

/** The samples' labels, null where one has none. */
export function labelsOf({ samples }: SampleSet): (number | null)[] {
  return samples.map(({ label }) => label);
}

function selected(set: Omit<SampleSet, 'available'>, limit: number): SampleSet {
  const samples = spread(set.samples.length, limit).map((i) => set.samples[i]);
  return { ...set, samples, available: set.samples.length };
}

/**
 * Files of a folder and of its folders one level down, relative with '/', in code point order; hidden ones are left
 * out.
 */
async function listFiles(folder: string): Promise<string[]> {
  const out: string[] = [];
  const visit = async (relative: string, depth: number): Promise<void> => {
    const entries = await fs.readdir(path.join(folder, relative), { withFileTypes: true }).catch((error: unknown) => {
      throw new UserError(`Cannot read the sample folder ${path.join(folder, relative)}: ${reasonOf(error)}.`, {
        cause: error,
      });
    });
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue;
      const name = relative === '' ? entry.name : `${relative}/${entry.name}`;
      const kind = entry.isSymbolicLink() ? await fs.stat(path.join(folder, name)).catch(() => null) : entry;
      if (kind === null) continue;
      if (kind.isDirectory() && depth === 0) await visit(name, 1);
      else if (kind.isFile()) out.push(name);
      if (out.length > MAX_SAMPLES)
        throw new UserError(`${folder} has more than ${MAX_SAMPLES} files; choose a folder of sample inputs.`);
    }
  };
  await visit('', 0);
  return out.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Synchronous, which takes a fifth of the processor's time where there are thousands. */
function onlyImages(folder: string, files: readonly string[]): string[] {
  const head = Buffer.alloc(8);
  return files.filter((file) => {
    let handle: number;
    try {
      handle = openSync(path.join(folder, file), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    } catch {
      return false;
    }
    try {
      return imageFormat(head.subarray(0, readSync(handle, head, 0, 8, 0))) !== null;
    } catch {
      return false;
    } finally {
      closeSync(handle);
    }
  });
}

async function readLabels(folder: string): Promise<Map<string, number> | null> {
  const file = path.join(folder, 'labels.csv');
  let text: string;
  try {
    text = (await readBounded(file, MAX_LABELS_BYTES)).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new UserError(`${file} cannot be read: ${reasonOf(error)}.`, { cause: error });
  }
  const rows = parseCsv(text);
  const header = (rows.next().value ?? []).map((h) => h.trim().toLowerCase());
  const fileColumn = header.indexOf('file');
  const classColumn = header.indexOf('class_index');
  if (fileColumn < 0 || classColumn < 0)
    throw new UserError(`${file}: the first line must name the columns 'file' and 'class_index'.`);
  const labels = new Map<string, number>();
  let number = 1;
  for (const row of rows) {
    number++;
    const label = (row[classColumn] ?? '').trim();
    if (!/^\d{1,9}$/.test(label))
      throw new UserError(
        `${file}, row ${number}: class_index ${JSON.stringify(label)} is not a class index (0, 1, …).`,
      );
    labels.set((row[fileColumn] ?? '').trim().replaceAll('\\', '/'), Number(label));
  }
  return labels;
}

function imageSamples(
  folder: string,
  files: readonly string[],
  labels: ReadonlyMap<string, number> | null,
  arrays: number,
): Omit<SampleSet, 'available'> {
  const notes: string[] = [];
  if (arrays > 0)
    notes.push(`${counted(arrays, '.npy/.npz file')} beside the images ${arrays === 1 ? 'was' : 'were'} not used.`);
  const byFolder = labels === null ? folderLabels(files) : null;
  const samples = files.map((name): Sample => ({
    name,
    label: labels?.get(name) ?? byFolder?.get(name.split('/')[0]) ?? null,
    source: { kind: 'image', file: path.join(folder, name) },
  }));
  const unlabelled = samples.filter((s) => s.label === null).length;
  if (labels !== null && unlabelled > 0)
    notes.push(`${unlabelled} of ${samples.length} images ${unlabelled === 1 ? 'has' : 'have'} no row in labels.csv.`);
  return { path: folder, kind: 'images', elementType: 'uint8', samples, notes };
}

/** Class index of each class folder, or null unless every file is in one. */
function folderLabels(files: readonly string[]): Map<string, number> | null {
  if (!files.every((f) => f.includes('/'))) return null;
  const folders = [...new Set(files.map((f) => f.split('/')[0]))];
  const numeric = folders.every((f) => /^\d{1,9}$/.test(f));
  return new Map(folders.map((f, i) => [f, numeric ? Number(f) : i]));
}

async function arraySamples(
  location: string,
  files: readonly string[],
  folder: string,
  graph: GraphInputs,
  labels: ReadonlyMap<string, number> | null,
): Promise<Omit<SampleSet, 'available'>> {
  const samples: Sample[] = [];
  const types = new Set<SampleSet['elementType']>();
  const labelFile = files.find((f) => path.basename(f).toLowerCase() === 'labels.npy');
  const shared = labelFile === undefined ? null : await readIntegerArray(path.join(folder, labelFile));
  const byFolder = labels === null && files.length > 1 ? folderLabels(files) : null;
  for (const name of files) {
    if (name === labelFile) continue;
    const array = await openArrayFile(path.join(folder, name), graph);
    types.add(array.elementType);
    for (let row = 0; row < array.rows; row++) {
      samples.push({
        name: array.rows === 1 ? name : `${name}#${row}`,
        label:
          array.labels?.[row] ??
          shared?.[samples.length] ??
          labels?.get(name) ??
          byFolder?.get(name.split('/')[0]) ??
          null,
        source: { kind: 'array', array, row },
      });
      if (samples.length > MAX_SAMPLES) throw new UserError(`${location} has more than ${MAX_SAMPLES} samples.`);
    }
  }
  if (samples.length === 0) throw new UserError(`${location} contains no sample arrays.`);
  if (shared !== null && shared.length !== samples.length)
    throw new UserError(
      `${labelFile} has ${counted(shared.length, 'label')} for ${counted(samples.length, 'sample')}.`,
    );
  return { path: location, kind: 'arrays', elementType: types.size === 1 ? [...types][0] : 'real', samples, notes: [] };
}
