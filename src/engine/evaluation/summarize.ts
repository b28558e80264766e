import { counted } from '../common/wording';
import { hasClasses, type Task } from '../graph/task';
import type { Graph } from '../graph/types';
import type { Annotations } from '../detection/annotations';
import type { ResolvedHead } from '../detection/resolve';
import { summarizeDetections } from './detections';
import { pointsOf } from '../vdqs/accuracyBudget';
import type { ImageResult } from './imageResult';
import { decibels, type Evaluation } from './types';

/** Adds up what the images say, in their order. */
export function summarize(
  graph: Graph,
  task: Task,
  results: readonly ImageResult[],
  notes: string[],
  detector: { readonly head: ResolvedHead; readonly format: Annotations['format'] | null } | null = null,
): Omit<Evaluation, 'layers' | 'predictions' | 'imagesPerSecond'> {
  const { length } = results;
  const classifier = hasClasses(task);
  const labelled = results.every(({ sample }) => sample.label !== null);
  const classCount = task === 'binary' ? 2 : graph.maps[graph.outputs[0].map].shape.c;
  const percent = (hit: (result: ImageResult) => boolean): number => (100 * results.filter(hit).length) / length;
  const rate = (best: 'float' | 'quantized', k: number): number | null =>
    labelled && classifier && k <= classCount ? percent((r) => r[best].slice(0, k).includes(r.sample.label!)) : null;
  if (classifier) {
    const unknown = results.filter(({ sample }) => sample.label !== null && sample.label >= classCount).length;
    if (unknown > 0)
      notes.push(
        `${unknown} of ${counted(length, 'label')} name${length === 1 ? 's' : ''} classes beyond the network's ` +
          `${classCount} and count as wrong; check labels.csv or the class folders.`,
      );
    const shift = labelled && task === 'classify' ? labelShift(results) : 0;
    if (shift !== 0)
      notes.push(
        `The labels are off by one: with ${shift > 0 ? '1 added' : '1 taken away'} they match the float ` +
          "network's answer far more " +
          `often${classCount === 1001 ? ', for its first class is the background' : ''}. Correct labels.csv or ` +
          'the class folders; the accuracy above uses the labels as they are.',
      );
  }
  const sum = (of: (result: ImageResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const total = (output: number, key: 'signal' | 'noise' | 'cosine'): number => sum((r) => r.outputs[output][key]);
  const outputs = graph.outputs.map(({ name, map }, i) => {
    const { h, w, c } = graph.maps[map].shape;
    return {
      name,
      shape: { h, w, c },
      snr: decibels(total(i, 'signal'), total(i, 'noise')),
      cosine: total(i, 'cosine') / length,
    };
  });
  const all = (key: 'signal' | 'noise'): number => graph.outputs.reduce((s, _, i) => s + total(i, key), 0);
  return {
    images: length,
    task,
    classifier,
    float: { top1: rate('float', 1), top5: rate('float', 5) },
    quantized: { top1: rate('quantized', 1), top5: rate('quantized', 5) },
    agreement: classifier ? percent((r) => r.float[0] === r.quantized[0]) : null,
    expectedLoss: classifier ? expectedLoss(results) : null,
    detection: detector
      ? summarizeDetections(
          results.map((r) => r.detection!),
          detector.head,
          detector.format,
        )
      : null,
    outputSnr: decibels(all('signal'), all('noise')),
    outputs,
    notes,
  };
}

function expectedLoss(results: readonly ImageResult[]): NonNullable<Evaluation['expectedLoss']> {
  const mean = (key: 'divergence' | 'chanceLost'): number =>
    results.reduce((sum, { classes }) => sum + classes![key], 0) / results.length;
  const changed = results.filter((r) => r.float[0] !== r.quantized[0]).length / results.length;
  return {
    points: pointsOf({
      images: results.length,
      chanceLost: mean('chanceLost'),
      divergence: mean('divergence'),
      changed,
    }),
    divergence: mean('divergence'),
  };
}

/** Images needed to tell labels that are off by one from a network that is often wrong. */
const LEAST_SHIFTED = 8;

/** 1 or −1 where labels moved by that name the float network's answers at least three times as often; 0 otherwise. */
function labelShift(results: readonly ImageResult[]): 0 | 1 | -1 {
  const right = (shift: number): number => results.filter((r) => r.float[0] === r.sample.label! + shift).length;
  const shifted = ([1, -1] as const).find((shift) => right(shift) >= Math.max(LEAST_SHIFTED, 3 * right(0)));
  return shifted !== undefined && right(shifted) >= 0.25 * results.length ? shifted : 0;
}
