import type { Size } from '../common/size';
import type { Preprocess } from '../calibration/types';
import { counted } from '../common/wording';
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
    image: Size | null,
  ): Promise<ImageDetection>;
  /** A line for the user about known boxes whose labels the network does not know; null where it knows all. */
  unknownLabels(): string | null;
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
      'No boxes are known for these images (VOC .xml, YOLO .txt or COCO .json beside them, or --annotations), ' +
        "so the quantized network's boxes are compared with the float network's.",
    );
  const keys = new Set(labels.map(labelKey));
  const unknown = new Map<string, number>();
  let known = 0;
  return {
    head,
    format: annotations?.format ?? null,
    unknownLabels: () => unknownNote(unknown, known, labels),
    async detect(sample, float, quantized, image) {
      const kept = [float, quantized].map((outputs) => suppress(decodeHead(head, outputs), head.head));
      const truth = image ? await annotations?.of(sample) : null;
      for (const { label } of truth?.boxes ?? []) {
        if (keys.has(labelKey(label))) known++;
        else unknown.set(label, (unknown.get(label) ?? 0) + 1);
      }
      return {
        agreement: compareBoxes(kept[0], kept[1]),
        boxes: { float: kept[0].length, quantized: kept[1].length },
        pair:
          truth && image
            ? imagePair(head, truth, image, {
                float: imageBoxes(head, preprocess, image, float),
                quantized: imageBoxes(head, preprocess, image, quantized),
              })
            : null,
      };
    },
  };
}

/** Labels that are named in a note. */
const MOST_NAMED = 5;

function unknownNote(unknown: ReadonlyMap<string, number>, known: number, labels: readonly string[]): string | null {
  if (unknown.size === 0) return null;
  const some = (list: readonly string[]): string =>
    list.slice(0, MOST_NAMED).join(', ') + (list.length > MOST_NAMED ? ', …' : '');
  const boxes = [...unknown.values()].reduce((a, b) => a + b, 0);
  const names = some([...unknown.keys()].map((label) => `"${label}"`));
  return known === 0
    ? `No known box has a label of the network: the boxes have ${names}, the network ${some(labels)}. Correct ` +
        '"labels" in the plan\'s detection head, or the boxes.'
    : `${counted(boxes, 'known box', 'known boxes')} of ${names} ${boxes === 1 ? 'is' : 'are'} not counted: the ` +
        'network has no such labels.';
}

/** What a network finds on an image, down to very low scores, in pixels of the image. */
export function imageBoxes(
  head: ResolvedHead,
  preprocess: Preprocess,
  image: Size,
  outputs: readonly Float32Array[],
): Detection[] {
  const all = { ...head.head, candidates: Infinity, detections: Infinity, classes: 'all' as const };
  const place = placeImage(image, head.input, preprocess);
  return suppress(decodeHead({ ...head, head: all }, outputs, LEAST_SCORE), all).map((box) => onImage(box, place));
}

/** What both networks find on an image beside what is known to be there. */
export function imagePair(
  { head }: ResolvedHead,
  truth: ImageTruth,
  image: Size,
  found: Pick<ImagePair, 'float' | 'quantized'>,
): ImagePair {
  const [sx, sy] = truth.relative ? [image.width, image.height] : [1, 1];
  const keys = head.labels.map(labelKey);
  const targets = truth.boxes.flatMap((box): Target[] => {
    const label = keys.indexOf(labelKey(box.label));
    return label < 0
      ? []
      : [{ label, x1: box.x1 * sx, y1: box.y1 * sy, x2: box.x2 * sx, y2: box.y2 * sy, ignored: box.ignored }];
  });
  return { targets, ...found };
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
    accuracy:
      format !== null && pairs.some(({ targets }) => targets.length > 0)
        ? detectionAccuracy(pairs, head, format)
        : null,
    agreement: agreementPercent(results.map((r) => r.agreement)),
    boxes: { float: mean('float'), quantized: mean('quantized') },
  };
}
