import { Constant } from './constant';
import { Draft } from './import/draft';
import type { SizeOptions } from './import/inputs';
import { ImportState, NodeContext } from './import/nodeContext';
import { CONSTANT_OPERATORS } from './import/ops/constants';
import type { Value } from './import/values';
import { walkModel } from './import/walk';
import type { NodeInfo, OnnxModel } from './model';
import { DataType } from './model';
import { MalformedError } from './byteReader';
import { nodeLabel } from './nodeOrder';
import { ProblemError } from './problems';

/** A value of an {@link Ending}, with its dimensions. */
export interface EndingValue {
  readonly name: string;
  readonly dims: readonly number[];
}

/** Boxes and scores that the file itself selects from, and how. */
export interface Selection {
  readonly opType: string;
  /** Name of the node for a message. */
  readonly node: string;
  readonly iou: number | null;
  readonly score: number | null;
}

/**
 * What comes behind the last layers with weights: a function that can be computed for any values of its inputs, without
 * the network. Up to a node that selects boxes, where there is one.
 */
export interface Ending {
  /** What the last layers with weights give. */
  readonly inputs: readonly EndingValue[];
  /** What becomes of it: the file's outputs, or the boxes and scores that are selected from. */
  readonly outputs: readonly string[];
  readonly selection: Selection | null;
  /**
   * The outputs for some inputs.
   *
   * @param values elements of the inputs, in ONNX order
   * @returns null where a node cannot be computed
   */
  run(values: readonly Float32Array[]): readonly EndingResult[] | null;
}

export interface EndingResult {
  readonly dims: readonly number[];
  readonly values: ArrayLike<number>;
}

const WITH_WEIGHTS = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul']);
const PER_CHANNEL = new Set(['Add', 'Sub', 'Mul', 'Div', 'BatchNormalization', 'Identity']);
const SELECTIONS = new Set(['NonMaxSuppression', 'EfficientNMS_TRT', 'BatchedNMS_TRT']);
/** Bins of a distance that a detector takes the mean of. */
const MOST_BINS = 64;
/** Inputs and elements of inputs beyond which an ending is not looked at. */
const MOST_INPUTS = 24;
const MOST_ELEMENTS = 2 ** 23;

/**
 * The endings of a network, from its last layers with weights on, and again from what scales these for each channel,
 * where something does. None where the network has no such ending.
 */
export function endingsOf(model: OnnxModel, sizes: SizeOptions = {}): Ending[] {
  const walk = walkModel(model, sizes);
  const { state } = walk;
  const selecting = walk.nodes.filter((node) => SELECTIONS.has(node.opType));
  if (selecting.length > 1) return [];
  const selection = selecting.length === 1 ? selectionOf(selecting[0], state.values) : null;
  const outputs = selection ? selecting[0].inputs.slice(0, 2) : model.outputs.map(({ name }) => name);
  const nodes = liveNodes(walk.nodes, outputs);
  const found: Ending[] = [];
  for (const advanced of [false, true]) {
    const ending = behindWeights(nodes, state.values, advanced);
    const inputs = inputsOf(ending, state.values);
    if (!inputs || (advanced && String(inputs.map((i) => i.name)) === String(found[0]?.inputs.map((i) => i.name))))
      continue;
    const evaluator = new Evaluator(model, ending, inputs, outputs, state.values);
    found.push({ inputs, outputs, selection, run: (values) => evaluator.run(values) });
  }
  return found;
}

function liveNodes(nodes: readonly NodeInfo[], outputs: readonly string[]): NodeInfo[] {
  const wanted = new Set(outputs);
  const live: NodeInfo[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((name) => wanted.has(name))) continue;
    live.push(node);
    for (const name of node.inputs) wanted.add(name);
  }
  return live.reverse();
}

type Values = ReadonlyMap<string, Value>;

function selectionOf(node: NodeInfo, values: Values): Selection {
  const number = (index: number): number | null => {
    const value = values.get(node.inputs[index] ?? '');
    return value?.kind === 'constant' && value.constant.elements === 1 ? value.constant.small()[0] : null;
  };
  const attribute = (name: string): number | null => node.attributes.get(name)?.f ?? null;
  const isStandard = node.opType === 'NonMaxSuppression';
  return {
    opType: node.opType,
    node: nodeLabel(node),
    iou: isStandard ? number(3) : (attribute('iou_threshold') ?? attribute('iouThreshold')),
    score: isStandard ? number(4) : (attribute('score_threshold') ?? attribute('scoreThreshold')),
  };
}

/** Whether a node multiplies a feature map with weights, and not only takes the mean of a distribution. */
function hasWeights(node: NodeInfo, values: Values): boolean {
  if (!WITH_WEIGHTS.has(node.opType) || node.domain !== '') return false;
  const operands = node.inputs.slice(0, 2).map((name) => values.get(name));
  if (operands.every((operand) => operand?.kind === 'constant')) return false;
  const weights = operands.find((operand) => operand?.kind === 'constant');
  if (weights?.kind !== 'constant') return node.opType !== 'MatMul';
  const { constant } = weights;
  if (constant.elements > MOST_BINS || constant.elements !== Math.max(...constant.dims)) return true;
  return !constant.small().every((weight, bin) => weight === bin);
}

/** Nodes that no layer with weights comes behind. @param advanced without what scales such a layer's channels */
function behindWeights(nodes: readonly NodeInfo[], values: Values, advanced: boolean): NodeInfo[] {
  const network = new Set<string>();
  const behind: NodeInfo[] = [];
  for (const node of [...nodes].reverse()) {
    if (hasWeights(node, values) || node.outputs.some((name) => network.has(name))) {
      for (const name of node.inputs) network.add(name);
      for (const name of node.outputs) network.add(name);
    } else behind.push(node);
  }
  behind.reverse();
  if (!advanced) return behind;
  const readers = new Map<string, number>();
  for (const node of behind) for (const name of node.inputs) readers.set(name, (readers.get(name) ?? 0) + 1);
  return behind.filter((node) => {
    const [first, second] = node.inputs;
    const source = network.has(first) ? first : second;
    const scales = PER_CHANNEL.has(node.opType) && network.has(source) && readers.get(source) === 1;
    if (!scales || !node.inputs.every((name) => name === source || isPerChannel(values.get(name)))) return true;
    for (const name of node.outputs) network.add(name);
    return false;
  });
}

/** Whether a constant is one number, or one for each of a map's channels. */
function isPerChannel(value: Value | undefined): boolean {
  if (value?.kind !== 'constant') return false;
  const { dims, elements } = value.constant;
  return elements === 1 || (dims.length >= 3 && elements === dims[dims.length - 3]) || dims.length === 1;
}

/** Feature maps that the nodes read from the network; null where there are none, or something is not known. */
function inputsOf(nodes: readonly NodeInfo[], values: Values): EndingValue[] | null {
  const own = new Set(nodes.flatMap((node) => node.outputs));
  const inputs = new Map<string, EndingValue>();
  for (const node of nodes) {
    if (isShape(node)) continue;
    for (const name of node.inputs) {
      const value = values.get(name);
      if (own.has(name) || value?.kind === 'constant' || name === '') continue;
      if (value?.kind !== 'map' || value.dims.length !== 4 || value.dims[0] !== 1) return null;
      inputs.set(name, { name, dims: value.dims });
    }
  }
  const elements = [...inputs.values()].reduce((n, { dims }) => n + dims.reduce((a, b) => a * b, 1), 0);
  return inputs.size > 0 && inputs.size <= MOST_INPUTS && elements <= MOST_ELEMENTS ? [...inputs.values()] : null;
}

function isShape({ opType }: NodeInfo): boolean {
  return opType === 'Shape' || opType === 'Size';
}

/** Computes an ending node by node, with the operators that constants are folded with. */
class Evaluator {
  /** Of nodes that do not depend on the inputs' elements. */
  private readonly fixed = new Map<string, Value>();
  private readonly opset: number;

  constructor(
    private readonly model: OnnxModel,
    private readonly nodes: readonly NodeInfo[],
    private readonly inputs: readonly EndingValue[],
    private readonly outputs: readonly string[],
    known: Values,
  ) {
    this.opset = model.opsets.get('') ?? 0;
    const own = new Set(nodes.flatMap((node) => node.outputs));
    for (const node of nodes) {
      for (const name of node.inputs) {
        const value = known.get(name);
        if (own.has(name) || value === undefined) continue;
        // Of maps besides the inputs only the dimensions are asked for.
        const constant = value.kind === 'map' ? new Constant(value.dims, DataType.Float, notKnown) : null;
        this.fixed.set(name, constant ? { kind: 'constant', constant } : value);
      }
    }
  }

  run(values: readonly Float32Array[]): EndingResult[] | null {
    const state = new ImportState(this.model, new Draft());
    for (const [name, value] of this.fixed) state.values.set(name, value);
    const varying = new Set<string>();
    this.inputs.forEach(({ name, dims }, i) => {
      state.values.set(name, { kind: 'constant', constant: new Constant(dims, DataType.Float, () => values[i]) });
      varying.add(name);
    });
    try {
      for (const node of this.nodes) this.compute(state, node, varying);
      return this.outputs.map((name) => {
        const value = state.values.get(name);
        if (value?.kind !== 'constant') throw new ProblemError('is not computed', '');
        return { dims: value.constant.dims, values: value.constant.read() };
      });
    } catch (error) {
      if (error instanceof ProblemError || error instanceof MalformedError) return null;
      throw error;
    }
  }

  private compute(state: ImportState, node: NodeInfo, varying: Set<string>): void {
    if (node.outputs.every((name) => name === '' || this.fixed.has(name))) return;
    const handler = node.domain === '' ? CONSTANT_OPERATORS[node.opType] : undefined;
    if (!handler) throw new ProblemError('cannot be computed', '');
    handler(new NodeContext(state, node, this.opset));
    const varies = !isShape(node) && node.inputs.some((name) => varying.has(name));
    for (const name of node.outputs) {
      const value = state.values.get(name);
      if (value?.kind !== 'constant') continue;
      // Several nodes may read it: it is computed once.
      const { dims, dataType } = value.constant;
      const numbers = value.constant.read();
      const constant = new Constant(dims, dataType, () => numbers);
      state.values.set(name, { kind: 'constant', constant });
      if (varies) varying.add(name);
      else this.fixed.set(name, { kind: 'constant', constant });
    }
  }
}

function notKnown(): never {
  throw new ProblemError('depends on the network', '');
}
