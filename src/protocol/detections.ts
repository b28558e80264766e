/** What the page shows of a detector: its head, and boxes on sample images. */
import type { Corners, DetectionHead } from '../engine/detection/head';
import type { PictureView } from './views';

/** How a detector's outputs become boxes, as far as people look at it. */
export interface HeadView extends Omit<DetectionHead, 'classes' | 'image' | 'levels'> {
  /** Values of the file that the network ends in instead of its outputs; null: it ends in these. */
  readonly cutAt: readonly string[] | null;
  readonly levels: readonly {
    readonly rows: number;
    readonly cols: number;
    readonly stride: number;
    readonly anchors: number;
    readonly form: string;
    /** Outputs of the network that it reads, each once. */
    readonly outputs: readonly string[];
  }[];
}

/** A box; corners are shares of the image's width and height. */
export interface BoxView extends Corners {
  readonly score: number;
  /** Index into the head's labels; −1 for a known box of another class. */
  readonly label: number;
}

/** One sample image as the network sees it, bars included, with what both networks find on it. */
export interface DetectionsView extends PictureView {
  /** Position among the images that are shown, and how many there are. */
  readonly index: number;
  readonly count: number;
  readonly name: string;
  /** Boxes by falling score, down to {@link LEAST_SHOWN_SCORE}, after suppression. */
  readonly float: readonly BoxView[];
  readonly firmware: readonly BoxView[];
  /** Known boxes; null where there are none for this image. */
  readonly known: readonly BoxView[] | null;
}

/** Boxes of lower scores are never shown. */
export const LEAST_SHOWN_SCORE = 0.05;
