import type { KernelOf } from '../../types';
import { check, type KernelContext, type PreparedKernel } from '../context';

/** `resize` of types.ts: nearest or bilinear with weights in 1/256. */
export function prepareResize(kernel: KernelOf<'resize'>, context: KernelContext): PreparedKernel {
  const [input] = context.inputs;
  const { output } = context;
  check(
    input.channels === output.channels && input.bits === output.bits && input.signed === output.signed,
    'Resizing keeps channels and format.',
  );
  const rows = context.constants.int32(kernel.rows, output.h * 2);
  const cols = context.constants.int32(kernel.cols, output.w * 2);
  checkTable(rows, input.h, kernel.mode);
  checkTable(cols, input.w, kernel.mode);
  const { channels } = input;
  const inputRow = input.w * channels;
  return ([x], out) => {
    for (let oy = 0, i = 0; oy < output.h; oy++) {
      const fy = rows[oy * 2 + 1];
      const dy = fy > 0 ? inputRow : 0;
      for (let ox = 0; ox < output.w; ox++) {
        const fx = cols[ox * 2 + 1];
        const dx = fx > 0 ? channels : 0;
        const pixel = rows[oy * 2] * inputRow + cols[ox * 2] * channels;
        for (let c = 0, p = pixel; c < channels; c++, p++, i++) {
          const upper = x[p] * (256 - fy) * (256 - fx) + x[p + dx] * (256 - fy) * fx;
          const lower = x[p + dy] * fy * (256 - fx) + x[p + dy + dx] * fy * fx;
          out[i] = (upper + lower + 32768) >> 16;
        }
      }
    }
  };
}

function checkTable(table: Int32Array, size: number, mode: 'nearest' | 'linear'): void {
  for (let i = 0; i < table.length; i += 2) {
    const index = table[i];
    const fraction = table[i + 1];
    check(
      fraction >= 0 && fraction < 256 && (mode === 'linear' || fraction === 0),
      `A weight of ${fraction}/256 is not allowed.`,
    );
    check(index >= 0 && index + (fraction > 0 ? 1 : 0) < size, `A source index of ${index} is outside the input.`);
  }
}
