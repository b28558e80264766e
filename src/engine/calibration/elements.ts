import type { ElementArray, ElementType } from '../inference/frames';
import { halfToFloat } from '../onnx/tensorData';

/**
 * Elements of an output of onnxruntime as float32; the array itself where it is that.
 * @param reuse memory of the last run's values
 */
export function elementsAsFloat(type: ElementType, data: ElementArray, reuse?: Float32Array): Float32Array {
  if (data instanceof Float32Array) return data;
  if (type === 'float16') {
    const out = reuse ?? new Float32Array(data.length);
    for (let i = 0; i < data.length; i++) out[i] = halfToFloat((data as Uint16Array)[i]);
    return out;
  }
  return Float32Array.from(data as ArrayLike<number>, Number);
}
