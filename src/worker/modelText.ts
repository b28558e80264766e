import { createHash } from 'node:crypto';
import { isWeighted, type Layer } from '../engine/graph/types';
import { counted } from '../engine/common/wording';
import type { PreprocessScore } from '../engine/run/foundPreprocess';
import type { LayerView } from '../protocol/views';
import type { ShownModel } from './modelView';

/**
 * A model as text, one line for each fact, so that a difference of two texts is a difference of two models: inputs and
 * outputs, layers by name with their operators, shapes and sources, and statistics with a digest of their weights.
 *
 * @param score how well the float model does on images, where some are known
 */
export function modelText({ view, graph }: ShownModel, score: ImagesScore | null = null): string {
  const ports = (kind: string, list: typeof view.inputs): string[] =>
    list.map(({ name, type, shape }) => `${kind} ${name}: ${type} ${shape}`);
  return [
    `opset ${view.opset}`,
    `producer ${view.producer}`,
    ...ports('input', view.inputs),
    ...ports('output', view.outputs),
    `MACs ${view.macs}`,
    `parameters ${view.parameters}`,
    ...(score === null ? [] : [scoreLine(score)]),
    ...view.problems.map(({ node, operator, message }) => `problem ${operator} ${node}: ${message}`),
    ...view.layers.flatMap((layer) => ['', ...layerLines(layer, view.layers, graph?.layers[layer.id])]),
    '',
  ].join('\n');
}

/** How well a float model does on the images of a folder. */
export interface ImagesScore extends Pick<PreprocessScore, 'top1' | 'certainty' | 'images'> {
  readonly folder: string;
}

function scoreLine({ top1, certainty, images, folder }: ImagesScore): string {
  const where = `on ${counted(images, 'image')} of ${folder}, in float`;
  return top1 === null
    ? `certainty ${(100 * certainty).toFixed(1)} % ${where}`
    : `accuracy ${(100 * top1).toFixed(1)} % top-1 ${where}`;
}

function layerLines(view: LayerView, all: readonly LayerView[], layer: Layer | undefined): string[] {
  const { name, operators, detail, inputs, output } = view;
  return [
    `layer ${name}`,
    `  operators ${[operators, detail].filter((part) => part !== '').join(', ')}`,
    ...(inputs.length > 0 ? [`  reads ${inputs.map((id) => all[id].name).join(', ')}`] : []),
    ...(output ? [`  writes ${output.h}×${output.w}×${output.c}`] : []),
    ...(view.parameters > 0 ? [`  parameters ${view.parameters}`] : []),
    ...(layer && isWeighted(layer) ? [valuesLine('weights', layer.weights), valuesLine('bias', layer.bias)] : []),
  ];
}

/** Range, mean and deviation, and a digest that tells any other change. */
function valuesLine(what: string, values: Float32Array): string {
  let [low, high, sum, squares] = [Infinity, -Infinity, 0, 0];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  const deviation = Math.sqrt(Math.max(0, squares / values.length - mean * mean));
  const digest = createHash('sha256')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex')
    .slice(0, 12);
  const [from, to, middle, wide] = [low, high, mean, deviation].map((value) => value.toPrecision(4));
  return `  ${what} ${values.length} values ${from} to ${to}, mean ${middle}, deviation ${wide}, sha256 ${digest}`;
}
