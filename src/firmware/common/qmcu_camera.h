/*
 * QuantMCU runtime: pictures of a camera as a network's input, pixel by pixel as they come from the sensor.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CAMERA_H
#define QMCU_CAMERA_H

#include <stdint.h>

#include "quantmcu_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Columns or rows: `from` ... `from + count` - 1 of the picture become `to` ... `to + length` - 1 of the input; around
 * them is `fill`.
 */
typedef struct {
    int16_t from;
    int16_t count;
    int16_t to;
    int16_t length;
} qmcu_camera_axis;

/* Order of the input's channels. */
#define QMCU_CAMERA_RGB  0u
#define QMCU_CAMERA_BGR  1u
#define QMCU_CAMERA_GRAY 2u /* one channel, or the same value in all three */

typedef struct {
    qmcu_camera_axis columns;
    qmcu_camera_axis rows;
    uint8_t channels; /* of the input: 1 or 3, 8-bit unsigned codes */
    uint8_t order;    /* QMCU_CAMERA_RGB ... QMCU_CAMERA_GRAY */
    uint8_t swapped;  /* the format's other order of bytes, see the readers */
    uint8_t box;      /* 1: the mean of all pixels that become one; 0: the middle one */
    uint8_t fill;
} qmcu_camera_rule;

/*
 * Line `row` of the picture, which must stay unchanged until the next call; NULL ends the reading. Rows are requested
 * from top to bottom, without those that are not needed: may wait for the camera.
 */
typedef const uint8_t *(*qmcu_camera_line)(void *context, int32_t row);

/*
 * Readers: rows [row, row + rows) and columns [column, column + columns) of the input, written to `to`, each row
 * row_bytes after the one before. `sums` has columns * channels elements; it is only used for boxes. Returns 0, or 1 if
 * a line was missing. A pixel has the same value whatever region it is read with.
 *
 * Input column x is that of the picture, with n = count, m = length of the columns and x counted from `to`,
 *   box 0: from + (2 * x + 1) * n / (2 * m)
 *   box 1: from + x * n / m up to from + (x + 1) * n / m, exclusive, at least one;
 * rows likewise. Divisions round down; a box is (sum + count / 2) / count of its pixels in the input's channels.
 */
typedef int (*qmcu_camera_reader)(const qmcu_camera_rule *rule, qmcu_camera_line line, void *context, uint32_t *sums,
                                  int32_t row, int32_t rows, int32_t column, int32_t columns, uint8_t *to,
                                  int32_t row_bytes);

/* Red in the upper 5 bits, green, blue; the low byte first, swapped: the high one. 5 bits are v * 8 + v / 4. */
int qmcu_camera_rgb565(const qmcu_camera_rule *rule, qmcu_camera_line line, void *context, uint32_t *sums, int32_t row,
                       int32_t rows, int32_t column, int32_t columns, uint8_t *to, int32_t row_bytes);

/* Y U Y V, swapped: U Y V Y; full range, ITU-R BT.601 (as JPEG). An even number of columns. */
int qmcu_camera_yuv422(const qmcu_camera_rule *rule, qmcu_camera_line line, void *context, uint32_t *sums, int32_t row,
                       int32_t rows, int32_t column, int32_t columns, uint8_t *to, int32_t row_bytes);

/* B G R, swapped: R G B. */
int qmcu_camera_bgr888(const qmcu_camera_rule *rule, qmcu_camera_line line, void *context, uint32_t *sums, int32_t row,
                       int32_t rows, int32_t column, int32_t columns, uint8_t *to, int32_t row_bytes);

/* One byte for each pixel. */
int qmcu_camera_gray(const qmcu_camera_rule *rule, qmcu_camera_line line, void *context, uint32_t *sums, int32_t row,
                     int32_t rows, int32_t column, int32_t columns, uint8_t *to, int32_t row_bytes);

#ifdef __cplusplus
}
#endif

#endif /* QMCU_CAMERA_H */
