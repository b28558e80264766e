/*
 * QuantMCU runtime: cropping and scaling of a camera's pictures, for all formats of pixels. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CAMERA_SCALE_H
#define QMCU_CAMERA_SCALE_H

#include <string.h>

#include "qmcu_camera.h"
#include "qmcu_internal.h"

typedef struct {
    uint8_t r, g, b;
} qmcu_camera_pixel;

/* The pixel in a column of a line. */
typedef qmcu_camera_pixel (*qmcu_camera_decode)(const uint8_t *line, int32_t column, uint32_t swapped);

/* First of the picture's columns (or rows) that become input column x, and, for boxes, the one after the last. */
QMCU_INLINE int32_t qmcu_camera_begin(const qmcu_camera_axis *axis, int32_t x, uint32_t box)
{
    const int32_t n = axis->count;
    return axis->from + (box != 0u ? x * n / axis->length : (2 * x + 1) * n / (2 * axis->length));
}

QMCU_INLINE int32_t qmcu_camera_end(const qmcu_camera_axis *axis, int32_t x)
{
    const int32_t begin = qmcu_camera_begin(axis, x, 1);
    const int32_t end = qmcu_camera_begin(axis, x + 1, 1);
    return end > begin ? end : begin + 1;
}

/* ITU-R BT.601 luma, rounded. */
QMCU_INLINE uint32_t qmcu_camera_luma(qmcu_camera_pixel p)
{
    return (p.r * 19595u + p.g * 38470u + p.b * 7471u + 0x8000u) >> 16;
}

/* A pixel in the input's channels: the first and the last one, and the middle one. */
QMCU_INLINE void qmcu_camera_order(qmcu_camera_pixel p, uint32_t order, uint32_t v[3])
{
    if (order == QMCU_CAMERA_GRAY) {
        v[0] = v[1] = v[2] = qmcu_camera_luma(p);
        return;
    }
    v[0] = order == QMCU_CAMERA_RGB ? p.r : p.b;
    v[1] = p.g;
    v[2] = order == QMCU_CAMERA_RGB ? p.b : p.r;
}

/* Input columns [x, end) of one line, the pixels in the middle. */
QMCU_INLINE void qmcu_camera_nearest(const qmcu_camera_rule *rule, qmcu_camera_decode decode, const uint8_t *line,
                                     int32_t x, int32_t end, uint8_t *to)
{
    /* (2 * x + 1) * count / (2 * length), without a division for every pixel. */
    const int32_t whole = rule->columns.count / rule->columns.length;
    const int32_t rest = 2 * (rule->columns.count % rule->columns.length);
    const int32_t parts = 2 * rule->columns.length;
    int32_t at = qmcu_camera_begin(&rule->columns, x, 0);
    int32_t part = (2 * x + 1) * rule->columns.count % parts;
    for (; x < end; x++) {
        uint32_t v[3];
        qmcu_camera_order(decode(line, at, rule->swapped), rule->order, v);
        for (int32_t c = 0; c < rule->channels; c++) {
            *to++ = (uint8_t)v[c];
        }
        at += whole;
        part += rest;
        if (part >= parts) {
            part -= parts;
            at++;
        }
    }
}

/* Boxes one after the other, without a division for each. */
typedef struct {
    int32_t at;   /* first column of the box */
    int32_t next; /* of the one after it */
    int32_t part; /* of the one after it: what the division by `parts` leaves */
    int32_t whole;
    int32_t rest;
    int32_t parts;
} qmcu_camera_boxes;

QMCU_INLINE void qmcu_camera_next(qmcu_camera_boxes *b)
{
    b->at = b->next;
    b->next += b->whole;
    b->part += b->rest;
    if (b->part >= b->parts) {
        b->part -= b->parts;
        b->next++;
    }
}

QMCU_INLINE qmcu_camera_boxes qmcu_camera_from(const qmcu_camera_axis *axis, int32_t x)
{
    qmcu_camera_boxes b;
    b.parts = axis->length;
    b.whole = axis->count / axis->length;
    b.rest = axis->count % axis->length;
    b.next = qmcu_camera_begin(axis, x, 1);
    b.part = x * axis->count % axis->length;
    qmcu_camera_next(&b);
    return b;
}

/* Columns of a box: at least one. */
QMCU_INLINE int32_t qmcu_camera_width(const qmcu_camera_boxes *b)
{
    return b->next > b->at ? b->next - b->at : 1;
}

/* Adds one line to the sums of input columns [x, end). */
QMCU_INLINE void qmcu_camera_add(const qmcu_camera_rule *rule, qmcu_camera_decode decode, const uint8_t *line,
                                 int32_t x, int32_t end, uint32_t *sums)
{
    for (qmcu_camera_boxes b = qmcu_camera_from(&rule->columns, x); x < end; x++, qmcu_camera_next(&b)) {
        const int32_t width = qmcu_camera_width(&b);
        uint32_t v[3];
        for (int32_t i = 0; i < width; i++) {
            qmcu_camera_order(decode(line, b.at + i, rule->swapped), rule->order, v);
            for (int32_t c = 0; c < rule->channels; c++) {
                sums[c] += v[c];
            }
        }
        sums += rule->channels;
    }
}

/*
 * (sum + count / 2) / count. Up to 255 pixels by the inverse 2^24 / count, rounded up: its error times the sum, less
 * than 256 * count * count, stays below 2^24, and the product below 2^32.
 */
QMCU_INLINE uint8_t qmcu_camera_mean(uint32_t sum, uint32_t count, uint32_t inverse)
{
    return (uint8_t)(count < 256u ? ((sum + count / 2u) * inverse) >> 24 : (sum + count / 2u) / count);
}

/* The means of boxes of `height` rows. */
QMCU_INLINE void qmcu_camera_means(const qmcu_camera_rule *rule, int32_t height, int32_t x, int32_t end,
                                   const uint32_t *sums, uint8_t *to)
{
    uint32_t count = 0;
    uint32_t inverse = 0;
    for (qmcu_camera_boxes b = qmcu_camera_from(&rule->columns, x); x < end; x++, qmcu_camera_next(&b)) {
        const uint32_t pixels = (uint32_t)(qmcu_camera_width(&b) * height);
        if (pixels != count) {
            count = pixels;
            inverse = ((1u << 24) + count - 1u) / count;
        }
        for (int32_t c = 0; c < rule->channels; c++) {
            *to++ = qmcu_camera_mean(*sums++, count, inverse);
        }
    }
}

/* One row of the input: columns [x, end), counted from where the picture begins. */
QMCU_INLINE int qmcu_camera_row(const qmcu_camera_rule *rule, qmcu_camera_decode decode, qmcu_camera_line line,
                                void *context, uint32_t *sums, int32_t y, int32_t x, int32_t end, uint8_t *to)
{
    const int32_t values = (end - x) * rule->channels;
    int32_t row = qmcu_camera_begin(&rule->rows, y, rule->box);
    if (rule->box == 0u) {
        const uint8_t *pixels = line(context, row);
        if (pixels == NULL) {
            return 1;
        }
        qmcu_camera_nearest(rule, decode, pixels, x, end, to);
        return 0;
    }
    const int32_t last = qmcu_camera_end(&rule->rows, y);
    const int32_t height = last - row;
    memset(sums, 0, (size_t)values * sizeof *sums);
    for (; row < last; row++) {
        const uint8_t *pixels = line(context, row);
        if (pixels == NULL) {
            return 1;
        }
        qmcu_camera_add(rule, decode, pixels, x, end, sums);
    }
    qmcu_camera_means(rule, height, x, end, sums, to);
    return 0;
}

QMCU_INLINE int32_t qmcu_camera_within(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* A reader, see qmcu_camera.h. */
QMCU_INLINE int qmcu_camera_read(const qmcu_camera_rule *rule, qmcu_camera_decode decode, qmcu_camera_line line,
                                 void *context, uint32_t *sums, int32_t row, int32_t rows, int32_t column,
                                 int32_t columns, uint8_t *to, int32_t row_bytes)
{
    const qmcu_camera_axis *across = &rule->columns;
    const int32_t x = qmcu_camera_within(column, across->to, across->to + across->length);
    const int32_t end = qmcu_camera_within(column + columns, x, across->to + across->length);
    for (int32_t y = row - rule->rows.to; rows > 0; rows--, y++, to += row_bytes) {
        const int outside = y < 0 || y >= rule->rows.length;
        if (outside || end - x < columns) {
            memset(to, rule->fill, (size_t)(columns * rule->channels));
        }
        if (!outside && end > x &&
            qmcu_camera_row(rule, decode, line, context, sums, y, x - across->to, end - across->to,
                            to + (x - column) * rule->channels) != 0) {
            return 1;
        }
    }
    return 0;
}

#endif /* QMCU_CAMERA_SCALE_H */
