import type { MapId, Shape } from '../graph/types';

/**
 * How an image becomes the model's input. This one record is used by calibration, by evaluation and, folded into the
 * first layer, by the firmware: the firmware's input is the cropped 8-bit image itself, HWC, in `channels` order.
 *
 * value[c] = (pixel[c] · scale − mean[c]) / std[c], pixel 0…255.
 */
export interface Preprocess {
  /** Name of the preset it came from, or 'custom'. */
  readonly preset: 'imagenet' | 'tf' | 'unit' | 'raw' | 'stretch' | 'letterbox' | 'custom';
  /**
   * How the image is brought to the input's size, bilinear with antialiasing:
   * `crop`: shorter side to size / cropFraction, then center crop; `stretch`: both sides to the input's size;
   * `fit`: longer side to the input's size, the rest filled with `fill`.
   */
  readonly resize: 'crop' | 'stretch' | 'fit';
  /** Side of the crop over the side of the resized image, e.g. 0.875. Only for `crop`. */
  readonly cropFraction: number;
  /** Gray level 0…255 around the image for `fit`. */
  readonly fill: number;
  /** Order of the model's input channels. `gray` averages by ITU-R BT.601 when the model has one channel. */
  readonly channels: 'rgb' | 'bgr' | 'gray';
  readonly scale: number;
  /** One entry for all channels, or one per channel, in the model's channel order. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * What was observed of one feature map over all samples. Arrays are per channel [C].
 * Channel c has `bins` bins of equal width: bin k counts values in [lo[c] + k·width[c], lo[c] + (k+1)·width[c]).
 */
export interface MapStatistics {
  readonly map: MapId;
  readonly name: string;
  readonly shape: Shape;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  readonly bins: number;
  readonly lo: Float64Array;
  readonly width: Float64Array;
  /** [C][bins]; counts may come from a sample of positions: only their proportions matter. */
  readonly histograms: Uint32Array;
  /**
   * [C]; how many of the counted values were exactly 0 (a Relu makes many): they are in the histogram's bin of 0, too.
   */
  readonly zeros?: Uint32Array;
}

/**
 * Outliers over space for VDPC, observed on one reference map (pre-activation of the first convolution, or the input
 * pixels): the map is divided into cellRows × cellCols cells; for each image and cell a histogram of its values, whose
 * bins are equally spaced in z = (value − mean) / sigma from −zRange to +zRange, the first and last bin open-ended. Any
 * φ and any grid are answered from this without running the network again.
 */
export interface PatchStatistics {
  readonly map: MapId;
  readonly source: 'preActivation' | 'postActivation' | 'input';
  /** Gaussian fit over all values, images and channels; sigma > 0. */
  readonly mean: number;
  readonly sigma: number;
  /** Images observed: at most 128, evenly spread over the samples, so that memory does not grow with their number. */
  readonly images: number;
  readonly cellRows: number;
  readonly cellCols: number;
  readonly zRange: number;
  readonly bins: number;
  /** [images][cellRows][cellCols][bins]; counts may come from a sample of the values: only their proportions matter. */
  readonly counts: Uint32Array;
}

/**
 * Everything that was observed on the sample images: enough for scales, VDPC and VDQS without running the network
 * again.
 */
export interface Calibration {
  /** SHA-256 over model, preprocessing, sample files and the code's statistics version: the cache's key. */
  readonly key: string;
  readonly images: number;
  /** What the samples were: 8-bit pixels or array elements, or real values. */
  readonly inputKind: 'uint8' | 'int8' | 'real';
  /** Every feature map of the graph, the input (in real values, after preprocessing) included. */
  readonly maps: ReadonlyMap<MapId, MapStatistics>;
  /** Null for models without a spatial input. */
  readonly patches: PatchStatistics | null;
}
