/** What the page shows of a detector: its head, and boxes on sample images. */

/** How a detector's outputs become boxes, as far as people look at it. */
export interface HeadView {
  readonly preset: string;
  readonly labels: readonly string[];
  readonly score: number;
  readonly iou: number;
  readonly candidates: number;
  readonly detections: number;
  readonly suppress: 'class' | 'all' | 'none';
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
export interface BoxView {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly score: number;
  /** Index into the head's labels; −1 for a known box of another class. */
  readonly label: number;
}

/** One sample image with what both networks find on it. */
export interface DetectionsView {
  /** Position among the images that are shown, and how many there are. */
  readonly index: number;
  readonly count: number;
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** [height][width][4], red, green, blue, opaque: as ImageData takes it. What the network sees, bars included. */
  readonly rgba: Uint8Array;
  /** Boxes by falling score, down to {@link LEAST_SHOWN_SCORE}, after suppression. */
  readonly float: readonly BoxView[];
  readonly firmware: readonly BoxView[];
  /** Known boxes; null where there are none for this image. */
  readonly known: readonly BoxView[] | null;
}

/** Boxes of lower scores are never shown. */
export const LEAST_SHOWN_SCORE = 0.05;
