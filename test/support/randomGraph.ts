import fc from 'fast-check';
import type { Clamp, Graph, MapId, Window } from '../../src/engine/graph/types';
import { GraphBuilder, open, relu, relu6, squareWindow, mulberry32 } from './graphBuilder';

export interface RandomGraphOptions {
  /** Number of blocks; a block is up to four layers. */
  readonly blocks: number;
  /** Greatest extent of the input. Default 14. */
  readonly size?: number;
  /** Greatest number of channels. Default 9. */
  readonly channels?: number;
  /**
   * Layers that only float and 8-bit arithmetic need to know: pad, slice, prelu, activations, mul, resize, softmax.
   * Default true.
   */
  readonly exotic?: boolean;
}

/**
 * A random valid graph with one input: windows of all sizes, strides, dilations and paddings, residual adds, concats,
 * pools, squeeze-and-excitation, and a classifier or several outputs at the end. The same for the same seed and
 * options.
 */
export function randomGraph(seed: number, options: RandomGraphOptions): Graph {
  const random = mulberry32(seed);
  const int = (low: number, high: number) => low + Math.floor(((random() + 1) / 2) * (high - low + 1));
  const chance = (percent: number) => int(1, 100) <= percent;
  const { size = 14, channels = 9, exotic = true } = options;
  const g = new GraphBuilder(random);

  const window = (map: MapId): Window => {
    const { h, w } = g.shape(map);
    const axis = (extent: number) => {
      const dilation = chance(12) ? 2 : 1;
      const kernel = Math.min(int(1, 4), Math.floor((extent - 1) / dilation) + 1);
      const reach = (kernel - 1) * dilation;
      const stride = chance(25) ? 2 : 1;
      const before = int(0, reach);
      const after = chance(70) ? Math.max(0, reach - before) : int(0, reach);
      return { dilation, kernel, stride, before, after };
    };
    const v = axis(h);
    const u = axis(w);
    return {
      kernelH: v.kernel,
      kernelW: u.kernel,
      strideH: v.stride,
      strideW: u.stride,
      dilationH: v.dilation,
      dilationW: u.dilation,
      padding: { top: v.before, left: u.before, bottom: v.after, right: u.after },
    };
  };
  const clamp = (): Clamp => [open, relu, relu6][int(0, 2)];
  const conv = (map: MapId): MapId => {
    const { c } = g.shape(map);
    const groups = [1, 1, 1, 2, 3].filter((n) => c % n === 0);
    const group = groups[int(0, groups.length - 1)];
    return g.conv(map, group * int(1, Math.max(1, Math.floor(channels / group))), window(map), group, clamp());
  };
  const simple = (map: MapId): MapId => {
    const kind = int(0, exotic ? 11 : 6);
    const { h, w, c } = g.shape(map);
    switch (kind) {
      case 0:
      case 1:
        return conv(map);
      case 2:
      case 3:
        return g.depthwise(map, window(map), clamp());
      case 4:
        return g.conv(map, int(1, channels), squareWindow(1), 1, clamp());
      case 5:
        return g.maxPool(map, window(map));
      case 6:
        return g.averagePool(map, window(map), chance(50));
      case 7:
        return g.prelu(g.isPixels(map) ? conv(map) : map);
      case 8:
        return g.activation(map, chance(50) ? { name: 'hardSwish' } : { name: 'leakyRelu', alpha: 0.1 });
      case 9:
        return g.pad(
          map,
          { top: int(0, 2), left: int(0, 2), bottom: int(0, 2), right: int(0, 2) },
          chance(50) ? 0 : 0.5,
        );
      case 10: {
        const begin = int(0, c - 1);
        return g.slice(map, begin, int(begin + 1, c));
      }
      default:
        return h * w < 200 ? g.resize(map, 2, chance(50) ? 'nearest' : 'linear') : conv(map);
    }
  };
  const block = (map: MapId): MapId => {
    const kind = int(0, 9);
    if (kind < 5) return simple(map);
    if (kind < 7) {
      // Inverted residual: expansion, depthwise, projection, sum.
      const wide = g.conv(map, int(1, channels), squareWindow(1), 1, relu6);
      const deep = g.depthwise(wide, squareWindow(3), relu6);
      const narrow = g.conv(deep, g.shape(map).c, squareWindow(1));
      return chance(80) ? g.addMaps([map, narrow], clamp()) : g.mul(map, narrow);
    }
    if (kind < 9) {
      // Parallel branches, as in Inception and SqueezeNet.
      const squeezed = chance(50) ? simple(map) : map;
      const k = int(2, 3);
      const parts = Array.from({ length: k }, () =>
        g.conv(squeezed, int(1, channels), squareWindow(chance(50) ? 1 : 3), 1, clamp()),
      );
      if (chance(30)) parts.push(squeezed);
      return g.concat(parts);
    }
    const squeeze = g.conv(
      g.conv(g.globalAveragePool(map), int(1, 4), squareWindow(1), 1, relu),
      g.shape(map).c,
      squareWindow(1),
    );
    return g.mul(map, exotic ? g.activation(squeeze, { name: 'sigmoid' }) : squeeze);
  };

  let map = g.input({ h: int(4, size), w: int(4, size), c: int(1, 4) });
  const outputs: MapId[] = [];
  for (let i = 0; i < options.blocks; i++) {
    map = block(map);
    if (chance(5)) outputs.push(map);
  }
  if (chance(50)) {
    map = g.fullyConnected(chance(50) ? g.globalAveragePool(map) : map, int(2, 10));
    if (exotic && chance(50)) map = g.softmax(map);
  } else if (chance(30)) {
    const { h, w, c } = g.shape(map);
    map = g.reshape(map, { h: 1, w: h * w, c });
  }
  const ends = [...new Set([...outputs, map])].filter((m) => m !== 0);
  return g.build(ends.length > 0 ? ends : [simple(map)]);
}

/** Random graphs for fast-check; shrinks towards few blocks. */
export function graphArbitrary(
  options: Omit<RandomGraphOptions, 'blocks'> & { readonly maxBlocks?: number } = {},
): fc.Arbitrary<Graph> {
  return fc
    .record({
      blocks: fc.integer({ min: 1, max: options.maxBlocks ?? 6 }),
      seed: fc.integer({ min: 0, max: 0x7fffffff }),
    })
    .map(({ blocks, seed }) => randomGraph(seed, { ...options, blocks }));
}
