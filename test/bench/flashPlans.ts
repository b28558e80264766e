import { existsSync, mkdirSync } from 'node:fs';
import * as path from 'node:path';
import { presetPreprocess, type Preset } from '../../src/engine/calibration/preprocess';
import { assembled } from '../../src/engine/codegen/flash';
import { silentProgress } from '../../src/engine/common/progress';
import type { Flash } from '../../src/engine/cost/flash';
import { openPlan } from '../../src/engine/planned/open';
import { quantize } from '../../src/engine/run/quantize';
import { arenaTarget, flashOptions } from '../../src/engine/targets/capacity';
import { targets } from '../../src/engine/targets/targets';
import { OPTIMIZE_LEVELS, type Optimize } from '../../src/engine/targets/types';
import { outRoot, projectRoot } from '../support/paths';
import { sharedData } from '../support/sharedData';

/** Board of the comparison: a Cortex-M4 with 256 KiB of SRAM and 1 MiB of flash, a quarter of it kept back. */
export const FLASH_BOARD = 'nano33ble';

interface Network {
  readonly name: string;
  readonly model: string;
  readonly images: string;
  /** Null: found on the images. */
  readonly preset: Preset | null;
}

const shared = (name: string, model: string, images: string, preset: Preset): Network => ({
  name,
  model: sharedData('models', model),
  images: sharedData('images', images),
  preset,
});

const sample = path.join(projectRoot, 'media', 'sample');
const networks: readonly Network[] = [
  { name: 'gauge', model: path.join(sample, 'gauge.onnx'), images: path.join(sample, 'images'), preset: null },
  shared('resnet8', 'resnet8_cifar10_mlperf.onnx', 'cifar10', 'raw'),
  shared('vww', 'vww_mobilenetv1_0.25_96_mlperf.onnx', 'vww', 'unit'),
  shared('mcunet', 'mcunet_vww_80.onnx', 'vww', 'tf'),
];

/** Told flash of a network's default plan, and of the one with 8 bits everywhere, at one level. */
export interface FlashRow {
  readonly network: string;
  readonly optimize: Optimize;
  readonly planned: Flash;
  readonly eight: Flash;
}

/**
 * Makes both plans of each network and tells their flash. A network whose model is absent is left out. Plans are kept
 * in out/bench/flash and taken from there.
 *
 * @param images so many, for calibration and search
 * @param fresh makes all plans again
 */
export async function flashRows(wanted: RegExp, images: number, fresh: boolean): Promise<FlashRow[]> {
  const rows: FlashRow[] = [];
  for (const network of networks.filter(({ name, model }) => wanted.test(name) && existsSync(model))) {
    const planned = await toldFlash(network, 'default', images, fresh);
    const eight = await toldFlash(network, 'eight', images, fresh);
    for (const optimize of OPTIMIZE_LEVELS)
      rows.push({ network: network.name, optimize, planned: planned[optimize], eight: eight[optimize] });
  }
  return rows;
}

async function toldFlash(
  { name, model, images, preset }: Network,
  kind: 'default' | 'eight',
  limit: number,
  fresh: boolean,
): Promise<Record<Optimize, Flash>> {
  const folder = path.join(outRoot, 'bench', 'flash');
  mkdirSync(folder, { recursive: true });
  const planPath = path.join(folder, `${name}-${kind}-${limit}.quantmcu.json`);
  const target = arenaTarget(
    targets.find(({ id }) => id === FLASH_BOARD)!,
    {},
  );
  if (fresh || !existsSync(planPath))
    await quantize(
      {
        modelPath: model,
        planPath,
        imagesPath: images,
        target,
        grid: 'auto',
        classes: 'static',
        preprocess: preset && presetPreprocess(preset),
        ...(kind === 'eight' ? { bits: [8], weights: 8 } : { weights: 'auto' }),
        limit,
        threads: 1,
        force: true,
        cachePath: null,
      },
      silentProgress,
    );
  const { program } = await openPlan(planPath);
  return Object.fromEntries(
    OPTIMIZE_LEVELS.map((optimize) => [optimize, assembled(program, flashOptions(target, optimize)).flash]),
  ) as Record<Optimize, Flash>;
}
