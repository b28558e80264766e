import type { NodeContext } from '../nodeContext';
import type { MapValue } from '../values';
import { combine } from './arithmetic';
import { reduceTo } from './pooling';
import { softmaxDims, softmaxOf } from './slicing';

/**
 * LogSoftmax, x − max x + log(max softmax(x)): the largest probability is at least 1 over the number of classes, where
 * 8-bit codes are still exact enough for a logarithm; those of unlikely classes are not.
 */
export function logSoftmax(context: NodeContext): void {
  const value = context.map(0);
  const over = softmaxDims(context, value);
  const largest = reduceTo(context, 'maxPool', value, over, true);
  const certain = reduceTo(context, 'maxPool', softmaxOf(context, value), over, true);
  const log: MapValue = context.over(
    context.layer({ kind: 'activation', fn: { name: 'log' } }, [certain], certain.map.shape),
    certain.dims,
    certain.layout,
  );
  context.setMap(combine(context, 'sub', value, combine(context, 'sub', largest, log)));
}
