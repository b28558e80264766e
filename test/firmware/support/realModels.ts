import type { Context } from 'mocha';
import { calibrate } from '../../../src/engine/calibration/calibrate';
import { presetPreprocess, type Preset } from '../../../src/engine/calibration/preprocess';
import { listSamples } from '../../../src/engine/calibration/samples';
import type { Calibration } from '../../../src/engine/calibration/types';
import { toIdentifier } from '../../../src/engine/codegen';
import type { Graph } from '../../../src/engine/graph/types';
import { importModel } from '../../../src/engine/onnx';
import { stageBranches } from '../../../src/engine/schedule/branches';
import { candidateStages } from '../../../src/engine/schedule/stages';
import { inputFormats } from '../../../src/engine/planned/inputs';
import type { Bits } from '../../../src/engine/graph/bits';
import { lower } from '../../../src/engine/program/lower';
import type { Program } from '../../../src/engine/program/types';
import { silentProgress } from '../../../src/engine/common/progress';
import { quantizeGraph } from '../../../src/engine/quantize/quantizeGraph';
import { formatTies } from '../../../src/engine/quantize/ties';
import { mulberry32 } from '../../support/graphBuilder';
import { needSharedData } from '../../support/sharedData';

/** The float models of the reference data, with inputs like those they were trained on. */
export const realModels: readonly {
  readonly file: string;
  readonly preset: Preset;
  readonly samples: string;
  readonly large?: boolean;
}[] = [
  { file: 'face_rfb320.onnx', preset: 'tf', samples: 'images/vww', large: true },
  { file: 'kws_dscnn_mlperf.onnx', preset: 'raw', samples: 'other/kws_mfcc_1000.npz' },
  { file: 'mcunet_vww_80.onnx', preset: 'tf', samples: 'images/vww' },
  { file: 'mobilenetv1_0.25_224_imagenet.onnx', preset: 'tf', samples: 'images/imagenet_sample', large: true },
  { file: 'mobilenetv1_0.25_224_imagenet_bn.onnx', preset: 'tf', samples: 'images/imagenet_sample', large: true },
  { file: 'mobilenetv1_0.25_96_imagenet.onnx', preset: 'unit', samples: 'images/imagenet_sample' },
  { file: 'mobilenetv2_1.0_224_tv.onnx', preset: 'imagenet', samples: 'images/imagenet_sample', large: true },
  { file: 'resnet20_cifar10.onnx', preset: 'imagenet', samples: 'images/cifar10' },
  { file: 'resnet20_cifar10_bn.onnx', preset: 'imagenet', samples: 'images/cifar10' },
  { file: 'resnet8_cifar10_mlperf.onnx', preset: 'raw', samples: 'images/cifar10' },
  { file: 'resnet8_cifar10_mlperf_bn.onnx', preset: 'raw', samples: 'images/cifar10' },
  { file: 'squeezenet1.1_224_imagenet.onnx', preset: 'imagenet', samples: 'images/imagenet_sample', large: true },
  { file: 'vww_mobilenetv1_0.25_96_mlperf.onnx', preset: 'unit', samples: 'images/vww' },
  { file: 'vww_mobilenetv1_0.25_96_mlperf_bn.onnx', preset: 'unit', samples: 'images/vww' },
];

/** A model that was calibrated on a few samples. */
export interface CalibratedModel {
  readonly file: string;
  readonly graph: Graph;
  /** Lowers the model at 8 bits layer by layer. */
  plain(): Program;
  /** Lowers it patch by patch, with bits of maps and weights and classes of patches drawn at random. */
  mixed(mode: PatchMode, seed: number): Program;
}

/**
 * Halos are computed again, or kept where formats allow; or as `recompute` with classes that are decided at run time.
 */
export type PatchMode = 'recompute' | 'keep' | 'runtime';
export const patchModes: readonly PatchMode[] = ['recompute', 'keep', 'runtime'];

/** By model and number of images: what several tests ask for is calibrated once. */
const calibrated = new Map<string, Promise<CalibratedModel>>();

export function calibrateModel(
  context: Context,
  model: (typeof realModels)[number],
  images = 8,
): Promise<CalibratedModel> {
  const file = needSharedData(context, 'models', model.file);
  const samples = needSharedData(context, ...model.samples.split('/'));
  const key = `${file}:${images}`;
  const known = calibrated.get(key) ?? calibrateOn(file, model, samples, images);
  calibrated.set(key, known);
  return known;
}

async function calibrateOn(
  file: string,
  model: (typeof realModels)[number],
  samples: string,
  images: number,
): Promise<CalibratedModel> {
  const graph = await importModel(file);
  const preprocess = presetPreprocess(model.preset);
  const set = await listSamples(samples, graph, images);
  const calibration = await calibrate(graph, file, set, preprocess, 'test', silentProgress, []);
  const inputs = inputFormats(graph, preprocess, calibration, set.elementType);
  const name = toIdentifier(model.file);
  return {
    file,
    graph,
    plain: () =>
      lower(
        graph,
        null,
        quantizeGraph(graph, calibration, inputs, { mapBits: () => 8, weightBits: () => 8, inputBits: () => 8 }),
        { name },
      ),
    mixed: (mode, seed) => mixed(graph, calibration, inputs, name, mode, mulberry32(seed)),
  };
}

function mixed(
  graph: Graph,
  calibration: Calibration,
  inputs: ReturnType<typeof inputFormats>,
  name: string,
  mode: PatchMode,
  random: () => number,
): Program {
  const pick = <T>(items: readonly T[]): T =>
    items[Math.min(items.length - 1, Math.floor(((random() + 1) / 2) * items.length))];
  const grid = { rows: 2, cols: 3 };
  const stages = candidateStages(graph).filter((s) => s.layers.length > 1 && stageBranches(graph, s, grid));
  if (stages.length === 0) throw new Error(`${name} has no patch stage.`);
  const stage = stages[Math.floor(stages.length / 2)];
  const decidedBy = mode === 'runtime' ? stage.maps[0] : -1;
  const oneScale = new Set(mode === 'runtime' ? [decidedBy] : []);

  const { bitGroup } = formatTies(graph, oneScale);
  const fixed = new Set(graph.inputs.map((i) => bitGroup[i.map]));
  const ofGroup = graph.maps.map((): Bits => pick([8, 8, 4, 2]));
  const mapBits = (map: number): Bits => (fixed.has(bitGroup[map]) ? 8 : ofGroup[bitGroup[map]]);
  const weightBits = graph.layers.map(() => pick([8, 4] as const));
  const readBits = graph.layers.map((): Bits => pick([8, 8, 4]));
  const parameters = quantizeGraph(
    graph,
    calibration,
    inputs,
    {
      mapBits,
      weightBits: (layer) => weightBits[layer],
      inputBits: (layer) => Math.min(readBits[layer], mapBits(graph.layers[layer].inputs[0])) as Bits,
    },
    oneScale,
  );

  // A kept map has one width for branches of both classes.
  const keep = new Set(mode === 'keep' ? stage.maps.filter((map) => map !== stage.splitMap && mapBits(map) === 8) : []);
  if (mode !== 'runtime') {
    return lower(
      graph,
      {
        stage,
        grid,
        keep,
        classes: Array.from({ length: 6 }, () => pick(['outlier', 'regular'] as const)),
        runtime: null,
      },
      parameters,
      { name },
    );
  }
  const { mean, variance } = calibration.maps.get(decidedBy)!;
  const center = mean.reduce((a, b) => a + b, 0) / mean.length;
  const spread = Math.sqrt(variance.reduce((a, b) => a + b, 0) / variance.length);
  return lower(
    graph,
    {
      stage,
      grid,
      keep,
      classes: { decidedBy },
      runtime: { low: center - spread, high: center + spread, epsilon: 0.2 },
    },
    parameters,
    { name },
  );
}
