import * as path from 'node:path';
import type { Plan } from './types';

/** Path as a sidecar names it: relative to itself, with '/'. */
export function relativeTo(planPath: string, file: string): string {
  return (
    path
      .relative(path.dirname(path.resolve(planPath)), path.resolve(file))
      .split(path.sep)
      .join('/') || '.'
  );
}

/** Whether images are those that a plan was calibrated on, so that they make it look better than it is. */
export function isCalibrationFolder(planPath: string, { calibration }: Plan, imagesPath: string): boolean {
  return path.resolve(path.dirname(planPath), calibration.folder) === path.resolve(imagesPath);
}

/** Said with a result on such images. */
export const CALIBRATION_NOTE =
  'The plan was calibrated on these images, so the result is optimistic: evaluate on other images.';
