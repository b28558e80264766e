import { halfToFloat } from '../onnx/tensorData';

/** NumPy's array format (numpy/lib/format.py, versions 1.0 to 3.0), as far as sample arrays and labels need it. */

export type NpyType =
  | 'uint8'
  | 'int8'
  | 'bool'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'int64'
  | 'float16'
  | 'float32'
  | 'float64';

export interface NpyHeader {
  readonly type: NpyType;
  readonly itemBytes: number;
  readonly littleEndian: boolean;
  readonly shape: readonly number[];
  /** Where the elements begin. */
  readonly dataOffset: number;
}

/** Enough bytes of a file for any header that this reader accepts. */
export const NPY_HEADER_BYTES = 4096;

const TYPES: Readonly<Record<string, readonly [NpyType, number]>> = {
  u1: ['uint8', 1],
  i1: ['int8', 1],
  b1: ['bool', 1],
  u2: ['uint16', 2],
  i2: ['int16', 2],
  u4: ['uint32', 4],
  i4: ['int32', 4],
  u8: ['uint64', 8],
  i8: ['int64', 8],
  f2: ['float16', 2],
  f4: ['float32', 4],
  f8: ['float64', 8],
};

/**
 * Parses the header at the start of `bytes`.
 *
 * @throws Error with a reason when it is not an array of numbers in C order
 */
export function parseNpyHeader(bytes: Buffer): NpyHeader {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 6) !== '\x93NUMPY') throw new Error('it is not a .npy array');
  const wide = bytes[6] >= 2;
  const headerStart = wide ? 12 : 10;
  const dataOffset = headerStart + (wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8));
  if (dataOffset > bytes.length) throw new Error('its header is damaged');
  const text = bytes.toString('latin1', headerStart, dataOffset);
  const descr = /'descr':\s*'([<>|=])([a-z]\d)'/.exec(text);
  const order = /'fortran_order':\s*(True|False)/.exec(text);
  const shape = /'shape':\s*\(([\d,\sL]*)\)/.exec(text);
  if (order === null || shape === null) throw new Error('its header is damaged');
  const type = descr === null ? undefined : TYPES[descr[2]];
  if (descr === null || type === undefined)
    throw new Error('its elements are not numbers; expected an integer or float dtype');
  const dims = shape[1]
    .split(',')
    .map((s) => s.trim())
    .filter((s) => s !== '')
    .map((s) => Number.parseInt(s, 10));
  if (order[1] === 'True' && dims.length > 1)
    throw new Error('it is in Fortran order; save it with np.ascontiguousarray');
  if (!dims.every((d) => Number.isSafeInteger(d)) || !Number.isSafeInteger(count(dims) * 8))
    throw new Error('its shape is too large');
  return { type: type[0], itemBytes: type[1], littleEndian: descr[1] !== '>', shape: dims, dataOffset };
}

function count(dims: readonly number[]): number {
  return dims.reduce((a, b) => a * b, 1);
}

/** Number of elements of the array. */
export function npyElements(header: NpyHeader): number {
  return count(header.shape);
}

/**
 * `length` elements from the raw bytes of them: uint8 and int8 keep their type, everything else becomes float32.
 *
 * @param bytes holds exactly the elements
 */
export function decodeNpy(header: NpyHeader, bytes: Buffer, length: number): Uint8Array | Int8Array | Float32Array {
  if (bytes.length < length * header.itemBytes) throw new Error('the file is too short for its shape');
  if (header.type === 'uint8' || header.type === 'bool') return Uint8Array.from(bytes.subarray(0, length));
  if (header.type === 'int8') return Int8Array.from(bytes.subarray(0, length), (b) => (b << 24) >> 24);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const le = header.littleEndian;
  const out = new Float32Array(length);
  const read = elementReader(header.type, view, le);
  for (let i = 0; i < length; i++) out[i] = read(i * header.itemBytes);
  return out;
}

function elementReader(type: NpyType, view: DataView, le: boolean): (at: number) => number {
  switch (type) {
    case 'uint16':
      return (at) => view.getUint16(at, le);
    case 'int16':
      return (at) => view.getInt16(at, le);
    case 'uint32':
      return (at) => view.getUint32(at, le);
    case 'int32':
      return (at) => view.getInt32(at, le);
    case 'uint64':
      return (at) => Number(view.getBigUint64(at, le));
    case 'int64':
      return (at) => Number(view.getBigInt64(at, le));
    case 'float16':
      return (at) => halfToFloat(view.getUint16(at, le));
    case 'float32':
      return (at) => view.getFloat32(at, le);
    case 'float64':
      return (at) => view.getFloat64(at, le);
    case 'uint8':
    case 'bool':
      return (at) => view.getUint8(at);
    case 'int8':
      return (at) => view.getInt8(at);
  }
}
