import type { ConvLayer, DepthwiseLayer, FullyConnectedLayer, Shape } from './types';

/** Convolution of an HWC map with weights [outC][kernelH][kernelW][inC / group]; pixels outside the map count as 0. */
export function evaluateConv(
  layer: Pick<ConvLayer, 'window' | 'group' | 'weights' | 'bias'>,
  x: Float32Array,
  input: Shape,
  output: Shape,
): Float32Array {
  const { window, group, weights, bias } = layer;
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW, padding } = window;
  const inner = input.c / group;
  const outPerGroup = output.c / group;
  const filter = kernelH * kernelW * inner;
  const y = new Float32Array(output.h * output.w * output.c);
  for (let oy = 0; oy < output.h; oy++) {
    for (let ox = 0; ox < output.w; ox++) {
      const out = (oy * output.w + ox) * output.c;
      for (let o = 0; o < output.c; o++) {
        const channel = Math.floor(o / outPerGroup) * inner;
        let sum = bias[o];
        for (let ky = 0; ky < kernelH; ky++) {
          const iy = oy * strideH - padding.top + ky * dilationH;
          if (iy < 0 || iy >= input.h) continue;
          for (let kx = 0; kx < kernelW; kx++) {
            const ix = ox * strideW - padding.left + kx * dilationW;
            if (ix < 0 || ix >= input.w) continue;
            const from = (iy * input.w + ix) * input.c + channel;
            const w = o * filter + (ky * kernelW + kx) * inner;
            for (let i = 0; i < inner; i++) sum += weights[w + i] * x[from + i];
          }
        }
        y[out + o] = sum;
      }
    }
  }
  return y;
}

/** Depthwise convolution with weights [kernelH][kernelW][C]. */
export function evaluateDepthwise(
  layer: Pick<DepthwiseLayer, 'window' | 'weights' | 'bias'>,
  x: Float32Array,
  input: Shape,
  output: Shape,
): Float32Array {
  const { window, weights, bias } = layer;
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW, padding } = window;
  const channels = output.c;
  const y = new Float32Array(output.h * output.w * channels);
  const sums = new Float64Array(channels);
  for (let oy = 0; oy < output.h; oy++) {
    for (let ox = 0; ox < output.w; ox++) {
      sums.set(bias);
      for (let ky = 0; ky < kernelH; ky++) {
        const iy = oy * strideH - padding.top + ky * dilationH;
        if (iy < 0 || iy >= input.h) continue;
        for (let kx = 0; kx < kernelW; kx++) {
          const ix = ox * strideW - padding.left + kx * dilationW;
          if (ix < 0 || ix >= input.w) continue;
          const from = (iy * input.w + ix) * channels;
          const w = (ky * kernelW + kx) * channels;
          for (let c = 0; c < channels; c++) sums[c] += weights[w + c] * x[from + c];
        }
      }
      y.set(sums, (oy * output.w + ox) * channels);
    }
  }
  return y;
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
