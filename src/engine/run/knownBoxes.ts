import type { FloatResult } from '../calibration/float';
import type { SampleSet } from '../calibration/samples';
import type { Preprocess } from '../calibration/types';
import { findAnnotations, type ImageTruth } from '../detection/annotations';
import { map50Lost } from '../detection/detectionAccuracy';
import type { Size } from '../common/size';
import type { Detection } from '../detection/head';
import type { ResolvedHead } from '../detection/resolve';
import { oncePerImage } from '../detection/oncePerImage';
import { imageBoxes, imagePair } from '../evaluation/detections';
import type { OutputLoss } from '../vdqs/loss';

/**
 * With this many images, known boxes say as much about the loss as what changes in the outputs does: mean average
 * precision of a few images moves by a point when a single box does, and of 25 images by 2 (standard deviation).
 */
const EVEN_IMAGES = 200;

/**
 * A detector's loss for a budget: where boxes of the sample images are known, the points of mean average precision
 * actually lost on them, averaged with the estimate from the outputs by how many such images there are; otherwise
 * only that estimate.
 *
 * @param images with the float network's outputs
 * @returns the loss, and a line for people that says which of both it is
 * @throws UserError when known boxes are damaged
 */
export async function withKnownBoxes(
  loss: OutputLoss,
  head: ResolvedHead,
  preprocess: Preprocess,
  samples: SampleSet,
  images: readonly FloatResult[],
): Promise<{ readonly loss: OutputLoss; readonly note: string }> {
  const annotations =
    samples.kind === 'images' ? await findAnnotations(samples.path, undefined, head.head.labels) : null;
  interface Known {
    readonly truth: ImageTruth;
    readonly image: Size;
    readonly boxes: (outputs: readonly Float32Array[]) => Detection[];
  }
  const known = new Map<readonly Float32Array[], Known>();
  for (const { sample, inputs, outputs } of images) {
    const truth = await annotations?.of(sample.name);
    const { image } = inputs[0];
    if (truth && image)
      known.set(outputs, { truth, image, boxes: oncePerImage((o) => imageBoxes(head, preprocess, image, o)) });
  }
  if (!annotations || known.size === 0) {
    const note =
      'No boxes are known for the sample images: the loss in points of mAP is estimated from how far scores and ' +
      'boxes move, and from the share of boxes that match no float box.';
    return { loss, note };
  }
  const note =
    `The loss is in points of mAP@0.5, from the known boxes of ${known.size} sample images, combined with an ` +
    'estimate from how far scores and boxes move and how many match no float box.';
  const weighed: OutputLoss = {
    ...loss,
    expected: (float, quantized) => {
      const pairs = float.flatMap((outputs, i) => {
        const found = known.get(outputs);
        if (!found) return [];
        const { truth, image, boxes } = found;
        return [imagePair(head, truth, image, { float: boxes(outputs), quantized: boxes(quantized[i]) })];
      });
      const foreseen = loss.expected(float, quantized);
      const lost = map50Lost(pairs, head.head, annotations.format);
      return (pairs.length * lost + EVEN_IMAGES * foreseen) / (pairs.length + EVEN_IMAGES);
    },
  };
  return { loss: weighed, note };
}
