/*
 * QuantMCU runtime: pictures of a camera, RGB565.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_camera_scale.h"

QMCU_INLINE qmcu_camera_pixel decode_rgb565(const uint8_t *line, int32_t column, uint32_t swapped)
{
    const uint8_t *p = line + 2 * column;
    const uint32_t v = swapped != 0u ? ((uint32_t)p[0] << 8) | p[1] : ((uint32_t)p[1] << 8) | p[0];
    const uint32_t r = v >> 11;
    const uint32_t g = (v >> 5) & 63u;
    const uint32_t b = v & 31u;
    const qmcu_camera_pixel pixel = {(uint8_t)((r << 3) | (r >> 2)), (uint8_t)((g << 2) | (g >> 4)),
                                     (uint8_t)((b << 3) | (b >> 2))};
    return pixel;
}

QMCU_KERNEL int qmcu_camera_rgb565(const qmcu_camera_rule *rule, qmcu_camera_line line, void *context, uint32_t *sums,
                                   int32_t row, int32_t rows, int32_t column, int32_t columns, uint8_t *to,
                                   int32_t row_bytes)
{
    return qmcu_camera_read(rule, decode_rgb565, line, context, sums, row, rows, column, columns, to, row_bytes);
}
