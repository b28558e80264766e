import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { ProtoWriter as MessageWriter, varintBytes } from '../../src/engine/export/protoWriter';

/** TensorProto.DataType values that tests use. */
export const ONNX_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
  uint4: 21,
  int4: 22,
  undefined: 0,
} as const;
export type OnnxType = keyof typeof ONNX_TYPES;

/** The project's writer of protobuf messages, with what only tests put into a model. */
export class ProtoWriter extends MessageWriter {
  packedVarints(field: number, values: readonly (number | bigint)[]): this {
    return this.bytes(field, Buffer.concat(values.map(varintBytes)));
  }
}

/** A tensor for an initializer, an attribute or a Constant. */
export interface TensorSpec {
  readonly dims: readonly number[];
  readonly data: readonly number[] | Float32Array;
  readonly type?: OnnxType;
  /** Put the elements into the typed field (float_data, int32_data, int64_data) instead of raw_data. */
  readonly typed?: boolean;
  readonly external?: { readonly location: string; readonly offset?: number; readonly length?: number };
}

/**
 * Attribute values: an integer, a list, text or a tensor; `float()` marks single floats, which look like integers
 * otherwise.
 */
export type AttributeValue = number | readonly number[] | string | FloatValue | TensorSpec;

class FloatValue {
  constructor(readonly values: readonly number[] | number) {}
}

/** A float attribute, or with an array a floats attribute. */
export function float(values: number | readonly number[]): FloatValue {
  return new FloatValue(values);
}

type Dims = readonly (number | string)[];

/**
 * Assembles ONNX files by hand, independently of the reader under test. Every method returns the name of the value it
 * adds, so models read like code: `m.output(m.node('Relu', [m.input('x', [1, 3, 8, 8])]))`.
 */
export class OnnxBuilder {
  private readonly graph = new ProtoWriter();
  private counter = 0;

  constructor(
    readonly opset = 13,
    private readonly irVersion = 8,
    private readonly graphName = 'test',
  ) {}

  input(name: string, dims: Dims, type: OnnxType = 'float32'): string {
    this.graph.message(11, valueInfo(name, dims, type));
    return name;
  }

  output(name: string, dims: Dims | null = null, type: OnnxType = 'float32'): this {
    this.graph.message(12, valueInfo(name, dims, type));
    return this;
  }

  /** A stored constant. */
  initializer(tensor: TensorSpec, name = this.fresh('w')): string {
    this.graph.message(5, tensorProto(name, tensor));
    return name;
  }

  floats(dims: readonly number[], data: readonly number[] | Float32Array): string {
    return this.initializer({ dims, data });
  }

  int64s(data: readonly number[]): string {
    return this.initializer({ dims: [data.length], data, type: 'int64' });
  }

  scalar(value: number, type: OnnxType = 'float32'): string {
    return this.initializer({ dims: [], data: [value], type });
  }

  node(
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue | undefined>> = {},
    options: NodeOptions = {},
  ): string {
    const outputs = options.outputs ?? [this.fresh(opType.toLowerCase())];
    const node = new ProtoWriter();
    for (const input of inputs) node.text(1, input);
    for (const output of outputs) node.text(2, output);
    node.text(3, options.name ?? `node_${outputs[0]}`).text(4, opType);
    for (const [name, value] of Object.entries(attributes))
      if (value !== undefined) node.message(5, attributeProto(name, value));
    if (options.domain !== undefined) node.text(7, options.domain);
    this.graph.message(1, node);
    return outputs[0];
  }

  /** Writes fields of the GraphProto that there is no method for. */
  graphFields(write: (graph: ProtoWriter) => void): this {
    write(this.graph);
    return this;
  }

  /** The ModelProto's bytes. */
  finish(): Buffer {
    const model = new ProtoWriter()
      .varint(1, this.irVersion)
      .text(2, 'onnxBuilder')
      .message(7, this.graph.text(2, this.graphName));
    for (const [domain, version] of [
      ['', this.opset],
      ['com.microsoft', 1],
    ] as const)
      model.message(8, new ProtoWriter().text(1, domain).varint(2, version));
    return model.finish();
  }

  private fresh(prefix: string): string {
    return `${prefix}_${this.counter++}`;
  }
}

export interface NodeOptions {
  readonly outputs?: readonly string[];
  readonly name?: string;
  readonly domain?: string;
}

function valueInfo(name: string, dims: Dims | null, type: OnnxType): ProtoWriter {
  const tensorType = new ProtoWriter().varint(1, ONNX_TYPES[type]);
  if (dims) {
    const shape = new ProtoWriter();
    for (const dim of dims)
      shape.message(1, typeof dim === 'number' ? new ProtoWriter().varint(1, dim) : new ProtoWriter().text(2, dim));
    tensorType.message(2, shape);
  }
  return new ProtoWriter().text(1, name).message(2, new ProtoWriter().message(1, tensorType));
}

function tensorProto(name: string, tensor: TensorSpec): ProtoWriter {
  const type = tensor.type ?? 'float32';
  const proto = new ProtoWriter();
  if (tensor.dims.length > 0) proto.packedVarints(1, tensor.dims);
  proto.varint(2, ONNX_TYPES[type]).text(8, name);
  if (tensor.external) {
    const { location, offset, length } = tensor.external;
    const entries = {
      location,
      ...(offset === undefined ? {} : { offset: String(offset) }),
      ...(length === undefined ? {} : { length: String(length) }),
    };
    for (const [key, value] of Object.entries(entries))
      proto.message(13, new ProtoWriter().text(1, key).text(2, value));
    return proto.varint(14, 1);
  }
  if (!tensor.typed) return proto.bytes(9, rawBytes(type, tensor.data));
  if (type === 'float32') return proto.bytes(4, rawBytes(type, tensor.data));
  if (type === 'float64') return proto.bytes(10, rawBytes(type, tensor.data));
  if (type === 'int64') return proto.packedVarints(7, Array.from(tensor.data));
  if (type === 'int4' || type === 'uint4') return proto.packedVarints(5, [...rawBytes(type, tensor.data)]);
  return proto.packedVarints(5, type === 'float16' ? Array.from(tensor.data, floatToHalf) : Array.from(tensor.data));
}

/** Elements as raw_data stores them. */
export function rawBytes(type: OnnxType, data: readonly number[] | Float32Array): Buffer {
  const view = (array: ArrayBufferView): Buffer => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  switch (type) {
    case 'float32':
      return view(Float32Array.from(data));
    case 'float64':
      return view(Float64Array.from(data));
    case 'float16':
      return view(Uint16Array.from(data, floatToHalf));
    case 'bfloat16':
      return view(Uint16Array.from(data, (v) => new Uint32Array(Float32Array.of(v).buffer)[0] >>> 16));
    case 'uint8':
    case 'bool':
      return view(Uint8Array.from(data));
    case 'int8':
      return view(Int8Array.from(data));
    case 'uint16':
      return view(Uint16Array.from(data));
    case 'int16':
      return view(Int16Array.from(data));
    case 'int32':
      return view(Int32Array.from(data));
    case 'int64':
      return view(BigInt64Array.from(Array.from(data), (v) => BigInt(v)));
    case 'undefined':
      throw new Error('elements of no type have no bytes');
    case 'uint4':
    case 'int4': {
      const bytes = new Uint8Array(Math.ceil(data.length / 2));
      data.forEach((v: number, i: number) => (bytes[i >> 1] |= (v & 15) << (4 * (i & 1))));
      return view(bytes);
    }
  }
}

/** Nearest binary16 of a float, ties to even. */
export function floatToHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const x = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (x >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(x || 2 ** -24)));
  const scaled = x / 2 ** (exponent - 10);
  let fraction = Math.floor(scaled);
  const rest = scaled - fraction;
  if (rest > 0.5 || (rest === 0.5 && fraction % 2 === 1)) fraction++;
  // Below 2^-14 the fraction has no implicit one; a carry runs into the exponent by itself.
  return exponent === -14 && fraction < 1024 ? sign | fraction : sign | (((exponent + 15) << 10) + (fraction - 1024));
}

function attributeProto(name: string, value: AttributeValue): ProtoWriter {
  const proto = new ProtoWriter().text(1, name);
  if (typeof value === 'number') return proto.varint(3, value).varint(20, 2);
  if (typeof value === 'string') return proto.text(4, value).varint(20, 3);
  if (value instanceof FloatValue) {
    if (typeof value.values === 'number') return proto.float(2, value.values).varint(20, 1);
    for (const v of value.values) proto.float(7, v);
    return proto.varint(20, 6);
  }
  if (Array.isArray(value)) {
    for (const v of value as readonly number[]) proto.varint(8, v);
    return proto.varint(20, 7);
  }
  return proto.message(5, tensorProto('', value as TensorSpec)).varint(20, 4);
}

/** A temporary folder for model files; `remove()` it afterwards. */
export class ModelFolder {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'quantmcu-onnx-'));

  write(content: OnnxBuilder | Uint8Array, name = 'model.onnx'): string {
    const file = path.join(this.folder, name);
    writeFileSync(file, content instanceof OnnxBuilder ? content.finish() : content);
    return file;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
