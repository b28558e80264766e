import type { Size } from '../common/size';

/**
 * How a detector's outputs become boxes: a description that is part of the plan, for users to read and edit. Float and
 * integer decoding, the evaluation and the generated C all follow it.
 *
 * All sizes are in pixels of the network's input. Cells are counted row by row; a level has rows × cols of them.
 */
export interface DetectionHead {
  /** The preset that it came from, or `custom`. */
  readonly preset: string;
  /** Names of the classes, without a background class. */
  readonly labels: readonly string[];
  /** Least score of a box, 0…1. */
  readonly score: number;
  /** Of two boxes that overlap by more than this (intersection over union) the one with the lower score is dropped. */
  readonly iou: number;
  /** Boxes above the score that are kept for suppression, the best ones. */
  readonly candidates: number;
  /** Most boxes that are given. */
  readonly detections: number;
  /** Which boxes suppress each other: those of one class, all of them, or none. */
  readonly suppress: 'class' | 'all' | 'none';
  /** Classes of one location that become boxes: the best one, or every one above the score. */
  readonly classes: 'best' | 'all';
  /** Size of the image that the firmware's boxes are in, where it is not the network's input. */
  readonly image?: Size;
  readonly levels: readonly HeadLevel[];
}

/** One grid of cells. */
export interface HeadLevel {
  readonly rows: number;
  readonly cols: number;
  /** Pixels from one cell to the next. */
  readonly stride: number;
  /** Where in a cell its point is, in cells: 0 the corner, 0.5 the middle. */
  readonly offset: number;
  /** Width and height of each anchor or prior; anchor-free heads have one, as large as a cell. */
  readonly anchors: readonly (readonly [number, number])[];
  readonly box: BoxForm & Place;
  /** Missing: the score is only the class's. */
  readonly objectness?: Place & { readonly fn: 'sigmoid' | 'none' };
  readonly score: Place & ScoreForm;
  /** Further points of each box, e.g. eyes; their x and y follow one another. */
  readonly points?: Place & PointForm & { readonly count: number };
}

/**
 * Where a field's values are: field k of anchor a of cell i is at row `row + i·rowsPerCell + a·rowsPerAnchor`, channel
 * `channel + a·channelsPerAnchor + k` of the output, where a row is a pixel of the output's H×W×C map, counted row by
 * row. With `fieldsFirst` the output is C×rows instead: fields are its rows.
 */
export interface Place {
  /** ONNX value name of the output. */
  readonly output: string;
  readonly channel: number;
  readonly channelsPerAnchor?: number;
  readonly row?: number;
  readonly rowsPerCell?: number;
  readonly rowsPerAnchor?: number;
  readonly fieldsFirst?: boolean;
}

export type BoxForm =
  /** Centre, width and height, relative to the cell and the anchor. */
  | {
      readonly form: 'center';
      readonly xy: PointForm & {
        /** Function of the value; then value·scale − (scale − 1)/2, which spreads a sigmoid over the cell's border. */
        readonly fn: 'sigmoid' | 'tanh' | 'linear';
      };
      readonly wh: {
        /** Times the anchor: e^(scale·t); scale·t; (scale·sigmoid t)²; scale·sigmoid t. */
        readonly fn: 'exp' | 'linear' | 'square' | 'sigmoid';
        readonly scale: number;
      };
      /** Where width and height are, if they do not follow x and y. */
      readonly size?: Place;
    }
  /**
   * Distances from the cell's point to left, top, right, bottom, in cells; with bins each is the expectation of a
   * softmax over 0 … bins − 1 (distribution focal loss).
   */
  | { readonly form: 'ltrb'; readonly fn: 'linear' | 'exp'; readonly bins: number }
  /** The cell itself. */
  | { readonly form: 'cell' }
  /** Left, top, right, bottom or centre, width, height as they are; 1 is a pixel, or the input's width and height. */
  | {
      readonly form: 'decoded';
      readonly order: 'xyxy' | 'yxyx' | 'center';
      readonly unit: 'pixel' | 'input';
    };

/** What 1 is: cells, the anchor's size, or pixels, times `scale`. */
export interface PointForm {
  readonly unit: 'cell' | 'anchor' | 'pixel' | 'input';
  readonly scale: number;
}

export interface ScoreForm {
  /** What makes probabilities of the classes' values: nothing where the network has done so. */
  readonly fn: 'sigmoid' | 'softmax' | 'none';
  /** Values of a location, a background class included. */
  readonly count: number;
  /** Index of the background class; missing: there is none. */
  readonly background?: number;
  /** score = objectness^a · class^b; [1, 1] if missing. */
  readonly powers?: readonly [number, number];
  /** Only cells that are the largest of their class among their eight neighbours count. */
  readonly peaks?: boolean;
}

/** Left, top, right and bottom of a box. */
export interface Corners {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** A box that was found. Corners in pixels of the network's input, or of the image that it was made from. */
export interface Detection extends Corners {
  readonly score: number;
  /** Index into the labels. */
  readonly label: number;
  /** x and y of the points in turn. */
  readonly points?: readonly number[];
}

/** Names of the values that a head reads, each once. */
export function outputsOf({ levels }: DetectionHead): string[] {
  const places = levels.flatMap(({ box, objectness, score, points }): (Place | undefined)[] => [
    box,
    box.form === 'center' ? box.size : undefined,
    objectness,
    score,
    points,
  ]);
  return [...new Set(places.flatMap((place) => (place ? [place.output] : [])))];
}

/** The score's index of each label: all but the background. */
export function labelIndices({ count, background }: ScoreForm): number[] {
  return Array.from({ length: count }, (_, i) => i).filter((i) => i !== background);
}
