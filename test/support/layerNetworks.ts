import type { Graph } from '../../src/engine/graph/types';
import { relu, relu6, squareWindow, type GraphBuilder } from './graphBuilder';

const input = { h: 9, w: 8, c: 6 };
/** Small networks, each with the kinds of layers that its name says. */
export const layerNetworks: Record<string, (g: GraphBuilder) => Graph> = {
  'conv with stride, dilation and groups': (g) =>
    g.build([
      g.conv(
        g.conv(g.input(input), 6, squareWindow(3, { strideH: 2 }), 2, relu),
        5,
        squareWindow(3, { dilationW: 2 }),
        1,
        relu6,
      ),
    ]),
  depthwise: (g) =>
    g.build([g.depthwise(g.depthwise(g.input(input), squareWindow(3), relu6), squareWindow(5, { strideW: 2 }))]),
  'fully connected': (g) => g.build([g.fullyConnected(g.conv(g.input(input), 4, squareWindow(1), 1, relu), 7)]),
  'residual add': (g) => {
    const a = g.conv(g.input(input), 6, squareWindow(1));
    return g.build([g.conv(g.addMaps([a, g.conv(a, 6, squareWindow(3))], relu), 4, squareWindow(1))]);
  },
  'squeeze and excitation': (g) => {
    const a = g.conv(g.input(input), 6, squareWindow(3), 1, relu);
    const s = g.activation(g.conv(g.globalAveragePool(a), 6, squareWindow(1)), { name: 'sigmoid' });
    return g.build([g.mul(a, s)]);
  },
  'hard-swish': (g) =>
    g.build([
      g.conv(g.activation(g.conv(g.input(input), 8, squareWindow(3)), { name: 'hardSwish' }), 5, squareWindow(3)),
    ]),
  silu: (g) => g.build([g.activation(g.conv(g.input(input), 8, squareWindow(3)), { name: 'silu' })]),
  'leaky ReLU and tanh': (g) =>
    g.build([
      g.activation(
        g.conv(
          g.activation(g.conv(g.input(input), 4, squareWindow(3)), { name: 'leakyRelu', alpha: 0.1 }),
          4,
          squareWindow(1),
        ),
        { name: 'tanh' },
      ),
    ]),
  prelu: (g) => g.build([g.conv(g.prelu(g.conv(g.input(input), 8, squareWindow(3))), 5, squareWindow(1))]),
  pools: (g) =>
    g.build([
      g.averagePool(
        g.maxPool(g.conv(g.input(input), 4, squareWindow(1), 1, relu), squareWindow(3, { strideH: 2, strideW: 2 })),
        squareWindow(3),
      ),
    ]),
  'average pool that counts padding': (g) =>
    g.build([g.averagePool(g.conv(g.input(input), 4, squareWindow(1)), squareWindow(3), true)]),
  'concat of maps with different ranges': (g) => {
    const a = g.conv(g.input(input), 4, squareWindow(1), 1, relu);
    return g.build([
      g.conv(
        g.concat([g.conv(a, 3, squareWindow(3), 1, relu), g.conv(a, 5, squareWindow(1), 1, relu)]),
        4,
        squareWindow(1),
      ),
    ]);
  },
  'concat of signed and unsigned maps': (g) => {
    const a = g.conv(g.input(input), 4, squareWindow(1), 1, relu);
    return g.build([g.conv(g.concat([g.conv(a, 3, squareWindow(3)), a]), 4, squareWindow(1))]);
  },
  slice: (g) => g.build([g.conv(g.slice(g.conv(g.input(input), 8, squareWindow(1)), 3, 7), 4, squareWindow(1))]),
  'pad with a value': (g) =>
    g.build([
      g.conv(
        g.pad(g.conv(g.input(input), 4, squareWindow(1), 1, relu), { top: 1, left: 0, bottom: 2, right: 1 }, 0.5),
        4,
        squareWindow(3),
      ),
    ]),
  'resize nearest': (g) =>
    g.build([g.conv(g.resize(g.conv(g.input(input), 4, squareWindow(1)), 2), 3, squareWindow(3))]),
  'resize linear': (g) => g.build([g.resize(g.conv(g.input(input), 4, squareWindow(1)), 2, 'linear')]),
  softmax: (g) => g.build([g.softmax(g.fullyConnected(g.input(input), 10))]),
  'max pool of the input': (g) =>
    g.build([g.conv(g.maxPool(g.input(input), squareWindow(2, { strideH: 2, strideW: 2 })), 4, squareWindow(3))]),
};
