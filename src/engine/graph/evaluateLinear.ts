import type { ConvLayer, DepthwiseLayer, FullyConnectedLayer, Shape } from './types';

/**
 * Convolution of an HWC map, the sums of each output pixel in doubles; pixels outside the map count as 0.
 * @param add adds the products of one kernel position, by their numbers in row-major order, to the sums [C]
 */
function convolved(
  { window, bias }: Pick<ConvLayer, 'window' | 'bias'>,
  input: Shape,
  output: Shape,
  add: (sums: Float64Array, pixel: number, position: number) => void,
): Float32Array {
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW, padding } = window;
  const y = new Float32Array(output.h * output.w * output.c);
  const sums = new Float64Array(output.c);
  for (let oy = 0; oy < output.h; oy++) {
    for (let ox = 0; ox < output.w; ox++) {
      sums.set(bias);
      for (let ky = 0; ky < kernelH; ky++) {
        const iy = oy * strideH - padding.top + ky * dilationH;
        if (iy < 0 || iy >= input.h) continue;
        for (let kx = 0; kx < kernelW; kx++) {
          const ix = ox * strideW - padding.left + kx * dilationW;
          if (ix >= 0 && ix < input.w) add(sums, iy * input.w + ix, ky * kernelW + kx);
        }
      }
      y.set(sums, (oy * output.w + ox) * output.c);
    }
  }
  return y;
}

/** Convolution with weights [outC][kernelH][kernelW][inC / group]. */
export function evaluateConv(
  layer: Pick<ConvLayer, 'window' | 'group' | 'weights' | 'bias'>,
  x: Float32Array,
  input: Shape,
  output: Shape,
): Float32Array {
  const { window, group, weights } = layer;
  const inner = input.c / group;
  const outPerGroup = output.c / group;
  const filter = window.kernelH * window.kernelW * inner;
  return convolved(layer, input, output, (sums, pixel, position) => {
    for (let o = 0; o < output.c; o++) {
      const from = pixel * input.c + Math.floor(o / outPerGroup) * inner;
      const w = o * filter + position * inner;
      let sum = sums[o];
      for (let i = 0; i < inner; i++) sum += weights[w + i] * x[from + i];
      sums[o] = sum;
    }
  });
}

/** Depthwise convolution with weights [kernelH][kernelW][C]. */
export function evaluateDepthwise(
  layer: Pick<DepthwiseLayer, 'window' | 'weights' | 'bias'>,
  x: Float32Array,
  input: Shape,
  output: Shape,
): Float32Array {
  const { weights } = layer;
  const channels = output.c;
  return convolved(layer, input, output, (sums, pixel, position) => {
    for (let c = 0; c < channels; c++) sums[c] += weights[position * channels + c] * x[pixel * channels + c];
  });
}

/** Product of weights [outC][inputs] with the whole input map. */
export function evaluateFullyConnected(
  layer: Pick<FullyConnectedLayer, 'weights' | 'bias'>,
  x: Float32Array,
): Float32Array {
  const { weights, bias } = layer;
  const y = new Float32Array(bias.length);
  for (let o = 0; o < y.length; o++) {
    let sum = bias[o];
    const row = o * x.length;
    for (let i = 0; i < x.length; i++) sum += weights[row + i] * x[i];
    y[o] = sum;
  }
  return y;
}
