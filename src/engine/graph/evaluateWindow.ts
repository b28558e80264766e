import type { AveragePoolLayer, MaxPoolLayer, ResizeLayer, Shape, Window } from './types';

/** Maximum of the pixels inside the map; padding never wins. */
export function evaluateMaxPool(
  layer: Pick<MaxPoolLayer, 'window'>,
  x: Float32Array,
  input: Shape,
  output: Shape,
): Float32Array {
  const y = new Float32Array(output.h * output.w * output.c).fill(-Infinity);
  eachTap(layer.window, input, output, (out, from) => {
    for (let c = 0; c < output.c; c++) if (x[from + c] > y[out + c]) y[out + c] = x[from + c];
  });
  return y;
}

/** Mean of the pixels inside the map, divided by their number or, with `countIncludePad`, by the window's size. */
export function evaluateAveragePool(
  layer: Pick<AveragePoolLayer, 'window' | 'countIncludePad'>,
  x: Float32Array,
  input: Shape,
  output: Shape,
): Float32Array {
  const { window } = layer;
  const sums = new Float64Array(output.h * output.w * output.c);
  const counts = new Int32Array(output.h * output.w);
  eachTap(window, input, output, (out, from) => {
    counts[out / output.c]++;
    for (let c = 0; c < output.c; c++) sums[out + c] += x[from + c];
  });
  const whole = window.kernelH * window.kernelW;
  return Float32Array.from(sums, (sum, i) => sum / (layer.countIncludePad ? whole : counts[Math.floor(i / output.c)]));
}

/**
 * Visits every pair of an output pixel and an input pixel inside its window; arguments are the first elements of both.
 */
function eachTap(window: Window, input: Shape, output: Shape, visit: (out: number, from: number) => void): void {
  const { strideH, strideW, dilationH, dilationW, padding } = window;
  for (let oy = 0; oy < output.h; oy++) {
    for (let ox = 0; ox < output.w; ox++) {
      const out = (oy * output.w + ox) * output.c;
      for (let ky = 0; ky < window.kernelH; ky++) {
        const iy = oy * strideH - padding.top + ky * dilationH;
        if (iy < 0 || iy >= input.h) continue;
        for (let kx = 0; kx < window.kernelW; kx++) {
          const ix = ox * strideW - padding.left + kx * dilationW;
          if (ix >= 0 && ix < input.w) visit(out, (iy * input.w + ix) * input.c);
        }
      }
    }
  }
}

/** Source pixels of one output coordinate along an axis: `near + t·(far − near)`. */
export interface ResizeTap {
  readonly near: number;
  readonly far: number;
  readonly t: number;
}

const f = Math.fround;

type Sampling = Pick<ResizeLayer, 'mode' | 'coordinates' | 'rounding'>;

/** Where a resize along one axis reads, for each output coordinate (ONNX Resize). Nearest has near = far. */
export function resizeTaps(sampling: Sampling, scale: number, inSize: number, outSize: number): ResizeTap[] {
  return Array.from({ length: outSize }, (_, o) => {
    const source = sourceCoordinate(sampling.coordinates, o, scale, inSize, outSize);
    const inside = (i: number): number => Math.min(inSize - 1, Math.max(0, i));
    if (sampling.mode === 'nearest') {
      const i = inside(roundBy(sampling.rounding, source));
      return { near: i, far: i, t: 0 };
    }
    const clampedSource = inside(source);
    const near = Math.floor(clampedSource);
    return { near, far: inside(near + 1), t: clampedSource - near };
  });
}

/** In float32 steps like onnxruntime, so that ties at half pixels round the same way for scales such as 2.3. */
function sourceCoordinate(
  coordinates: Sampling['coordinates'],
  o: number,
  scale: number,
  inSize: number,
  outSize: number,
): number {
  if (scale === 1) return o;
  switch (coordinates) {
    case 'asymmetric':
      return f(o / f(scale));
    case 'half_pixel':
      return f(f((o + 0.5) / f(scale)) - 0.5);
    case 'pytorch_half_pixel':
      return outSize > 1 ? f(f((o + 0.5) / f(scale)) - 0.5) : 0;
    case 'align_corners':
      return outSize > 1 ? f((o * (inSize - 1)) / (outSize - 1)) : 0;
  }
}

function roundBy(rounding: Sampling['rounding'], x: number): number {
  switch (rounding) {
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    case 'round_prefer_floor':
      return Math.ceil(x - 0.5);
    case 'round_prefer_ceil':
      return Math.floor(x + 0.5);
  }
}

/** Spatial resampling, nearest or bilinear. */
export function evaluateResize(
  layer: Sampling & Pick<ResizeLayer, 'scaleH' | 'scaleW' | 'pick'>,
  x: Float32Array,
  input: Shape,
  output: Shape,
): Float32Array {
  const picked = (list: Int32Array): ResizeTap[] => Array.from(list, (at) => ({ near: at, far: at, t: 0 }));
  const rows = layer.pick ? picked(layer.pick.rows) : resizeTaps(layer, layer.scaleH, input.h, output.h);
  const columns = layer.pick ? picked(layer.pick.columns) : resizeTaps(layer, layer.scaleW, input.w, output.w);
  const y = new Float32Array(output.h * output.w * output.c);
  let at = 0;
  for (const row of rows) {
    for (const column of columns) {
      const a = (row.near * input.w + column.near) * input.c;
      const b = (row.near * input.w + column.far) * input.c;
      const p = (row.far * input.w + column.near) * input.c;
      const q = (row.far * input.w + column.far) * input.c;
      for (let c = 0; c < output.c; c++) {
        const upper = x[a + c] + column.t * (x[b + c] - x[a + c]);
        const lower = x[p + c] + column.t * (x[q + c] - x[p + c]);
        y[at++] = upper + row.t * (lower - upper);
      }
    }
  }
  return y;
}
