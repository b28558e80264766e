import * as path from 'node:path';
import { loadSample } from '../engine/calibration/inputs';
import { resizeBilinear } from '../engine/calibration/resample';
import { listSamples } from '../engine/calibration/samples';
import type { Calibration } from '../engine/calibration/types';
import { UserError } from '../engine/common/errors';
import type { Graph, Shape } from '../engine/graph/types';
import type { Plan } from '../engine/plan/types';
import type { PictureView, SampleImageView } from '../protocol/views';
import { outlierMap } from './outlierMap';

/** Longer side of what is sent to the page. */
const MAX_SIDE = 416;

/**
 * The first image of the folder that a plan was calibrated on, brought to the input's size as calibration does it, with
 * its outliers; null where there is none.
 */
export async function sampleImage(
  graph: Graph,
  plan: Plan,
  planPath: string,
  calibration: Calibration | null,
): Promise<SampleImageView | null> {
  const [input] = graph.inputs;
  const { c } = graph.maps[input.map].shape;
  if (c !== 1 && c !== 3) return null;
  try {
    const { samples } = await listSamples(path.resolve(path.dirname(planPath), plan.calibration.folder), graph, 1);
    const sample = samples.find(({ source }) => source.kind === 'image');
    if (!sample) return null;
    const [{ codes, real }] = await loadSample(sample, graph, plan.preprocess);
    if (!codes) return null;
    return {
      name: sample.name,
      ...imageView(codes, graph.maps[input.map].shape, plan.preprocess.channels === 'bgr'),
      outliers: calibration?.patches ? outlierMap(graph, calibration.patches, plan.search.phi, [real]) : null,
    };
  } catch (error) {
    // The images may lie on another machine; the grid is drawn without one.
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** An input of 1 or 3 channels as the page draws it, made smaller where it is large. @param codes HWC */
export function imageView(codes: Uint8Array | Int8Array, { h, w, c }: Shape, bgr: boolean): PictureView {
  const pixels = Uint8Array.from(codes);
  const scale = Math.min(1, MAX_SIDE / Math.max(h, w));
  const [height, width] = [Math.max(1, Math.round(h * scale)), Math.max(1, Math.round(w * scale))];
  const sized =
    scale === 1 ? pixels : resizeBilinear({ width: w, height: h, channels: c, data: pixels }, width, height).data;
  return { width, height, rgba: toRgba(sized, c, bgr) };
}

function toRgba(pixels: Uint8Array, channels: number, bgr: boolean): Uint8Array {
  const count = pixels.length / channels;
  const rgba = new Uint8Array(count * 4);
  for (let p = 0; p < count; p++) {
    for (let k = 0; k < 3; k++) rgba[4 * p + k] = pixels[p * channels + (channels === 1 ? 0 : bgr ? 2 - k : k)];
    rgba[4 * p + 3] = 255;
  }
  return rgba;
}
