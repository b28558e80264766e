import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { PNG } from 'pngjs';
import * as vscode from 'vscode';
import { OnnxBuilder } from '../support/onnxBuilder';
import { mulberry32 } from '../support/graphBuilder';

/** The folder that VS Code has open. */
export function workspacePath(...parts: string[]): string {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (!folder) throw new Error('No folder is open.');
  return path.join(folder.uri.fsPath, ...parts);
}

/**
 * A small classifier for 32×32 color images, with weights from a seed: convolution, two separable blocks with a
 * residual, pooling, 4 classes.
 */
export function smallModel(seed = 1): Buffer {
  const random = mulberry32(seed);
  const m = new OnnxBuilder(13, 8, 'small');
  const weights = (dims: number[]): string => {
    const fanIn = dims.slice(1).reduce((a, b) => a * b, 1);
    return m.floats(
      dims,
      Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => ((random() * 2 - 1) * 1.7) / Math.sqrt(fanIn)),
    );
  };
  const conv = (
    x: string,
    outC: number,
    inC: number,
    kernel: number,
    stride: number,
    group: number,
    name: string,
  ): string =>
    m.node(
      'Conv',
      [
        x,
        weights([outC, inC / group, kernel, kernel]),
        m.floats(
          [outC],
          Array.from({ length: outC }, () => random() * 0.2),
        ),
      ],
      {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: Array<number>(4).fill((kernel - 1) / 2),
        group,
      },
      { name },
    );
  const relu = (x: string): string => m.node('Relu', [x]);
  const stem = relu(conv(m.input('image', ['batch', 3, 32, 32]), 16, 3, 3, 2, 1, 'stem'));
  const block = relu(conv(relu(conv(stem, 16, 16, 3, 1, 16, 'block1/depthwise')), 16, 16, 1, 1, 1, 'block1/pointwise'));
  const sum = m.node('Add', [stem, block], {}, { name: 'residual' });
  const last = relu(conv(relu(conv(sum, 16, 16, 3, 2, 16, 'block2/depthwise')), 32, 16, 1, 1, 1, 'block2/pointwise'));
  const pooled = m.node('Flatten', [m.node('GlobalAveragePool', [last])]);
  m.node(
    'Gemm',
    [pooled, weights([4, 32]), m.floats([4], [0, 0, 0, 0])],
    { transB: 1 },
    { outputs: ['scores'], name: 'classifier' },
  );
  return m.output('scores', ['batch', 4]).finish();
}

/** A model with an operator that no microcontroller runs. */
export function unsupportedModel(): Buffer {
  const m = new OnnxBuilder();
  const x = m.node('Relu', [m.input('image', [1, 3, 8, 8])]);
  m.node('NonZero', [x], {}, { outputs: ['where'], name: 'finder' });
  return m.output('where', null, 'int64').finish();
}

/** Seeded color noise with gradients, as PNG files. */
export function writeImages(folder: string, count: number, side = 40): void {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) {
    const random = mulberry32(100 + i);
    const png = new PNG({ width: side, height: side });
    const tilt = [random(), random(), random()];
    for (let p = 0; p < side * side; p++) {
      for (let c = 0; c < 3; c++) png.data[4 * p + c] = Math.round(200 * ((p % side) / side) * tilt[c] + 55 * random());
      png.data[4 * p + 3] = 255;
    }
    writeFileSync(path.join(folder, `${i}.png`), PNG.sync.write(png));
  }
}

/** Calls `attempt` until it gives something, every 100 ms. */
export async function until<T>(
  what: string,
  attempt: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 120,
): Promise<T> {
  for (let turn = 0; turn < seconds * 10; turn++) {
    const result = await attempt();
    if (result !== undefined && result !== false) return result;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Waited ${seconds} s in vain for ${what}.`);
}
