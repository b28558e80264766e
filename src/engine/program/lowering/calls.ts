import type { Layer } from '../../graph/types';
import type { ScheduleStep } from '../../schedule/schedule';
import type { Access, Kernel, StepWindow } from '../types';

/** The window of a call: the layer's, with the call's own padding. */
export function stepWindow(layer: Extract<Layer, { window: unknown }>, step: ScheduleStep): StepWindow {
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW } = layer.window;
  return { kernelH, kernelW, strideH, strideW, dilationH, dilationW, padTop: step.padTop, padLeft: step.padLeft };
}

/** Multiply-accumulates of one call, those on padding included. */
export function stepMacs(kernel: Kernel, inputs: readonly Access[], output: Access): number {
  const pixels = (output.region.y1 - output.region.y0) * (output.region.x1 - output.region.x0);
  switch (kernel.op) {
    case 'conv2d':
      return (
        pixels * output.channels * kernel.window.kernelH * kernel.window.kernelW * (inputs[0].channels / kernel.group)
      );
    case 'depthwise2d':
      return pixels * output.channels * kernel.window.kernelH * kernel.window.kernelW;
    case 'fullyConnected': {
      const { y0, y1, x0, x1 } = inputs[0].region;
      return output.channels * (y1 - y0) * (x1 - x0) * inputs[0].channels;
    }
    default:
      return 0;
  }
}
