import type { Size } from '../common/size';
import { UserError } from '../common/errors';
import type { Shape } from '../graph/types';
import type { PixelImage } from './resample';
import type { Preprocess } from './types';

/*
 * Pictures of a camera as the firmware reads them (src/firmware/common/qmcu_camera.h): the same integers, so that what
 * a network computes from a camera's picture is known before there is a board.
 */

/** Pixels of a camera: 5, 6 and 5 bits, with the low or the high byte first; YUV 4:2:2; 24 bits; gray. */
export const CAMERA_FORMATS = ['rgb565', 'rgb565be', 'yuyv', 'uyvy', 'bgr888', 'rgb888', 'gray'] as const;
export type CameraFormat = (typeof CAMERA_FORMATS)[number];

/** `box`: the mean of the pixels that become one; `nearest`: the one in their middle. */
export const CAMERA_SCALES = ['box', 'nearest'] as const;
export type CameraScale = (typeof CAMERA_SCALES)[number];

/** A camera and how its pictures are scaled. */
export interface Camera extends Size {
  readonly format: CameraFormat;
  /** Pixels of a picture. */
  readonly scale: CameraScale;
}

/** Columns or rows `from` … `from + count` − 1 of the picture become `to` … `to + length` − 1 of the input. */
export interface CameraAxis {
  readonly from: number;
  readonly count: number;
  readonly to: number;
  readonly length: number;
}

/** Which part of a picture goes where in the input. Around it is `fill`. */
export interface CameraRule {
  readonly columns: CameraAxis;
  readonly rows: CameraAxis;
  readonly channels: 1 | 3;
  readonly order: Preprocess['channels'];
  readonly fill: number;
}

/** Largest side of a picture, so that products of places stay in 32 bits. */
const MOST_PIXELS = 4096;

/**
 * A plan's rule of resizing and cropping for one size of pictures.
 * @throws UserError where there is none: sizes out of range, an input that is no picture
 */
export function cameraRule(camera: Camera, shape: Shape, preprocess: Preprocess): CameraRule {
  const { width, height, format } = camera;
  for (const side of [width, height])
    if (!Number.isInteger(side) || side < 1 || side > MOST_PIXELS)
      throw new UserError(`The camera's picture is ${width}x${height} pixels; each side must be 1 to 4096.`);
  if (width % 2 !== 0 && (format === 'yuyv' || format === 'uyvy'))
    throw new UserError(
      `In ${format}, two pixels share one color, so a line cannot have ${width} pixels: give an even width.`,
    );
  if ((shape.c !== 1 && shape.c !== 3) || shape.h > MOST_PIXELS || shape.w > MOST_PIXELS)
    throw new UserError(
      `The network's input of ${shape.h}x${shape.w}x${shape.c} is not a picture, which would have 1 or 3 ` +
        'channels, so a camera cannot fill it.',
    );
  const axes = cameraAxes(camera, shape, preprocess);
  const order = shape.c === 1 ? 'gray' : preprocess.channels;
  return { ...axes, channels: shape.c, order, fill: preprocess.fill };
}

function cameraAxes(
  { width, height }: Camera,
  shape: Shape,
  { resize, cropFraction }: Preprocess,
): Pick<CameraRule, 'columns' | 'rows'> {
  const whole = (count: number, length: number): CameraAxis => ({ from: 0, count, to: 0, length });
  // As pictures of the calibration are: one of the input's size is taken as it is.
  if (resize === 'stretch' || (width === shape.w && height === shape.h))
    return { columns: whole(width, shape.w), rows: whole(height, shape.h) };
  const heightBinds = shape.h * width >= shape.w * height;
  if (resize === 'crop') {
    const scale = (heightBinds ? height / shape.h : width / shape.w) * cropFraction;
    const middle = (all: number, length: number): CameraAxis => {
      const count = Math.max(1, Math.min(all, Math.round(length * scale)));
      return { from: (all - count) >> 1, count, to: 0, length };
    };
    return { columns: middle(width, shape.w), rows: middle(height, shape.h) };
  }
  const scale = heightBinds ? shape.w / width : shape.h / height;
  const inside = (count: number, all: number): CameraAxis => {
    const length = Math.max(1, Math.min(all, Math.round(count * scale)));
    return { from: 0, count, to: (all - length) >> 1, length };
  };
  return { columns: inside(width, shape.w), rows: inside(height, shape.h) };
}

/** Bytes of one line of a picture. */
export function cameraLineBytes({ format, width }: Camera): number {
  return width * { rgb565: 2, rgb565be: 2, yuyv: 2, uyvy: 2, bgr888: 3, rgb888: 3, gray: 1 }[format];
}

/** A picture that a camera delivers, as the network's input: uint8, row-major, `rule.channels` interleaved. */
export function readCamera(frame: Uint8Array, camera: Camera, rule: CameraRule, shape: Shape): Uint8Array {
  const out = new Uint8Array(shape.h * shape.w * shape.c).fill(rule.fill);
  const pixel = cameraPixels(frame, camera, rule);
  const range = camera.scale === 'box' ? boxOf : middleOf;
  for (let y = 0; y < rule.rows.length; y++) {
    const rows = range(rule.rows, y);
    for (let x = 0; x < rule.columns.length; x++) {
      const columns = range(rule.columns, x);
      const at = ((y + rule.rows.to) * shape.w + x + rule.columns.to) * shape.c;
      const count = (rows.end - rows.begin) * (columns.end - columns.begin);
      const sums = [0, 0, 0];
      for (let row = rows.begin; row < rows.end; row++)
        for (let column = columns.begin; column < columns.end; column++)
          pixel(row, column).forEach((v, c) => (sums[c] += v));
      for (let c = 0; c < shape.c; c++) out[at + c] = Math.floor((sums[c] + (count >> 1)) / count);
    }
  }
  return out;
}

interface Range {
  readonly begin: number;
  readonly end: number;
}

function middleOf({ from, count, length }: CameraAxis, at: number): Range {
  const begin = from + Math.floor(((2 * at + 1) * count) / (2 * length));
  return { begin, end: begin + 1 };
}

function boxOf({ from, count, length }: CameraAxis, at: number): Range {
  const begin = from + Math.floor((at * count) / length);
  return { begin, end: Math.max(begin + 1, from + Math.floor(((at + 1) * count) / length)) };
}

/** A picture's pixels in the order of the input's channels. */
function cameraPixels(
  frame: Uint8Array,
  camera: Camera,
  rule: CameraRule,
): (row: number, column: number) => readonly [number, number, number] {
  const lineBytes = cameraLineBytes(camera);
  return (row, column) => {
    const [r, g, b] = decode(frame, row * lineBytes, column, camera.format);
    if (rule.order === 'rgb') return [r, g, b];
    if (rule.order === 'bgr') return [b, g, r];
    const luma = (r * 19595 + g * 38470 + b * 7471 + 0x8000) >>> 16;
    return [luma, luma, luma];
  };
}

function decode(frame: Uint8Array, line: number, column: number, format: CameraFormat): [number, number, number] {
  switch (format) {
    case 'rgb565':
    case 'rgb565be': {
      const at = line + 2 * column;
      const v = format === 'rgb565' ? (frame[at + 1] << 8) | frame[at] : (frame[at] << 8) | frame[at + 1];
      const [r, g, b] = [v >> 11, (v >> 5) & 63, v & 31];
      return [(r << 3) | (r >> 2), (g << 2) | (g >> 4), (b << 3) | (b >> 2)];
    }
    case 'yuyv':
    case 'uyvy': {
      const at = line + 4 * (column >> 1);
      const first = format === 'yuyv' ? 0 : 1;
      const y = frame[at + first + 2 * (column & 1)] * 65536 + 32768;
      const [u, v] = [frame[at + 1 - first] - 128, frame[at + 3 - first] - 128];
      const value = (sum: number): number => Math.max(0, Math.min(255, (y + sum) >> 16));
      return [value(91881 * v), value(-22554 * u - 46802 * v), value(116130 * u)];
    }
    case 'bgr888':
    case 'rgb888': {
      const at = line + 3 * column;
      return format === 'rgb888'
        ? [frame[at], frame[at + 1], frame[at + 2]]
        : [frame[at + 2], frame[at + 1], frame[at]];
    }
    case 'gray':
      return [frame[line + column], frame[line + column], frame[line + column]];
  }
}

/** What a camera delivers of an RGB picture of its size: bits cut off, color of two pixels averaged. */
export function cameraFrame(image: PixelImage, camera: Camera): Uint8Array {
  const { width, height, format } = camera;
  if (image.width !== width || image.height !== height || image.channels !== 3)
    throw new RangeError(`a picture of ${image.width}x${image.height} pixels for a camera of ${width}x${height}`);
  const lineBytes = cameraLineBytes(camera);
  const frame = new Uint8Array(height * lineBytes);
  const step = format === 'yuyv' || format === 'uyvy' ? 2 : 1;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x += step) {
      const at = (y * width + x) * 3;
      encode(image.data.subarray(at, at + 3 * step), frame, y * lineBytes + (x * lineBytes) / width, format);
    }
  return frame;
}

/** @param rgb one pixel, or two of YUV */
function encode(rgb: Uint8Array, frame: Uint8Array, at: number, format: CameraFormat): void {
  const luma = (i: number): number => 0.299 * rgb[i] + 0.587 * rgb[i + 1] + 0.114 * rgb[i + 2];
  switch (format) {
    case 'rgb565':
    case 'rgb565be': {
      const v = ((rgb[0] >> 3) << 11) | ((rgb[1] >> 2) << 5) | (rgb[2] >> 3);
      frame.set(format === 'rgb565' ? [v & 255, v >> 8] : [v >> 8, v & 255], at);
      return;
    }
    case 'yuyv':
    case 'uyvy': {
      const byte = (value: number): number => Math.max(0, Math.min(255, Math.round(value)));
      const [y0, y1] = [luma(0), luma(3)];
      const u = byte(128 + ((rgb[2] + rgb[5]) / 2 - (y0 + y1) / 2) / 1.772);
      const v = byte(128 + ((rgb[0] + rgb[3]) / 2 - (y0 + y1) / 2) / 1.402);
      frame.set(format === 'yuyv' ? [byte(y0), u, byte(y1), v] : [u, byte(y0), v, byte(y1)], at);
      return;
    }
    case 'bgr888':
      frame.set([rgb[2], rgb[1], rgb[0]], at);
      return;
    case 'rgb888':
      frame.set(rgb, at);
      return;
    case 'gray':
      frame[at] = Math.round(luma(0));
  }
}
