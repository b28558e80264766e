import { createHash, randomBytes, type Hash } from 'node:crypto';
import { createReadStream, promises as fs } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { UserError, reasonOf } from '../common/errors';
import { isWeighted, type Graph } from '../graph/types';
import { checkCancelled, type Progress } from '../common/progress';
import { decodeCalibration, encodeCalibration } from './cacheFile';
import { calibrate } from './calibrate';
import type { RuntimeOptions } from './runtime';
import type { SampleSet } from './samples';
import type { Calibration, Preprocess } from './types';

/** Goes up when the same inputs give other statistics, so that old files are not taken for new ones. */
const STATISTICS_VERSION = 2;
/** The oldest files beyond so many are removed. */
const MAX_CACHED = 48;

/**
 * Where calibrations are kept when the caller has no place of its own: the user's cache folder as the platform names
 * it.
 */
export function defaultCachePath(): string {
  const home = os.homedir();
  const base =
    process.platform === 'win32'
      ? (process.env['LOCALAPPDATA'] ?? path.join(home, 'AppData', 'Local'))
      : process.platform === 'darwin'
        ? path.join(home, 'Library', 'Caches')
        : (process.env['XDG_CACHE_HOME'] ?? path.join(home, '.cache'));
  return path.join(base, 'quantmcu', 'calibration');
}

/**
 * SHA-256 over everything that a calibration depends on: the version of the statistics, the model's file and weights,
 * input sizes, preprocessing, and names and contents of the samples. Folder names and times do not matter, so the key
 * is the same on another machine.
 *
 * @throws UserError when a file cannot be read; CancelledError
 */
export async function calibrationKey(
  graph: Graph,
  modelPath: string,
  set: SampleSet,
  preprocess: Preprocess,
  progress: Progress,
): Promise<string> {
  const hash = createHash('sha256');
  hash.update(
    JSON.stringify({
      version: STATISTICS_VERSION,
      preprocess,
      inputs: graph.inputs.map(({ name, dims }) => ({ name, dims })),
      ...(graph.outputs.some(({ inner }) => inner) ? { outputs: graph.outputs.map(({ name }) => name) } : {}),
    }),
  );
  await addFile(hash, modelPath);
  // Weights may lie in files of their own.
  for (const layer of graph.layers) {
    if (isWeighted(layer)) hash.update(bytesOf(layer.weights)).update(bytesOf(layer.bias));
  }
  const arrays = new Set<string>();
  for (const sample of set.samples) {
    checkCancelled(progress);
    hash.update(`\n${JSON.stringify(sample.name)}`);
    const file = sample.source.kind === 'image' ? sample.source.file : sample.source.array.file;
    if (sample.source.kind === 'array' && arrays.has(file)) continue;
    arrays.add(file);
    await addFile(hash, file);
  }
  return hash.digest('hex');
}

async function addFile(hash: Hash, file: string): Promise<void> {
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    throw new UserError(`Cannot read ${file}: ${reasonOf(error)}.`, {
      cause: error,
    });
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The calibration with this key from a cache folder; null when it is not there, damaged or of another graph. */
export async function cachedCalibration(cachePath: string, key: string, graph: Graph): Promise<Calibration | null> {
  return (await lookUp(cachePath, key, graph))?.calibration ?? null;
}

async function lookUp(
  cachePath: string,
  key: string,
  graph: Graph,
): Promise<{ calibration: Calibration; notes: readonly string[] } | null> {
  // The key may come from a sidecar that anyone wrote: nothing but a digest becomes part of a path.
  if (!/^[0-9a-f]{64}$/.test(key)) return null;
  const file = fileOf(cachePath, key);
  const bytes = await fs.readFile(file).catch(() => null);
  if (bytes === null) return null;
  const found = await decodeCalibration(bytes, key, graph);
  if (found !== null) await fs.utimes(file, new Date(), new Date()).catch(() => undefined);
  return found;
}

function fileOf(cachePath: string, key: string): string {
  return path.join(cachePath, `${key}.calibration`);
}

/**
 * {@link calibrate}, unless the cache has the result already.
 *
 * @param cachePath folder, made when needed; null: nothing is cached
 * @param notes gets what calibration reported, also when it comes from the cache
 * @throws UserError, CancelledError as calibrate does. A cache that cannot be written is not an error.
 */
export async function calibrateCached(
  graph: Graph,
  modelPath: string,
  set: SampleSet,
  preprocess: Preprocess,
  cachePath: string | null,
  progress: Progress,
  notes: string[],
  options: RuntimeOptions = {},
): Promise<Calibration> {
  const key = await calibrationKey(graph, modelPath, set, preprocess, progress);
  const found = cachePath === null ? null : await lookUp(cachePath, key, graph);
  if (found !== null) {
    notes.push(...found.notes);
    return found.calibration;
  }
  const own: string[] = [];
  const calibration = await calibrate(graph, modelPath, set, preprocess, key, progress, own, options);
  notes.push(...own);
  if (cachePath !== null) {
    await store(cachePath, key, await encodeCalibration(calibration, own)).catch((error: unknown) => {
      notes.push(`The calibration could not be cached in ${cachePath}: ${reasonOf(error)}.`);
    });
  }
  return calibration;
}

/** Written beside and renamed, so that a reader sees a whole file or none. */
async function store(cachePath: string, key: string, bytes: Buffer): Promise<void> {
  await fs.mkdir(cachePath, { recursive: true });
  const file = fileOf(cachePath, key);
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await fs.writeFile(temporary, bytes);
    await fs.rename(temporary, file);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
  await prune(cachePath);
}

async function prune(cachePath: string): Promise<void> {
  const names = (await fs.readdir(cachePath)).filter((n) => /^[0-9a-f]{64}\.calibration(\.[0-9a-f]+\.tmp)?$/.test(n));
  const files = await Promise.all(
    names.map(async (n) => ({
      file: path.join(cachePath, n),
      time: (await fs.stat(path.join(cachePath, n)).catch(() => null))?.mtimeMs ?? 0,
    })),
  );
  const old = files.sort((a, b) => b.time - a.time).slice(MAX_CACHED);
  await Promise.all(old.map(({ file }) => fs.rm(file, { force: true })));
}
