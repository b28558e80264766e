import { presetPreprocess } from '../../../../src/engine/calibration/preprocess';
import type { SweepSettings } from '../../../../src/engine/sweep/types';

/** Settings of sweeps of the sample. @param key of the calibration */
export function sweepSettings(key: string): SweepSettings {
  return {
    target: { id: 'nano33ble', sramBytes: 262_144, flashBytes: 1_048_576 },
    grid: { rows: 2, cols: 2 },
    preprocess: presetPreprocess('unit'),
    bits: [8, 4],
    weights: 8,
    classes: 'static',
    phi: 0.99,
    lambda: 0.5,
    epsilon: 0.01,
    calibration: { key, images: 8, folder: 'images', limit: 8 },
    evaluation: { folder: 'evaluated', limit: 0 },
  };
}
