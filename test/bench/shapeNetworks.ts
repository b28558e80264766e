import { assemble, renderC, type GeneratedFile } from '../../src/engine/codegen';
import type { Bits, WeightBits } from '../../src/engine/graph/bits';
import type { Graph, MapId } from '../../src/engine/graph/types';
import { candidateStages } from '../../src/engine/schedule/stages';
import { stageBranches } from '../../src/engine/schedule/branches';
import { lower } from '../../src/engine/program/lower';
import type { Program } from '../../src/engine/program/types';
import { formatTies } from '../../src/engine/quantize/ties';
import { quantizeGraph, type BitDecisions } from '../../src/engine/quantize/quantizeGraph';
import type { Core } from '../../src/engine/targets/types';
import { calibrateGraph, graphSamples, pixelInput } from '../support/quantizedGraph';
import { GraphBuilder, mulberry32, relu, relu6, squareWindow } from '../support/graphBuilder';
import { programShapes } from './latency';

/** A network in C, to be counted, and the shapes of its layers' runs in the order of the C. */
export interface ShapeNetwork {
  readonly files: readonly GeneratedFile[];
  readonly shapes: readonly string[];
}

/** Largest number of multiply-accumulates of a layer. */
const MOST_MACS = 700_000;
const FLASH_BYTES = 1e9;

/**
 * A random network out of the blocks that networks for microcontrollers consist of, in their sizes: separable and
 * inverted residual blocks of 3×3, 5×5 and 7×7, residual blocks, fire modules, pools. By seed at 8 bits, at any bits,
 * or at any bits in patches; a quarter of them by the kernels that all layers share.
 */
export function shapeNetwork(seed: number, core: Core): ShapeNetwork {
  const program = shapeProgram(seed);
  const options = { optimize: seed % 4 === 3 ? 'size' : 'speed', target: { core, flashBytes: FLASH_BYTES } } as const;
  const provenance = { generator: '', planHash: '', modelFile: '' };
  const { forms } = assemble(program, 'net', options);
  return {
    files: renderC(program, { name: 'net', provenance, ...options }),
    shapes: programShapes(program, core, forms),
  };
}

function shapeProgram(seed: number): Program {
  const graph = blocks(seed);
  const random = mulberry32(seed + 1000);
  const pick = (n: number): number => Math.floor(((random() + 1) / 2) * n);
  const decisions = seed % 3 === 0 ? eightBits : mixedBits(graph, pick);
  const stages = candidateStages(graph);
  const stage = seed % 3 === 1 || stages.length === 0 ? null : stages[pick(stages.length)];
  const grid = { rows: 1 + pick(4), cols: 1 + pick(3) };
  const keep = new Set(stage?.maps.filter((m) => m !== stage.splitMap && pick(3) === 0) ?? []);
  const suits = stage && stageBranches(graph, stage, grid, keep);
  const calibration = calibrateGraph(graph, graphSamples(graph, 2, 1));
  const parameters = quantizeGraph(graph, calibration, pixelInput(graph), decisions);
  const classes = new Array<'regular'>(grid.rows * grid.cols).fill('regular');
  return lower(graph, suits ? { stage, grid, keep, classes, runtime: null } : null, parameters, {
    name: 'net',
    input: 'external',
    tailStages: [],
  });
}

const eightBits: BitDecisions = { mapBits: () => 8, weightBits: () => 8, inputBits: () => 8 };

/** Maps of 8 or 4 bits, seldom 2, and weights of 8 or 4; the network's input and outputs at 8. */
function mixedBits(graph: Graph, pick: (n: number) => number): BitDecisions {
  const { bitGroup, leastBits } = formatTies(graph);
  const choices: Bits[] = [8, 8, 8, 4, 4, 4, 4, 2];
  const chosen = graph.maps.map(() => choices[pick(choices.length)]);
  const mapBits = (m: MapId): Bits => Math.max(leastBits[m], chosen[bitGroup[m]]) as Bits;
  const weights = graph.layers.map((): WeightBits => (pick(2) === 0 ? 8 : 4));
  return {
    mapBits,
    weightBits: (l) => weights[l],
    inputBits: (l) => mapBits(graph.layers[l].inputs[0]),
  };
}

function blocks(seed: number): Graph {
  const random = mulberry32(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(((random() + 1) / 2) * values.length)];
  // Weights of trained networks crowd around 0.
  const bell = (): number => (random() + random() + random() + random() + random() + random()) / 2;
  const g = new GraphBuilder(bell);
  /** Channels of a convolution of so many codes, as many as its work allows. */
  const width = (pixels: number, taps: number, wanted: number): number =>
    Math.max(4, Math.min(wanted, Math.floor(MOST_MACS / pixels / taps / 4) * 4));
  const pixels = (m: MapId): number => g.shape(m).h * g.shape(m).w;
  const conv = (m: MapId, wanted: number, kernel = 1, stride = 1, clamp = relu6): MapId => {
    const out = Math.ceil(g.shape(m).h / stride) * Math.ceil(g.shape(m).w / stride);
    const channels = width(out, kernel * kernel * g.shape(m).c, wanted);
    return g.conv(m, channels, squareWindow(kernel, { strideH: stride, strideW: stride }), 1, clamp);
  };
  const depthwise = (m: MapId, kernel: number, stride: number): MapId =>
    g.depthwise(m, squareWindow(kernel, { strideH: stride, strideW: stride }), relu6);
  const size = pick([32, 40, 48, 64, 80]);
  let map = g.input({ h: size, w: size, c: pick([1, 3, 3, 3]) });
  map = conv(map, pick([8, 16, 16, 24]), pick([3, 3, 5, 7]), 2, pick([relu, relu6]));
  for (let block = 0; block < 11; block++) {
    const { h, c } = g.shape(map);
    const stride = h > 3 && block % 3 === 1 ? 2 : 1;
    const kernel = pick([3, 3, 3, 5, 7]);
    switch (pick(['inverted', 'inverted', 'separable', 'residual', 'fire', 'pool'])) {
      case 'inverted': {
        const narrow = conv(
          depthwise(conv(map, c * pick([3, 4, 6])), kernel, stride),
          stride === 1 && pick([true, false]) ? c : pick([16, 24, 32, 48, 96]),
          1,
          1,
          { min: null, max: null },
        );
        map = stride === 1 && g.shape(narrow).c === c ? g.addMaps([map, narrow]) : narrow;
        break;
      }
      case 'separable':
        map = conv(depthwise(map, kernel, stride), pick([c, 2 * c]), 1, 1, relu);
        break;
      case 'residual': {
        const first = conv(map, pick([8, 16, 24, 32, 64]), pick([3, 3, 5]), stride, relu);
        const second = conv(first, g.shape(first).c, 3, 1, { min: null, max: null });
        map =
          g.shape(second).c === g.shape(first).c
            ? g.addMaps(
                [g.shape(second).c === c && stride === 1 ? map : conv(map, g.shape(second).c, 1, stride), second],
                relu,
              )
            : second;
        break;
      }
      case 'fire': {
        const squeezed = conv(map, pick([8, 16, 32]), 1, 1, relu);
        const wide = pick([16, 32, 64]);
        map = g.concat([conv(squeezed, wide, 1, 1, relu), conv(squeezed, wide, 3, 1, relu)]);
        break;
      }
      default:
        if (pixels(map) >= 25)
          map = g.maxPool(
            map,
            squareWindow(pick([2, 3]), { strideH: 2, strideW: 2, padding: { top: 0, left: 0, bottom: 0, right: 0 } }),
          );
    }
  }
  map = g.fullyConnected(g.globalAveragePool(conv(map, pick([64, 128, 256]))), pick([2, 10, 100]));
  return g.build([map]);
}
