import type { Graph, MapId } from '../../src/engine/graph/types';
import { GraphBuilder, relu6, squareWindow } from '../support/graphBuilder';

/** A network whose least memory others have published. Weights are random: memory and work depend on shapes alone. */
export interface StreamNetwork {
  readonly name: string;
  readonly graph: Graph;
  /** Least memory of msf-CNN and its MACs over layer by layer in percent; null where it published none. */
  readonly msf: { readonly bytes: number; readonly moreMacs: number } | null;
}

/** Channels between blocks, expansion, kernel, stride. */
type Block = readonly [out: number, expansion: number, kernel: number, stride: number];

interface Shapes {
  readonly side: number;
  readonly stem: number;
  readonly blocks: readonly Block[];
  /** Channels of the convolution before the global average; 0: none. */
  readonly last: number;
}

/** Networks of the model zoo of MCUNet (assets/configs of github.com/mit-han-lab/mcunet), and MobileNetV2. */
export function streamNetworks(): StreamNetwork[] {
  return [
    { name: 'MobileNetV2 0.35@144', graph: network(mobileNet35), msf: { bytes: 8560, moreMacs: 67.9 } },
    { name: 'MCUNet 320KB@176', graph: network(mcunet320), msf: { bytes: 51164, moreMacs: 169.5 } },
    { name: 'MobileNetV2 1.0@224', graph: network(mobileNet100), msf: null },
  ];
}

const mobileNet35: Shapes = {
  side: 144,
  stem: 16,
  blocks: inverted([
    [1, 8, 1, 1],
    [6, 8, 2, 2],
    [6, 16, 3, 2],
    [6, 24, 4, 2],
    [6, 32, 3, 1],
    [6, 56, 3, 2],
    [6, 112, 1, 1],
  ]),
  last: 448,
};

const mobileNet100: Shapes = {
  side: 224,
  stem: 32,
  blocks: inverted([
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ]),
  last: 1280,
};

const mcunet320: Shapes = {
  side: 176,
  stem: 16,
  blocks: [
    [8, 1, 3, 1],
    [16, 3, 7, 2],
    [16, 5, 3, 1],
    [16, 5, 7, 1],
    [16, 4, 5, 1],
    [24, 5, 5, 2],
    [24, 5, 5, 1],
    [24, 5, 5, 1],
    [40, 5, 3, 2],
    [40, 6, 7, 1],
    [40, 4, 5, 1],
    [48, 5, 5, 1],
    [48, 5, 7, 1],
    [48, 5, 3, 1],
    [96, 6, 3, 2],
    [96, 5, 7, 1],
    [96, 4, 3, 1],
    [160, 5, 7, 1],
  ],
  last: 0,
};

/** Rows of MobileNetV2's table: expansion, channels, repetitions, stride of the first. */
function inverted(rows: readonly (readonly [number, number, number, number])[]): Block[] {
  return rows.flatMap(([expansion, out, count, stride]) =>
    Array.from({ length: count }, (_, i): Block => [out, expansion, 3, i === 0 ? stride : 1]),
  );
}

function network({ side, stem, blocks, last }: Shapes): Graph {
  const g = new GraphBuilder();
  const strided = (kernel: number, stride: number) => squareWindow(kernel, { strideH: stride, strideW: stride });
  let map: MapId = g.conv(g.input({ h: side, w: side, c: 3 }), stem, strided(3, 2), 1, relu6);
  for (const [out, expansion, kernel, stride] of blocks) {
    const from = map;
    const { c } = g.shape(from);
    if (expansion > 1) map = g.conv(map, c * expansion, squareWindow(1), 1, relu6);
    map = g.conv(g.depthwise(map, strided(kernel, stride), relu6), out, squareWindow(1));
    if (stride === 1 && out === c) map = g.addMaps([from, map]);
  }
  if (last > 0) map = g.conv(map, last, squareWindow(1), 1, relu6);
  g.fullyConnected(g.globalAveragePool(map), 1000);
  return g.build();
}
