import { ProtoWriter } from './protoWriter';

/** TensorProto.DataType of what is written. */
const TYPES = { float32: 1, uint8: 2, int8: 3, int64: 7, float16: 10 } as const;
export type TensorType = keyof typeof TYPES;

/** AttributeProto.AttributeType. */
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 } as const;

/**
 * Attribute values: integers, lists of integers and text; `{ float }` marks single floats, which look like integers
 * otherwise.
 */
export type Attribute = number | readonly number[] | string | { readonly float: number };

/** First IR version that knows opset 19. */
const IR_VERSION = 9;
const OPSET = 19;

/** Assembles an ONNX model node by node. Every value gets its own name, made from the name that is asked for. */
export class OnnxWriter {
  private readonly graph = new ProtoWriter();
  private readonly names = new Set<string>();

  constructor(
    private readonly producer: string,
    private readonly name: string,
  ) {}

  input(name: string, type: TensorType, dims: readonly number[]): string {
    this.names.add(name);
    this.graph.message(11, valueInfo(name, type, dims));
    return name;
  }

  /** Reserves a name for a value that a later node gives. */
  reserve(name: string): void {
    this.names.add(name);
  }

  output(name: string, type: TensorType, dims: readonly number[]): void {
    this.graph.message(12, valueInfo(name, type, dims));
  }

  /** A stored constant. @returns its name */
  constant(
    wanted: string,
    type: TensorType,
    dims: readonly number[],
    data: Float32Array | Int8Array | Uint8Array | BigInt64Array,
  ): string {
    const name = this.fresh(wanted);
    const tensor = new ProtoWriter();
    for (const d of dims) tensor.varint(1, d);
    this.graph.message(
      5,
      tensor
        .varint(2, TYPES[type])
        .text(8, name)
        .bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
    );
    return name;
  }

  floats(wanted: string, dims: readonly number[], data: ArrayLike<number>): string {
    return this.constant(wanted, 'float32', dims, Float32Array.from(data));
  }

  int64s(wanted: string, data: readonly number[]): string {
    return this.constant(wanted, 'int64', [data.length], BigInt64Array.from(data, BigInt));
  }

  /**
   * A node with one output. @param output the output's name, reserved before; missing: a new one @returns the output's
   * name
   */
  node(
    opType: string,
    wanted: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output = this.fresh(wanted),
  ): string {
    const node = new ProtoWriter();
    for (const input of inputs) node.text(1, input);
    node.text(2, output).text(3, output).text(4, opType);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attributeProto(name, value));
    this.graph.message(1, node);
    return output;
  }

  /** The ModelProto's bytes. */
  finish(): Uint8Array {
    return new ProtoWriter()
      .varint(1, IR_VERSION)
      .text(2, this.producer)
      .message(7, this.graph.text(2, this.name))
      .message(8, new ProtoWriter().text(1, '').varint(2, OPSET))
      .finish();
  }

  private fresh(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.names.has(name); i++) name = `${wanted}_${i}`;
    this.names.add(name);
    return name;
  }
}

function valueInfo(name: string, type: TensorType, dims: readonly number[]): ProtoWriter {
  const shape = new ProtoWriter();
  for (const d of dims) shape.message(1, new ProtoWriter().varint(1, d));
  return new ProtoWriter()
    .text(1, name)
    .message(2, new ProtoWriter().message(1, new ProtoWriter().varint(1, TYPES[type]).message(2, shape)));
}

function attributeProto(name: string, value: Attribute): ProtoWriter {
  const proto = new ProtoWriter().text(1, name);
  if (typeof value === 'number') return proto.varint(3, value).varint(20, ATTRIBUTE.int);
  if (typeof value === 'string') return proto.text(4, value).varint(20, ATTRIBUTE.string);
  if ('float' in value) return proto.float(2, value.float).varint(20, ATTRIBUTE.float);
  for (const v of value) proto.varint(8, v);
  return proto.varint(20, ATTRIBUTE.ints);
}
