import { Constant } from '../../constant';
import { DataType } from '../../model';
import type { DraftMap } from '../draft';
import type { NodeContext } from '../nodeContext';
import { affine } from '../perChannel';
import { roundHalfEven } from './constantFunctions';
import type { Quantization } from '../values';

/** Smallest and largest code of the integer types that QuantizeLinear produces. */
function codeRange(context: NodeContext, dataType: number): [number, number] {
  switch (dataType) {
    case DataType.Uint8:
      return [0, 255];
    case DataType.Int8:
      return [-128, 127];
    case DataType.Uint16:
      return [0, 65535];
    case DataType.Int16:
      return [-32768, 32767];
    case DataType.Uint4:
      return [0, 15];
    case DataType.Int4:
      return [-8, 7];
    default:
      return context.fail('quantizes to an unusual type', 'Use int8 or uint8, or start from the float model.');
  }
}

/**
 * QuantizeLinear. On a feature map the rounding is dropped, because we take the float graph that the file describes;
 * the saturation stays where it represents a Relu that the quantizer removed (zero point at the smallest code). On a
 * constant the codes are computed.
 */
export function quantizeLinear(context: NodeContext): void {
  const value = context.value(0);
  const zero = context.optionalConstant(2, 'its zero point');
  const declared = context.attribute('output_dtype')?.i;
  const type = zero?.dataType ?? (declared || DataType.Uint8);
  const [lowest, highest] = codeRange(context, type);
  const scale = context.constant(1, 'its scale');
  if (value.kind === 'constant') {
    const element = elementIndex(context, value.constant.dims, scale.dims);
    context.setConstant(
      new Constant(value.constant.dims, type, () => {
        const x = value.constant.read();
        const [scales, zeros] = [scale.read(), zero?.read()];
        return Float64Array.from(x, (v, i) => {
          const e = element(i);
          return Math.min(highest, Math.max(lowest, roundHalfEven(v / scales[e]) + (zeros?.[e] ?? 0)));
        });
      }),
    );
    return;
  }
  const input = context.map(0);
  if (scale.elements !== 1) context.fail('quantizes a feature map per channel', 'Start from the float model.');
  const quantization: Quantization = { scales: scale.small(), zeroPoints: zero?.small() ?? [0] };
  const renamed = { ...context.renamed(input, input.dims, input.layout), quantization };
  const saturatesAtZero = quantization.zeroPoints[0] === lowest;
  if (!saturatesAtZero || isNonNegative(input.map)) return context.setMap(renamed);
  const max = (highest - lowest) * quantization.scales[0];
  const map = context.layer({ kind: 'activation', fn: { name: 'clamp', min: 0, max } }, [input], input.map.shape);
  context.setMap({ ...context.over(map, input.dims, input.layout), quantization });
}

/**
 * DequantizeLinear: real values of constant codes; after a QuantizeLinear nothing, on integer codes from outside a
 * scale and offset.
 */
export function dequantizeLinear(context: NodeContext): void {
  const value = context.value(0);
  const scale = context.constant(1, 'its scale');
  const zero = context.optionalConstant(2, 'its zero point');
  if (value.kind === 'constant') {
    const { constant } = value;
    const element = elementIndex(context, constant.dims, scale.dims);
    context.setConstant(
      new Constant(constant.dims, DataType.Float, () => {
        const codes = constant.read();
        const [scales, zeros] = [scale.read(), zero?.read()];
        return Float32Array.from(codes, (code, i) => {
          const e = element(i);
          return (code - (zeros?.[e] ?? 0)) * scales[e];
        });
      }),
    );
    return;
  }
  const input = context.map(0);
  if (input.quantization) {
    const same =
      scale.small().every((s, i) => s === input.quantization!.scales[i]) &&
      input.quantization.zeroPoints.every((z, i) => z === (zero?.small()[i] ?? 0));
    if (!same)
      context.fail('reads codes with a different scale than they were written with', 'Start from the float model.');
    return context.setMap({ ...context.renamed(input, input.dims, input.layout), quantization: null });
  }
  if (!input.integral) context.fail('reads a feature map that is not quantized', 'Start from the float model.');
  const dims = input.dims.map((d, dim) =>
    scale.elements > 1 && dim === context.axis(context.int('axis', 1), input.dims.length) ? d : 1,
  );
  context.setMap(
    affine(context, input, dims, () => {
      const [scales, zeros] = [scale.read(), zero?.read()];
      return { scale: (i) => scales[i], offset: (i) => -(zeros?.[i] ?? 0) * scales[i] };
    }),
  );
}

/** Index into scale and zero point for row-major element i: per tensor, per axis, or in blocks along the axis. */
function elementIndex(
  context: NodeContext,
  dims: readonly number[],
  scaleDims: readonly number[],
): (i: number) => number {
  const count = scaleDims.reduce((product, d) => product * d, 1);
  if (count === 1) return () => 0;
  const axis = context.axis(context.int('axis', 1), dims.length);
  const inner = dims.slice(axis + 1).reduce((product, d) => product * d, 1);
  const extent = dims[axis];
  if (scaleDims.length === 1 && count === extent) return (i) => Math.floor(i / inner) % extent;
  const block = context.int('block_size', 0);
  const blocks = block > 0 ? Math.ceil(extent / block) : 0;
  if (scaleDims.length === dims.length && scaleDims.every((d, dim) => d === (dim === axis ? blocks : dims[dim]))) {
    return (i) => {
      const outer = Math.floor(i / (inner * extent));
      const along = Math.floor(i / inner) % extent;
      return (outer * blocks + Math.floor(along / block)) * inner + (i % inner);
    };
  }
  return context.fail(`has scales of ${scaleDims.join('×')} for ${dims.join('×')}`, 'Start from the float model.');
}

/** Whether a map never holds negative values by what its producers are. */
function isNonNegative(start: DraftMap): boolean {
  const open = [start];
  const seen = new Set(open);
  for (let steps = 0; open.length > 0; steps++) {
    if (steps > 64) return false;
    const layer = open.pop()!.producer;
    // What comes in from outside is as the application gives it: saturation there is no activation.
    if (!layer) continue;
    const { spec } = layer;
    switch (spec.kind) {
      case 'softmax':
        continue;
      case 'activation':
        if (
          spec.fn.name === 'sigmoid' ||
          spec.fn.name === 'hardSigmoid' ||
          (spec.fn.name === 'clamp' && spec.fn.min !== null && spec.fn.min >= 0)
        )
          continue;
        return false;
      case 'maxPool':
      case 'averagePool':
      case 'concat':
      case 'slice':
      case 'resize':
      case 'reshape':
      case 'permute':
      case 'mul':
        for (const input of layer.inputs) {
          if (!seen.has(input)) open.push(input);
          seen.add(input);
        }
        continue;
      case 'add':
        if (spec.signs.some((sign) => sign < 0)) return false;
        for (const input of layer.inputs) {
          if (!seen.has(input)) open.push(input);
          seen.add(input);
        }
        continue;
      default:
        return false;
    }
  }
  return true;
}
