import type { Task } from '../graph/task';
import type { MapId } from '../graph/types';
import type { MapFormat } from '../quantize/types';
import type { DetectionAccuracy } from '../detection/detectionAccuracy';
import type { ResolvedHead } from '../detection/resolve';
import type { FloatCache } from './floatCache';

/** Accuracy of the firmware's integer arithmetic against the float network, on the same images. */
export interface Evaluation {
  readonly images: number;
  readonly task: Task;
  /** Whether the task has classes; otherwise only `outputs` says how close the network comes. */
  readonly classifier: boolean;
  /** Percent; null without labels or classes, and top-5 where there are fewer than five. */
  readonly float: { readonly top1: number | null; readonly top5: number | null };
  readonly quantized: { readonly top1: number | null; readonly top5: number | null };
  /** Percent of images on which both have the same first class; null without classes. */
  readonly agreement: number | null;
  /**
   * What the outputs let expect without labels: points of top-1 lost (as an accuracy budget counts them) and mean
   * divergence of the classes, nats; null without classes.
   */
  readonly expectedLoss: { readonly points: number; readonly divergence: number } | null;
  /** What a detector finds; null for other networks. */
  readonly detection: DetectionEvaluation | null;
  /**
   * Signal-to-noise ratio of the quantized outputs against float, dB, over all images and outputs; Infinity without
   * noise.
   */
  readonly outputSnr: number;
  /** In the graph's order. */
  readonly outputs: readonly OutputAgreement[];
  /** In topological order, when asked for. */
  readonly layers: readonly LayerAgreement[] | null;
  /** Per image, when asked for. */
  readonly predictions: readonly Prediction[] | null;
  /** Of the runs alone, float and integer together. */
  readonly imagesPerSecond: number;
  readonly notes: readonly string[];
}

/** What a detector finds, float against quantized. */
export interface DetectionEvaluation {
  /** On images with known boxes; null without any. */
  readonly accuracy: DetectionAccuracy | null;
  /**
   * Without known boxes: percent of the boxes at the head's score that have a partner of the same class in the other
   * network's, overlapping by at least one half; and the same weighted by the overlap.
   */
  readonly agreement: { readonly paired: number; readonly overlap: number };
  /** Boxes for each image at the head's score, mean. */
  readonly boxes: { readonly float: number; readonly quantized: number };
}

/** How close one output comes to float's. */
export interface OutputAgreement {
  /** ONNX value name. Text, possibly hostile. */
  readonly name: string;
  readonly shape: { readonly h: number; readonly w: number; readonly c: number };
  /** dB over all images; Infinity without noise. */
  readonly snr: number;
  /** Cosine of the angle between the two outputs, mean over the images. */
  readonly cosine: number;
}

/** How close a layer's output comes to float's. What several branches compute counts as often as it is computed. */
export interface LayerAgreement {
  /** Index in the graph. */
  readonly layer: number;
  readonly name: string;
  readonly kind: string;
  /** dB over the compared images: 10·log10(Σ float² / Σ (float − quantized)²); Infinity without noise. */
  readonly snr: number;
}

export interface Prediction {
  /** As the sample set names it. */
  readonly sample: string;
  readonly label: number | null;
  /** First class of the first output. */
  readonly float: number;
  readonly quantized: number;
  /** Of the classes, nats; null without classes. */
  readonly divergence: number | null;
}

export interface EvaluateOptions {
  /**
   * A detector's head, and the folder or file of the images' boxes: what lies with the images if missing.
   */
  readonly detection?: { readonly head: ResolvedHead; readonly annotations?: string };
  /** What the outputs are for; missing: from the last layer and the samples' labels. */
  readonly task?: Task;
  /**
   * Compare the layers' outputs, too, on at most this many of the images. `formats`: in which each map is stored, see
   * QuantizedParameters.
   */
  readonly layers?: { readonly formats: ReadonlyMap<MapId, MapFormat>; readonly images: number };
  /** Float outputs of an earlier evaluation of the same model on the same samples; gets those that it lacks. */
  readonly floatCache?: FloatCache;
  /** Keep what was predicted for each image. */
  readonly predictions?: boolean;
  /** Threads that run the integer network; undefined: as many as there are cores, where that pays. 1: this thread. */
  readonly threads?: number;
  /** JavaScript file that serves such a thread; undefined: `evaluator.js` next to the running file. */
  readonly threadFile?: string;
}

/** 10·log10(signal / noise), Infinity without noise. */
export function decibels(signal: number, noise: number): number {
  return noise > 0 ? 10 * Math.log10(signal / noise) : Infinity;
}
