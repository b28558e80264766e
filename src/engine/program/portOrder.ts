import type { Port } from './types';

/** Whether a port's memory is its ONNX tensor as it stands, element by element. */
function isOnnxOrder({ dims, memory }: Pick<Port, 'dims' | 'memory'>): boolean {
  const long = memory.filter((dim) => dims[dim] !== 1);
  return long.every((dim, i) => i === 0 || dim > long[i - 1]);
}

/**
 * How an input or output lies in memory beside its ONNX tensor, e.g. `ONNX tensor 1x3x96x96, stored channels last as
 * 96x96x3 (its dimensions 2, 3, 1)`; dimensions count from 0.
 */
export function orderText({ dims, memory }: Pick<Port, 'dims' | 'memory'>, times = 'x'): string {
  const tensor = `ONNX tensor ${dims.join(times) || 'of one value'}`;
  if (isOnnxOrder({ dims, memory })) return `${tensor}, stored in that order`;
  const stored = memory.filter((dim) => !(dim === 0 && dims[dim] === 1));
  return (
    `${tensor}, stored channels last as ${stored.map((dim) => dims[dim]).join(times)} ` +
    `(its dimensions ${stored.join(', ')})`
  );
}

/**
 * Notes on tensors that lie in a different order than users expect: images lie channels last, everything else as in
 * ONNX, except for signals (NCL) that the network has channels last.
 */
export function orderNotes(inputs: readonly Port[], outputs: readonly Port[]): string[] {
  const note = (kind: string, port: Port): string[] =>
    port.dims.length === 3 && !isOnnxOrder(port) ? [`${kind} "${port.name}": ${orderText(port, '×')}.`] : [];
  return [...inputs.flatMap((p) => note('Input', p)), ...outputs.flatMap((p) => note('Output', p))];
}
