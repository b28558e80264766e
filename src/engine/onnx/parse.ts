import { ByteReader, MalformedError } from './byteReader';
import type { AttributeInfo, Dimension, NodeInfo, TensorInfo, TensorSegment, ValueInfo } from './model';
import { DataType } from './model';
import { FieldCursor, WIRE_FIXED32, WIRE_FIXED64, WIRE_LENGTH, WIRE_VARINT } from './protobuf';

/** Longest name or attribute text that is read; real ones stay below a few hundred bytes. */
const MAX_TEXT_BYTES = 64 * 1024;
/**
 * Memory that the structure of one model may take, in abstract units of about a byte. A file of a few megabytes could
 * otherwise describe tens of millions of empty nodes. The largest public models stay below a tenth of it.
 */
const STRUCTURE_BUDGET = 64 * 1024 * 1024;

/** What {@link parseModel} fills in; see OnnxModel for the meaning of the fields. */
export interface ParsedModel {
  irVersion: number;
  producer: string;
  opsets: Map<string, number>;
  hasGraph: boolean;
  graphName: string;
  nodes: NodeInfo[];
  initializers: Map<string, TensorInfo>;
  sparseInitializers: Set<string>;
  inputs: ValueInfo[];
  outputs: ValueInfo[];
  valueInfo: Map<string, ValueInfo>;
  functionCount: number;
}

/**
 * Reads the structure of a ModelProto (field numbers from onnx.proto3 of the ONNX project). Weights, subgraphs,
 * functions, metadata and doc strings are skipped by their length, so the work is proportional to the structure alone
 * and the depth of nesting is fixed, however deep the file is.
 *
 * @throws MalformedError when the bytes are not a protobuf message or describe too much.
 */
export function parseModel(reader: ByteReader): ParsedModel {
  return new Parser(reader).model();
}

class Parser {
  private budget = STRUCTURE_BUDGET;
  private readonly parsed: ParsedModel = {
    irVersion: 0,
    producer: '',
    opsets: new Map(),
    hasGraph: false,
    graphName: '',
    nodes: [],
    initializers: new Map(),
    sparseInitializers: new Set(),
    inputs: [],
    outputs: [],
    valueInfo: new Map(),
    functionCount: 0,
  };

  constructor(private readonly reader: ByteReader) {}

  model(): ParsedModel {
    const cursor = new FieldCursor(this.reader, 0, this.reader.size);
    let producerVersion = '';
    while (cursor.next()) {
      this.spend(4);
      if (cursor.field === 1 && cursor.wire === WIRE_VARINT) this.parsed.irVersion = cursor.varint;
      else if (cursor.field === 2) this.parsed.producer = this.text(cursor);
      else if (cursor.field === 3) producerVersion = this.text(cursor);
      else if (cursor.field === 7) this.graph(cursor.message());
      else if (cursor.field === 8) this.opset(cursor.message());
      else if (cursor.field === 25) this.parsed.functionCount++;
    }
    if (producerVersion !== '') this.parsed.producer = `${this.parsed.producer} ${producerVersion}`.trim();
    return this.parsed;
  }

  private spend(units: number): void {
    this.budget -= units;
    if (this.budget < 0) throw new MalformedError('it describes more nodes and names than fit in memory');
  }

  private readonly spendNumbers = (count: number): void => this.spend(16 * count);

  private text(cursor: FieldCursor): string {
    this.spend(24 + (cursor.end - cursor.start));
    return cursor.text(MAX_TEXT_BYTES);
  }

  private opset(cursor: FieldCursor): void {
    let domain = '';
    let version = 0;
    while (cursor.next()) {
      if (cursor.field === 1) domain = this.text(cursor);
      else if (cursor.field === 2 && cursor.wire === WIRE_VARINT) version = cursor.varint;
    }
    this.parsed.opsets.set(domain === 'ai.onnx' ? '' : domain, version);
  }

  private graph(cursor: FieldCursor): void {
    const parsed = this.parsed;
    parsed.hasGraph = true;
    while (cursor.next()) {
      this.spend(8);
      switch (cursor.field) {
        case 1:
          parsed.nodes.push(this.node(cursor.message(), parsed.nodes.length));
          break;
        case 2:
          parsed.graphName = this.text(cursor);
          break;
        case 5: {
          const tensor = this.tensor(cursor.message());
          parsed.initializers.set(tensor.name, tensor);
          break;
        }
        case 11:
          parsed.inputs.push(this.valueInfo(cursor.message()));
          break;
        case 12:
          parsed.outputs.push(this.valueInfo(cursor.message()));
          break;
        case 13: {
          const info = this.valueInfo(cursor.message());
          parsed.valueInfo.set(info.name, info);
          break;
        }
        case 15:
          parsed.sparseInitializers.add(this.sparseName(cursor.message()));
          break;
      }
    }
  }

  private node(cursor: FieldCursor, index: number): NodeInfo {
    this.spend(400);
    const inputs: string[] = [];
    const outputs: string[] = [];
    const attributes = new Map<string, AttributeInfo>();
    let name = '';
    let opType = '';
    let domain = '';
    while (cursor.next()) {
      switch (cursor.field) {
        case 1:
          inputs.push(this.text(cursor));
          break;
        case 2:
          outputs.push(this.text(cursor));
          break;
        case 3:
          name = this.text(cursor);
          break;
        case 4:
          opType = this.text(cursor);
          break;
        case 5: {
          const attribute = this.attribute(cursor.message());
          attributes.set(attribute.name, attribute);
          break;
        }
        case 7:
          domain = this.text(cursor);
          break;
      }
    }
    return { index, name, opType, domain: domain === 'ai.onnx' ? '' : domain, inputs, outputs, attributes };
  }

  private attribute(cursor: FieldCursor): AttributeInfo {
    this.spend(200);
    let name = '';
    let f: number | null = null;
    let i: number | null = null;
    let s: string | null = null;
    let tensor: TensorInfo | null = null;
    const floats: number[] = [];
    const ints: number[] = [];
    const strings: string[] = [];
    let hasSubgraph = false;
    let type = 0;
    while (cursor.next()) {
      switch (cursor.field) {
        case 1:
          name = this.text(cursor);
          break;
        case 2:
          if (cursor.wire === WIRE_FIXED32) f = cursor.float32();
          break;
        case 3:
          if (cursor.wire === WIRE_VARINT) i = cursor.varint;
          break;
        case 4:
          s = this.text(cursor);
          break;
        case 5:
          tensor = this.tensor(cursor.message());
          break;
        case 6:
        case 11:
          hasSubgraph = true;
          break;
        case 7:
          cursor.appendFloats(floats, this.spendNumbers);
          break;
        case 8:
          cursor.appendVarints(ints, this.spendNumbers);
          break;
        case 9:
          strings.push(this.text(cursor));
          break;
        case 20:
          if (cursor.wire === WIRE_VARINT) type = cursor.varint;
          break;
      }
    }
    // proto3 writers leave out values equal to the default, so the declared type decides.
    if (type === 1) f ??= 0;
    if (type === 2) i ??= 0;
    if (type === 3) s ??= '';
    return { name, f, i, s, tensor, floats, ints, strings, hasSubgraph };
  }

  private tensor(cursor: FieldCursor): TensorInfo {
    this.spend(200);
    const dims: number[] = [];
    const segments: TensorSegment[] = [];
    const loose: number[] = [];
    const entries = new Map<string, string>();
    let external = false;
    let name = '';
    let dataType: number = DataType.Undefined;
    const segment = (kind: TensorSegment['kind']): void => {
      this.spend(32);
      if (cursor.wire === WIRE_LENGTH) segments.push({ kind, start: cursor.start, end: cursor.end });
    };
    while (cursor.next()) {
      switch (cursor.field) {
        case 1:
          cursor.appendVarints(dims, this.spendNumbers);
          if (dims.length > 64) throw new MalformedError('a tensor has more than 64 dimensions');
          break;
        case 2:
          if (cursor.wire === WIRE_VARINT) dataType = cursor.varint;
          break;
        case 4:
          if (cursor.wire === WIRE_FIXED32) cursor.appendFloats(loose, this.spendNumbers);
          else segment('float');
          break;
        case 5:
        case 7:
        case 11:
          if (cursor.wire === WIRE_VARINT) cursor.appendVarints(loose, this.spendNumbers);
          else segment('varint');
          break;
        case 8:
          name = this.text(cursor);
          break;
        case 9:
          segment('raw');
          break;
        case 10:
          if (cursor.wire !== WIRE_FIXED64) segment('double');
          break;
        case 13:
          this.entry(cursor.message(), entries);
          break;
        case 14:
          external = cursor.wire === WIRE_VARINT && cursor.varint === 1;
          break;
      }
    }
    return { name, dims, dataType, segments, loose, external: external ? entries : null };
  }

  private entry(cursor: FieldCursor, target: Map<string, string>): void {
    let key = '';
    let value = '';
    while (cursor.next()) {
      if (cursor.field === 1) key = this.text(cursor);
      else if (cursor.field === 2) value = this.text(cursor);
    }
    target.set(key, value);
  }

  private sparseName(cursor: FieldCursor): string {
    let name = '';
    while (cursor.next()) if (cursor.field === 1) name = this.tensor(cursor.message()).name;
    return name;
  }

  private valueInfo(cursor: FieldCursor): ValueInfo {
    this.spend(200);
    let name = '';
    let elementType = 0;
    let dims: Dimension[] | null = null;
    while (cursor.next()) {
      if (cursor.field === 1) name = this.text(cursor);
      else if (cursor.field === 2) {
        // TypeProto: only tensor_type (1) is of interest; sequences, maps and optionals stay unknown.
        const type = cursor.message();
        while (type.next()) {
          if (type.field !== 1) continue;
          const tensorType = type.message();
          while (tensorType.next()) {
            if (tensorType.field === 1 && tensorType.wire === WIRE_VARINT) elementType = tensorType.varint;
            else if (tensorType.field === 2) dims = this.shape(tensorType.message());
          }
        }
      }
    }
    return { name, elementType, dims };
  }

  private shape(cursor: FieldCursor): Dimension[] {
    const dims: Dimension[] = [];
    while (cursor.next()) {
      if (cursor.field !== 1) continue;
      this.spend(32);
      let dimension: Dimension = null;
      const message = cursor.message();
      while (message.next()) {
        if (message.field === 1 && message.wire === WIRE_VARINT) {
          // Some exporters write an open dimension as −1; onnxruntime takes it so, too.
          const size = message.varint;
          dimension = size === -1 ? null : size;
        } else if (message.field === 2) dimension = this.text(message) || null;
      }
      dims.push(dimension);
      if (dims.length > 64) throw new MalformedError('a shape has more than 64 dimensions');
    }
    return dims;
  }
}
