import type { NodeContext } from './nodeContext';
import * as activation from './ops/activation';
import { arithmetic, mean, sum } from './ops/arithmetic';
import { shapeOf } from './ops/constants';
import { conv, gemm, matMul } from './ops/linear';
import { globalLpPool, lpPool } from './ops/lpPool';
import { logSoftmax } from './ops/logSoftmax';
import * as normalization from './ops/normalization';
import { globalPool, pool, reduce } from './ops/pooling';
import { dequantizeLinear, quantizeLinear } from './ops/quantization';
import * as shapes from './ops/shapes';
import { concat, gather, slice, softmax, split } from './ops/slicing';
import { pad, resize } from './ops/spatial';
import { convTranspose, depthToSpace, spaceToDepth } from './ops/transposed';
import { elementCount } from '../tensorData';

/** What each operator on feature maps becomes. */
export const MAP_OPERATORS: Readonly<Record<string, (context: NodeContext) => void>> = {
  Abs: activation.unary('abs'),
  Add: arithmetic('add'),
  AveragePool: pool('averagePool'),
  BatchNormalization: activation.batchNormalization,
  Cast: activation.cast,
  CastLike: activation.passThrough,
  Celu: activation.celu,
  Clip: activation.clip,
  Concat: concat,
  Conv: conv,
  ConvTranspose: convTranspose,
  DepthToSpace: depthToSpace,
  DequantizeLinear: dequantizeLinear,
  Div: arithmetic('div'),
  Dropout: activation.dropout,
  Elu: activation.elu,
  Erf: activation.unary('erf'),
  Exp: activation.unary('exp'),
  Expand: shapes.expand,
  Flatten: shapes.flatten,
  Gather: gather,
  Gelu: activation.gelu,
  Gemm: gemm,
  GlobalAveragePool: globalPool('averagePool'),
  GlobalLpPool: globalLpPool,
  GlobalMaxPool: globalPool('maxPool'),
  GroupNormalization: normalization.groupNormalization,
  HardSigmoid: activation.hardSigmoid,
  HardSwish: activation.hardSwish,
  Identity: activation.passThrough,
  InstanceNormalization: normalization.instanceNormalization,
  LayerNormalization: normalization.layerNormalization,
  LeakyRelu: activation.leakyRelu,
  Log: activation.unary('log'),
  LogSoftmax: logSoftmax,
  LpNormalization: normalization.lpNormalization,
  MatMul: matMul,
  LpPool: lpPool,
  Max: activation.minMax('max'),
  MaxPool: pool('maxPool'),
  Mean: mean,
  MeanVarianceNormalization: normalization.meanVarianceNormalization,
  Min: activation.minMax('min'),
  Mish: activation.mish,
  Mul: arithmetic('mul'),
  Neg: activation.negate,
  PRelu: activation.prelu,
  Pad: pad,
  Pow: activation.pow,
  QuantizeLinear: quantizeLinear,
  Reciprocal: activation.reciprocal,
  ReduceL1: normalization.reduceNorm(1, false),
  ReduceL2: normalization.reduceNorm(2, true),
  ReduceMax: reduce('max'),
  ReduceMean: reduce('mean'),
  ReduceMin: reduce('min'),
  ReduceSum: reduce('sum'),
  ReduceSumSquare: normalization.reduceNorm(2, false),
  Relu: activation.relu,
  Reshape: shapes.reshape,
  Resize: resize,
  Selu: activation.selu,
  Shape: (context) => shapeOf(context, context.map(0).dims),
  Shrink: activation.shrink,
  Sigmoid: activation.sigmoid,
  Size: (context) => context.setNumbers([elementCount(context.map(0).dims)], []),
  Slice: slice,
  Softmax: softmax,
  Softplus: activation.unary('softplus'),
  SpaceToDepth: spaceToDepth,
  Softsign: activation.unary('softsign'),
  Split: split,
  Sqrt: activation.unary('sqrt'),
  Squeeze: shapes.squeeze,
  Sub: arithmetic('sub'),
  Sum: sum,
  Swish: activation.swish,
  Tanh: activation.tanh,
  ThresholdedRelu: activation.thresholdedRelu,
  Tile: shapes.tile,
  Transpose: shapes.transpose,
  Unsqueeze: shapes.unsqueeze,
  Upsample: resize,
};

/** What to do about operators that are met in practice and not supported. */
const REMEDIES: Readonly<Record<string, string>> = {
  If: 'Export the model without control flow (trace it instead of scripting it).',
  Loop: 'Export the model without control flow (trace it instead of scripting it).',
  Scan: 'Export the model without control flow (trace it instead of scripting it).',
  QLinearConv: 'Start from the float model, or from one quantized in QDQ format.',
  QLinearMatMul: 'Start from the float model, or from one quantized in QDQ format.',
  ConvInteger: 'Start from the float model, or from one quantized in QDQ format.',
  MatMulInteger: 'Start from the float model, or from one quantized in QDQ format.',
  DynamicQuantizeLinear: 'Start from the float model, or from one quantized in QDQ format.',
  ArgMax: 'Cut the model before it and take the maximum in the application.',
  TopK: 'Cut the model before it and sort in the application.',
  NonMaxSuppression:
    'Its boxes are decoded as no head describes. Cut the model before it and select the boxes in the application.',
  LRN: 'Use BatchNormalization instead and retrain.',
  LSTM: 'Only feed-forward networks are supported: use 1-D convolutions instead.',
  GRU: 'Only feed-forward networks are supported: use 1-D convolutions instead.',
  RNN: 'Only feed-forward networks are supported: use 1-D convolutions instead.',
};

export function unsupportedRemedy(opType: string): string {
  return REMEDIES[opType] ?? 'Replace it with supported operators before export, or cut the model before this node.';
}
