import type { Shape } from '../graph/types';
import type { OnnxWriter } from './onnxWriter';

/** A [1, C, H, W] value as one row of its elements in HWC order, [1, H·W·C]. */
export function toRow(writer: OnnxWriter, name: string, value: string, { h, w, c }: Shape): string {
  const pixels =
    h * w === 1 || c === 1 ? value : writer.node('Transpose', `${name}/hwc`, [value], { perm: [0, 2, 3, 1] });
  return writer.node('Reshape', `${name}/row`, [pixels, writer.int64s(`${name}/row_shape`, [1, h * w * c])]);
}

/** The reverse of {@link toRow}. */
export function fromRow(writer: OnnxWriter, name: string, row: string, { h, w, c }: Shape): string {
  if (h * w === 1 || c === 1)
    return writer.node('Reshape', `${name}/map`, [row, writer.int64s(`${name}/map_shape`, [1, c, h, w])]);
  const pixels = writer.node('Reshape', `${name}/pixels`, [row, writer.int64s(`${name}/pixels_shape`, [1, h, w, c])]);
  return writer.node('Transpose', `${name}/map`, [pixels], { perm: [0, 3, 1, 2] });
}

/** Element i of the result is element `order[i]` of the row. */
export function reorder(writer: OnnxWriter, name: string, row: string, order: ArrayLike<number>): string {
  return writer.node('Gather', `${name}/ordered`, [row, writer.int64s(`${name}/order`, Array.from(order))], {
    axis: 1,
  });
}

/** Whether a table of HWC indices lists the elements as [C, H, W] does. */
export function isNchw(order: Int32Array | null, { h, w, c }: Shape): boolean {
  if (order === null) return h * w === 1 || c === 1;
  const pixels = h * w;
  for (let i = 0; i < order.length; i++) if (order[i] !== (i % pixels) * c + Math.floor(i / pixels)) return false;
  return true;
}
