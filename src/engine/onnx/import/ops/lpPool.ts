import { spatialValue } from '../arrange';
import type { NodeContext } from '../nodeContext';
import { times } from '../perChannel';
import { powered, raised, reduceNorm } from './normalization';
import { pooledWindows } from './window';

/** The order of the norm that an LpPool takes of its windows: 1 or 2. */
function order(context: NodeContext): 1 | 2 {
  const attribute = context.attribute('p');
  // Before opset 2 it was a real number.
  const p = attribute?.i || attribute?.f || 2;
  return p === 1 || p === 2 ? p : context.fail(`pools by the norm of order ${p}`, 'Use order 1 or 2.');
}

/** LpPool: the norm of each window. Padding adds nothing to it. */
export function lpPool(context: NodeContext): void {
  const p = order(context);
  const { given, input, shape, geometry } = pooledWindows(context);
  const { window, outH, outW } = geometry;
  const source = powered(context, input, p);
  const spec = { kind: 'averagePool', window, countIncludePad: true } as const;
  const pooled = context.layer(spec, [source], { h: outH, w: outW, c: shape.c });
  const mean = spatialValue(context, pooled, given.dims.length);
  const sum = times(context, mean, window.kernelH * window.kernelW);
  context.setMap(p === 2 ? raised(context, sum, 0.5) : sum);
}

/** GlobalLpPool: the norm of each channel. */
export function globalLpPool(context: NodeContext): void {
  const rank = context.map(0).dims.length;
  if (rank < 3) context.fail(`pools over ${context.map(0).dims.join('×')}`, 'It needs an image.');
  const axes = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  const p = order(context);
  reduceNorm(p, p === 2, axes)(context);
}
