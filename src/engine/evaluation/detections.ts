import type { Preprocess } from '../calibration/types';
import { agreementPercent, compareBoxes, type BoxAgreement } from '../detection/agreement';
import { findAnnotations, type Annotations, type ImageTruth } from '../detection/annotations';
import type { Target } from '../detection/averagePrecision';
import { decodeHead } from '../detection/decode';
import { detectionAccuracy, type ImagePair } from '../detection/detectionAccuracy';
import type { Detection } from '../detection/head';
import { onImage, placeImage } from '../detection/imagePlace';
import { labelKey } from '../detection/labels';
import type { ResolvedHead } from '../detection/resolve';
import { suppress } from '../detection/suppress';
import type { DetectionEvaluation, EvaluateOptions } from './types';

/** Average precision is an area over all scores: boxes down to this one count. */
const LEAST_SCORE = 0.005;

/** What a detector finds on one image. */
export interface ImageDetection {
  readonly agreement: BoxAgreement;
  readonly boxes: { readonly float: number; readonly quantized: number };
  /** With the known boxes, where there are some; all in pixels of the image. */
  readonly pair: ImagePair | null;
}

/** Finds boxes on images, for both networks. */
export interface Detector {
  readonly head: ResolvedHead;
  /** Of the known boxes; null without any. */
  readonly format: Annotations['format'] | null;
  detect(
    sample: string,
    float: readonly Float32Array[],
    quantized: readonly Float32Array[],
    image: { readonly width: number; readonly height: number } | null,
  ): Promise<ImageDetection>;
}

/** @throws UserError when what was given as known boxes is none, or damaged */
export async function openDetector(
  { head, annotations: given }: NonNullable<EvaluateOptions['detection']>,
  location: string,
  preprocess: Preprocess,
  notes: string[],
): Promise<Detector> {
  const { labels } = head.head;
  const annotations = await findAnnotations(location, given, labels);
  if (!annotations)
    notes.push(
      'No boxes are known for these images (VOC .xml, YOLO .txt or COCO .json beside them, or --annotations), so the ' +
        "quantized network's are compared with the float one's.",
    );
  return {
    head,
    format: annotations?.format ?? null,
    async detect(sample, float, quantized, image) {
      const kept = [float, quantized].map((outputs) => suppress(decodeHead(head, outputs), head.head));
      const truth = image ? await annotations?.of(sample) : null;
      return {
        agreement: compareBoxes(kept[0], kept[1]),
        boxes: { float: kept[0].length, quantized: kept[1].length },
        pair: truth && image ? imagePair(head, preprocess, truth, image, [float, quantized]) : null,
      };
    },
  };
}

/** What both networks find on an image, down to very low scores, beside what is known to be there. */
export function imagePair(
  head: ResolvedHead,
  preprocess: Preprocess,
  truth: ImageTruth,
  image: { readonly width: number; readonly height: number },
  outputs: readonly [float: readonly Float32Array[], quantized: readonly Float32Array[]],
): ImagePair {
  const all = { ...head.head, candidates: Infinity, detections: Infinity, classes: 'all' as const };
  const place = placeImage(image, head.input, preprocess);
  const [float, quantized] = outputs.map((o) =>
    suppress(decodeHead({ ...head, head: all }, o, LEAST_SCORE), all).map((box): Detection => onImage(box, place)),
  );
  const [sx, sy] = truth.relative ? [image.width, image.height] : [1, 1];
  const keys = head.head.labels.map(labelKey);
  const targets = truth.boxes.flatMap((box): Target[] => {
    const label = keys.indexOf(labelKey(box.label));
    return label < 0
      ? []
      : [{ label, x1: box.x1 * sx, y1: box.y1 * sy, x2: box.x2 * sx, y2: box.y2 * sy, ignored: box.ignored }];
  });
  return { targets, float, quantized };
}

/** Adds up what was found on the images, in their order. */
export function summarizeDetections(
  results: readonly ImageDetection[],
  { head }: ResolvedHead,
  format: Annotations['format'] | null,
): DetectionEvaluation {
  const pairs = results.flatMap(({ pair }) => (pair ? [pair] : []));
  const mean = (which: 'float' | 'quantized'): number =>
    results.reduce((sum, r) => sum + r.boxes[which], 0) / Math.max(1, results.length);
  return {
    accuracy: format !== null && pairs.length > 0 ? detectionAccuracy(pairs, head, format) : null,
    agreement: agreementPercent(results.map((r) => r.agreement)),
    boxes: { float: mean('float'), quantized: mean('quantized') },
  };
}
