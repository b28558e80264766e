import type { Graph, MapId, Shape } from '../graph/types';
import type { PatchStatistics } from './types';

/** Bins of the result: ±5 standard deviations in steps of about 0.08. Beyond 5, a Gaussian has 6e-7 of its mass. */
const Z_RANGE = 5;
const BINS = 128;
/**
 * While streaming the final fit is unknown: finer and wider bins around a provisional one, which are redistributed at
 * the end.
 */
const RAW_RANGE = 8;
const RAW_BINS = 256;
/** Images observed at most. */
export const MAX_PATCH_IMAGES = 128;
/** Multiples of it modulo 1 spread evenly. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** Values counted per cell and image at most, so that a count fits 16 bits. */
const MAX_CELL_VALUES = 8192;

/** The map on which values are looked at for VDPC. */
export interface PatchReference {
  readonly map: MapId;
  readonly source: PatchStatistics['source'];
}

/**
 * The result of the first convolution before its activation (not counting 1×1 per-channel scales); the input where
 * there is none with a spatial output. Null for a network without a spatial map.
 */
export function patchReference(graph: Graph): PatchReference | null {
  for (const layer of graph.layers) {
    const convolves =
      layer.kind === 'conv' || (layer.kind === 'depthwise' && layer.window.kernelH * layer.window.kernelW > 1);
    if (!convolves || !isSpatial(graph.maps[layer.output].shape)) continue;
    return { map: layer.output, source: 'preActivation' };
  }
  const input = graph.inputs.find((i) => isSpatial(graph.maps[i.map].shape));
  return input === undefined ? null : { map: input.map, source: 'input' };
}

function isSpatial(shape: Shape): boolean {
  return shape.h > 1 && shape.w > 1;
}

/**
 * Cells along an axis: the largest divisor up to 28 where there is one of at least 14, so that all cells have the same
 * size (112 → 28, 32 → 16, 240 → 24); else 24, or the extent where that is less.
 */
export function cellsAlong(extent: number): number {
  for (let n = Math.min(28, extent); n >= 14; n--) if (extent % n === 0) return n;
  return Math.min(24, extent);
}

/** Collects {@link PatchStatistics} image by image. */
export class PatchCollector {
  private readonly cellRows: number;
  private readonly cellCols: number;
  private readonly counts: Uint16Array[] = [];
  private provisional: { mean: number; sigma: number } | null = null;
  private values = 0;
  private mean = 0;
  private squares = 0;

  constructor(
    private readonly reference: PatchReference,
    private readonly shape: Shape,
  ) {
    this.cellRows = cellsAlong(shape.h);
    this.cellCols = cellsAlong(shape.w);
  }

  /** Takes in the reference map of one image. All values must be finite. */
  add(values: Float32Array, layout: 'CHW' | 'HWC'): void {
    this.addMoments(values);
    this.provisional ??= { mean: this.mean, sigma: this.sigma() };
    const { mean, sigma } = this.provisional;
    const { h, w, c: channels } = this.shape;
    const { cellRows, cellCols } = this;
    const counts = new Uint16Array(cellRows * cellCols * RAW_BINS);
    const inverse = RAW_BINS / (2 * RAW_RANGE * sigma);
    const low = mean - RAW_RANGE * sigma;
    const perCell = Math.ceil(h / cellRows) * Math.ceil(w / cellCols) * channels;
    const channelStep = Math.ceil(perCell / MAX_CELL_VALUES);
    const pixelStep = layout === 'CHW' ? 1 : channels;
    const planeStep = layout === 'CHW' ? h * w : 1;
    for (let y = 0; y < h; y++) {
      const cellRow = Math.floor((y * cellRows) / h) * cellCols;
      for (let x = 0; x < w; x++) {
        const base = (cellRow + Math.floor((x * cellCols) / w)) * RAW_BINS;
        const pixel = (y * w + x) * pixelStep;
        for (let c = (y + x) % channelStep; c < channels; c += channelStep) {
          const k = Math.floor((values[pixel + c * planeStep] - low) * inverse);
          counts[base + (k < 0 ? 0 : k >= RAW_BINS ? RAW_BINS - 1 : k)]++;
        }
      }
    }
    this.counts.push(counts);
  }

  private addMoments(values: Float32Array): void {
    const shift = values[0];
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < values.length; i++) {
      const d = values[i] - shift;
      sum += d;
      squares += d * d;
    }
    const n = values.length;
    const mean = sum / n;
    const total = this.values + n;
    const delta = shift + mean - this.mean;
    this.squares += Math.max(0, squares - mean * sum) + (delta * delta * this.values * n) / total;
    this.mean += (delta * n) / total;
    this.values = total;
  }

  private sigma(): number {
    // A map that does not change has no outliers; any positive width says so.
    return Math.max(Math.sqrt(this.squares / this.values), 1e-30, Math.abs(this.mean) * 1e-7);
  }

  /**
   * Fits the Gaussian over everything and redistributes the counts to its z. @throws RangeError before the first image
   */
  finish(): PatchStatistics {
    if (this.provisional === null) throw new RangeError('no image was observed');
    const sigma = this.sigma();
    const cells = this.cellRows * this.cellCols;
    const counts = new Uint32Array(this.counts.length * cells * BINS);
    // Inner edges of the final bins, in units of raw bins.
    const rawWidth = (2 * RAW_RANGE * this.provisional.sigma) / RAW_BINS;
    const edges = Float64Array.from({ length: BINS - 1 }, (_, k) => {
      const value = this.mean + sigma * (-Z_RANGE + ((k + 1) * 2 * Z_RANGE) / BINS);
      return (value - (this.provisional!.mean - RAW_RANGE * this.provisional!.sigma)) / rawWidth;
    });
    this.counts.forEach((raw, image) => {
      for (let cell = 0; cell < cells; cell++) {
        const at = image * cells + cell;
        redistribute(
          raw.subarray(cell * RAW_BINS, (cell + 1) * RAW_BINS),
          edges,
          counts.subarray(at * BINS, (at + 1) * BINS),
          (at * GOLDEN) % 1,
        );
      }
    });
    return {
      map: this.reference.map,
      source: this.reference.source,
      mean: this.mean,
      sigma,
      images: this.counts.length,
      cellRows: this.cellRows,
      cellCols: this.cellCols,
      zRange: Z_RANGE,
      bins: BINS,
      counts,
    };
  }
}

/**
 * Moves counts from equal bins to bins between `edges`, taking values as uniform within a bin. Cumulative counts are
 * rounded, not single ones, so that none is lost. `dither` in [0, 1) says where to round: as it differs from cell to
 * cell, bins that take in two old ones do not stand out next to those that take in one.
 */
function redistribute(from: Uint16Array, edges: Float64Array, to: Uint32Array, dither: number): void {
  let k = 0;
  let below = 0;
  let previous = 0;
  for (let e = 0; e < edges.length; e++) {
    while (k < from.length && k + 1 <= edges[e]) below += from[k++];
    const part = k < from.length && edges[e] > k ? from[k] * (edges[e] - k) : 0;
    const cumulative = Math.floor(below + part + dither);
    to[e] = cumulative - previous;
    previous = cumulative;
  }
  while (k < from.length) below += from[k++];
  to[edges.length] = below - previous;
}
