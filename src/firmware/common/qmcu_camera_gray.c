/*
 * QuantMCU runtime: pictures of a camera, gray.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_camera_scale.h"

QMCU_INLINE qmcu_camera_pixel decode_gray(const uint8_t *line, int32_t column, uint32_t swapped)
{
    const qmcu_camera_pixel pixel = {line[column], line[column], line[column]};
    (void)swapped;
    return pixel;
}

QMCU_KERNEL int qmcu_camera_gray(const qmcu_camera_rule *rule, qmcu_camera_line line, void *context, uint32_t *sums,
                                 int32_t row, int32_t rows, int32_t column, int32_t columns, uint8_t *to,
                                 int32_t row_bytes)
{
    return qmcu_camera_read(rule, decode_gray, line, context, sums, row, rows, column, columns, to, row_bytes);
}
