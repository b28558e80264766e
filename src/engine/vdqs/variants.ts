import type { SampleInput } from '../calibration/inputs';
import { checkCancelled, type Progress } from '../common/progress';
import { compensateLayer } from '../compensate/compensateLayer';
import { USUAL_DAMPING } from '../compensate/damping';
import { LayerStream, type CodeChange } from '../compensate/layerStream';
import type { FittedImages } from '../compensate/targets';
import type { Bits, WeightBits } from '../graph/bits';
import type { Graph, LayerId } from '../graph/types';
import { decodePort } from '../program/ports';
import { codeTables } from '../quantize/codeTables';
import type { LayerParameters, MapFormat, QuantizedParameters } from '../quantize/types';
import type { ImageOutputs } from './divergence';
import type { OutputLoss } from './loss';

/** Bits that a layer reads and that its weights have. */
export interface VariantKind {
  readonly read: Bits;
  readonly weights: WeightBits;
}

/** One layer with other bits than the 8-bit network's. */
interface Variant {
  readonly format: MapFormat;
  readonly parameters: LayerParameters;
}

/** The compensated 8-bit network, and every layer at other bits, by {@link keyOf}. */
export interface CompensatedVariants {
  readonly base: QuantizedParameters;
  readonly variants: ReadonlyMap<LayerId, ReadonlyMap<string, Variant>>;
}

/** Layers that take a variant together. */
export interface VariantChange {
  readonly layers: readonly LayerId[];
  readonly kind: VariantKind;
}

/** Images whose maps are all held at once while changes are measured. */
const AT_ONCE = 8;

const keyOf = ({ read, weights }: VariantKind): string => `${read}/${weights}`;

/**
 * Fits every layer, at 8 bits and in all its variants, to what the 8-bit network before it gives.
 *
 * @param wide  the network at 8 bits, rounded
 * @param kinds with the network rounded at these bits throughout
 * @param read  layers whose input may have fewer bits
 */
export function compensateVariants(
  graph: Graph,
  wide: QuantizedParameters,
  kinds: readonly (VariantKind & { readonly parameters: QuantizedParameters })[],
  read: ReadonlySet<LayerId>,
  targets: FittedImages,
  progress: Progress,
): CompensatedVariants {
  const layers = new Map<LayerId, LayerParameters>(wide.layers);
  const variants = new Map<LayerId, ReadonlyMap<string, Variant>>();
  const stream = new LayerStream(graph, wide, targets.images, false);
  for (let step = 0, { fitted } = stream; step < fitted; step++) {
    checkCancelled(progress);
    progress.report('Compensating at each bitwidth', step, fitted);
    const id = stream.weightedLayer(step);
    if (id !== null) {
      const map = graph.layers[id].inputs[0];
      const stored = wide.formats.get(map)!;
      const samples = targets.layers.get(id)!;
      const damping = USUAL_DAMPING;
      const own = kinds
        .filter(({ read: bits }) => bits === 8 || read.has(id))
        .map((kind) => {
          const format = kind.parameters.views.get(id) ?? kind.parameters.formats.get(map)!;
          return { key: keyOf(kind), rounded: kind.parameters.layers.get(id)!, stored, format, damping };
        });
      const base = { rounded: wide.layers.get(id)!, stored, format: stored, damping };
      const fitted = compensateLayer(graph, samples, (image) => stream.inputCodes(step, image), [...own, base]);
      variants.set(
        id,
        new Map(own.map(({ key, format }, i) => [key, { format, parameters: fitted[i].parameters }] as const)),
      );
      const { parameters } = fitted[own.length];
      layers.set(id, parameters);
      stream.replace(step, parameters);
    }
    for (let image = 0; image < targets.images.length; image++) stream.run(step, image);
  }
  return { base: { ...wide, layers }, variants };
}

/**
 * How far the outputs are from those of the compensated 8-bit network: for each change by itself, then for whole other
 * networks.
 *
 * @param images inputs of the network, per image
 */
export function measureChanges(
  graph: Graph,
  loss: OutputLoss,
  { base, variants }: CompensatedVariants,
  changes: readonly VariantChange[],
  others: readonly QuantizedParameters[],
  images: readonly (readonly SampleInput[])[],
  progress: Progress,
): number[] {
  const reference: ImageOutputs[number][] = [];
  const changed: ImageOutputs[number][][] = [...changes, ...others].map(() => []);
  for (let first = 0; first < images.length; first += AT_ONCE) {
    const some = images.slice(first, first + AT_ONCE);
    const stream = new LayerStream(graph, base, some, true);
    runAll(stream, some.length, progress);
    reference.push(...outputsOf(stream, some.length));
    changes.forEach(({ layers, kind }, i) => {
      checkCancelled(progress);
      progress.report(
        'Measuring sensitivities',
        first * changes.length + i * some.length,
        changes.length * images.length,
      );
      const parts = layers.map((id) => ({ id, step: stream.stepOf(id), ...variants.get(id)!.get(keyOf(kind))! }));
      const kernels = new Map(parts.map((p) => [p.step, stream.kernelWith(p.step, p.parameters, p.format)]));
      const beforeRead = new Map(
        parts.map((p) => [p.step, conversion(base.formats.get(graph.layers[p.id].inputs[0])!, p.format)]),
      );
      changed[i].push(...outputsOf(stream, some.length, { kernels, beforeRead }));
    });
    others.forEach((parameters, i) => {
      const all = new LayerStream(graph, parameters, some, false);
      runAll(all, some.length, progress);
      changed[changes.length + i].push(...outputsOf(all, some.length));
    });
  }
  return changed.map((outputs) => loss.divergence(reference, outputs));
}

function runAll(stream: LayerStream, images: number, progress: Progress): void {
  for (let step = 0; step < stream.length; step++) {
    checkCancelled(progress);
    for (let image = 0; image < images; image++) stream.run(step, image);
  }
}

function outputsOf(
  stream: LayerStream,
  images: number,
  change: Parameters<LayerStream['rerun']>[1] = {},
): ImageOutputs {
  return Array.from({ length: images }, (_, image) =>
    stream.rerun(image, change).map((bytes, i) => decodePort(stream.program, stream.program.outputs[i], bytes)),
  );
}

/** Changes codes of one format into codes of another for the nearest values. */
function conversion(from: MapFormat, to: MapFormat): CodeChange {
  const tables = codeTables(from, to);
  return (codes, pixels, channels) => {
    for (let c = 0; c < channels; c++) {
      const table = tables.of(c);
      for (let i = c, end = pixels * channels; i < end; i += channels) codes[i] = table[codes[i] - tables.first];
    }
  };
}
