import type { Observed } from '../calibration/session';
import { isWeighted, type Graph, type LayerId, type Shape, type WeightedLayer } from '../graph/types';
import { samplePixels } from './positions';

/** Rows that a dense layer is fitted on, per tap and in all. */
const ROWS_PER_TAP = 8;
const LEAST_ROWS = 2048;
const MOST_ROWS = 8192;
/** Doubles that the samples of one layer may take. */
const MOST_VALUES = 12e6;

/** Taps of one output channel. */
export function tapsOf(graph: Graph, layer: WeightedLayer): number {
  return layer.weights.length / graph.maps[layer.output].shape.c;
}

/** A layer's samples as another thread gets them. */
export interface LayerSamplesData {
  readonly layer: LayerId;
  readonly pixels: readonly Int32Array[];
  readonly targets: Float32Array;
}

/**
 * Where a layer is sampled, and the float network's values there before the layer's clamp. Rows are ordered by image,
 * then pixel.
 */
export class LayerSamples {
  /** Pixels of the output map per image. */
  readonly pixels: readonly Int32Array[];
  readonly rows: number;
  /** [outC][rows], in memory that threads share. */
  readonly targets: Float32Array;
  private readonly shape: Shape;

  private constructor(
    readonly layer: WeightedLayer,
    shape: Shape,
    pixels: readonly Int32Array[],
    targets?: Float32Array,
  ) {
    this.shape = shape;
    this.pixels = pixels;
    this.rows = pixels.reduce((sum, p) => sum + p.length, 0);
    this.targets = targets ?? new Float32Array(new SharedArrayBuffer(this.rows * shape.c * 4));
  }

  /** Samples of a layer, to be observed. */
  static of(graph: Graph, layer: WeightedLayer, images: number): LayerSamples {
    const shape = graph.maps[layer.output].shape;
    const { h, w, c } = shape;
    const taps = tapsOf(graph, layer);
    const wanted = Math.max(
      LEAST_ROWS,
      Math.min(MOST_ROWS, taps * ROWS_PER_TAP, Math.floor(MOST_VALUES / Math.max(taps, c))),
    );
    const perImage = Math.min(h * w, Math.ceil(wanted / images));
    return new LayerSamples(
      layer,
      shape,
      Array.from({ length: images }, (_, i) => samplePixels(h * w, perImage, layer.id * 65537 + i)),
    );
  }

  /** What {@link data} gave. */
  static from(graph: Graph, { layer: id, pixels, targets }: LayerSamplesData): LayerSamples {
    const layer = graph.layers[id];
    if (!isWeighted(layer)) throw new Error(`Layer ${id} has no weights.`);
    return new LayerSamples(layer, graph.maps[layer.output].shape, pixels, targets);
  }

  /** The samples for another thread. */
  data(): LayerSamplesData {
    return { layer: this.layer.id, pixels: this.pixels, targets: this.targets };
  }

  /** What was observed on some of the images. */
  select(images: readonly number[]): LayerSamples {
    const pixels = images.map((i) => this.pixels[i]);
    const rows = pixels.reduce((sum, p) => sum + p.length, 0);
    const result = new LayerSamples(this.layer, this.shape, pixels, new Float32Array(rows * this.shape.c));
    const perImage = this.pixels[0].length;
    for (let k = 0; k < this.shape.c; k++) {
      images.forEach((image, i) => {
        const from = k * this.rows + image * perImage;
        result.targets.set(this.targets.subarray(from, from + perImage), k * result.rows + i * perImage);
      });
    }
    return result;
  }

  /** Takes the float values of one image. */
  observe(image: number, { values, layout }: Observed): void {
    const { h, w, c } = this.shape;
    const pixels = this.pixels[image];
    const first = image * pixels.length;
    for (let k = 0; k < c; k++) {
      for (let i = 0; i < pixels.length; i++) {
        this.targets[k * this.rows + first + i] =
          layout === 'HWC' ? values[pixels[i] * c + k] : values[k * h * w + pixels[i]];
      }
    }
  }
}
