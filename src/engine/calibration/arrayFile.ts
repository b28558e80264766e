import { counted } from '../common/wording';
import * as path from 'node:path';
import { openRegular } from '../common/boundedFile';
import { UserError, reasonOf } from '../common/errors';
import { elements, type Graph, type TensorBinding } from '../graph/types';
import { decodeNpy, NPY_HEADER_BYTES, npyElements, parseNpyHeader, type NpyHeader } from './npy';
import { readExactly, readZipDirectory, readZipEntry } from './zip';

/** What of a graph the reader of sample arrays needs. */
export type GraphInputs = Pick<Graph, 'inputs' | 'maps'>;

/** One network input of one sample: elements in HWC order, still to be preprocessed when they are integers. */
export interface ArrayRow {
  readonly values: Uint8Array | Int8Array | Float32Array;
  /** From a float array, which holds the network's real input. */
  readonly real: boolean;
}

/** A .npy or .npz file with samples along its first axis, or with one sample. */
export interface ArrayFile {
  readonly file: string;
  readonly rows: number;
  /** Class indices [rows] that the file itself holds. */
  readonly labels: readonly number[] | null;
  readonly elementType: 'uint8' | 'int8' | 'real';
  /** One entry per graph input. */
  read(row: number): Promise<ArrayRow[]>;
}

/** A .npz is inflated as a whole; this bounds it. */
const MAX_NPZ_BYTES = 1024 * 1024 * 1024;
/** So much is unpacked whatever it was packed into. */
const FREE_NPZ_BYTES = 64 * 1024 * 1024;
/** Pictures pack to half or a tenth of their size; zeros to a thousandth. */
const MAX_NPZ_RATIO = 100;
const LABEL_NAMES = ['label', 'labels', 'y', 'class_index'];

/** Where the elements of an array come from. */
interface ArraySource {
  readonly header: NpyHeader;
  /** `length` elements starting at element `first`. */
  read(first: number, length: number): Promise<Uint8Array | Int8Array | Float32Array>;
}

/**
 * Opens an array file for the inputs of a network. In a .npz the arrays are matched by the input's name, or, for a
 * network with one input, by shape. The shape of a sample is the input's, in the layout of the ONNX file or as height ×
 * width × channels; axes of length 1 do not matter.
 *
 * @throws UserError when it cannot be read or does not fit the network
 */
export async function openArrayFile(file: string, graph: GraphInputs): Promise<ArrayFile> {
  const name = path.basename(file);
  try {
    if (/\.npz$/i.test(file)) return await openNpz(file, name, graph);
    const source = await npySource(file);
    if (graph.inputs.length !== 1)
      throw new UserError(
        `${name} holds one array, but the network has ${graph.inputs.length} inputs; save a .npz with arrays ` +
          `named ${graph.inputs.map((i) => i.name).join(', ')}.`,
      );
    return arrayFile(file, name, graph, [source], null);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${name} cannot be used as sample data: ${reasonOf(error)}.`, { cause: error });
  }
}

/** All elements of an integer .npy array, for labels. @throws UserError when it is anything else */
export async function readIntegerArray(file: string): Promise<number[]> {
  try {
    const source = await npySource(file);
    return await integers(source, path.basename(file));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path.basename(file)} cannot be read: ${reasonOf(error)}.`, { cause: error });
  }
}

async function integers(source: ArraySource, name: string): Promise<number[]> {
  if (source.header.type.startsWith('float')) throw new UserError(`${name}: labels must be integers.`);
  const values = Array.from(await source.read(0, npyElements(source.header)));
  if (values.some((v) => v < 0)) throw new UserError(`${name}: labels must not be negative.`);
  return values;
}

async function npySource(file: string): Promise<ArraySource> {
  const handle = await openRegular(file);
  try {
    const { size } = await handle.stat();
    const header = parseNpyHeader(await readExactly(handle, 0, Math.min(size, NPY_HEADER_BYTES)));
    if (header.dataOffset + npyElements(header) * header.itemBytes > size)
      throw new Error('the file is too short for its shape');
    return { header, read: (first, length) => readSlice(file, header, first, length) };
  } finally {
    await handle.close();
  }
}

async function readSlice(
  file: string,
  header: NpyHeader,
  first: number,
  length: number,
): Promise<Uint8Array | Int8Array | Float32Array> {
  const handle = await openRegular(file);
  try {
    return decodeNpy(
      header,
      await readExactly(handle, header.dataOffset + first * header.itemBytes, length * header.itemBytes),
      length,
    );
  } finally {
    await handle.close();
  }
}

async function openNpz(file: string, name: string, graph: GraphInputs): Promise<ArrayFile> {
  const handle = await openRegular(file);
  try {
    const entries = (await readZipDirectory(handle)).filter((e) => e.name.endsWith('.npy'));
    if (entries.reduce((sum, e) => sum + e.bytes, 0) > MAX_NPZ_BYTES)
      throw new Error(`its arrays are larger than ${MAX_NPZ_BYTES} bytes; save .npy files instead`);
    const stored = entries.reduce((sum, e) => sum + e.compressedBytes, 0);
    const bytes = entries.reduce((sum, e) => sum + e.bytes, 0);
    if (bytes > FREE_NPZ_BYTES && bytes > MAX_NPZ_RATIO * stored)
      throw new Error(
        `its arrays would unpack from ${stored} to ${bytes} bytes, more than pictures ever do; save .npy files instead`,
      );
    const arrays = new Map<string, ArraySource>();
    for (const entry of entries) {
      const bytes = await readZipEntry(handle, entry, MAX_NPZ_BYTES);
      const header = parseNpyHeader(bytes);
      if (header.dataOffset + npyElements(header) * header.itemBytes > bytes.length)
        throw new Error(`'${entry.name}' is too short for its shape`);
      arrays.set(entry.name.slice(0, -4), {
        header,
        read: async (first, length) => {
          const start = header.dataOffset + first * header.itemBytes;
          return decodeNpy(header, bytes.subarray(start, start + length * header.itemBytes), length);
        },
      });
    }
    const labelName = [...arrays.keys()].find(
      (k) => LABEL_NAMES.includes(k.toLowerCase()) && !graph.inputs.some((i) => i.name === k),
    );
    const labels = labelName === undefined ? null : await integers(arrays.get(labelName)!, name);
    if (labelName !== undefined) arrays.delete(labelName);
    const sources = graph.inputs.map(
      (input) =>
        arrays.get(input.name) ??
        (graph.inputs.length === 1 && arrays.size === 1 ? [...arrays.values()][0] : fitting(arrays, graph, input)),
    );
    const missing = graph.inputs.filter((_, i) => sources[i] === undefined);
    if (missing.length > 0) {
      throw new UserError(
        `${name} has no array for the input ` +
          `${missing.map((i) => `'${i.name}' (${i.dims.join('×')})`).join(', ')}; it holds ` +
          `${[...arrays].map(([k, a]) => `${k} (${a.header.shape.join('×')})`).join(', ') || 'none'}.`,
      );
    }
    return arrayFile(file, name, graph, sources as ArraySource[], labels);
  } finally {
    await handle.close();
  }
}

function fitting(
  arrays: ReadonlyMap<string, ArraySource>,
  graph: GraphInputs,
  input: TensorBinding,
): ArraySource | undefined {
  if (graph.inputs.length !== 1) return undefined;
  const found = [...arrays.values()].filter((a) => sampleLayout(a.header, graph, input) !== null);
  return found.length === 1 ? found[0] : undefined;
}

interface SampleLayout {
  readonly rows: number;
  readonly order: 'onnx' | 'hwc';
}

function sampleLayout(header: NpyHeader, graph: GraphInputs, input: TensorBinding): SampleLayout | null {
  const shape = graph.maps[input.map].shape;
  const squeeze = (dims: readonly number[]): string => dims.filter((d) => d !== 1).join('×');
  const one = (dims: readonly number[]): 'onnx' | 'hwc' | null => {
    if (squeeze(dims) === squeeze(input.dims) || (dims.length === 1 && dims[0] === elements(shape))) return 'onnx';
    return squeeze(dims) === squeeze([shape.h, shape.w, shape.c]) ? 'hwc' : null;
  };
  const single = one(header.shape);
  if (single !== null) return { rows: 1, order: single };
  const many = header.shape.length > 0 ? one(header.shape.slice(1)) : null;
  return many === null ? null : { rows: header.shape[0], order: many };
}

function arrayFile(
  file: string,
  name: string,
  graph: GraphInputs,
  sources: readonly ArraySource[],
  labels: readonly number[] | null,
): ArrayFile {
  const layouts = graph.inputs.map((input, i) => {
    const layout = sampleLayout(sources[i].header, graph, input);
    if (layout === null)
      throw new UserError(
        `${name}: an array of ${sources[i].header.shape.join('×')} does not fit the input '${input.name}' ` +
          `(${input.dims.join('×')}).`,
      );
    return layout;
  });
  const rows = layouts[0].rows;
  if (rows === 0) throw new UserError(`${name} contains no samples.`);
  if (layouts.some((l) => l.rows !== rows))
    throw new UserError(
      `${name}: its arrays have different numbers of samples (${layouts.map((l) => l.rows).join(', ')}).`,
    );
  if (labels !== null && labels.length !== rows)
    throw new UserError(`${name} has ${counted(labels.length, 'label')} for ${counted(rows, 'sample')}.`);
  const types = sources.map((s) =>
    s.header.type === 'uint8' || s.header.type === 'bool' ? 'uint8' : s.header.type === 'int8' ? 'int8' : 'real',
  );
  return {
    file,
    rows,
    labels,
    elementType: types.every((t) => t === types[0]) ? types[0] : 'real',
    read: (row) =>
      Promise.all(
        graph.inputs.map(async (input, i) => {
          const length = elements(graph.maps[input.map].shape);
          const values = await sources[i].read(row * length, length);
          const order = layouts[i].order === 'onnx' ? input.order : null;
          return {
            values: order === null ? values : permute(values, order),
            real: sources[i].header.type.startsWith('float'),
          };
        }),
      ),
  };
}

/** HWC element order[i] is ONNX element i. */
function permute<T extends Uint8Array | Int8Array | Float32Array>(values: T, order: Int32Array): T {
  const out = values.slice() as T;
  for (let i = 0; i < order.length; i++) out[order[i]] = values[i];
  return out;
}
