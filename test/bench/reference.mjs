// The reference networks and images that benches measure on.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../support/bundle.mjs';

/**
 * A network, how its images are preprocessed, and the folders that it is calibrated and evaluated on.
 * @typedef {{readonly model: string, readonly preprocess: string, readonly calibration: string, readonly evaluation:
 * string}} ReferenceNetwork
 */

/** The folder of models and images. @throws Error where it is absent */
export function referenceData() {
  const data = process.env.QUANTMCU_SHARED_DATA || path.join(projectRoot, '../shared/data');
  if (!existsSync(data)) throw new Error(`${data} is not there; this bench needs the reference models and images.`);
  return data;
}

/** Folders of ImageNet's images. */
export const imagenet = { calibration: 'imagenet_sample', evaluation: 'imagenet_val' };

/** Classifiers of ImageNet. @type {readonly ReferenceNetwork[]} */
export const classifiers = [
  { model: 'mobilenetv2_1.0_224_tv', preprocess: 'imagenet', ...imagenet },
  { model: 'mobilenetv1_0.25_224_imagenet', preprocess: 'tf', ...imagenet },
  { model: 'squeezenet1.1_224_imagenet', preprocess: 'imagenet', ...imagenet },
];
