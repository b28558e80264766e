import { basename } from 'node:path';
import { MalformedError } from '../byteReader';
import { Constant } from '../constant';
import { sameLayout } from '../layout';
import type { NodeInfo, OnnxModel, TensorInfo } from '../model';
import { nodeLabel, orderNodes } from '../nodeOrder';
import type { ModelProblem } from '../problems';
import { ProblemError } from '../problems';
import { checkTensor } from '../tensorData';
import { Draft } from './draft';
import type { DraftMap } from './draft';
import type { InputArrangement, SizeOptions } from './inputs';
import { addInput, bindingType, fedInputs, resolveInputDims } from './inputs';
import { ImportState, NodeContext } from './nodeContext';
import { MAP_OPERATORS, unsupportedRemedy } from './operators';
import { CONSTANT_OPERATORS } from './ops/constants';
import type { MapValue, Value } from './values';
import { asOutput, inputOrder } from './ports';
import { UNKNOWN } from './values';

/** What walking a model's nodes once found out; no weights have been read. */
export interface Walk {
  readonly state: ImportState;
  readonly nodes: readonly NodeInfo[];
  readonly problems: readonly ModelProblem[];
  readonly outputs: readonly MapValue[];
}

/** Domains whose QuantizeLinear and DequantizeLinear are those of the standard. */
const QUANTIZATION_DOMAIN = 'com.microsoft';

/**
 * Visits every node that the outputs depend on, infers shapes and drafts layers. Problems are collected, never thrown:
 * what depends on a node with a problem becomes unknown, so that all independent problems are found at once.
 */
export function walkModel(model: OnnxModel, sizes: SizeOptions): Walk {
  const order = orderNodes(model);
  const first = walkOnce(model, sizes, order.nodes, order.problems, new Map());
  const better = rearrangedInputs(first);
  return better.size === 0 ? first : walkOnce(model, sizes, order.nodes, order.problems, better);
}

function walkOnce(
  model: OnnxModel,
  sizes: SizeOptions,
  nodes: readonly NodeInfo[],
  wiring: readonly ModelProblem[],
  arrangements: ReadonlyMap<string, InputArrangement>,
): Walk {
  const state = new ImportState(model, new Draft());
  const problems = [...wiring];
  const report = (node: string, opType: string, error: unknown): void => {
    if (error instanceof ProblemError) problems.push({ node, opType, message: error.message, remedy: error.remedy });
    else if (error instanceof MalformedError)
      problems.push({
        node,
        opType,
        message: `cannot be read (${error.message})`,
        remedy: 'Download or export the model again.',
      });
    else throw error;
  };
  for (const input of fedInputs(model)) {
    try {
      addInput(state, input, resolveInputDims(input, sizes, nodes), arrangements.get(input.name) ?? null, nodes);
    } catch (error) {
      state.values.set(input.name, UNKNOWN);
      // An input that nothing reads is not an obstacle.
      if (
        nodes.some((node) => node.inputs.includes(input.name)) ||
        model.outputs.some((output) => output.name === input.name)
      )
        report(input.name, 'Input', error);
    }
  }
  const opset = model.opsets.get('') ?? (model.irVersion < 3 ? 1 : 0);
  for (const node of nodes) {
    try {
      const unknown = !resolveOperands(state, node);
      const handler = handlerOf(state, node);
      if (!unknown) handler(new NodeContext(state, node, opset));
      else markUnknown(state, node);
    } catch (error) {
      markUnknown(state, node);
      report(nodeLabel(node), node.opType, error);
    }
  }
  const outputs: MapValue[] = [];
  for (const output of model.outputs) {
    const value = state.values.get(output.name) ?? UNKNOWN;
    const fail = (message: string, remedy: string): void =>
      void problems.push({ node: output.name, opType: 'Output', message, remedy });
    if (value.kind === 'constant') fail('is a constant', 'Remove it from the outputs.');
    else if (value.kind === 'map') {
      if (value.quantization)
        fail('returns quantized codes', 'Remove the last QuantizeLinear, so that the output is float.');
      else if (bindingType(output.elementType) === null && output.elementType !== 0)
        fail('is not a float tensor', 'Remove it from the outputs.');
      const producer = nodes.find((node) => node.outputs.includes(output.name));
      const handed = producer ? asOutput(new NodeContext(state, producer, opset), value) : value;
      handed.map.isOutput = true;
      outputs.push(handed);
    }
  }
  if (model.outputs.length === 0)
    problems.push({
      node: basename(model.path),
      opType: 'Graph',
      message: 'has no outputs',
      remedy: 'Export the model again.',
    });
  if (problems.length === 0 && state.draft.layers.length === 0) problems.push(noLayers(model));
  return { state, nodes, problems, outputs };
}

/** The problem of a model that only renames its inputs. */
export function noLayers(model: OnnxModel): ModelProblem {
  return {
    node: model.graphName,
    opType: 'Graph',
    message: 'has no layers (its outputs are its inputs), so there is nothing to quantize',
    remedy: 'Choose another model.',
  };
}

/** Makes constants of the node's initializers; false when an input is unknown. */
function resolveOperands(state: ImportState, node: NodeInfo): boolean {
  let known = true;
  for (const name of node.inputs) {
    if (name === '') continue;
    let value: Value | undefined = state.values.get(name);
    if (!value) {
      value = initializerValue(state, name);
      state.values.set(name, value);
    }
    if (value.kind === 'unknown') known = false;
  }
  return known;
}

function initializerValue(state: ImportState, name: string): Value {
  const tensor = state.model.initializers.get(name);
  if (!tensor) {
    if (state.model.sparseInitializers.has(name))
      throw new ProblemError(`reads the sparse tensor "${name}"`, 'Export the model with dense weights.');
    return UNKNOWN; // reported with the wiring
  }
  return { kind: 'constant', constant: checkedConstant(state.model, tensor) };
}

function checkedConstant(model: OnnxModel, tensor: TensorInfo): Constant {
  try {
    checkTensor(model, tensor);
  } catch (error) {
    if (error instanceof ProblemError)
      throw new ProblemError(`reads "${tensor.name}", which ${error.message}`, error.remedy);
    throw error;
  }
  return Constant.ofTensor(model, tensor);
}

function handlerOf(state: ImportState, node: NodeInfo): (context: NodeContext) => void {
  const quantizes = node.opType === 'QuantizeLinear' || node.opType === 'DequantizeLinear';
  if (node.domain !== '' && !(node.domain === QUANTIZATION_DOMAIN && quantizes)) {
    throw new ProblemError(
      `is an operator of the domain "${node.domain}"`,
      'Replace it with standard ONNX operators before export, or cut the model before this node.',
    );
  }
  const overConstants = node.inputs.every((name) => name === '' || state.values.get(name)?.kind === 'constant');
  const handler =
    (overConstants ? CONSTANT_OPERATORS[node.opType] : undefined) ??
    MAP_OPERATORS[node.opType] ??
    CONSTANT_OPERATORS[node.opType];
  if (!handler || (!Object.hasOwn(MAP_OPERATORS, node.opType) && !Object.hasOwn(CONSTANT_OPERATORS, node.opType))) {
    throw new ProblemError(
      node.opType === '' ? 'names no operator' : 'is not supported',
      unsupportedRemedy(node.opType),
    );
  }
  const overMaps = node.inputs.some((name) => state.values.get(name)?.kind === 'map');
  if (overMaps && !Object.hasOwn(MAP_OPERATORS, node.opType))
    throw new ProblemError('is not supported on feature maps', unsupportedRemedy(node.opType));
  return handler;
}

function markUnknown(state: ImportState, node: NodeInfo): void {
  for (const output of node.outputs) if (output !== '') state.values.set(output, UNKNOWN);
}

/**
 * Inputs whose elements had to be permuted before the first layer that looks at their arrangement: they should lie in
 * memory as that layer wants them, where that is an order in which an application may be asked for them.
 */
function rearrangedInputs(walk: Walk): Map<string, InputArrangement> {
  const wanted = new Map<string, InputArrangement>();
  for (const input of walk.state.draft.inputs) {
    let map: DraftMap = input;
    for (;;) {
      const [reader, ...others] = map.consumers;
      if (!reader || others.length > 0) break;
      if (reader.spec.kind === 'permute') {
        const arrangement = arrangementOf(walk, input, map, reader.output);
        if (arrangement && inputOrder(dimsOf(walk, input), [...arrangement.h, ...arrangement.w, ...arrangement.c]))
          wanted.set(input.name, arrangement);
        break;
      }
      const elementwise =
        (reader.spec.kind === 'depthwise' &&
          reader.load !== null &&
          reader.spec.window.kernelH * reader.spec.window.kernelW === 1) ||
        reader.spec.kind === 'activation';
      if (!elementwise) break;
      map = reader.output;
    }
  }
  return wanted;
}

function dimsOf(walk: Walk, input: DraftMap): readonly number[] {
  const value = walk.state.values.get(input.name);
  return value?.kind === 'map' ? value.dims : [];
}

/** The permuted map's axes as dimensions of the ONNX input, when each dimension lies whole on one axis. */
function arrangementOf(walk: Walk, input: DraftMap, source: DraftMap, permuted: DraftMap): InputArrangement | null {
  const value = walk.state.values.get(input.name);
  const move = walk.state.materialized.get(source)?.find((entry) => entry.to === permuted);
  if (value?.kind !== 'map' || !move) return null;
  const { w, c } = permuted.shape;
  const axes = {
    h: [] as { dim: number; stride: number }[],
    w: [] as { dim: number; stride: number }[],
    c: [] as { dim: number; stride: number }[],
  };
  const single: number[] = [];
  for (let dim = 0; dim < value.dims.length; dim++) {
    if (value.dims[dim] === 1) {
      single.push(dim);
      continue;
    }
    const at = move.from.findIndex((atoms) => atoms.length === 1 && sameLayout([atoms], [value.layout[dim]]));
    const target = at >= 0 && move.layout[at].length === 1 ? move.layout[at][0] : null;
    if (!target) return null;
    const axis = target.stride >= w * c ? 'h' : target.stride >= c ? 'w' : 'c';
    if (axis !== 'h' && target.stride * target.size > (axis === 'w' ? w * c : c)) return null;
    axes[axis].push({ dim, stride: target.stride });
  }
  const list = (axis: 'h' | 'w' | 'c'): number[] =>
    axes[axis].sort((p, q) => q.stride - p.stride).map(({ dim }) => dim);
  return { h: [...single, ...list('h')], w: list('w'), c: list('c') };
}
