import { MalformedError, readFully } from './byteReader';
import { locateExternalData, readExternalData } from './externalData';
import type { OnnxModel, TensorInfo } from './model';
import { bitsPerElement, DataType, dataTypeName, elementsOfType } from './model';
import { ProblemError } from './problems';
import { decodeVarints } from './protobuf';

/**
 * Elements of a tensor as numbers: Float32Array for float32, float16 and bfloat16, Float64Array for everything else.
 * int64 is exact up to 2^53.
 */
export type Numbers = Float32Array | Float64Array;

/** Number of elements of a shape; 1 for a scalar. Exact or too large to be exact, never negative. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/**
 * Checks that a tensor's elements are really there, before anything of its declared size is allocated or computed.
 *
 * @throws ProblemError
 */
export function checkTensor(model: OnnxModel, tensor: TensorInfo): void {
  const again = 'Download or export the model again.';
  const bits = bitsPerElement(tensor.dataType);
  if (bits === 0) throw new ProblemError(`has ${elementsOfType(tensor.dataType)}`, 'Export it as float32 or float16.');
  if (tensor.dims.some((d) => !(d >= 0)))
    throw new ProblemError(`has a negative dimension (${tensor.dims.join('×')})`, again);
  const count = elementCount(tensor.dims);
  const bytes = Math.ceil((count * bits) / 8);
  if (tensor.external !== null) {
    locateExternalData(model.path, tensor, bytes);
    return;
  }
  const raw = tensor.segments.filter((s) => s.kind === 'raw');
  const stored = tensor.segments.reduce((sum, s) => sum + (s.end - s.start), 0);
  if (raw.length > 0 ? stored !== bytes || raw.length > 1 : !typedLengthFits(tensor, count, stored)) {
    throw new ProblemError(
      `declares ${tensor.dims.join('×')} elements of ${dataTypeName(tensor.dataType)} but holds ${stored} bytes`,
      again,
    );
  }
}

function typedLengthFits(tensor: TensorInfo, count: number, stored: number): boolean {
  const packed = bitsPerElement(tensor.dataType) === 4 ? Math.ceil(count / 2) : count;
  if (tensor.loose.length > 0) return stored === 0 && [packed, count].includes(tensor.loose.length);
  const kind = typedKind(tensor.dataType);
  if (tensor.segments.some((s) => s.kind !== kind)) return false;
  if (kind === 'float') return stored === 4 * count;
  if (kind === 'double') return stored === 8 * count;
  return stored >= packed && stored <= 10 * count; // varints; the exact number shows when they are decoded
}

function typedKind(dataType: number): 'float' | 'double' | 'varint' {
  return dataType === DataType.Float ? 'float' : dataType === DataType.Double ? 'double' : 'varint';
}

/**
 * Reads a tensor's elements, in row-major order.
 *
 * @throws ProblemError as {@link checkTensor}
 */
export function readTensor(model: OnnxModel, tensor: TensorInfo): Numbers {
  checkTensor(model, tensor);
  const count = elementCount(tensor.dims);
  if (tensor.external !== null) {
    const bits = bitsPerElement(tensor.dataType);
    return decodeRaw(
      readExternalData(locateExternalData(model.path, tensor, Math.ceil((count * bits) / 8))),
      tensor.dataType,
      count,
    );
  }
  const raw = tensor.segments.find((s) => s.kind === 'raw');
  if (raw) return decodeRaw(readSegment(model, raw), tensor.dataType, count);
  return decodeTyped(model, tensor, count);
}

function readSegment(model: OnnxModel, segment: { start: number; end: number }): Uint8Array {
  const bytes = new Uint8Array(segment.end - segment.start);
  readFully(model.reader.fd, bytes, segment.start);
  return bytes;
}

function decodeTyped(model: OnnxModel, tensor: TensorInfo, count: number): Numbers {
  const values = new Float64Array(count);
  let written = 0;
  if (tensor.loose.length > 0) {
    values.set(tensor.loose);
    written = tensor.loose.length;
  }
  for (const segment of tensor.segments) {
    const bytes = readSegment(model, segment);
    if (segment.kind === 'float') {
      values.set(new Float32Array(bytes.buffer), written);
      written += bytes.length / 4;
    } else if (segment.kind === 'double') {
      values.set(new Float64Array(bytes.buffer), written);
      written += bytes.length / 8;
    } else written += decodeVarints(bytes, count - written, values, written);
  }
  // Four-bit elements lie two in a number (the specification), or one as some writers have it.
  if (bitsPerElement(tensor.dataType) === 4 && (written === Math.ceil(count / 2) || written === count))
    return fourBits(values, written === count ? 1 : 2, count, tensor.dataType === DataType.Int4);
  if (written !== count)
    throw new MalformedError(`tensor ${tensor.name} does not hold the number of elements it declares`);
  switch (tensor.dataType) {
    case DataType.Float:
      return Float32Array.from(values);
    case DataType.Float16:
      return Float32Array.from(values, halfToFloat);
    case DataType.Bfloat16:
      return Float32Array.from(values, bfloatToFloat);
    default:
      return values;
  }
}

function decodeRaw(bytes: Uint8Array, dataType: number, count: number): Numbers {
  const buffer = bytes.buffer;
  switch (dataType) {
    case DataType.Float:
      return new Float32Array(buffer);
    case DataType.Double:
      return new Float64Array(buffer);
    case DataType.Float16:
      return Float32Array.from(new Uint16Array(buffer), halfToFloat);
    case DataType.Bfloat16:
      return Float32Array.from(new Uint16Array(buffer), bfloatToFloat);
    case DataType.Uint8:
    case DataType.Bool:
      return Float64Array.from(bytes);
    case DataType.Int8:
      return Float64Array.from(new Int8Array(buffer));
    case DataType.Uint16:
      return Float64Array.from(new Uint16Array(buffer));
    case DataType.Int16:
      return Float64Array.from(new Int16Array(buffer));
    case DataType.Uint32:
      return Float64Array.from(new Uint32Array(buffer));
    case DataType.Int32:
      return Float64Array.from(new Int32Array(buffer));
    case DataType.Int64: {
      const pairs = new DataView(buffer);
      return Float64Array.from(
        { length: count },
        (_, i) => pairs.getInt32(8 * i + 4, true) * 2 ** 32 + pairs.getUint32(8 * i, true),
      );
    }
    case DataType.Uint64: {
      const pairs = new DataView(buffer);
      return Float64Array.from(
        { length: count },
        (_, i) => pairs.getUint32(8 * i + 4, true) * 2 ** 32 + pairs.getUint32(8 * i, true),
      );
    }
    case DataType.Uint4:
      return Float64Array.from({ length: count }, (_, i) => nibble(bytes, i));
    case DataType.Int4:
      return Float64Array.from({ length: count }, (_, i) => (nibble(bytes, i) ^ 8) - 8);
    default:
      throw new ProblemError(`has ${elementsOfType(dataType)}`, 'Export it as float32 or float16.');
  }
}

/** Elements of four bits from numbers that hold one or two each, the first in the low bits. */
function fourBits(numbers: Float64Array, each: 1 | 2, count: number, signed: boolean): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    const bits = (each === 1 ? numbers[i] : numbers[i >> 1] >> (4 * (i & 1))) & 15;
    return signed ? (bits ^ 8) - 8 : bits;
  });
}

function nibble(bytes: Uint8Array, index: number): number {
  return (bytes[index >> 1] >> (4 * (index & 1))) & 15;
}

const floatBits = new Float32Array(1);
const intBits = new Uint32Array(floatBits.buffer);

/** IEEE 754 binary16 from its bits. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function bfloatToFloat(bits: number): number {
  intBits[0] = bits << 16;
  return floatBits[0];
}
