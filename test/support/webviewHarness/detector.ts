/** A detector's plan and what the host answers about its boxes, in pictures and tests of the page. */
import type { BoxView, DetectionsView } from '../../../src/protocol/detections';
import type { EditorView } from '../../../src/protocol/views';
import { plannedView } from './planned';

const labels = ['bicycle', 'car', 'cat', 'dog', 'person', 'sofa', 'train'];

/** The sample plan as a detector's that was evaluated on images with known boxes. */
export function detectorView(): EditorView {
  const view = plannedView();
  const plan = view.plan!;
  return {
    ...view,
    plan: {
      ...plan,
      head: {
        cutAt: null,
        preset: 'yolo-fastest',
        labels,
        score: 0.3,
        iou: 0.45,
        candidates: 64,
        detections: 20,
        suppress: 'class',
        levels: [
          { rows: 10, cols: 10, stride: 32, anchors: 3, form: 'center', outputs: ['head_s32'] },
          { rows: 20, cols: 20, stride: 16, anchors: 3, form: 'center', outputs: ['head_s16'] },
        ],
      },
      figures: {
        ...plan.figures,
        accuracy: {
          images: 208,
          floatTop1: null,
          quantizedTop1: null,
          agreement: null,
          outputSnr: 21.4,
          detection: {
            boxAgreement: 0.884,
            map50: {
              float: 0.552,
              quantized: 0.541,
              low: -0.024,
              high: 0.003,
              objects: 812,
              classes: [
                { label: 'car', objects: 103, float: 0.61, quantized: 0.6 },
                { label: 'dog', objects: 206, float: 0.68, quantized: 0.67 },
                { label: 'person', objects: 503, float: 0.37, quantized: 0.35 },
              ],
            },
          },
        },
      },
    },
  };
}

const box = (label: number, score: number, x1: number, y1: number, x2: number, y2: number): BoxView => ({
  label,
  score,
  x1,
  y1,
  x2,
  y2,
});

/** Three things on a background: two that both find, one that float alone finds, one that the firmware alone does. */
export function sampleDetections(index = 0, side = 320): DetectionsView {
  const things = [
    { x: 0.3, y: 0.5, r: 0.18, color: [180, 120, 70] },
    { x: 0.68, y: 0.42, r: 0.14, color: [90, 140, 190] },
    { x: 0.85, y: 0.8, r: 0.08, color: [200, 200, 120] },
  ];
  const rgba = Uint8Array.from({ length: side * side * 4 }, (_, i) => {
    const [x, y, k] = [((i >> 2) % side) / side, Math.floor((i >> 2) / side) / side, i & 3];
    const thing = things.find(({ x: cx, y: cy, r }) => Math.hypot(x - cx, y - cy) < r);
    return k === 3 ? 255 : (thing?.color[k] ?? 60 + 90 * y);
  });
  return {
    index,
    count: 24,
    name: `images/2007_00${String(index + 1)}.jpg`,
    width: side,
    height: side,
    rgba,
    float: [
      box(3, 0.91, 0.12, 0.32, 0.48, 0.68),
      box(1, 0.77, 0.54, 0.28, 0.82, 0.56),
      box(2, 0.34, 0.77, 0.72, 0.93, 0.88),
      box(4, 0.12, 0.1, 0.05, 0.3, 0.25),
    ],
    firmware: [
      box(3, 0.88, 0.13, 0.33, 0.49, 0.67),
      box(1, 0.71, 0.55, 0.29, 0.82, 0.57),
      box(5, 0.41, 0.6, 0.7, 0.95, 0.97),
    ],
    known: [box(3, 1, 0.11, 0.31, 0.49, 0.69), box(1, 1, 0.53, 0.27, 0.83, 0.57)],
  };
}

export function detectionsAnswers(): Record<string, { readonly value: unknown }> {
  return { detections: { value: sampleDetections() } };
}
