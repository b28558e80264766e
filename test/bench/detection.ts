import { writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { calibrateCached, defaultCachePath } from '../../src/engine/calibration/cache';
import { floatOutputs } from '../../src/engine/calibration/float';
import { listSamples } from '../../src/engine/calibration/samples';
import { FloatSession } from '../../src/engine/calibration/session';
import type { Calibration } from '../../src/engine/calibration/types';
import { silentProgress } from '../../src/engine/common/progress';
import { openDetector, summarizeDetections, type ImageDetection } from '../../src/engine/evaluation/detections';
import type { DetectionEvaluation } from '../../src/engine/evaluation/types';
import { exportQdq } from '../../src/engine/export/qdq';
import {
  isWeighted,
  type Graph,
  type Layer,
  type LayerId,
  type MapId,
  type WeightedLayer,
} from '../../src/engine/graph/types';
import { inputFormats } from '../../src/engine/planned/inputs';
import { openPlan, type OpenedPlan } from '../../src/engine/planned/open';
import type { LayerParameters, MapFormat } from '../../src/engine/quantize/types';
import { rowLayout } from '../../src/engine/quantize/weights';

/** Layers that only move codes: their outputs have the formats of their inputs. */
const MOVES = new Set<Layer['kind']>(['maxPool', 'resize', 'reshape', 'slice', 'permute', 'pad']);

/**
 * A detector quantized as onnxruntime's `quantize_static` does by default, and run by onnxruntime: one scale and zero
 * point for each map, int8 over the least and largest value that calibration saw and 0; symmetric int8 weights rounded
 * to nearest, with one scale for each layer or, as `per_channel` asks, for each output channel; biases in units of the
 * accumulator. Written by our QDQ export, for onnxruntime's own tool is a package of Python.
 *
 * @param planPath   any plan of the model: its head, preprocessing and calibration are used
 * @param images     calibration images
 * @param evaluation images with boxes
 * @param work       folder for the model
 */
export async function evaluateStaticInt8(
  planPath: string,
  images: string,
  evaluation: string,
  perChannel: boolean,
  work: string,
): Promise<{ images: number; detection: DetectionEvaluation }> {
  const opened = await openPlan(planPath);
  const { graph, modelPath, plan, head } = opened;
  if (!head) throw new Error(`${planPath} has no detection head.`);
  const samples = await listSamples(images, graph, 0);
  const notes: string[] = [];
  const calibration = await calibrateCached(
    graph,
    modelPath,
    samples,
    plan.preprocess,
    defaultCachePath(),
    silentProgress,
    notes,
  );
  const formats = minMaxFormats(opened, calibration, samples.elementType);
  const layers = new Map<LayerId, LayerParameters>();
  for (const layer of graph.layers)
    if (isWeighted(layer)) layers.set(layer.id, nearest(graph, layer, formats.get(layer.inputs[0])!, perChannel));
  const file = path.join(work, 'static.onnx');
  writeFileSync(
    file,
    exportQdq({ ...opened, plan: { ...plan, patchStage: null }, parameters: { formats, views: new Map(), layers } })
      .bytes,
  );
  const set = await listSamples(evaluation, graph, 0);
  const detector = await openDetector({ head, annotations: undefined }, evaluation, plan.preprocess, notes);
  const session = await FloatSession.open(graph, file, { maps: [], preClamp: [] }, { progress: silentProgress, notes });
  if (session.note !== null) throw new Error(session.note);
  const results: ImageDetection[] = [];
  try {
    for await (const { sample, inputs, outputs } of floatOutputs(
      graph,
      modelPath,
      set,
      plan.preprocess,
      silentProgress,
      notes,
    )) {
      await session.run(inputs.map((i) => i.real));
      results.push(await detector.detect(sample.name, outputs, session.outputs(), inputs[0].image ?? null));
    }
  } finally {
    await session.dispose();
  }
  return { images: results.length, detection: summarizeDetections(results, head, detector.format) };
}

/** int8 codes over what calibration saw, one scale and zero point a map; inputs as the application gives them. */
function minMaxFormats(
  { graph, plan }: OpenedPlan,
  calibration: Calibration,
  elements: 'uint8' | 'int8' | 'real',
): Map<MapId, MapFormat> {
  const result = new Map<MapId, MapFormat>();
  for (const [map, { format }] of inputFormats(graph, plan.preprocess, calibration, elements)) result.set(map, format);
  for (const layer of graph.layers) {
    const source = result.get(layer.inputs[0])!;
    if (MOVES.has(layer.kind)) {
      result.set(layer.output, source);
      continue;
    }
    const { min, max } = calibration.maps.get(layer.output)!;
    const low = min.reduce((a, b) => Math.min(a, b), 0);
    const high = max.reduce((a, b) => Math.max(a, b), 0);
    const scale = Math.max(high - low, 1e-9) / 255;
    result.set(layer.output, {
      bits: 8,
      signed: true,
      scales: Float64Array.of(scale),
      zeroPoints: Int32Array.of(Math.round(-128 - low / scale)),
    });
  }
  return result;
}

/** Weights rounded to nearest, ±127 at the largest of the layer or of each output channel. */
function nearest(graph: Graph, layer: WeightedLayer, input: MapFormat, perChannel: boolean): LayerParameters {
  const outC = graph.maps[layer.output].shape.c;
  const { stride, count, step } = rowLayout(layer, outC);
  const weightScales = new Float64Array(outC);
  const codes = new Int8Array(layer.weights.length);
  const inputScale = input.scales[0];
  if (!input.scales.every((s) => s === inputScale)) throw new Error(`${layer.name} reads channels of unequal scales.`);
  const largest = (from: number): number => {
    let most = 1e-12;
    for (let k = 0; k < count; k++) most = Math.max(most, Math.abs(layer.weights[from + k * step]));
    return most;
  };
  const ofLayer = layer.weights.reduce((a, w) => Math.max(a, Math.abs(w)), 1e-12);
  for (let o = 0; o < outC; o++) {
    const scale = (perChannel ? largest(o * stride) : ofLayer) / 127;
    for (let k = 0; k < count; k++) {
      const i = o * stride + k * step;
      codes[i] = Math.max(-127, Math.min(127, Math.round(layer.weights[i] / scale)));
    }
    weightScales[o] = scale * inputScale;
  }
  return { layer: layer.id, weightBits: 8, codes, weightScales, bias: Float64Array.from(layer.bias) };
}
