import type { Kernel } from '../../types';
import type { KernelContext, PreparedKernel } from '../context';
import { prepareClassify } from './classify';
import { prepareConv2d } from './conv2d';
import { prepareDepthwise2d } from './depthwise2d';
import { prepareFullyConnected } from './fullyConnected';
import { prepareLookup } from './lookup';
import { prepareCopy, prepareFill, preparePermute } from './moves';
import { prepareMul } from './mul';
import { prepareNormalize } from './normalize';
import { prepareAveragePool, prepareMaxPool } from './pools';
import { preparePrelu } from './prelu';
import { prepareResize } from './resize';
import { prepareScaledSum } from './scaledSum';
import { prepareSoftmax } from './softmax';

/** Checks a kernel against the shapes and formats of its step and makes it ready to run many times. */
export function prepareKernel(kernel: Kernel, context: KernelContext): PreparedKernel {
  switch (kernel.op) {
    case 'conv2d':
      return prepareConv2d(kernel, context);
    case 'depthwise2d':
      return prepareDepthwise2d(kernel, context);
    case 'fullyConnected':
      return prepareFullyConnected(kernel, context);
    case 'add':
    case 'requantize':
      return prepareScaledSum(kernel.sum, context);
    case 'mul':
      return prepareMul(kernel, context);
    case 'maxPool':
      return prepareMaxPool(kernel, context);
    case 'averagePool':
      return prepareAveragePool(kernel, context);
    case 'lookup':
      return prepareLookup(kernel, context);
    case 'prelu':
      return preparePrelu(kernel, context);
    case 'copy':
    case 'load':
      return prepareCopy(context);
    case 'fill':
      return prepareFill(kernel, context);
    case 'resize':
      return prepareResize(kernel, context);
    case 'softmax':
      return prepareSoftmax(kernel, context);
    case 'normalize':
      return prepareNormalize(kernel, context);
    case 'permute':
      return preparePermute(kernel, context);
    case 'classify':
      return prepareClassify(kernel, context);
  }
}

/** How many inputs each kernel takes. */
export function inputCount(kernel: Kernel): number {
  switch (kernel.op) {
    case 'fill':
      return 0;
    case 'add':
    case 'mul':
      return 2;
    default:
      return 1;
  }
}
