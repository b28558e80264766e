import type { ByteReader } from './byteReader';

/** TensorProto.DataType of the ONNX specification. */
export const enum DataType {
  Undefined = 0,
  Float = 1,
  Uint8 = 2,
  Int8 = 3,
  Uint16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  Uint32 = 12,
  Uint64 = 13,
  Bfloat16 = 16,
  Uint4 = 21,
  Int4 = 22,
}

const DATA_TYPE_NAMES: Readonly<Record<number, string>> = {
  0: 'undefined',
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
  24: 'float8e8m0',
};

/** The usual name of an ONNX element type, e.g. `float32`. */
export function dataTypeName(type: number): string {
  return DATA_TYPE_NAMES[type] ?? `type ${type}`;
}

/** Of what type elements are, for a message. */
export function elementsOfType(type: number): string {
  return type === 0 ? 'elements of no declared type' : `elements of type ${dataTypeName(type)}`;
}

const TYPES_BY_BITS: readonly (readonly [bits: number, types: readonly number[]])[] = [
  [4, [DataType.Uint4, DataType.Int4]],
  [8, [DataType.Uint8, DataType.Int8, DataType.Bool]],
  [16, [DataType.Uint16, DataType.Int16, DataType.Float16, DataType.Bfloat16]],
  [32, [DataType.Float, DataType.Int32, DataType.Uint32]],
  [64, [DataType.Double, DataType.Int64, DataType.Uint64]],
];

/** Bits of one element in raw_data; 0 for types that hold no plain numbers. */
export function bitsPerElement(type: number): number {
  return TYPES_BY_BITS.find(([, types]) => types.includes(type))?.[0] ?? 0;
}

/** Where a tensor's elements lie inside the model file. */
export interface TensorSegment {
  /** 'raw': raw_data; otherwise the typed field that holds the elements. */
  readonly kind: 'raw' | 'float' | 'double' | 'varint';
  readonly start: number;
  readonly end: number;
}

/** A TensorProto without its elements: they are read on demand, see tensorData.ts. */
export interface TensorInfo {
  name: string;
  dims: number[];
  dataType: number;
  segments: TensorSegment[];
  /** Elements given one by one (unpacked repeated fields, legal but rare). */
  loose: number[];
  /** external_data entries when data_location is EXTERNAL, else null. */
  external: Map<string, string> | null;
}

/** One AttributeProto; subgraphs are noted, not read. */
export interface AttributeInfo {
  readonly name: string;
  readonly f: number | null;
  readonly i: number | null;
  readonly s: string | null;
  readonly tensor: TensorInfo | null;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly string[];
  readonly hasSubgraph: boolean;
}

export interface NodeInfo {
  /** Position in the file. */
  readonly index: number;
  readonly name: string;
  readonly opType: string;
  /** '' for the standard operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeInfo>;
}

/** A dimension of a declared shape: a number, a symbol, or null when nothing is said. */
export type Dimension = number | string | null;

export interface ValueInfo {
  readonly name: string;
  /** TensorProto.DataType; 0 when unknown or not a tensor. */
  readonly elementType: number;
  /** null when no shape is declared. */
  readonly dims: readonly Dimension[] | null;
}

/**
 * Structure of an ONNX file. Tensors point into the open file; call `close()` when their elements are no longer needed.
 */
export interface OnnxModel {
  readonly path: string;
  readonly fileBytes: number;
  readonly irVersion: number;
  readonly producer: string;
  /** Versions by domain; the standard domain is ''. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graphName: string;
  readonly nodes: readonly NodeInfo[];
  readonly initializers: ReadonlyMap<string, TensorInfo>;
  /** Names of sparse initializers, whose elements are not read. */
  readonly sparseInitializers: ReadonlySet<string>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly valueInfo: ReadonlyMap<string, ValueInfo>;
  readonly functionCount: number;
  readonly reader: ByteReader;
  close(): Promise<void>;
}
