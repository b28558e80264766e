import { cpSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { silentProgress } from '../../src/engine/common/progress';
import { openPlan, type OpenedPlan } from '../../src/engine/planned/open';
import type { QuantizeOptions } from '../../src/engine/run/options';
import { quantize } from '../../src/engine/run/quantize';
import { projectRoot } from './paths';

/** The sample that comes with the extension: a network that reads a gauge, and pictures of one. */
export const sample = path.join(projectRoot, 'media/sample');

/** Copies some pictures of the sample into a folder, without the labels that lie beside them. */
export function copyPictures(from: 'images' | 'fresh', count: number, folder: string): void {
  const pictures = readdirSync(path.join(sample, from)).filter((name) => name.endsWith('.jpg'));
  for (const name of pictures.slice(0, count)) cpSync(path.join(sample, from, name), path.join(folder, name));
}

/** Plans the sample's network for its images. */
export async function planSample(
  planPath: string,
  options: Pick<QuantizeOptions, 'target' | 'grid' | 'weights' | 'limit'> & Partial<QuantizeOptions>,
): Promise<OpenedPlan> {
  await quantize(
    {
      modelPath: path.join(sample, 'gauge.onnx'),
      planPath,
      imagesPath: path.join(sample, 'images'),
      classes: 'static',
      preprocess: null,
      cachePath: null,
      ...options,
    },
    silentProgress,
  );
  return openPlan(planPath);
}
