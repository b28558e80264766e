import type { Corners, DetectionHead } from '../../detection/head';

/**
 * A detector's head in integers: what the C and the interpreter decode boxes by. Codes are the outputs' 8-bit ones; a
 * field's value is ((code − zero)·multiplier + 2^(shift−1)) >> shift, 12 bits behind the point. Boxes are in sixteenths
 * of a pixel, scores and overlaps (`score`, `iou`) have 15 bits behind the point.
 */
export interface DetectionProgram extends Pick<
  DetectionHead,
  'labels' | 'score' | 'iou' | 'candidates' | 'detections' | 'suppress'
> {
  readonly levels: readonly DetectionLevel[];
  readonly best: boolean;
  /** Points of each box. */
  readonly points: number;
  /** From the network's input to the application's image. */
  readonly image: ImageMap;
}

/** y = ((x − left)·scale + 2^15) >> 16, clipped to 0 … size, sixteenths of a pixel; the same for y. */
export interface ImageMap {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly scaleX: number;
  readonly scaleY: number;
}

/** Where a field's codes are in an output, and what they represent. */
export interface FieldCodes {
  /** Index of the program's output. */
  readonly output: number;
  readonly signed: boolean;
  /** Bytes from the output's start, and from one cell, anchor and field to the next. */
  readonly start: number;
  readonly perCell: number;
  readonly perAnchor: number;
  readonly perField: number;
  readonly shift: number;
  /** By anchor and field; one entry where all are the same. */
  readonly multipliers: Int32Array;
  readonly zeros: Int16Array;
  /** Entries from one anchor and field to the next: 0 where all are the same. */
  readonly formatsPerAnchor: number;
  readonly formatsPerField: number;
}

export interface DetectionLevel {
  readonly rows: number;
  readonly cols: number;
  readonly anchors: number;
  /** Pixels from cell to cell and to the first point, in 1/16 with 8 more bits behind the point. */
  readonly stride: number;
  readonly offset: number;
  readonly form: 'center' | 'ltrb' | 'cell' | 'decoded';
  readonly xy: 'sigmoid' | 'tanh' | 'linear';
  /** 12 bits behind the point. */
  readonly xyScale: number;
  readonly wh: 'exp' | 'linear' | 'square' | 'sigmoid';
  readonly whScale: number;
  readonly bins: number;
  readonly order: 'xyxy' | 'yxyx' | 'center';
  /** Per anchor: what 1 is of x, y, width, height, and of the points' x and y, in 1/16 pixel. */
  readonly units: Int32Array;
  readonly box: FieldCodes;
  readonly size: FieldCodes | null;
  readonly objectness: (FieldCodes & { readonly fn: 'sigmoid' | 'none'; readonly least: Int16Array }) | null;
  readonly score: FieldCodes & {
    readonly fn: 'sigmoid' | 'softmax' | 'none';
    readonly count: number;
    /** Field of the background class; −1: there is none. */
    readonly background: number;
    /** By anchor and field: least code that can reach the score; empty for a softmax. */
    readonly least: Int16Array;
    readonly leastPerAnchor: number;
    readonly leastPerField: number;
    /** Least distance of a class's value from the background's, 12 bits behind the point. */
    readonly leastAbove: number;
    readonly peaks: boolean;
  };
  /** Exponents of objectness and class, 12 bits behind the point; both 4096: a product. */
  readonly powers: readonly [number, number];
  readonly points: FieldCodes | null;
}

/** A box as the firmware gives it: corners and points in 1/16 pixel of the application's image. */
export interface IntegerBox extends Corners {
  /** 15 bits behind the point. */
  readonly score: number;
  readonly label: number;
  readonly points: readonly number[];
}

/** Bytes of a candidate in the firmware's scratch. */
export const CANDIDATE_BYTES = 16;

/** Entries of `units` for each anchor. */
export const UNITS = 6;
