import * as fs from 'node:fs';
import * as path from 'node:path';
import { PNG } from 'pngjs';
import type { QuantizeOptions } from '../../src/engine/run/options';
import { quantize } from '../../src/engine/run/quantize';
import { silentProgress, type Progress } from '../../src/engine/common/progress';
import { OnnxBuilder } from '../support/onnxBuilder';
import { randomArray, randomNumbers } from '../support/onnxOracle';
import { outRoot, projectRoot } from '../support/paths';

/** Images that come with the project. */
export const sampleImages = path.join(projectRoot, 'media/sample/images');

/** A folder of its own for a test; `remove()` it afterwards. */
export class WorkFolder {
  readonly folder: string;

  constructor(parent = path.join(outRoot, 'faults')) {
    fs.mkdirSync(parent, { recursive: true });
    this.folder = fs.mkdtempSync(path.join(parent, 'work-'));
  }

  path(...parts: string[]): string {
    return path.join(this.folder, ...parts);
  }

  write(name: string, content: string | Uint8Array): string {
    fs.mkdirSync(path.dirname(this.path(name)), { recursive: true });
    fs.writeFileSync(this.path(name), content);
    return this.path(name);
  }

  /** Names and contents of all files below, so that nothing can change unseen. */
  snapshot(): Record<string, string> {
    const names = fs.readdirSync(this.folder, { recursive: true, encoding: 'utf8' }).sort();
    return Object.fromEntries(
      names.map((n) => [n, fs.lstatSync(this.path(n)).isFile() ? fs.readFileSync(this.path(n), 'latin1') : '(folder)']),
    );
  }

  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * A network of two convolutions and a classifier on 16×16 color images; `seed` gives other weights of the same network.
 */
export function smallModel(seed = 1, names: { readonly map?: string; readonly layer?: string } = {}): Buffer {
  const random = randomNumbers(seed);
  const m = new OnnxBuilder();
  const weights = (...dims: number[]): string =>
    m.floats(
      dims,
      randomArray(
        dims.reduce((a, b) => a * b, 1),
        random,
        0.3,
      ),
    );
  const first = m.node('Conv', [m.input('x', [1, 3, 16, 16]), weights(8, 3, 3, 3)], { pads: [1, 1, 1, 1] });
  const second = m.node('Conv', [m.node('Relu', [first]), weights(8, 8, 1, 1)], {}, { name: names.layer ?? 'second' });
  const pooled = m.node('Flatten', [
    m.node('GlobalAveragePool', [m.node('Relu', [second], {}, { outputs: [names.map ?? 'features'] })]),
  ]);
  m.output(m.node('Gemm', [pooled, weights(5, 8)], { transB: 1 }), [1, 5]);
  return m.finish();
}

/** A small PNG of random pixels. */
export function tinyPng(seed: number, size = 16): Buffer {
  const random = randomNumbers(seed);
  const image = new PNG({ width: size, height: size });
  for (let i = 0; i < image.data.length; i++)
    image.data[i] = i % 4 === 3 ? 255 : Math.floor(((random() + 1) / 2) * 255);
  return PNG.sync.write(image);
}

/** Puts `count` small images into a folder. */
export function writeImages(work: WorkFolder, count: number, folder = 'images'): string {
  for (let i = 0; i < count; i++) work.write(path.join(folder, `${String(i).padStart(5, '0')}.png`), tinyPng(i + 1));
  return work.path(folder);
}

/** A folder with the small model and `count` images. */
export class SmallFolder extends WorkFolder {
  readonly modelPath = this.write('model.onnx', smallModel());
  /** Where a plan goes by default. */
  readonly planPath = this.path('model.quantmcu.json');
  readonly imagesPath: string;

  constructor(count = 0) {
    super();
    this.imagesPath = writeImages(this, count);
  }

  /** What is quantized, from what, and to where. */
  get paths(): Pick<QuantizeOptions, 'modelPath' | 'planPath' | 'imagesPath'> {
    const { modelPath, planPath, imagesPath } = this;
    return { modelPath, planPath, imagesPath };
  }
}

export type SmallOptions = Pick<QuantizeOptions, 'modelPath' | 'planPath' | 'imagesPath'> & Partial<QuantizeOptions>;

/** `quantize` with settings that suit the small model. */
export function quantizeSmall(options: SmallOptions, progress: Progress = silentProgress): ReturnType<typeof quantize> {
  return quantize(
    {
      target: { id: 'custom', sramBytes: 65536, flashBytes: 262144 },
      grid: { rows: 2, cols: 2 },
      weights: 'auto',
      classes: 'static',
      preprocess: null,
      limit: 0,
      cachePath: null,
      ...options,
    },
    progress,
  );
}

/** What a promise rejects with; null when it does not. */
export async function failureOf(work: Promise<unknown>): Promise<Error | null> {
  try {
    await work;
    return null;
  } catch (error) {
    return error as Error;
  }
}
