import { UserError } from '../common/errors';
import { inputFormat } from '../calibration/preprocess';
import { GENERATOR } from '../common/generator';
import { isWeighted, type Graph, type MapId, type TensorBinding } from '../graph/types';
import type { OpenedPlan } from '../planned/open';
import type { MapFormat } from '../quantize/types';
import { fakeQuantize } from './fakeQuantize';
import { clamped, plainLayer } from './layers';
import { fromRow, isNchw, reorder, toRow } from './layout';
import { OnnxWriter } from './onnxWriter';
import { weightedLayer } from './weightedLayer';

export interface QdqModel {
  /** The ONNX file. */
  readonly bytes: Uint8Array;
  /** Where it differs from the firmware, one line each. */
  readonly notes: readonly string[];
}

/**
 * The quantized network as an ONNX model of standard operators (opset 19) that rounds to the plan's codes by
 * QuantizeLinear and DequantizeLinear: every feature map to its format, weights from their codes. Inputs and outputs
 * are those of the original file, real values before and after.
 *
 * Biases are those of the firmware and halves are rounded up as there. Sums and multipliers are in float: a code
 * differs by one where that matters.
 *
 * @throws UserError for layers that onnxruntime does not run on quantized maps
 */
export function exportQdq({ graph, parameters, plan }: OpenedPlan): QdqModel {
  const writer = new OnnxWriter(GENERATOR, graph.name);
  for (const { name } of graph.outputs) writer.reserve(name);
  const values = new Map<MapId, string>();
  graph.inputs.forEach((binding) => {
    const format = parameters.formats.get(binding.map)!;
    values.set(
      binding.map,
      quantizedInput(writer, graph, binding, format, inputOffset(plan.preprocess, graph, binding, format)),
    );
  });
  refuseWide(graph, parameters);
  for (const layer of graph.layers) {
    const output = parameters.formats.get(layer.output)!;
    let value: string;
    if (isWeighted(layer)) {
      const view = parameters.views.get(layer.id);
      const stored = values.get(layer.inputs[0])!;
      const read = view ? fakeQuantize(writer, `${layer.name}/view`, stored, view, true) : stored;
      value = weightedLayer(
        writer,
        graph,
        layer,
        parameters.layers.get(layer.id)!,
        view ?? parameters.formats.get(layer.inputs[0])!,
        output,
        read,
      );
    } else {
      value = plainLayer(
        writer,
        graph,
        layer,
        layer.inputs.map((map) => values.get(map)!),
      );
    }
    if ('clamp' in layer) value = clamped(writer, layer.name, value, layer.clamp);
    values.set(layer.output, fakeQuantize(writer, layer.name, value, output, !isWeighted(layer)));
  }
  for (const binding of graph.outputs) realOutput(writer, graph, binding, values.get(binding.map)!);
  return { bytes: writer.finish(), notes: notesOf(plan) };
}

/** Opsets before 21 have no QuantizeLinear to 16 bits. */
function refuseWide(graph: Graph, { formats }: OpenedPlan['parameters']): void {
  const wide = graph.maps.find(({ id }) => formats.get(id)?.bits === 16);
  if (wide)
    throw new UserError(
      `Feature map "${wide.name}" has 16 bits, and the QDQ export takes 8 at most. Give it 8 bits, or export before ` +
        'that.',
    );
}

function notesOf({ patchStage }: OpenedPlan['plan']): string[] {
  const differ =
    patchStage !== null && (patchStage.classMode === 'runtime' || patchStage.classes.some((row) => row.includes('O')));
  return differ
    ? [
        'The exported network has no patches: where the firmware keeps patches of the outlier class at 8 bits, ' +
          'the export uses the bits of the regular ones.',
      ]
    : [];
}

/** What an input's zero point really stands for, see InputFormat; 0 for inputs of real values. */
function inputOffset(
  preprocess: OpenedPlan['plan']['preprocess'],
  graph: Graph,
  { map }: TensorBinding,
  { scales, signed }: MapFormat,
): Float64Array | null {
  const image = inputFormat(preprocess, graph.maps[map].shape.c, signed);
  const same =
    image.scales.length === scales.length && image.scales.every((s, c) => Math.abs(s / scales[c] - 1) < 1e-12);
  return same && image.exactOffset.some((o) => o !== 0) ? image.exactOffset : null;
}

/** An input of the original file as a fake-quantized [1, C, H, W] value. */
function quantizedInput(
  writer: OnnxWriter,
  graph: Graph,
  { name, map, dims, order, elementType }: TensorBinding,
  format: MapFormat,
  offset: Float64Array | null,
): string {
  const { shape } = graph.maps[map];
  const given = writer.input(name, elementType, dims);
  const real = elementType === 'float32' ? given : writer.node('Cast', `${name}/real`, [given], { to: 1 });
  let value = real;
  if (!isNchw(order, shape)) {
    const row = writer.node('Reshape', `${name}/flat`, [
      real,
      writer.int64s(`${name}/flat_shape`, [1, shape.h * shape.w * shape.c]),
    ]);
    value = fromRow(writer, name, order === null ? row : reorder(writer, name, row, inverse(order)), shape);
  } else if (dims.length !== 4) {
    value = writer.node('Reshape', `${name}/map`, [
      real,
      writer.int64s(`${name}/map_shape`, [1, shape.c, shape.h, shape.w]),
    ]);
  }
  if (offset)
    value = writer.node('Sub', `${name}/centered`, [
      value,
      writer.floats(`${name}/offset`, [1, offset.length, 1, 1], offset),
    ]);
  return fakeQuantize(writer, `${name}/input`, value, format, false);
}

/** A [1, C, H, W] value under the name, dimensions and order that the original file's output has. */
function realOutput(
  writer: OnnxWriter,
  graph: Graph,
  { name, map, dims, order, elementType }: TensorBinding,
  value: string,
): void {
  const { shape } = graph.maps[map];
  const row = isNchw(order, shape)
    ? value
    : order === null
      ? toRow(writer, `${name}/output`, value, shape)
      : reorder(writer, `${name}/output`, toRow(writer, `${name}/output`, value, shape), order);
  // The outputs of a quantized model that the importer could read were real values before they were quantized.
  const type = elementType === 'float16' ? 'float16' : 'float32';
  const target = writer.int64s(`${name}/dims`, dims);
  if (type === 'float32') writer.node('Reshape', name, [row, target], {}, name);
  else writer.node('Cast', name, [writer.node('Reshape', `${name}/shaped`, [row, target])], { to: 10 }, name);
  writer.output(name, type, dims);
}

function inverse(order: Int32Array): Int32Array {
  const result = new Int32Array(order.length);
  order.forEach((to, from) => {
    result[to] = from;
  });
  return result;
}
