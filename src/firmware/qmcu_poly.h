/*
 * QuantMCU runtime: one row of a channel of a 3 x 3 depthwise convolution of 4-bit codes, with the DSP extension. Not part of the interface.
 *
 * Three codes x0, x1, x2 beside each other are a polynomial x0 + x1 * z + x2 * z^2 with z = 2^12, a row of weights is w2 + w1 * z + w0 * z^2: the
 * coefficients of their product are sums for five outputs beside each other, of which the middle one is complete and the two above it go on with
 * the next three codes. SMLAL adds nine products at once, three of them make three outputs. Each coefficient keeps to its 12 bits, which the
 * generator checks: it begins with half of their range. Signed codes are stored with 8 added.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_POLY_H
#define QMCU_POLY_H

#include "qmcu_row.h"

#if QMCU_DSP

/* Bits of a coefficient, and half of its range. */
#define QMCU_POLY_BITS 12u
#define QMCU_POLY_HALF 2048

/* Coefficients 2, 3 and 4 begin with half of their range: bits 35, 47 and 59 of 64. */
#define QMCU_POLY_BEGIN 0x08008008u

/* A channel's weights: the rows, and the first two again. */
typedef struct {
    uint32_t rows[5];
    int32_t bias;       /* in the accumulator's units, less what coefficients and signed codes begin with */
    int32_t multiplier;
    uint32_t max;       /* upper bound where the shape is bounded, otherwise 255 */
} qmcu_poly_weights;

/* One call. */
typedef struct {
    const qmcu_row_shape *shape;
    const qmcu_poly_weights *weights; /* of both channels */
    uint32_t turn;                    /* weights before that of the row in the first place */
    const uint32_t *x;                /* of each three columns the rows in their places, for the first channel and for the second */
    int32_t count;                    /* of outputs */
    uint8_t *to;
} qmcu_poly_row;

typedef void qmcu_poly_function(const qmcu_poly_row *row);

/* Adds three columns of all rows to the coefficients that go on. */
QMCU_INLINE qmcu_long qmcu_poly_add(qmcu_long acc, const uint32_t *x, const uint32_t *w)
{
    acc.low = acc.high >> (3u * QMCU_POLY_BITS - 32u);
    acc.high = QMCU_POLY_BEGIN;
    acc = qmcu_smlal(x[0], w[0], acc);
    acc = qmcu_smlal(x[1], w[1], acc);
    return qmcu_smlal(x[2], w[2], acc);
}

/* One channel. */
QMCU_INLINE void qmcu_poly_channel(const qmcu_row_shape *shape, const qmcu_poly_weights *weights, uint32_t turn, const uint32_t *x, int32_t count, int second, uint8_t *to)
{
    qmcu_row_shape like = *shape;
    const uint32_t w[3] = { weights->rows[turn], weights->rows[turn + 1u], weights->rows[turn + 2u] };
    const int32_t bias = qmcu_shift_left(weights->bias, shape->pre_shift);
    const int32_t multiplier = weights->multiplier;
    const uint32_t max = weights->max;
    const int32_t next = shape->pixel_bytes;
    const uint32_t beyond = 2u * QMCU_POLY_BITS;
    qmcu_long acc = { 0u, (uint32_t)QMCU_POLY_HALF << 4 | (uint32_t)QMCU_POLY_HALF << 16 };
    like.pre_shift = 0u;
#define QMCU_POLY_WRITE(value, place) \
    qmcu_row_write(&like, multiplier, max, second, (int32_t)((uint32_t)bias + ((uint32_t)(value) << shape->pre_shift)), to + (place) * next)
    acc = qmcu_poly_add(acc, x, w);
    QMCU_POLY_WRITE(qmcu_insert4(acc.low >> beyond, acc.high), 0);
    to += next;
    count--;
    for (const uint32_t *end = x + count / 3 * 6; x != end;) {
        x += 6;
        acc = qmcu_poly_add(acc, x, w);
        QMCU_POLY_WRITE(qmcu_field(acc.low, 0u, QMCU_POLY_BITS), 0);
        QMCU_POLY_WRITE(qmcu_field(acc.low, QMCU_POLY_BITS, QMCU_POLY_BITS), 1);
        QMCU_POLY_WRITE(qmcu_insert4(acc.low >> beyond, acc.high), 2);
        to += 3 * next;
    }
    count %= 3;
    if (count > 0) {
        acc = qmcu_poly_add(acc, x + 6, w);
        QMCU_POLY_WRITE(qmcu_field(acc.low, 0u, QMCU_POLY_BITS), 0);
        if (count > 1) {
            QMCU_POLY_WRITE(qmcu_field(acc.low, QMCU_POLY_BITS, QMCU_POLY_BITS), 1);
        }
    }
#undef QMCU_POLY_WRITE
}

/* Both channels. Inlined with a constant shape. */
QMCU_INLINE void qmcu_poly_all(const qmcu_row_shape *shape, const qmcu_poly_row *row)
{
    if (shape->format < QMCU_U8) {
        qmcu_poly_channel(shape, row->weights, row->turn, row->x, row->count, 0, row->to);
        qmcu_poly_channel(shape, row->weights + 1, row->turn, row->x + 3, row->count, 1, row->to);
        return;
    }
    for (uint32_t channel = 0u; channel < 2u; channel++) {
        qmcu_poly_channel(shape, row->weights + channel, row->turn, row->x + 3u * channel, row->count, 0, row->to + channel);
    }
}

#endif /* QMCU_DSP */

#endif /* QMCU_POLY_H */
