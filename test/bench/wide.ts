import { renderC, type GeneratedFile } from '../../src/engine/codegen';
import { workInstructions } from '../../src/engine/cost/latency';
import { programWork } from '../../src/engine/cost/work';
import type { Graph } from '../../src/engine/graph/types';
import { lower } from '../../src/engine/program/lower';
import { quantizeGraph } from '../../src/engine/quantize/quantizeGraph';
import type { Core } from '../../src/engine/targets/types';
import { GraphBuilder, mulberry32, open, relu, relu6, squareWindow } from '../support/graphBuilder';
import { all8, calibrateGraph, graphSamples, pixelInput } from '../support/quantizedGraph';
import { wideBits } from '../support/randomPlan';

/** A network in C, to be counted, and its steps. */
export interface WideNetwork {
  readonly files: readonly GeneratedFile[];
  readonly steps: readonly { readonly name: string; readonly work: number; readonly estimate: number }[];
}

const STEP_NAMES = [
  'conv 3×3, stride 2, of the image, 3 → 16',
  'depthwise 3×3, 16',
  'pointwise, 16 → 64',
  'depthwise 3×3, 64',
  'pointwise, 64 → 16',
  'add, 16',
  'conv 3×3, 16 → 32',
  'average pool 2×2, 32',
  'hard-swish, 32',
  'global average pool, 32',
  'fully connected, 32 → 100',
];

/** One of each kind of layer, all maps but the input at 8 or at 16 bits, with the kernels for all layers. */
export function wideNetwork(bits: 8 | 16, core: Core): WideNetwork {
  const graph = layers();
  const calibration = calibrateGraph(graph, graphSamples(graph, 2, 1));
  const decisions = bits === 8 ? all8 : wideBits(graph);
  const parameters = quantizeGraph(graph, calibration, pixelInput(graph), decisions);
  const program = lower(graph, null, parameters, { name: 'net', input: 'external' });
  const options = { optimize: 'speed', target: { core, flashBytes: 1e9 } } as const;
  const estimates = workInstructions(programWork(program), core);
  if (program.steps.length !== STEP_NAMES.length) throw new Error(`${program.steps.length} steps`);
  return {
    files: renderC(program, { name: 'net', provenance: { generator: '', planHash: '', modelFile: '' }, ...options }),
    steps: program.steps.map((step, i) => {
      const { y0, y1, x0, x1 } = step.output.region;
      const codes = (y1 - y0) * (x1 - x0) * step.output.channels;
      return { name: STEP_NAMES[i], work: step.macs > 0 ? step.macs : codes, estimate: estimates[i] };
    }),
  };
}

function layers(): Graph {
  const g = new GraphBuilder(mulberry32(4));
  const first = g.conv(g.input({ h: 32, w: 32, c: 3 }), 16, squareWindow(3, { strideH: 2, strideW: 2 }), 1, relu6);
  const wide = g.depthwise(
    g.conv(g.depthwise(first, squareWindow(3), relu6), 64, squareWindow(1), 1, relu6),
    squareWindow(3),
    relu6,
  );
  const sum = g.addMaps([first, g.conv(wide, 16, squareWindow(1), 1, open)], open);
  const map = g.averagePool(g.conv(sum, 32, squareWindow(3), 1, relu), squareWindow(2, { strideH: 2, strideW: 2 }));
  g.fullyConnected(g.globalAveragePool(g.activation(map, { name: 'hardSwish' })), 100);
  return g.build();
}
