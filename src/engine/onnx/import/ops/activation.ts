import { counted } from '../../../common/wording';
import type { ActivationFunction } from '../../../graph/types';
import { gelu as geluFunction, mish as mishFunction, swish as swishFunction } from '../../../graph/functions';
import { DataType } from '../../model';
import type { NodeContext } from '../nodeContext';
import { affine, EMPTY, perChannel, times } from '../perChannel';
import { broadcastDims, combine } from './arithmetic';

function activation(context: NodeContext, fn: ActivationFunction): void {
  const input = context.map(0);
  const map = context.layer({ kind: 'activation', fn }, [input], input.map.shape);
  context.setMap(context.over(map, input.dims, input.layout));
}

export function relu(context: NodeContext): void {
  activation(context, { name: 'clamp', min: 0, max: null });
}

/** Clip, with bounds as attributes (before opset 11) or inputs. */
export function clip(context: NodeContext): void {
  clampBetween(context, bound(context, 1, 'min'), bound(context, 2, 'max'));
}

function bound(context: NodeContext, index: number, name: string): number | null {
  const constant = context.optionalConstant(index, `its ${name}`);
  if (constant && constant.elements !== 1)
    context.fail(`has ${constant.elements} values as its ${name}`, 'Use one value for all elements.');
  const value = constant ? constant.small()[0] : (context.attribute(name)?.f ?? null);
  if (value !== null && Number.isNaN(value))
    context.fail(`has a ${name} that is not a number`, 'Export the model again.');
  // Exporters write "no bound" as the largest float.
  return value === null || Math.abs(value) >= 3.4e38 ? null : value;
}

function clampBetween(context: NodeContext, min: number | null, max: number | null): void {
  if (min !== null && max !== null && min > max)
    context.fail(`clips to an empty range (${min} to ${max})`, 'Correct the bounds and export the model again.');
  activation(context, { name: 'clamp', min, max });
}

/**
 * Min or Max. With a constant scalar it is half a clamp; max(a, b) of feature maps is a + relu(b − a), min(a, b) is a −
 * relu(a − b).
 */
export function minMax(kind: 'min' | 'max'): (context: NodeContext) => void {
  return (context) => {
    const operands = context.node.inputs.map((_, i) => i);
    const maps = operands.filter((i) => context.value(i).kind === 'map').map((i) => context.map(i));
    let value = maps[0] ?? context.map(0);
    for (const other of maps.slice(1)) {
      const difference = combine(
        context,
        'sub',
        ...(kind === 'max' ? ([other, value] as const) : ([value, other] as const)),
      );
      const above = context.layer(
        { kind: 'activation', fn: { name: 'clamp', min: 0, max: null } },
        [difference],
        difference.map.shape,
      );
      value = combine(
        context,
        kind === 'max' ? 'add' : 'sub',
        value,
        context.over(above, difference.dims, difference.layout),
      );
    }
    for (const i of operands) {
      if (context.value(i).kind === 'map') continue;
      const constant = context.constant(i, 'its bound');
      if (constant.elements !== 1)
        context.fail('compares with more than one constant', 'Use one value for all elements.');
      const bound = constant.small()[0];
      const fn: ActivationFunction =
        kind === 'max' ? { name: 'clamp', min: bound, max: null } : { name: 'clamp', min: null, max: bound };
      value = context.over(
        context.layer({ kind: 'activation', fn }, [value], value.map.shape),
        value.dims,
        value.layout,
      );
    }
    context.setMap(context.node.inputs.length === 1 ? context.renamed(value, value.dims, value.layout) : value);
  };
}

export function leakyRelu(context: NodeContext): void {
  activation(context, { name: 'leakyRelu', alpha: context.float('alpha', 0.01) });
}

export function thresholdedRelu(context: NodeContext): void {
  activation(context, { name: 'thresholdedRelu', alpha: context.float('alpha', 1) });
}

export function shrink(context: NodeContext): void {
  activation(context, { name: 'shrink', lambd: context.float('lambd', 0.5), bias: context.float('bias', 0) });
}

export function hardSigmoid(context: NodeContext): void {
  activation(context, { name: 'hardSigmoid', alpha: context.float('alpha', 0.2), beta: context.float('beta', 0.5) });
}

export function hardSwish(context: NodeContext): void {
  activation(context, { name: 'hardSwish' });
}

export function sigmoid(context: NodeContext): void {
  activation(context, { name: 'sigmoid' });
}

/** Swish of opset 24, x·sigmoid(alpha·x). */
export function swish(context: NodeContext): void {
  activation(context, swishFunction(context.float('alpha', 1)));
}

/** Elu, Selu and Celu with their parameters' own defaults. */
export function elu(context: NodeContext): void {
  activation(context, { name: 'elu', alpha: context.float('alpha', 1), gamma: 1, width: 1 });
}

export function selu(context: NodeContext): void {
  const gamma = context.float('gamma', 1.0507009873554805);
  activation(context, { name: 'elu', alpha: gamma * context.float('alpha', 1.6732632423543772), gamma, width: 1 });
}

export function celu(context: NodeContext): void {
  const alpha = context.float('alpha', 1);
  if (alpha === 0) context.fail('has alpha 0', 'Use Relu instead.');
  activation(context, { name: 'elu', alpha, gamma: 1, width: alpha });
}

export function gelu(context: NodeContext): void {
  activation(context, geluFunction(context.text('approximate', 'none') === 'tanh'));
}

export function mish(context: NodeContext): void {
  activation(context, mishFunction);
}

/** A function of one value without parameters. */
export function unary(
  name: 'softplus' | 'softsign' | 'erf' | 'exp' | 'log' | 'abs' | 'sqrt',
): (context: NodeContext) => void {
  return (context) => activation(context, { name });
}

export function reciprocal(context: NodeContext): void {
  activation(context, { name: 'pow', exponent: -1 });
}

/** Pow of a feature map by a constant. */
export function pow(context: NodeContext): void {
  const exponent = context.constant(1, 'its exponent');
  if (exponent.elements !== 1) context.fail(`has ${exponent.elements} exponents`, 'Use one exponent for all elements.');
  const [value] = exponent.small();
  if (!Number.isFinite(value)) context.fail(`has the exponent ${value}`, 'Export the model again.');
  activation(context, { name: 'pow', exponent: value });
}

export function tanh(context: NodeContext): void {
  activation(context, { name: 'tanh' });
}

/** PRelu with constant slopes that vary over channels at most. */
export function prelu(context: NodeContext): void {
  const input = context.map(0);
  const slope = context.constant(1, 'its slopes');
  // Before opset 7 a slope of [C] belongs to dimension 1.
  const perChannelDims =
    slope.dims.length === 1 && context.opset < 7 && input.dims.length > 2
      ? input.dims.map((_, dim) => (dim === 1 ? slope.dims[0] : 1))
      : slope.dims;
  const dims = broadcastDims(context, perChannelDims, input.dims);
  const { value, index } = perChannel(context, input, dims);
  const map = context.layer({ kind: 'prelu', slopes: EMPTY }, [value], value.map.shape, () => {
    const slopes = slope.read();
    return { kind: 'prelu', slopes: Float32Array.from(index, (i) => slopes[i]) };
  });
  context.setMap(context.over(map, value.dims, value.layout));
}

export function negate(context: NodeContext): void {
  context.setMap(times(context, context.map(0), -1));
}

/** BatchNormalization in inference form: scale and offset along dimension 1. */
export function batchNormalization(context: NodeContext): void {
  if (context.int('training_mode', 0) === 1)
    context.fail('is in training mode', 'Export the model in inference mode (model.eval()).');
  if (context.opset < 9 && context.int('spatial', 1) === 0)
    context.fail('normalizes every position on its own (spatial=0)', 'Use per-channel normalization.');
  const input = context.map(0);
  const parameters = ['scale', 'offset', 'mean', 'variance'].map((what, i) => context.constant(i + 1, `its ${what}`));
  const channels = input.dims[1] ?? 0;
  for (const parameter of parameters) {
    if (parameter.elements !== channels)
      context.fail(
        `has ${counted(parameter.elements, 'parameter')} for ${counted(channels, 'channel')}`,
        'Export the model again.',
      );
  }
  const epsilon = context.float('epsilon', 1e-5);
  const dims = input.dims.map((extent, dim) => (dim === 1 ? extent : 1));
  context.setMap(
    affine(context, input, dims, () => {
      const [gamma, beta, mean, variance] = parameters.map((parameter) => parameter.read());
      const scale = (i: number): number => gamma[i] / Math.sqrt(variance[i] + epsilon);
      return { scale, offset: (i) => beta[i] - mean[i] * scale(i) };
    }),
  );
}

/** Nodes that do nothing at inference: Identity, Dropout and casts between float types. */
export function passThrough(context: NodeContext): void {
  const input = context.map(0);
  context.setMap(context.renamed(input, input.dims, input.layout));
}

/** Dropout; its mask output is not available. */
export function dropout(context: NodeContext): void {
  if (context.has(2) && context.constant(2, 'its training mode').small()[0] !== 0) {
    context.fail('is in training mode', 'Export the model in inference mode (model.eval()).');
  }
  passThrough(context);
}

export function cast(context: NodeContext): void {
  const input = context.map(0);
  const attribute = context.attribute('to');
  const to = attribute?.i ?? (attribute?.s?.toUpperCase().startsWith('FLOAT') ? DataType.Float : 0);
  const toFloat =
    to === DataType.Float || to === DataType.Float16 || to === DataType.Double || to === DataType.Bfloat16;
  const toWideInteger = to === DataType.Int32 || to === DataType.Int64 || to === DataType.Int16;
  if (!toFloat && !(toWideInteger && input.integral))
    context.fail('rounds its input to integers', 'Remove the cast before export.');
  context.setMap({ ...context.renamed(input, input.dims, input.layout), integral: input.integral && !toFloat });
}
