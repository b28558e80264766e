/*
 * QuantMCU runtime: pictures of a camera, YUV 4:2:2.
 *
 * SPDX-License-Identifier: MIT
 */
#include "qmcu_camera_scale.h"

/* value + factor / 65536 * (chroma - 128), rounded, 0 ... 255. */
QMCU_INLINE uint8_t with_chroma(int32_t value, int32_t sum)
{
    const int32_t v = (value * 65536 + sum + 32768) >> 16;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* ITU-R BT.601, full range: 1.402, 0.344136, 0.714136 and 1.772 in 1 / 65536. */
QMCU_INLINE qmcu_camera_pixel decode_yuv422(const uint8_t *line, int32_t column, uint32_t swapped)
{
    const uint8_t *p = line + 4 * (column >> 1);
    const int32_t first = swapped != 0u ? 1 : 0;
    const int32_t y = p[first + 2 * (column & 1)];
    const int32_t u = p[1 - first] - 128;
    const int32_t v = p[3 - first] - 128;
    const qmcu_camera_pixel pixel = {with_chroma(y, 91881 * v), with_chroma(y, -22554 * u - 46802 * v),
                                     with_chroma(y, 116130 * u)};
    return pixel;
}

QMCU_KERNEL int qmcu_camera_yuv422(const qmcu_camera_rule *rule, qmcu_camera_line line, void *context, uint32_t *sums,
                                   int32_t row, int32_t rows, int32_t column, int32_t columns, uint8_t *to,
                                   int32_t row_bytes)
{
    return qmcu_camera_read(rule, decode_yuv422, line, context, sums, row, rows, column, columns, to, row_bytes);
}
