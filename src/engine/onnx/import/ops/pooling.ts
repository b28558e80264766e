import type { Window } from '../../../graph/types';
import { arrange, spatialValue } from '../arrange';
import type { NodeContext } from '../nodeContext';
import { POINT_WINDOW, times } from '../perChannel';
import type { MapValue } from '../values';
import { pooledWindows } from './window';

/** MaxPool and AveragePool, 1-D and 2-D. */
export function pool(kind: 'maxPool' | 'averagePool'): (context: NodeContext) => void {
  return (context) => {
    if (context.node.outputs.length > 1 && context.node.outputs[1] !== '')
      context.fail('also returns the indices of the maxima', 'Only the pooled values are supported.');
    const pooled = pooledWindows(context);
    const { given, kernel, geometry } = pooled;
    const { h, w, c } = pooled.shape;
    const { outH, outW } = geometry;
    let { input } = pooled;
    let { window } = geometry;
    const { padding: p } = window;
    const extentH = (window.kernelH - 1) * window.dilationH + 1;
    const extentW = (window.kernelW - 1) * window.dilationW + 1;
    if (p.top >= extentH || p.bottom >= extentH || p.left >= extentW || p.right >= extentW) {
      context.fail('has more padding than its window size', 'Reduce the padding.');
    }
    let countIncludePad = context.int('count_include_pad', 0) === 1;
    if (kind === 'averagePool' && countIncludePad && geometry.ceilExtended) {
      // Declared padding counts, what ceil_mode adds does not: make the declared part real.
      const declared = declaredPadding(context, kernel.length, window);
      const padded = context.layer({ kind: 'pad', padding: declared, value: 0 }, [input], {
        h: h + declared.top + declared.bottom,
        w: w + declared.left + declared.right,
        c,
      });
      input = spatialValue(context, padded, given.dims.length);
      window = {
        ...window,
        padding: { top: 0, left: 0, bottom: p.bottom - declared.bottom, right: p.right - declared.right },
      };
      countIncludePad = false;
    }
    const shape = { h: outH, w: outW, c };
    const map =
      kind === 'maxPool'
        ? context.layer({ kind, window }, [input], shape)
        : context.layer({ kind, window, countIncludePad }, [input], shape);
    context.setMap(spatialValue(context, map, given.dims.length));
  };
}

function declaredPadding(context: NodeContext, rank: number, window: Window): Window['padding'] {
  const pads = context.ints('pads') ?? new Array<number>(2 * rank).fill(0);
  const { top, left } = window.padding;
  return rank === 2 ? { top, left, bottom: pads[2], right: pads[3] } : { top: 0, left, bottom: 0, right: pads[1] };
}

/** GlobalAveragePool and GlobalMaxPool. */
export function globalPool(kind: 'maxPool' | 'averagePool'): (context: NodeContext) => void {
  return (context) => {
    const given = context.map(0);
    if (given.dims.length < 3) context.fail(`pools over ${given.dims.join('×')}`, 'It needs an image.');
    const axes = given.dims.map((_, dim) => dim).slice(2);
    context.setMap(reduceTo(context, kind, given, axes, true));
  };
}

/** ReduceMean, ReduceMax, ReduceMin and ReduceSum; axes are an input from opset 18 (ReduceSum 13) on. */
export function reduce(operation: 'mean' | 'max' | 'min' | 'sum'): (context: NodeContext) => void {
  return (context) => {
    const given = context.map(0);
    const listed = context.intsOrInput('axes', 1) ?? [];
    if (listed.length === 0 && context.int('noop_with_empty_axes', 0) === 1) {
      context.setMap(context.renamed(given, given.dims, given.layout));
      return;
    }
    const rank = given.dims.length;
    const axes =
      listed.length === 0
        ? given.dims.map((_, dim) => dim)
        : [...new Set(listed.map((axis) => context.axis(axis, rank)))].sort((a, b) => a - b);
    const keep = context.int('keepdims', 1) === 1;
    // The least of all is less the largest of their opposites.
    const source = operation === 'min' ? times(context, given, -1) : given;
    const isMean = operation === 'mean' || operation === 'sum';
    const reduced = reduceTo(context, isMean ? 'averagePool' : 'maxPool', source, axes, keep);
    const count = axes.reduce((product, dim) => product * given.dims[dim], 1);
    context.setMap(
      operation === 'sum'
        ? times(context, reduced, count)
        : operation === 'min'
          ? times(context, reduced, -1)
          : reduced,
    );
  };
}

/** Pools the dimensions `axes` away with one window over all of them. */
export function reduceTo(
  context: NodeContext,
  kind: 'maxPool' | 'averagePool',
  given: MapValue,
  axes: readonly number[],
  keep: boolean,
): MapValue {
  const kept = given.dims.map((_, dim) => dim).filter((dim) => !axes.includes(dim));
  // Two axes stay the rows and columns of the map, so that nothing is reshaped in the common case.
  const [rows, columns] = axes.length === 2 ? [[axes[0]], [axes[1]]] : [[], [...axes]];
  const input = arrange(context, given, rows, columns, kept);
  const { h, w, c } = input.map.shape;
  const window: Window = { ...POINT_WINDOW, kernelH: h, kernelW: w };
  const shape = { h: 1, w: 1, c };
  const map =
    kind === 'maxPool'
      ? context.layer({ kind, window }, [input], shape)
      : context.layer({ kind, window, countIncludePad: false }, [input], shape);
  const dims = given.dims.map((d, dim) => (axes.includes(dim) ? 1 : d));
  const layout = dims.map((_, dim) => (axes.includes(dim) ? [] : input.layout[dim]));
  const value = context.over(map, dims, layout);
  return keep ? value : { ...value, dims: kept.map((dim) => dims[dim]), layout: kept.map((dim) => layout[dim]) };
}
