import { mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { PNG } from 'pngjs';
import { OnnxBuilder } from './onnxBuilder';
import { mulberry32 } from './graphBuilder';

/** Side of the network's input, pixels. */
export const DISC_SIDE = 64;
/** Side of the square that every disc's box is. */
const BOX_SIDE = 16;
const STRIDE = 4;
export const DISC_LABELS = ['red', 'green', 'blue'] as const;

/**
 * A detector that needs no training: finds red, green and blue discs by how much of a colour there is around each cell.
 * Its heat map, sizes and offsets are laid out as CenterNet's, so that `quantize` knows the head.
 */
export function discModel(): Buffer {
  const m = new OnnxBuilder();
  const window = (kernel: number, strides: number): Record<string, number[]> => ({
    kernel_shape: [kernel, kernel],
    strides: [strides, strides],
    pads: [1, 1, 1, 1].map((p) => (p * (kernel - 1)) / 2),
  });
  /** A 3×3 blur of what each of the outputs takes from red, green and blue. */
  const taps = [1, 2, 1, 2, 4, 2, 1, 2, 1].map((v) => v / 16);
  const opponent = [0, 1, 2].flatMap((o) => [0, 1, 2].flatMap((i) => taps.map((v) => (i === o ? v : -v / 2))));
  const blur = (size: number): number[] => {
    const middle = (size - 1) / 2;
    const row = Array.from({ length: size }, (_, i) => Math.exp(-0.5 * ((i - middle) / (size / 3.5)) ** 2));
    const sum = row.reduce((a, b) => a + b, 0);
    return row.flatMap((a) => row.map((b) => (a * b) / sum ** 2));
  };
  const each = (kernel: number[]): number[] => [kernel, kernel, kernel].flat();
  const colors = m.node('Relu', [
    m.node(
      'Conv',
      [m.input('image', [1, 3, DISC_SIDE, DISC_SIDE]), m.floats([3, 3, 3, 3], opponent), m.floats([3], [0, 0, 0])],
      window(3, 2),
    ),
  ]);
  const halves = m.node('Conv', [colors, m.floats([3, 1, 3, 3], each(blur(3))), m.floats([3], [0, 0, 0])], {
    ...window(3, 2),
    group: 3,
  });
  const around = m.node(
    'Conv',
    [m.node('Relu', [halves]), m.floats([3, 1, 5, 5], each(blur(5))), m.floats([3], [0, 0, 0])],
    { ...window(5, 1), group: 3 },
  );
  const cells = DISC_SIDE / STRIDE;
  const head = (name: string, weights: number[], bias: number[]): string =>
    m.node(
      'Conv',
      [around, m.floats([bias.length, 3, 1, 1], weights), m.floats([bias.length], bias)],
      { kernel_shape: [1, 1] },
      { outputs: [name] },
    );
  const one = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  m.output(
    head(
      'hm',
      one.map((v) => 16 * v),
      [-5, -5, -5],
    ),
    [1, 3, cells, cells],
  );
  // Sizes and offsets do not depend on the image, but a little, so that no map is constant.
  m.output(head('wh', [0.05, 0.05, 0.05, 0.05, 0.05, 0.05], [4, 4]), [1, 2, cells, cells]);
  m.output(head('reg', [0.02, 0, 0, 0, 0.02, 0], [0.12, 0.12]), [1, 2, cells, cells]);
  return m.finish();
}

/** A scene of one to three discs on a gray background. */
export interface DiscScene {
  readonly png: Buffer;
  /** RGB, HWC. */
  readonly pixels: Uint8Array;
  /** Centre in pixels and index of the label. */
  readonly discs: readonly { readonly x: number; readonly y: number; readonly label: number }[];
}

export function discScene(seed: number): DiscScene {
  const signed = mulberry32(seed);
  const random = (): number => Math.abs(signed());
  const discs: { x: number; y: number; label: number }[] = [];
  const wanted = 1 + Math.floor(3 * random());
  for (let tries = 0; discs.length < wanted && tries < 50; tries++) {
    const [x, y] = [10 + random() * (DISC_SIDE - 20), 10 + random() * (DISC_SIDE - 20)];
    if (discs.every((d) => Math.hypot(d.x - x, d.y - y) > 22)) discs.push({ x, y, label: Math.floor(3 * random()) });
  }
  const level = 60 + 100 * random();
  const pixels = new Uint8Array(DISC_SIDE * DISC_SIDE * 3);
  for (let p = 0; p < DISC_SIDE * DISC_SIDE; p++) {
    const [x, y] = [p % DISC_SIDE, Math.floor(p / DISC_SIDE)];
    const disc = discs.find((d) => Math.hypot(d.x - x - 0.5, d.y - y - 0.5) < BOX_SIDE / 2);
    const noise = 12 * random();
    for (let k = 0; k < 3; k++)
      pixels[3 * p + k] = disc ? (k === disc.label ? 215 : 35) + noise : level + 0.4 * (x + y) + noise;
  }
  const image = new PNG({ width: DISC_SIDE, height: DISC_SIDE });
  for (let p = 0; p < DISC_SIDE * DISC_SIDE; p++) {
    for (let k = 0; k < 3; k++) image.data[4 * p + k] = pixels[3 * p + k];
    image.data[4 * p + 3] = 255;
  }
  return { png: PNG.sync.write(image), pixels, discs };
}

/** Writes scenes as PNG files with their boxes in YOLO's text files beside them. */
export function writeDiscImages(folder: string, count: number, first = 1): void {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) {
    const { png, discs } = discScene(first + i);
    const name = path.join(folder, `disc-${String(i).padStart(3, '0')}`);
    writeFileSync(`${name}.png`, png);
    writeFileSync(
      `${name}.txt`,
      discs
        .map(({ x, y, label }) => [label, ...[x, y, BOX_SIDE, BOX_SIDE].map((v) => v / DISC_SIDE)].join(' '))
        .join('\n'),
    );
  }
}
