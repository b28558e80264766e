import type { Graph, Layer } from '../../graph/types';
import type { ConstantPool } from '../constants';
import type { Kernel } from '../types';
import { findCounters } from './counters';
import { resizeTables } from './resizeTables';

/* Kernels that only move codes, by tables. */

type LayerOf<K extends Layer['kind']> = Extract<Layer, { kind: K }>;

/** A resize, by the place of each row and column in the input. */
export function resizeKernel(graph: Graph, pool: ConstantPool, layer: LayerOf<'resize'>): Kernel {
  const from = graph.maps[layer.inputs[0]].shape;
  const to = graph.maps[layer.output].shape;
  const { rows, columns } = resizeTables(layer, from, to);
  return {
    op: 'resize',
    mode: layer.mode,
    rows: pool.add('table', layer.name, 16, true, rows, [to.h, 2]),
    cols: pool.add('table', layer.name, 16, true, columns, [to.w, 2]),
  };
}

/** A permutation of elements, by counters where its order has any, otherwise by a table of indices. */
export function permuteKernel(graph: Graph, pool: ConstantPool, layer: LayerOf<'permute' | 'reshape'>): Kernel {
  const { h, w, c } = graph.maps[layer.output].shape;
  const permutation =
    layer.kind === 'permute' ? layer.permutation : Int32Array.from({ length: h * w * c }, (_, i) => i);
  const counters = findCounters(permutation);
  if (counters !== null) {
    const table = Int32Array.from(counters.flatMap(({ size, stride }) => [size, stride]));
    return {
      op: 'permute',
      permutation: pool.add('table', layer.name, 32, true, table, [counters.length, 2]),
      counters: counters.length,
      first: permutation[0],
    };
  }
  // As the C has it: 16 bits where they do.
  const narrow = permutation.length <= 2 ** 16;
  const indices = narrow ? Uint16Array.from(permutation) : permutation;
  return {
    op: 'permute',
    permutation: pool.add('table', layer.name, narrow ? 16 : 32, !narrow, indices, [permutation.length]),
    counters: 0,
    first: 0,
  };
}
