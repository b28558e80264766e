/*
 * QuantMCU runtime: inner products for cores without DSP and vector instructions: of two rows of weights with the
 * columns of four pixels (qmcu_conv2d_plain_columns.h), and of four rows with the column of one. Not part of the
 * interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_PLAIN_DOT_H
#define QMCU_CONV2D_PLAIN_DOT_H

#include "qmcu_plain.h"

#if QMCU_PLAIN

/* Low and high nibble of a byte, sign-extended. */
QMCU_INLINE int32_t qmcu_plain_low(uint8_t byte)
{
    return (int32_t)((uint32_t)byte << 28) >> 28;
}

QMCU_INLINE int32_t qmcu_plain_high(uint8_t byte)
{
    return (int8_t)byte >> 4;
}

/* One weight of each row times a code of each pixel, a word each. */
QMCU_INLINE void qmcu_plain_words1(qmcu_sums *s, const int32_t *x, int32_t a, int32_t b)
{
    int32_t x0;
    int32_t x1;
    qmcu_plain_load2(x, &x0, &x1);
    s->a0 = qmcu_mla(x0, a, s->a0);
    s->b0 = qmcu_mla(x0, b, s->b0);
    s->a1 = qmcu_mla(x1, a, s->a1);
    s->b1 = qmcu_mla(x1, b, s->b1);
    qmcu_plain_load2(x + 2, &x0, &x1);
    s->a2 = qmcu_mla(x0, a, s->a2);
    s->b2 = qmcu_mla(x0, b, s->b2);
    s->a3 = qmcu_mla(x1, a, s->a3);
    s->b3 = qmcu_mla(x1, b, s->b3);
}

/* Four weights of each row, in the order of their bytes: at 4 bits of places 0, 2, 1, 3. */
QMCU_INLINE void qmcu_plain_words4(uint32_t weight_bits, qmcu_sums *s, const int32_t *x, const uint8_t *w)
{
    if (weight_bits == 8u) {
        qmcu_plain_words1(s, x, (int8_t)w[0], (int8_t)w[1]);
        qmcu_plain_words1(s, x + 4, (int8_t)w[2], (int8_t)w[3]);
        qmcu_plain_words1(s, x + 8, (int8_t)w[4], (int8_t)w[5]);
        qmcu_plain_words1(s, x + 12, (int8_t)w[6], (int8_t)w[7]);
    } else {
        qmcu_plain_words1(s, x, qmcu_plain_low(w[0]), qmcu_plain_high(w[0]));
        qmcu_plain_words1(s, x + 8, qmcu_plain_low(w[1]), qmcu_plain_high(w[1]));
        qmcu_plain_words1(s, x + 4, qmcu_plain_low(w[2]), qmcu_plain_high(w[2]));
        qmcu_plain_words1(s, x + 12, qmcu_plain_low(w[3]), qmcu_plain_high(w[3]));
    }
}

/* Weights of both rows in turn times n codes of each pixel, a word each. */
QMCU_INLINE void qmcu_plain_by_words(uint32_t weight_bits, qmcu_sums *s, const int32_t *x, const uint8_t *w, uint32_t n,
                                     uint32_t period)
{
    (void)period;
#ifndef __OPTIMIZE_SIZE__
    for (const int32_t *end = x + 4u * (n & ~15u); x != end; x += 64) {
        qmcu_plain_words4(weight_bits, s, x, w);
        qmcu_plain_words4(weight_bits, s, x + 16, w + weight_bits);
        qmcu_plain_words4(weight_bits, s, x + 32, w + 2u * weight_bits);
        qmcu_plain_words4(weight_bits, s, x + 48, w + 3u * weight_bits);
        w += 4u * weight_bits;
    }
    n &= 15u;
#endif
    for (const int32_t *end = x + 4u * (n & ~3u); x != end; x += 16) {
        qmcu_plain_words4(weight_bits, s, x, w);
        w += weight_bits;
    }
    for (n &= 3u; n > 0u; n--) {
        if (weight_bits == 8u) {
            qmcu_plain_words1(s, x, (int8_t)w[0], (int8_t)w[1]);
        } else {
            qmcu_plain_words1(s, x, qmcu_plain_low(w[0]), qmcu_plain_high(w[0]));
        }
        x += 4;
        w += weight_bits / 4u;
    }
}

/* Sums of two pixels each in the halves of a word: pixels 0 and 1, 2 and 3. */
typedef struct {
    int32_t a01;
    int32_t a23;
    int32_t b01;
    int32_t b23;
} qmcu_plain_lanes;

/* Adds the halves to their sums. */
QMCU_INLINE void qmcu_plain_add_lanes(int32_t lanes, int32_t *first, int32_t *second)
{
    const int32_t low = (int16_t)lanes;
    *first += low;
    *second += (lanes - low) >> 16;
}

QMCU_INLINE void qmcu_plain_lanes_end(qmcu_sums *s, const qmcu_plain_lanes *l)
{
    qmcu_plain_add_lanes(l->a01, &s->a0, &s->a1);
    qmcu_plain_add_lanes(l->a23, &s->a2, &s->a3);
    qmcu_plain_add_lanes(l->b01, &s->b0, &s->b1);
    qmcu_plain_add_lanes(l->b23, &s->b2, &s->b3);
}

QMCU_INLINE void qmcu_plain_lanes1(qmcu_plain_lanes *l, const int32_t *x, int32_t a, int32_t b)
{
    int32_t x01;
    int32_t x23;
    qmcu_plain_load2(x, &x01, &x23);
    l->a01 = qmcu_mla(x01, a, l->a01);
    l->b01 = qmcu_mla(x01, b, l->b01);
    l->a23 = qmcu_mla(x23, a, l->a23);
    l->b23 = qmcu_mla(x23, b, l->b23);
}

/* Four weights of each row, in the order of their bytes: at 4 bits of places 0, 2, 1, 3. */
QMCU_INLINE void qmcu_plain_lanes4(uint32_t weight_bits, qmcu_plain_lanes *l, const int32_t *x, const uint8_t *w)
{
    if (weight_bits == 8u) {
        qmcu_plain_lanes1(l, x, (int8_t)w[0], (int8_t)w[1]);
        qmcu_plain_lanes1(l, x + 2, (int8_t)w[2], (int8_t)w[3]);
        qmcu_plain_lanes1(l, x + 4, (int8_t)w[4], (int8_t)w[5]);
        qmcu_plain_lanes1(l, x + 6, (int8_t)w[6], (int8_t)w[7]);
    } else {
        qmcu_plain_lanes1(l, x, qmcu_plain_low(w[0]), qmcu_plain_high(w[0]));
        qmcu_plain_lanes1(l, x + 4, qmcu_plain_low(w[1]), qmcu_plain_high(w[1]));
        qmcu_plain_lanes1(l, x + 2, qmcu_plain_low(w[2]), qmcu_plain_high(w[2]));
        qmcu_plain_lanes1(l, x + 6, qmcu_plain_low(w[3]), qmcu_plain_high(w[3]));
    }
}

/*
 * n codes of each pixel, two pixels to a word. The sums of `period` products, a multiple of 4, stay in 16 bits; where a
 * single product needs them, `period` is 1.
 */
QMCU_INLINE void qmcu_plain_by_lanes(uint32_t weight_bits, qmcu_sums *s, const int32_t *x, const uint8_t *w, uint32_t n,
                                     uint32_t period)
{
    while (period >= 4u && n >= 4u) {
        const uint32_t codes = (n < period ? n : period) & ~3u;
        const int32_t *const end = x + 2u * codes;
        qmcu_plain_lanes l = {0, 0, 0, 0};
        for (; x != end; x += 8) {
            qmcu_plain_lanes4(weight_bits, &l, x, w);
            w += weight_bits;
        }
        qmcu_plain_lanes_end(s, &l);
        n -= codes;
    }
    for (; n > 0u; n--) {
        qmcu_plain_lanes l = {0, 0, 0, 0};
        if (weight_bits == 8u) {
            qmcu_plain_lanes1(&l, x, (int8_t)w[0], (int8_t)w[1]);
        } else {
            qmcu_plain_lanes1(&l, x, qmcu_plain_low(w[0]), qmcu_plain_high(w[0]));
        }
        qmcu_plain_lanes_end(s, &l);
        x += 2;
        w += weight_bits / 4u;
    }
}

/* Sums of four rows for one pixel. */
typedef struct {
    int32_t r0;
    int32_t r1;
    int32_t r2;
    int32_t r3;
} qmcu_plain_rows;

QMCU_INLINE void qmcu_plain_rows1(qmcu_plain_rows *s, int32_t x, int32_t a, int32_t b, int32_t c, int32_t d)
{
    s->r0 = qmcu_mla(x, a, s->r0);
    s->r1 = qmcu_mla(x, b, s->r1);
    s->r2 = qmcu_mla(x, c, s->r2);
    s->r3 = qmcu_mla(x, d, s->r3);
}

/* One weight of each of two pairs of rows. */
QMCU_INLINE void qmcu_plain_rows_8(qmcu_plain_rows *s, int32_t x, const int8_t *w, const int8_t *v)
{
    qmcu_plain_rows1(s, x, w[0], w[1], v[0], v[1]);
}

QMCU_INLINE void qmcu_plain_rows_4(qmcu_plain_rows *s, int32_t x, const uint8_t *w, const uint8_t *v)
{
    qmcu_plain_rows1(s, x, qmcu_plain_low(*w), qmcu_plain_high(*w), qmcu_plain_low(*v), qmcu_plain_high(*v));
}

QMCU_INLINE void qmcu_plain_rows4(uint32_t weight_bits, qmcu_plain_rows *s, const int32_t *x, const uint8_t *w,
                                  const uint8_t *v)
{
    int32_t x0;
    int32_t x1;
    qmcu_plain_load2(x, &x0, &x1);
    if (weight_bits == 8u) {
        qmcu_plain_rows_8(s, x0, (const int8_t *)w, (const int8_t *)v);
        qmcu_plain_rows_8(s, x1, (const int8_t *)w + 2, (const int8_t *)v + 2);
        qmcu_plain_load2(x + 2, &x0, &x1);
        qmcu_plain_rows_8(s, x0, (const int8_t *)w + 4, (const int8_t *)v + 4);
        qmcu_plain_rows_8(s, x1, (const int8_t *)w + 6, (const int8_t *)v + 6);
    } else {
        qmcu_plain_rows_4(s, x0, w, v);
        qmcu_plain_rows_4(s, x1, w + 2, v + 2);
        qmcu_plain_load2(x + 2, &x0, &x1);
        qmcu_plain_rows_4(s, x0, w + 1, v + 1);
        qmcu_plain_rows_4(s, x1, w + 3, v + 3);
    }
}

/* Two pairs of rows, w and v, times n codes of one pixel, a word each. */
QMCU_INLINE void qmcu_plain_by_rows(uint32_t weight_bits, qmcu_plain_rows *s, const int32_t *x, const uint8_t *w,
                                    const uint8_t *v, uint32_t n)
{
#ifndef __OPTIMIZE_SIZE__
    for (const int32_t *end = x + (weight_bits == 8u && QMCU_PLAIN_LANES ? 0u : n & ~15u); x != end; x += 16) {
        qmcu_plain_rows4(weight_bits, s, x, w, v);
        qmcu_plain_rows4(weight_bits, s, x + 4, w + weight_bits, v + weight_bits);
        qmcu_plain_rows4(weight_bits, s, x + 8, w + 2u * weight_bits, v + 2u * weight_bits);
        qmcu_plain_rows4(weight_bits, s, x + 12, w + 3u * weight_bits, v + 3u * weight_bits);
        w += 4u * weight_bits;
        v += 4u * weight_bits;
        n -= 16u;
    }
#endif
    for (const int32_t *end = x + (n & ~3u); x != end; x += 4) {
        qmcu_plain_rows4(weight_bits, s, x, w, v);
        w += weight_bits;
        v += weight_bits;
    }
    for (n &= 3u; n > 0u; n--) {
        if (weight_bits == 8u) {
            qmcu_plain_rows_8(s, *x, (const int8_t *)w, (const int8_t *)v);
        } else {
            qmcu_plain_rows_4(s, *x, w, v);
        }
        x++;
        w += weight_bits / 4u;
        v += weight_bits / 4u;
    }
}

#endif

#endif /* QMCU_CONV2D_PLAIN_DOT_H */
