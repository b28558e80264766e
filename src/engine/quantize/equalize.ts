import type { Graph, MapId, WeightedLayer } from '../graph/types';
import type { MapStatistics } from '../calibration/types';
import type { WeightBits } from '../graph/bits';
import type { ScaleComponent } from './components';
import type { BaseScales, CodeType } from './scales';
import { channelError, channelPower } from './histogramError';

/** A dense layer that reads a map of the component. */
interface Reader {
  /** Index into the component's maps. */
  readonly member: number;
  readonly weightBits: WeightBits;
  readonly outC: number;
  readonly channels: number;
  /** max |W[o, …, c]| over the kernel, [outC][channels]. */
  readonly rowMax: Float32Array;
  /** max over o of the same, [channels]. */
  readonly columnMax: Float64Array;
  /** Σ W[o, …, c]², [channels]. */
  readonly columnPower: Float64Array;
  /** Weights per (o, c). */
  readonly taps: number;
}

const ALPHAS = [0, 0.25, 0.5, 0.75, 1];
const BETAS = [0, 0.25, 0.5, 0.75];

/**
 * Chooses per-channel scales of a component so that the rounding of the maps and of the dense readers' integer weights,
 * into which the scales are folded, do the least harm together:
 *
 *     s_g = k·base_g^α·(max|W[:, g]|)^−β,   base_g ≤ s_g ≤ cap·base_g,
 *     minimizing Σ_c ‖W_c‖²·E[(Q(x_c) − x_c)²] + ½·Σ E[q_c²]·(rounding error of W·s)²
 *
 * (docs/algorithm.md, "Formats and scales"). With depthwise readers only, the base scales stay: each channel has a
 * weight scale of its own.
 *
 * @returns scale per group
 */
export function equalizeScales(
  graph: Graph,
  component: ScaleComponent,
  base: BaseScales,
  readersOf: (map: MapId) => readonly { layer: WeightedLayer; weightBits: WeightBits }[],
  statistics: (map: MapId) => MapStatistics,
  types: readonly CodeType[],
): Float64Array {
  const readers: Reader[] = [];
  component.maps.forEach((map, member) => {
    for (const { layer, weightBits } of readersOf(map))
      if (layer.kind !== 'depthwise') readers.push(describeReader(graph, layer, weightBits, member));
  });
  if (readers.length === 0 || component.groups === 1) return base.scales;
  const columnMax = groupColumnMax(component, readers);
  const wide = types.every((t) => t.bits >= 8);
  const cap = wide ? 32 : 6;
  const stats = component.maps.map(statistics);
  const shrink = wide ? [1] : [1, 0.8, 0.65];
  let best = base.scales;
  let least = objective(component, stats, base.factors, readers, base.scales, types);
  for (const alpha of ALPHAS) {
    for (const beta of BETAS) {
      if (alpha === 1 && beta === 0) continue;
      const raw = base.scales.map((b, g) => (columnMax[g] > 0 ? b ** alpha * columnMax[g] ** -beta : b));
      // k so that no scale falls below its base.
      let k = 0;
      for (let g = 0; g < raw.length; g++) if (columnMax[g] > 0) k = Math.max(k, base.scales[g] / raw[g]);
      for (const f of shrink) {
        const scales = raw.map((r, g) =>
          columnMax[g] > 0 ? Math.min(Math.max(k * r, base.scales[g]), cap * base.scales[g]) * f : base.scales[g],
        );
        const value = objective(component, stats, base.factors, readers, scales, types);
        if (value < least) {
          least = value;
          best = scales;
        }
      }
    }
  }
  return best;
}

function describeReader(graph: Graph, layer: WeightedLayer, weightBits: WeightBits, member: number): Reader {
  const inC = graph.maps[layer.inputs[0]].shape.c;
  const outC = graph.maps[layer.output].shape.c;
  const perOut = layer.weights.length / outC;
  const group = layer.kind === 'conv' ? layer.group : 1;
  const perGroup = inC / group;
  const rowMax = new Float32Array(outC * inC);
  const columnMax = new Float64Array(inC);
  const columnPower = new Float64Array(inC);
  for (let o = 0; o < outC; o++) {
    const first = Math.floor(o / (outC / group)) * perGroup;
    for (let i = 0; i < perOut; i++) {
      const c = first + (i % perGroup);
      const w = Math.abs(layer.weights[o * perOut + i]);
      if (w > rowMax[o * inC + c]) rowMax[o * inC + c] = w;
      if (w > columnMax[c]) columnMax[c] = w;
      columnPower[c] += w * w;
    }
  }
  return { member, weightBits, outC, channels: inC, rowMax, columnMax, columnPower, taps: perOut / perGroup };
}

function groupColumnMax(component: ScaleComponent, readers: readonly Reader[]): Float64Array {
  const result = new Float64Array(component.groups);
  for (const r of readers) {
    const groupOf = component.groupOf[r.member];
    for (let c = 0; c < r.channels; c++) result[groupOf[c]] = Math.max(result[groupOf[c]], r.columnMax[c]);
  }
  return result;
}

function objective(
  component: ScaleComponent,
  stats: readonly MapStatistics[],
  factors: Float64Array,
  readers: readonly Reader[],
  scales: Float64Array,
  types: readonly CodeType[],
): number {
  let total = 0;
  for (const r of readers) {
    const s = stats[r.member];
    const groupOf = component.groupOf[r.member];
    const factor = factors[r.member];
    const { bits, signed, zeroPoint = 0 } = types[r.member];
    let codePower = 0;
    for (let c = 0; c < r.channels; c++) {
      const scale = scales[groupOf[c]] * factor;
      total += r.columnPower[c] * channelError(s, c, scale, zeroPoint, bits, signed);
      codePower += channelPower(s, c) / (scale * scale);
    }
    // Rounding error of a weight is uniform over the row's step, unless the weight itself is smaller than half a step.
    const levels = r.weightBits === 8 ? 127 : 7;
    let rounding = 0;
    for (let o = 0; o < r.outC; o++) {
      let top = 0;
      const row = o * r.channels;
      for (let c = 0; c < r.channels; c++) top = Math.max(top, r.rowMax[row + c] * scales[groupOf[c]]);
      const step = (top * factor) / levels;
      rounding += (step * step) / 12;
    }
    total += 0.5 * rounding * r.taps * codePower;
  }
  return total;
}
