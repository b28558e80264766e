import type { SampleInput } from '../calibration/inputs';
import type { Port, Program } from './types';

/**
 * Real values (HWC) as the packed codes of a port, by rounding to nearest and saturating.
 * @returns the bytes of the port's buffer
 */
function encodePort(program: Program, port: Port, values: ArrayLike<number>): Uint8Array {
  const buffer = program.buffers[port.buffer];
  const { bits, signed, pixelBytes, channels } = buffer;
  const min = signed ? -(2 ** (bits - 1)) : 0;
  const max = min + 2 ** bits - 1;
  const mask = 2 ** bits - 1;
  const bytes = new Uint8Array(buffer.bytes);
  for (let pixel = 0, i = 0; i < values.length; pixel++) {
    for (let c = 0; c < channels; c++, i++) {
      const code =
        Math.round(values[i] / port.scales[port.scales.length === 1 ? 0 : c]) +
        port.zeroPoints[port.zeroPoints.length === 1 ? 0 : c];
      const bit = c * bits;
      const pattern = Math.max(min, Math.min(max, code)) & mask;
      const at = pixel * pixelBytes + (bit >> 3);
      bytes[at] |= pattern << (bit & 7);
      if (bits === 16) bytes[at + 1] = pattern >> 8;
    }
  }
  return bytes;
}

/** Real values (HWC) of a port's packed codes. */
export function decodePort(program: Program, port: Port, bytes: Uint8Array): Float32Array {
  const { bits, signed, pixelBytes, channels } = program.buffers[port.buffer];
  const { h, w, c } = port.shape;
  const values = new Float32Array(h * w * c);
  const mask = 2 ** bits - 1;
  const half = 2 ** (bits - 1);
  for (let pixel = 0, i = 0; i < values.length; pixel++) {
    for (let k = 0; k < channels; k++, i++) {
      const bit = k * bits;
      const at = pixel * pixelBytes + (bit >> 3);
      let code = ((bits === 16 ? bytes[at] | (bytes[at + 1] << 8) : bytes[at]) >> (bit & 7)) & mask;
      if (signed && code >= half) code -= 2 * half;
      values[i] =
        port.scales[port.scales.length === 1 ? 0 : k] * (code - port.zeroPoints[port.zeroPoints.length === 1 ? 0 : k]);
    }
  }
  return values;
}

/** The bytes that a port's buffer takes for one sample: its 8-bit elements as they are, or codes of its real values. */
export function inputCodes(program: Program, port: number, input: SampleInput): Uint8Array {
  if (input.codes !== null) return new Uint8Array(input.codes.buffer, input.codes.byteOffset, input.codes.byteLength);
  return encodePort(program, program.inputs[port], input.real);
}
