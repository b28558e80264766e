/*
 * QuantMCU runtime: pictures of a camera, BGR888 and RGB888.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_camera_scale.h"

QMCU_INLINE qmcu_camera_pixel decode_bgr888(const uint8_t *line, int32_t column, uint32_t swapped)
{
    const uint8_t *p = line + 3 * column;
    const qmcu_camera_pixel pixel = {swapped != 0u ? p[0] : p[2], p[1], swapped != 0u ? p[2] : p[0]};
    return pixel;
}

QMCU_KERNEL int qmcu_camera_bgr888(const qmcu_camera_rule *rule, qmcu_camera_line line, void *context, uint32_t *sums,
                                   int32_t row, int32_t rows, int32_t column, int32_t columns, uint8_t *to,
                                   int32_t row_bytes)
{
    return qmcu_camera_read(rule, decode_bgr888, line, context, sums, row, rows, column, columns, to, row_bytes);
}
