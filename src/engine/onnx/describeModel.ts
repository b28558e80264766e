import { basename } from 'node:path';
import type { SizeOptions } from './import/inputs';
import { fedInputs } from './import/inputs';
import { walkModel } from './import/walk';
import type { Walk } from './import/walk';
import type { AttributeInfo, Dimension, NodeInfo, OnnxModel, TensorInfo, ValueInfo } from './model';
import { bitsPerElement, DataType, dataTypeName } from './model';
import { openModel } from './openModel';
import type { ModelProblem } from './problems';
import { ProblemError } from './problems';
import { nodeLabel } from './nodeOrder';
import { checkTensor, elementCount } from './tensorData';

/** An input or output as the file declares it. All names are text from the model, possibly hostile. */
export interface ValueDescription {
  readonly name: string;
  /** E.g. `float32`. */
  readonly elementType: string;
  /** As declared: numbers, symbols, null where nothing is said; null when no shape is declared. */
  readonly dims: readonly Dimension[] | null;
}

export interface NodeDescription extends Pick<NodeInfo, 'opType' | 'domain' | 'inputs' | 'outputs'> {
  /** Node name, else the name of its first output, else `#index`. */
  readonly name: string;
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
  /** Per output: the inferred shape, else the one declared in the file, else null. */
  readonly outputShapes: readonly (readonly Dimension[] | null)[];
  /** Multiply-accumulates, where the node has any and its shapes are known. */
  readonly macs: number | null;
  /** Elements of the initializers that the node reads. */
  readonly parameters: number;
}

/**
 * What the editor and `inspect` show of any readable model, whether it can be imported or not. Plain data: survives
 * JSON.
 */
export interface ModelDescription {
  readonly file: string;
  readonly fileBytes: number;
  readonly graphName: string;
  readonly producer: string;
  readonly irVersion: number;
  /** Version of the standard operators; null when the file declares none. */
  readonly opset: number | null;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly inputs: readonly ValueDescription[];
  readonly outputs: readonly ValueDescription[];
  /** In file order; Constant nodes only where they are a problem: their values belong to the nodes that read them. */
  readonly nodes: readonly NodeDescription[];
  /** Weights and other constants stored in the file (shape lists aside). */
  readonly parameters: { readonly count: number; readonly bytes: number };
  /** Multiply-accumulates of one inference; null when a problem keeps some from being known. */
  readonly macs: number | null;
  /** Everything that keeps the model from being quantized; empty when it can be. */
  readonly problems: readonly ModelProblem[];
}

/**
 * Describes a model from its structure alone: no weights are read, so it takes milliseconds for any size of file.
 *
 * @throws UserError when the file cannot be read or is not an ONNX model
 */
export async function describeModel(
  path: string,
  options: { readonly sizes?: SizeOptions } = {},
): Promise<ModelDescription> {
  const model = await openModel(path);
  try {
    const walk = walkModel(model, options.sizes ?? {});
    const constants = model.nodes.filter(({ opType }) => opType === 'Constant');
    const parameters = new Map([
      ...[...model.initializers.values()].map((tensor) => [tensor.name, parameterSize(model, tensor)] as const),
      ...constants.map((node) => [node.outputs[0], constantSize(model, node)] as const),
    ]);
    const sizes = [...parameters.values()];
    const faulty = new Set(walk.problems.map(({ node }) => node));
    const shown = model.nodes.filter((node) => node.opType !== 'Constant' || faulty.has(nodeLabel(node)));
    return {
      file: basename(path),
      fileBytes: model.fileBytes,
      graphName: model.graphName,
      producer: model.producer,
      irVersion: model.irVersion,
      opset: model.opsets.get('') ?? null,
      opsets: [...model.opsets].map(([domain, version]) => ({ domain, version })),
      inputs: fedInputs(model).map(describeValue),
      outputs: model.outputs.map(describeValue),
      nodes: shown.map((node) => describeNode(model, walk, node, parameters)),
      parameters: { count: sum(sizes, (size) => size.count), bytes: sum(sizes, (size) => size.bytes) },
      macs: walk.problems.length > 0 ? null : sum([...walk.state.macs.values()], (macs) => macs),
      problems: walk.problems,
    };
  } finally {
    await model.close();
  }
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

interface ParameterSize {
  readonly count: number;
  readonly bytes: number;
}

const NOTHING: ParameterSize = { count: 0, bytes: 0 };

/** Size of a weight tensor; nothing for shape lists and for tensors whose data is not there. */
function parameterSize(model: OnnxModel, tensor: TensorInfo): ParameterSize {
  if (tensor.dataType === DataType.Int64 || tensor.dataType === DataType.Bool || tensor.dataType === DataType.String)
    return NOTHING;
  try {
    checkTensor(model, tensor);
  } catch (error) {
    if (error instanceof ProblemError) return NOTHING;
    throw error;
  }
  const count = elementCount(tensor.dims);
  return { count, bytes: Math.ceil((count * bitsPerElement(tensor.dataType)) / 8) };
}

function constantSize(model: OnnxModel, node: NodeInfo): ParameterSize {
  const tensor = node.attributes.get('value')?.tensor;
  return tensor && elementCount(tensor.dims) > 1 ? parameterSize(model, tensor) : NOTHING;
}

function describeValue(value: ValueInfo): ValueDescription {
  return { name: value.name, elementType: dataTypeName(value.elementType), dims: value.dims };
}

function describeNode(
  model: OnnxModel,
  walk: Walk,
  node: NodeInfo,
  parameters: ReadonlyMap<string, ParameterSize>,
): NodeDescription {
  const shapeOf = (name: string): readonly Dimension[] | null => {
    const value = walk.state.values.get(name);
    if (value?.kind === 'map') return value.dims;
    if (value?.kind === 'constant') return value.constant.dims;
    return (model.valueInfo.get(name) ?? model.outputs.find((output) => output.name === name))?.dims ?? null;
  };
  return {
    name: nodeLabel(node),
    opType: node.opType,
    domain: node.domain,
    inputs: node.inputs,
    outputs: node.outputs,
    attributes: [...node.attributes.values()].map((attribute) => ({
      name: attribute.name,
      value: abbreviate(attribute),
    })),
    outputShapes: node.outputs.map(shapeOf),
    macs: walk.state.macs.get(node.index) ?? null,
    parameters: sum([...new Set(node.inputs)], (name) => parameters.get(name)?.count ?? 0),
  };
}

const MAX_VALUE_TEXT = 80;
const MAX_LISTED_NUMBERS = 12;

/** An attribute's value in a few words. */
function abbreviate(attribute: AttributeInfo): string {
  if (attribute.hasSubgraph) return 'subgraph';
  if (attribute.tensor)
    return `${dataTypeName(attribute.tensor.dataType)} ${attribute.tensor.dims.join('×') || 'scalar'}`;
  if (attribute.s !== null) return shorten(attribute.s);
  if (attribute.i !== null) return String(attribute.i);
  if (attribute.f !== null) return numberText(attribute.f);
  if (attribute.ints.length > 0) return list(attribute.ints.map(String));
  if (attribute.floats.length > 0) return list(attribute.floats.map(numberText));
  if (attribute.strings.length > 0) return shorten(attribute.strings.join(', '));
  return '';
}

function numberText(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function list(items: readonly string[]): string {
  return items.length > MAX_LISTED_NUMBERS
    ? `${items.slice(0, MAX_LISTED_NUMBERS).join(', ')}, … (${items.length})`
    : items.join(', ');
}

function shorten(text: string): string {
  return text.length > MAX_VALUE_TEXT ? `${text.slice(0, MAX_VALUE_TEXT - 1)}…` : text;
}
