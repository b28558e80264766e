import { importModel } from '../../../src/engine/onnx';
import { headPreset } from '../../../src/engine/detection/presets';
import type { DetectionHead } from '../../../src/engine/detection/head';
import { DISC_LABELS, DISC_SIDE, discScene } from '../../support/discDetector';

export { discModel, discScene, writeDiscImages } from '../../support/discDetector';

/** Side of the camera's picture: each pixel of a scene is 2×2 there. */
export const PICTURE_SIDE = 2 * DISC_SIDE;

/** The head that quantization would propose, with names for its classes and boxes in the camera's pixels. */
export async function discHead(modelPath: string): Promise<DetectionHead> {
  const head = headPreset(await importModel(modelPath), 'centernet', modelPath);
  return { ...head, labels: DISC_LABELS, image: { width: PICTURE_SIDE, height: PICTURE_SIDE }, score: 0.5 };
}

/** C arrays of scenes as a camera's memory has them: RGB565, high byte first. */
export function picturesInC(seeds: readonly number[]): string {
  const rows = seeds.map((seed) => {
    const { pixels } = discScene(seed);
    const bytes: number[] = [];
    for (let y = 0; y < PICTURE_SIDE; y++) {
      for (let x = 0; x < PICTURE_SIDE; x++) {
        const at = 3 * ((y >> 1) * DISC_SIDE + (x >> 1));
        const code = ((pixels[at] >> 3) << 11) | ((pixels[at + 1] >> 2) << 5) | (pixels[at + 2] >> 3);
        bytes.push(code >> 8, code & 255);
      }
    }
    return `{${bytes.join(',')}}`;
  });
  return (
    '#include <stdint.h>\n\n' +
    `const uint8_t sensor_pictures[${seeds.length}][${2 * PICTURE_SIDE * PICTURE_SIDE}] = {\n${rows.join(',\n')}};\n`
  );
}
