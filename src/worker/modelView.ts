import { UserError } from '../engine/common/errors';
import { findCut } from '../engine/detection/cut/findCut';
import { layerMacs } from '../engine/graph/macs';
import type { Graph } from '../engine/graph/types';
import {
  describeModel,
  importModel,
  type ModelDescription,
  type NodeDescription,
  type ValueDescription,
} from '../engine/onnx';
import type { LayerView, ModelView, ShapeView } from '../protocol/views';
import { layerDetail, parameterCount } from './layerText';

type Dims = ValueDescription['dims'];

/** Models with more parameters fit no microcontroller: they are shown without reading their weights, 64 MB and more. */
const MOST_PARAMETERS = 16_000_000;

/** A model as it is shown, with its graph where it can be imported. */
export interface ShownModel {
  readonly view: ModelView;
  readonly graph: Graph | null;
  /** There may be a graph, but nobody has asked for so many weights yet. */
  readonly deferred: boolean;
}

/**
 * Reads a model for display: its layers, or where it cannot be imported its nodes, with each problem at its node.
 * @throws UserError when the file cannot be read as ONNX at all
 */
export async function readModelView(
  modelPath: string,
  sizes: Readonly<Record<string, number>> = {},
): Promise<ShownModel> {
  const description = await describeModel(modelPath, { sizes });
  // What cannot be imported may lie behind the cut of a detector.
  const cut = description.problems.length > 0 ? await findCut(modelPath, { sizes }).catch(() => null) : null;
  const problems = (cut ? [] : description.problems).map(({ node, opType, message, remedy }) => ({
    node,
    operator: opType,
    message,
    remedy,
  }));
  let graph = cut?.graph ?? null;
  const deferred = problems.length === 0 && description.parameters.count > MOST_PARAMETERS;
  if (problems.length === 0 && !deferred && !graph) {
    try {
      graph = await importModel(modelPath, { sizes });
    } catch (error) {
      // Found only with the weights at hand, e.g. external data that is missing or values that are not finite.
      if (!(error instanceof UserError)) throw error;
      problems.push({ node: description.file, operator: 'Model', message: error.message, remedy: '' });
    }
  }
  const shown = graph;
  const view: ModelView = {
    name: description.graphName || description.file.replace(/\.onnx$/i, ''),
    file: description.file,
    fileBytes: description.fileBytes,
    opset: description.opset ?? 0,
    producer: description.producer,
    inputs: description.inputs.map(valueView),
    outputs: description.outputs.map(valueView),
    layers: shown ? graphLayers(shown) : nodeLayers(description),
    macs: description.macs ?? description.nodes.reduce((sum, node) => sum + (node.macs ?? 0), 0),
    parameters: description.parameters.count,
    problems,
  };
  return { view, graph, deferred };
}

/** The layers of an imported model, before any plan. */
export function graphLayers(graph: Graph): LayerView[] {
  return graph.layers.map((_, id) => graphLayer(graph, id));
}

function graphLayer(graph: Graph, id: number): LayerView {
  const layer = graph.layers[id];
  const map = graph.maps[layer.output];
  return {
    id,
    name: layer.name,
    kind: layer.kind,
    operators: layer.onnx.map(({ opType }) => opType).join(' + '),
    inputs: layer.inputs.map((input) => graph.maps[input].producer).filter((producer) => producer !== null),
    output: map.shape,
    outputName: map.name,
    detail: layerDetail(layer),
    macs: layerMacs(graph, layer),
    parameters: parameterCount(layer),
    problem: null,
    plan: null,
  };
}

/** The file's own nodes, in its order. */
function nodeLayers({ nodes, problems }: ModelDescription): LayerView[] {
  const producer = new Map(
    nodes.flatMap((node, id) => node.outputs.filter((output) => output !== '').map((output) => [output, id] as const)),
  );
  const problemOf = new Map(problems.map((problem) => [`${problem.opType} ${problem.node}`, problem]));
  return nodes.map((node, id): LayerView => {
    const problem = problemOf.get(`${node.opType} ${node.name}`);
    return {
      id,
      name: node.name,
      kind: node.opType,
      operators: node.domain === '' ? node.opType : `${node.domain}.${node.opType}`,
      inputs: node.inputs
        .map((input) => producer.get(input))
        .filter((input) => input !== undefined && input !== id) as number[],
      output: shapeOf(node.outputShapes[0] ?? null),
      outputName: node.outputs[0] ?? '',
      detail: nodeDetail(node),
      macs: node.macs ?? 0,
      parameters: node.parameters,
      problem: problem ? { message: problem.message, remedy: problem.remedy } : null,
      plan: null,
    };
  });
}

function nodeDetail({ attributes }: NodeDescription): string {
  const value = (name: string): string => attributes.find((attribute) => attribute.name === name)?.value ?? '';
  const stride = [...new Set(value('strides').split(', '))].join(',');
  return [value('kernel_shape').replaceAll(', ', '×'), stride === '' || stride === '1' ? '' : `s${stride}`]
    .filter((part) => part !== '')
    .join(' ');
}

/** H×W×C of an NCHW image or an N×C vector. */
function shapeOf(dims: Dims): ShapeView | null {
  const sizes = (dims ?? []).slice(1).map((dim) => (typeof dim === 'number' ? dim : 0));
  if (dims === null || sizes.includes(0)) return null;
  if (dims.length === 4) return { h: sizes[1], w: sizes[2], c: sizes[0] };
  return dims.length === 2 ? { h: 1, w: 1, c: sizes[0] } : null;
}

function valueView({ name, elementType, dims }: ValueDescription): ModelView['inputs'][number] {
  return { name, type: elementType, shape: dims === null ? '?' : dims.map((dim) => dim ?? '?').join('×') };
}
