import { codeRange } from '../quantize/histogramError';
import type { MapFormat } from '../quantize/types';
import type { OnnxWriter } from './onnxWriter';

/**
 * The firmware rounds halves up, QuantizeLinear rounds them to even. Where scales are in a simple ratio a good part of
 * all values are halves, e.g. means of two codes; so much of a code is added that they go up although they are computed
 * in floats.
 */
const HALF_UP = 2 ** -13;

/**
 * Rounds a value of shape [1, C, H, W] to what codes of a format can stand for. With one scale for all channels by
 * QuantizeLinear and DequantizeLinear to 8 bits, behind a clamp to the codes that there are where a format has fewer.
 * Otherwise by standard arithmetic: onnxruntime takes QuantizeLinear by channel for weights only, and fuses others into
 * operators that want one scale.
 *
 * @param halves whether values halfway between two codes are to be expected; sums of products have none, and runtimes
 *   fuse what is quantized without more ado
 */
export function fakeQuantize(
  writer: OnnxWriter,
  name: string,
  value: string,
  format: MapFormat,
  halves: boolean,
): string {
  const { signed, scales, zeroPoints } = format;
  const zero = zeroPoints[0];
  const low = signed ? -128 : 0;
  const one = scales.every((s) => s === scales[0]) && zeroPoints.every((z) => z === zero);
  return one && Number.isInteger(zero) && zero >= low && zero <= low + 255
    ? byOperators(writer, name, value, format, halves)
    : byArithmetic(writer, name, value, format);
}

function byOperators(
  writer: OnnxWriter,
  name: string,
  value: string,
  { bits, signed, scales, zeroPoints }: MapFormat,
  halves: boolean,
): string {
  const { min, max } = codeRange(bits, signed);
  const scalar = (suffix: string, v: number): string => writer.floats(`${name}/${suffix}`, [], [v]);
  const [scale] = scales;
  const [zero] = zeroPoints;
  const raised = halves ? writer.node('Add', `${name}/half_up`, [value, scalar('half', HALF_UP * scale)]) : value;
  // All 8-bit codes saturate by themselves.
  const bounded =
    bits === 8
      ? raised
      : writer.node('Clip', `${name}/codes_clip`, [
          raised,
          scalar('least', scale * (min - zero)),
          scalar('most', scale * (max - zero)),
        ]);
  const step = scalar('scale', scale);
  const zeroPoint = writer.constant(
    `${name}/zero_point`,
    signed ? 'int8' : 'uint8',
    [],
    signed ? Int8Array.of(zero) : Uint8Array.of(zero),
  );
  return writer.node('DequantizeLinear', `${name}/dequantized`, [
    writer.node('QuantizeLinear', `${name}/quantized`, [bounded, step, zeroPoint]),
    step,
    zeroPoint,
  ]);
}

function byArithmetic(
  writer: OnnxWriter,
  name: string,
  value: string,
  { bits, signed, scales, zeroPoints }: MapFormat,
): string {
  const { min, max } = codeRange(bits, signed);
  const channels = Math.max(scales.length, zeroPoints.length);
  const zeroes = new Set(zeroPoints).size > 1;
  const byChannel = (suffix: string, values: ArrayLike<number>, of: (v: number) => number): string =>
    values.length === 1
      ? writer.floats(`${name}/${suffix}`, [], [of(values[0])])
      : writer.floats(`${name}/${suffix}`, [1, channels, 1, 1], Array.from(values, of));
  const step = byChannel('scale', scales, (s) => s);
  const scaled = writer.node('Div', `${name}/scaled`, [value, step]);
  const codes = writer.node('Floor', `${name}/rounded`, [
    writer.node('Add', `${name}/half_up`, [scaled, writer.floats(`${name}/half`, [], [0.5 + HALF_UP])]),
  ]);
  const bounds = zeroes ? zeroPoints : zeroPoints.subarray(0, 1);
  const least = byChannel('least', bounds, (z) => min - z);
  const most = byChannel('most', bounds, (z) => max - z);
  const bounded = zeroes
    ? writer.node('Min', `${name}/at_most`, [writer.node('Max', `${name}/at_least`, [codes, least]), most])
    : writer.node('Clip', `${name}/codes_clip`, [codes, least, most]);
  return writer.node('Mul', `${name}/dequantized`, [bounded, step]);
}
