/**
 * The imported network: shape-inferred, BatchNormalization and constants folded, batch 1, feature maps in HWC.
 *
 * Every feature map is a dense H×W×C array (vectors are 1×1×C); the importer has absorbed all Transpose, Reshape and
 * Flatten nodes that only rename this memory and has permuted weights accordingly. Values are float; nothing here knows
 * about bits. `lower()` turns a Graph and a Plan into a Program.
 */

/** Extent of a feature map in elements. */
export interface Shape {
  readonly h: number;
  readonly w: number;
  readonly c: number;
}

export type MapId = number;
export type LayerId = number;

/** One tensor between layers: the graph's input or the output of exactly one layer. */
export interface FeatureMap {
  readonly id: MapId;
  /**
   * Unique within the graph; the ONNX tensor's name where that is unique and not empty. Text, possibly hostile: never
   * HTML, never a path.
   */
  readonly name: string;
  readonly shape: Shape;
  /** The layer that writes the map; null for a graph input. */
  readonly producer: LayerId | null;
  /** Layers that read the map, in graph order. */
  readonly consumers: readonly LayerId[];
}

/** Zero padding in elements, at the true borders of the map only; negative where the map is cropped instead. */
export interface Padding {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/**
 * What a linear layer applies to its result: clamp to [min, max] in real values. `null` bounds are open.
 * Relu is {0, null}, Relu6 {0, 6}; `none` is {null, null}. Other activations are layers of their own.
 */
export interface Clamp {
  readonly min: number | null;
  readonly max: number | null;
}

interface LayerBase {
  readonly id: LayerId;
  /** Unique within the graph; the ONNX node's name, or the name of the map it writes. Text, possibly hostile. */
  readonly name: string;
  /** ONNX nodes that this layer represents, in order, e.g. Conv, BatchNormalization, Clip. For display and comments. */
  readonly onnx: readonly { readonly name: string; readonly opType: string }[];
  readonly inputs: readonly MapId[];
  readonly output: MapId;
}

/** Sliding window geometry shared by convolution and pooling. */
export interface Window {
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly padding: Padding;
}

/**
 * 2-D convolution. `weights` is [outC][kernelH][kernelW][inC / group], `bias` [outC]. Not used for depthwise (see
 * {@link DepthwiseLayer}).
 */
export interface ConvLayer extends LayerBase {
  readonly kind: 'conv';
  readonly window: Window;
  readonly group: number;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly clamp: Clamp;
}

/**
 * Depthwise convolution, one filter per channel (outC = inC). `weights` is [kernelH][kernelW][C], `bias` [C]. Also
 * stands for a per-channel scale and offset (kernel 1×1): BatchNormalization, Mul, Add or Sub with constants that no
 * convolution could take in.
 */
export interface DepthwiseLayer extends LayerBase {
  readonly kind: 'depthwise';
  readonly window: Window;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly clamp: Clamp;
}

/**
 * Fully connected: the whole input map, in HWC order, to a 1×1×outC map. `weights` is [outC][h·w·c of the input],
 * `bias` [outC].
 */
export interface FullyConnectedLayer extends LayerBase {
  readonly kind: 'fullyConnected';
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly clamp: Clamp;
}

/**
 * Element-wise sum of maps of equal shape; `signs[i]` is +1 or −1 (Sub). An input of 1×1×C is broadcast over h and w.
 */
export interface AddLayer extends LayerBase {
  readonly kind: 'add';
  readonly signs: readonly (1 | -1)[];
  readonly clamp: Clamp;
}

/** Element-wise product of two maps; an input of 1×1×C (squeeze-and-excitation) is broadcast over h and w. */
export interface MulLayer extends LayerBase {
  readonly kind: 'mul';
  readonly clamp: Clamp;
}

/**
 * Concatenation along an axis of the HWC map. Along w with h = 1 it is also what a detector's flattened outputs need.
 */
export interface ConcatLayer extends LayerBase {
  readonly kind: 'concat';
  readonly axis: 'h' | 'w' | 'c';
}

export interface MaxPoolLayer extends LayerBase {
  readonly kind: 'maxPool';
  readonly window: Window;
}

/**
 * Average pooling; `countIncludePad` divides by the full window at borders. Global pooling is a window of the whole
 * map.
 */
export interface AveragePoolLayer extends LayerBase {
  readonly kind: 'averagePool';
  readonly window: Window;
  readonly countIncludePad: boolean;
}

/** Constant padding that no consumer could take in as zero padding. */
export interface PadLayer extends LayerBase {
  readonly kind: 'pad';
  readonly padding: Padding;
  readonly value: number;
}

/**
 * Spatial resampling. For output coordinate o the source coordinate is by `coordinates` (ONNX Resize
 * coordinate_transformation_mode): asymmetric o/scale, half_pixel (o+½)/scale−½, align_corners o·(in−1)/(out−1),
 * pytorch_half_pixel (half_pixel, 0 when out = 1). `nearest` rounds by `rounding`; `linear` is bilinear with edge
 * clamping.
 */
export interface ResizeLayer extends LayerBase {
  readonly kind: 'resize';
  readonly mode: 'nearest' | 'linear';
  readonly coordinates: 'asymmetric' | 'half_pixel' | 'pytorch_half_pixel' | 'align_corners';
  readonly rounding: 'floor' | 'ceil' | 'round_prefer_floor' | 'round_prefer_ceil';
  readonly scaleH: number;
  readonly scaleW: number;
  /**
   * Instead of all that: output pixel (y, x) is input pixel (rows[y], columns[x]), as flips, tiles and reflecting
   * padding want it. `mode` is nearest.
   */
  readonly pick?: { readonly rows: Int32Array; readonly columns: Int32Array };
}

/** A function of one value, applied to every element. Parameters follow the ONNX operator of the same name. */
export type ActivationFunction =
  | { readonly name: 'leakyRelu'; readonly alpha: number }
  | { readonly name: 'hardSigmoid'; readonly alpha: number; readonly beta: number }
  | { readonly name: 'hardSwish' }
  | { readonly name: 'sigmoid' }
  | { readonly name: 'silu' }
  | { readonly name: 'tanh' }
  /** gamma·x above 0, alpha·(e^(x/width) − 1) below: Elu, Selu and Celu. */
  | { readonly name: 'elu'; readonly alpha: number; readonly gamma: number; readonly width: number }
  | { readonly name: 'softplus' }
  | { readonly name: 'softsign' }
  | { readonly name: 'erf' }
  | { readonly name: 'exp' }
  | { readonly name: 'log' }
  | { readonly name: 'abs' }
  | { readonly name: 'sqrt' }
  | { readonly name: 'pow'; readonly exponent: number }
  /** 0 up to alpha, x above. */
  | { readonly name: 'thresholdedRelu'; readonly alpha: number }
  /** x + bias below −lambd, x − bias above lambd, 0 between. */
  | { readonly name: 'shrink'; readonly lambd: number; readonly bias: number }
  | { readonly name: 'clamp'; readonly min: number | null; readonly max: number | null }
  /** Put together from others, e.g. GELU or Mish; `label` is for display. */
  | { readonly name: 'formula'; readonly label: string; readonly formula: Formula };

/**
 * What element-wise nodes over one value x compute together. Nothing between them is rounded: the firmware has one
 * table for all.
 */
export type Formula =
  | { readonly op: 'x' }
  | { readonly op: 'line'; readonly scale: number; readonly offset: number; readonly of: Formula }
  | { readonly op: 'apply'; readonly fn: Exclude<ActivationFunction, { name: 'formula' }>; readonly of: Formula }
  | { readonly op: 'product'; readonly a: Formula; readonly b: Formula }
  | { readonly op: 'sum'; readonly a: Formula; readonly b: Formula; readonly signs: readonly [1 | -1, 1 | -1] };

export interface ActivationLayer extends LayerBase {
  readonly kind: 'activation';
  readonly fn: ActivationFunction;
}

/** PRelu with one slope per channel, [C]. */
export interface PReluLayer extends LayerBase {
  readonly kind: 'prelu';
  readonly slopes: Float32Array;
}

/** Channels [begin, end) of the input. */
export interface SliceLayer extends LayerBase {
  readonly kind: 'slice';
  readonly begin: number;
  readonly end: number;
}

/** Softmax over the channels of each pixel. */
export interface SoftmaxLayer extends LayerBase {
  readonly kind: 'softmax';
}

/**
 * The channels of each pixel divided by a measure of their size: y = (x − m) / √(Σ(x − m)² · w + ε), where m is their
 * mean when `centered`, else 0, and w is 1/C when `mean`, else 1. LayerNormalization before its scale and offset, RMS
 * norms and the norm of order 2.
 */
export interface NormalizeLayer extends LayerBase {
  readonly kind: 'normalize';
  readonly centered: boolean;
  readonly mean: boolean;
  readonly epsilon: number;
}

/** The same elements in the same (HWC) order under another shape. */
export interface ReshapeLayer extends LayerBase {
  readonly kind: 'reshape';
}

/**
 * A true rearrangement of elements that could not be absorbed: output element i is input element `permutation[i]` (both
 * in HWC order). Where elements are only some of the input's, or repeated, it is not a permutation.
 */
export interface PermuteLayer extends LayerBase {
  readonly kind: 'permute';
  readonly permutation: Int32Array;
}

export type Layer =
  | ConvLayer
  | DepthwiseLayer
  | FullyConnectedLayer
  | AddLayer
  | MulLayer
  | ConcatLayer
  | MaxPoolLayer
  | AveragePoolLayer
  | PadLayer
  | ResizeLayer
  | ActivationLayer
  | PReluLayer
  | SliceLayer
  | SoftmaxLayer
  | NormalizeLayer
  | ReshapeLayer
  | PermuteLayer;

/** Layers that multiply with weights, and so have weight bits and BitOPs. */
export type WeightedLayer = ConvLayer | DepthwiseLayer | FullyConnectedLayer;

/** How a graph input or output appears to ONNX, so that onnxruntime can be fed and read. */
export interface TensorBinding {
  /** ONNX value name. */
  readonly name: string;
  readonly map: MapId;
  /** Concrete ONNX dims after resolving symbols (batch 1). */
  readonly dims: readonly number[];
  readonly elementType: 'float32' | 'float16' | 'uint8' | 'int8';
  /**
   * The dimensions of `dims` as they lie in memory, outermost first: the map's HWC memory is the ONNX tensor with its
   * axes in this order. In turn for what the application sees as ONNX does; images (NCHW) and signals (NCL) that lie
   * channels last have 0, 2, 3, 1 and 0, 2, 1.
   */
  readonly memory: readonly number[];
  /**
   * The same as a table: ONNX element i (row-major over `dims`) is HWC element `order[i]`; null when the two orders are
   * the same.
   */
  readonly order: Int32Array | null;
  /** The graph was cut here: the file has this value, but not as an output. */
  readonly inner?: boolean;
}

export interface Graph {
  /** Graph name of the ONNX file or the file's base name. Text, possibly hostile. */
  readonly name: string;
  readonly maps: readonly FeatureMap[];
  /** In topological order; `layers[i].id === i`. */
  readonly layers: readonly Layer[];
  readonly inputs: readonly TensorBinding[];
  readonly outputs: readonly TensorBinding[];
  /**
   * For calibration: the ONNX value of the *original file* whose float values are exactly this map, with its layout;
   * missing for maps that no ONNX value carries (e.g. inside a folded pattern). `preClamp` is the value before the
   * layer's clamp where the file has one.
   */
  readonly taps: ReadonlyMap<MapId, MapTap>;
}

/** Where a feature map can be observed in the ONNX file. */
export interface MapTap {
  readonly value: string;
  /** Value before the fused clamp, if the file has such a value. */
  readonly preClamp: string | null;
  /** ONNX element i is HWC element `order[i]`; null when equal. `'NCHW'` is the common case without a table. */
  readonly order: 'NCHW' | Int32Array | null;
}

/** Layers with weights. */
export function isWeighted(layer: Layer): layer is WeightedLayer {
  return layer.kind === 'conv' || layer.kind === 'depthwise' || layer.kind === 'fullyConnected';
}

export function elements(shape: Shape): number {
  return shape.h * shape.w * shape.c;
}
