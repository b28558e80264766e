import { basename } from 'node:path';
import { UserError } from '../common/errors';
import type { Graph } from '../graph/types';
import type { Draft } from './import/draft';
import { finishGraph } from './import/finish';
import { foldDraft } from './import/fold/fold';
import type { SizeOptions } from './import/inputs';
import { bindingType, fedInputs, openSizesOf } from './import/inputs';
import { noLayers, walkModel } from './import/walk';
import { checkFolded, loadWeights } from './import/weights';
import { DataType, type OnnxModel, type ValueInfo } from './model';
import { openModel } from './openModel';
import { oneLine, UnsupportedModelError, type ModelProblem } from './problems';

export interface ImportOptions {
  /** Values for symbolic dimensions: by the symbol's name, or `h` and `w`. Symbolic batches become 1 by themselves. */
  readonly sizes?: SizeOptions;
  /** Values that the network is to end in, in place of the file's outputs. */
  readonly outputs?: readonly string[];
}

/**
 * Planning takes time that grows with the square of the depth; the deepest networks in use have some hundred layers.
 */
const MAX_LAYERS = 4096;

/**
 * Reads an ONNX file as a {@link Graph}: batch 1, HWC, shapes inferred, constants computed, normalizations and clamps
 * folded, Transpose and Reshape absorbed.
 *
 * @throws UnsupportedModelError listing every node that cannot be imported
 * @throws UserError when the file cannot be read
 */
export async function importModel(path: string, options: ImportOptions = {}): Promise<Graph> {
  const model = await openModel(path);
  try {
    return importOpenModel(model, options);
  } finally {
    await model.close();
  }
}

/** What the open dimensions of a model's inputs are called in `sizes`. @throws UserError for a file without a model */
export async function openSizes(path: string): Promise<string[]> {
  const model = await openModel(path);
  try {
    return openSizesOf(model);
  } finally {
    await model.close();
  }
}

function tooManyLayers(model: OnnxModel, count: number): ModelProblem {
  return {
    node: model.graphName,
    opType: 'Graph',
    message: `has ${count} layers, more than the ${MAX_LAYERS} that can be planned`,
    remedy: 'No network for a microcontroller is that deep: export a smaller one.',
  };
}

/** Inputs that no layer reads are none: neither a person nor the firmware has to give them. */
function leaveOutUnread(draft: Draft): void {
  const read = draft.inputs.filter((map) => map.consumers.size > 0 || map.isOutput);
  draft.inputs.splice(0, draft.inputs.length, ...read);
}

/** A model that ends in other values than the file says. @throws UserError when it has no such value */
function endingIn(model: OnnxModel, names: readonly string[]): OnnxModel {
  const computed = new Set(model.nodes.flatMap((node) => node.outputs));
  const outputs = names.map((name): ValueInfo => {
    if (!computed.has(name))
      throw new UserError(`${basename(model.path)} computes no value "${oneLine(name)}" that it could end in.`);
    const declared = model.outputs.find((output) => output.name === name) ?? model.valueInfo.get(name);
    return declared ?? { name, elementType: DataType.Undefined, dims: null };
  });
  return { ...model, outputs };
}

/** As {@link importModel}, on a model that is already open and stays open. */
export function importOpenModel(whole: OnnxModel, options: ImportOptions = {}): Graph {
  const model = options.outputs ? endingIn(whole, options.outputs) : whole;
  const file = basename(model.path);
  const { state, problems, outputs } = walkModel(model, options.sizes ?? {});
  const { draft } = state;
  if (problems.length > 0) throw new UnsupportedModelError(file, problems);
  const unread = loadWeights(draft);
  if (unread.length > 0) throw new UnsupportedModelError(file, unread);
  foldDraft(draft);
  const folded =
    draft.layers.length === 0
      ? [noLayers(model)]
      : draft.layers.length > MAX_LAYERS
        ? [tooManyLayers(model, draft.layers.length)]
        : checkFolded(draft);
  if (folded.length > 0) throw new UnsupportedModelError(file, folded);
  leaveOutUnread(draft);
  const inputs = fedInputs(model).flatMap(({ name, elementType }) => {
    const value = state.values.get(name);
    return value?.kind === 'map' && draft.inputs.includes(value.map)
      ? [{ value, elementType: bindingType(elementType)! }]
      : [];
  });
  return finishGraph(
    model.graphName || file.replace(/\.onnx$/i, ''),
    draft,
    inputs,
    outputs.map((value, i) => ({
      name: model.outputs[i].name,
      value,
      elementType: bindingType(model.outputs[i].elementType) ?? 'float32',
      inner: !whole.outputs.some(({ name }) => name === model.outputs[i].name),
    })),
  );
}
