import type { Program, StepWindow } from '../../src/engine/program/types';
import type { Optimize } from '../../src/engine/targets/types';
import { stepWindow } from './programBuilder';
import { RandomPieces } from './randomPieces';

/** One layer of 8 bits: its kernel and the shape of its input. */
export interface LayerShape {
  readonly op: 'conv2d' | 'depthwise2d';
  readonly h: number;
  readonly w: number;
  readonly channels: number;
  /** Of a convolution. */
  readonly outChannels?: number;
  readonly window: StepWindow;
}

/** A Program of such layers beside each other, each with its own input. */
export function layersProgram(seed: number, layers: readonly LayerShape[]): Program {
  return new LayersProgram(seed, [8]).of(layers);
}

class LayersProgram extends RandomPieces {
  of(layers: readonly LayerShape[]): Program {
    layers.forEach((shape, layer) => this.add(shape, layer));
    return this.p.build('net');
  }

  private add({ op, h, w, channels, outChannels = channels, window }: LayerShape, layer: number): void {
    const { kernelH, kernelW, strideH, strideW, dilationH, dilationW, padTop, padLeft } = window;
    const from = this.p.buffer('input', h, w, channels, 8, this.flip());
    const size = (n: number, kernel: number, stride: number, dilation: number, pad: number): number =>
      Math.floor((n + 2 * pad - (kernel - 1) * dilation - 1) / stride) + 1;
    const out = [size(h, kernelH, strideH, dilationH, padTop), size(w, kernelW, strideW, dilationW, padLeft)];
    const to = this.p.buffer('map', out[0], out[1], outChannels, 8, this.flip());
    const taps = kernelH * kernelW;
    const kernel = {
      window,
      weightBits: 8,
      padCodes: null,
      requant: { ...this.requant(this.p.buffers[to], op === 'conv2d' ? taps * channels : taps) },
    } as const;
    this.p.step(
      layer,
      op === 'conv2d'
        ? { op, group: 1, weights: this.weights(8, [outChannels, kernelH, kernelW, channels]), ...kernel }
        : { op, weights: this.weights(8, [kernelH, kernelW, channels]), ...kernel },
      [this.p.all(from)],
      this.p.all(to),
    );
    this.p.output(to);
  }
}

/** Layers whose kernels differ by what is compiled for them, by what they are, and the level to generate them for. */
export const LAYERS_BY_USE: Readonly<
  Record<string, { readonly optimize: Optimize; readonly layers: readonly LayerShape[] }>
> = {
  'columns in parts': {
    optimize: 'size',
    layers: [
      { op: 'conv2d', h: 4, w: 6, channels: 40, outChannels: 6, window: stepWindow(3, { padTop: 1, padLeft: 1 }) },
    ],
  },
  // By blocks, which leave two pixels over, and one by one.
  'long columns': {
    optimize: 'size',
    layers: [
      { op: 'conv2d', h: 5, w: 4, channels: 120, outChannels: 4, window: stepWindow(3) },
      { op: 'conv2d', h: 3, w: 5, channels: 120, outChannels: 3, window: stepWindow(3) },
    ],
  },
  'rows of 3 x 3': {
    optimize: 'speed',
    layers: [{ op: 'depthwise2d', h: 9, w: 17, channels: 4, window: stepWindow(3, { padTop: 1, padLeft: 1 }) }],
  },
  'rows of 5 x 5 with stride 2, taps of wide maps': {
    optimize: 'size',
    layers: [
      {
        op: 'depthwise2d',
        h: 11,
        w: 13,
        channels: 2,
        window: stepWindow(5, { strideH: 2, strideW: 2, padTop: 2, padLeft: 2 }),
      },
      { op: 'depthwise2d', h: 5, w: 150, channels: 2, window: stepWindow(5, { padTop: 2, padLeft: 2 }) },
    ],
  },
  'rows of 5 x 5': {
    optimize: 'speed',
    layers: [{ op: 'depthwise2d', h: 7, w: 12, channels: 2, window: stepWindow(5) }],
  },
};
