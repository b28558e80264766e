import { UserError } from '../common/errors';
import type { TrueBox } from './annotations';

/**
 * Boxes of a YOLO label file: `class x y width height` a line, in shares of the image; centre first. Polygons become
 * the box around them.
 *
 * @param labels names of the classes
 * @throws UserError with the line of the first fault
 */
export function parseYolo(text: string, file: string, labels: readonly string[]): TrueBox[] {
  const boxes: TrueBox[] = [];
  text.split(/\r?\n/).forEach((row, i) => {
    if (row.trim() === '') return;
    const fail = (message: string): never => {
      throw new UserError(`${file}:${i + 1}: ${message}`);
    };
    const numbers = row.trim().split(/\s+/).map(Number);
    const [index, ...values] = numbers;
    // Four numbers, five with a confidence, or the corners of a polygon.
    const isCount = values.length === 4 || values.length === 5 || (values.length >= 6 && values.length % 2 === 0);
    if (numbers.some((n) => !Number.isFinite(n)) || !isCount)
      fail(
        'a line has the class and four numbers: x, y, width and height, in shares of the image; or the class and ' +
          'pairs of numbers, a polygon.',
      );
    if (!Number.isInteger(index) || index < 0 || index >= labels.length)
      fail(`class ${index} is not one of the ${labels.length} labels.`);
    if (values.some((v) => v < -0.01 || v > 1.01)) fail('coordinates must be shares of the image, from 0 to 1.');
    const polygon = values.length > 5;
    if (!polygon && (values[2] <= 0 || values[3] <= 0)) fail('width and height must be above 0.');
    const xs = polygon ? values.filter((_, k) => k % 2 === 0) : [values[0] - values[2] / 2, values[0] + values[2] / 2];
    const ys = polygon ? values.filter((_, k) => k % 2 === 1) : [values[1] - values[3] / 2, values[1] + values[3] / 2];
    boxes.push({
      label: labels[index],
      x1: Math.min(...xs),
      y1: Math.min(...ys),
      x2: Math.max(...xs),
      y2: Math.max(...ys),
      ignored: false,
    });
  });
  return boxes;
}
