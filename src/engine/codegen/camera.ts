import {
  cameraLineBytes,
  cameraRule,
  type Camera,
  type CameraAxis,
  type CameraFormat,
  type CameraRule,
} from '../calibration/camera';
import type { Preprocess } from '../calibration/types';
import { UserError } from '../common/errors';
import type { Program } from '../program/types';
import { banner } from './header';
import { macroPrefix } from './identifier';
import { comesInTiles, externalInputs } from './inputs';
import { comment } from './text';
import { asksInOrder } from './tiles';
import type { GeneratedFile, RenderOptions } from './types';

/** The runtime's reader of each format, and whether its bytes stand in the other order. */
const readers: Readonly<
  Record<CameraFormat, { readonly reader: string; readonly swapped: 0 | 1; readonly text: string }>
> = {
  rgb565: { reader: 'qmcu_camera_rgb565', swapped: 0, text: 'RGB565, low byte first' },
  rgb565be: { reader: 'qmcu_camera_rgb565', swapped: 1, text: 'RGB565, high byte first' },
  yuyv: { reader: 'qmcu_camera_yuv422', swapped: 0, text: 'YUV 4:2:2, Y U Y V' },
  uyvy: { reader: 'qmcu_camera_yuv422', swapped: 1, text: 'YUV 4:2:2, U Y V Y' },
  bgr888: { reader: 'qmcu_camera_bgr888', swapped: 0, text: 'blue, green, red, a byte each' },
  rgb888: { reader: 'qmcu_camera_bgr888', swapped: 1, text: 'red, green, blue, a byte each' },
  gray: { reader: 'qmcu_camera_gray', swapped: 0, text: 'gray, a byte each' },
};

/** A camera's pictures read into a network's input. */
export interface CameraSource {
  readonly camera: Camera;
  /** How the plan resizes and crops. */
  readonly preprocess: Preprocess;
}

/** The runtime's function that a camera needs. */
export function cameraKernel({ camera }: CameraSource): string {
  return readers[camera.format].reader;
}

function hasPixels({ inputs, buffers }: Program): boolean {
  return inputs.length === 1 && !inputs[0].signed && buffers[inputs[0].buffer].bits === 8;
}

/** Whether a camera's pictures can be a network's input. */
export function takesPictures(program: Program): boolean {
  const { c, h, w } = program.inputs[0].shape;
  return hasPixels(program) && (c === 1 || c === 3) && h > 1 && w > 1;
}

/**
 * `<name>_camera.h` and `<name>_camera.c`: pictures of one camera into the network's input, or into its tiles.
 * @throws UserError where the input is not a picture, or there is more than one
 */
export function renderCamera(program: Program, source: CameraSource, options: RenderOptions): GeneratedFile[] {
  const { name, provenance } = options;
  const [port] = program.inputs;
  if (!hasPixels(program))
    throw new UserError(
      `${program.inputs.length === 1 ? 'The input has signed codes' : `${program.inputs.length} inputs`}: a ` +
        'camera needs a single input of 8-bit pixels. Generate without a camera and fill the inputs yourself.',
    );
  const { camera } = source;
  const rule = cameraRule(camera, port.shape, source.preprocess);
  const model: Model = { name, prefix: macroPrefix(name), tiled: comesInTiles(program), rule, camera };
  const title = `${name}: pictures of a camera of ${camera.width} x ${camera.height} pixels as the input.`;
  return [
    { path: `${name}_camera.h`, text: banner(title, provenance) + headerText(program, model) },
    { path: `${name}_camera.c`, text: banner(title, provenance) + sourceText(model) },
  ];
}

interface Model {
  readonly name: string;
  readonly prefix: string;
  /** The network asks for its input in tiles. */
  readonly tiled: boolean;
  readonly rule: CameraRule;
  readonly camera: Camera;
}

function headerText(program: Program, { name, prefix, tiled, rule, camera }: Model): string {
  const inOrder =
    rule.rows.count >= rule.rows.length &&
    (!tiled || asksInOrder(externalInputs(program)[0].tiles!, program.inputs[0].shape));
  const columns = `${prefix}_INPUT_${tiled ? 'TILE_COLUMNS' : 'W'}`;
  const sums = `uint32_t sums[${columns} * ${prefix}_INPUT_C]; /* of a row's boxes */`;
  return `#ifndef ${prefix}_CAMERA_H
#define ${prefix}_CAMERA_H

#include "${name}.h"
#include "qmcu_camera.h"

#ifdef __cplusplus
extern "C" {
#endif

${comment([
  `${readers[camera.format].text}: columns ${rangeText(rule.columns)} and rows ${rangeText(rule.rows)} of the ` +
    `picture, ${camera.scale === 'box' ? 'means of boxes' : 'the nearest pixels'}.`,
])}#define ${prefix}_CAMERA_COLUMNS ${camera.width}
#define ${prefix}_CAMERA_ROWS ${camera.height}
#define ${prefix}_CAMERA_LINE_BYTES ${cameraLineBytes(camera)}

/*
 * A camera: line(context, row) gives the address of one line of the picture, which must stay unchanged until the next
 * call; NULL ends the reading. ${
   inOrder
     ? `Rows are asked for from top to bottom, each once, and rows that are not needed are left
 * out: line() may wait for the camera, so no picture has to be in memory.`
     : `Rows are asked for more than once, so the whole picture has to be in memory.`
 }
 */
typedef struct {
    qmcu_camera_line line;
    void *context;
${camera.scale === 'box' ? `    ${sums}\n` : ''}} ${name}_camera;

/* line() of a picture that is in memory: its context is the address of the first pixel. */
const uint8_t *${name}_camera_frame(void *frame, int32_t row);

${signature(name, tiled, prefix)};

#ifdef __cplusplus
}
#endif

#endif /* ${prefix}_CAMERA_H */
`;
}

function rangeText({ from, count }: CameraAxis): string {
  return `${from} to ${from + count - 1}`;
}

function signature(name: string, tiled: boolean, prefix: string): string {
  return tiled
    ? `/* A ${name}_source's read: its context is a ${name}_camera. */
int ${name}_camera_read(void *camera, int32_t row, int32_t rows, int32_t column, int32_t columns, uint8_t *to,
                        int32_t row_bytes)`
    : `/* Writes the input, ${prefix}_INPUT_BYTES. 0, or 1 where a line was missing. */
int ${name}_camera_input(${name}_camera *camera, uint8_t *input)`;
}

function sourceText({ name, prefix, tiled, rule, camera }: Model): string {
  const { reader, swapped } = readers[camera.format];
  const axis = ({ from, count, to, length }: CameraAxis): string => `{${from}, ${count}, ${to}, ${length}}`;
  const boxes = camera.scale === 'box';
  const sums = boxes ? 'c->sums' : 'NULL';
  const order = `QMCU_CAMERA_${rule.order.toUpperCase()}`;
  const body = tiled
    ? `    ${name}_camera *c = (${name}_camera *)camera;
    return ${reader}(&rule, c->line, c->context, ${sums}, row, rows, column, columns, to, row_bytes);`
    : `    ${name}_camera *c = camera;
    return ${reader}(&rule, c->line, c->context, ${sums}, 0, ${prefix}_INPUT_H, 0, ${prefix}_INPUT_W, input,
                     ${prefix}_INPUT_W * ${prefix}_INPUT_C);`;
  return `#include "${name}_camera.h"

static const qmcu_camera_rule rule = {
    ${axis(rule.columns)}, ${axis(rule.rows)}, ${rule.channels}, ${order}, ${swapped}, ${boxes ? 1 : 0}, ${rule.fill}};

const uint8_t *${name}_camera_frame(void *frame, int32_t row)
{
    return (const uint8_t *)frame + (size_t)row * ${prefix}_CAMERA_LINE_BYTES;
}

${signature(name, tiled, prefix).replace(/^\/\*.*\*\/\n/, '')}
{
${body}
}
`;
}
