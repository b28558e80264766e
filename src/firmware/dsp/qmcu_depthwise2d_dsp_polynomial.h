/*
 * QuantMCU runtime: rows of a channel of a 3 x 3 depthwise convolution with small weights, with the DSP extension. Not
 * part of the interface.
 *
 * Two adjacent codes x0, x1 are a polynomial x0 + x1 * z with z = 2^16, as a word of
 * qmcu_depthwise2d_dsp_channels.h holds them; a row of weights is w2 + w1 * z + w0 * z^2. The coefficients of their
 * product are sums for four adjacent outputs: the lower two are complete, the upper two go on with the next
 * two codes. SMLAL adds the products with w2 and w1, MLA to the upper word those with w0: two multiplications for six
 * products. Codes are unsigned, signed ones with half of their range added.
 *
 * Each coefficient keeps to its 16 bits, which the generator checks (polynomial.ts). It begins with half of their range
 * and the bias less the multiple of 2^15 next to it: so it is a number for SMLAW, which multiplies half a word and
 * adds, and what that multiple makes of the multiplier is a whole number and part of what SMLAW adds. An output takes
 * half an instruction, SMLAW, USAT and STRB.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_DEPTHWISE2D_DSP_POLYNOMIAL_H
#define QMCU_DEPTHWISE2D_DSP_POLYNOMIAL_H

#include "qmcu_depthwise2d_dsp_channels.h"

#if QMCU_DSP

/* Half of a coefficient's range, in both halves. */
#define QMCU_POLY_HALVES 0x80008000u

/* Biases are taken modulo 2^15. At odd multiples of that multipliers are rounded down to even ones, which the generator
 * allows where it changes no code. */
#define QMCU_POLY_STEP_BITS 15u

/* A code is 2^this of SMLAW's units: 2^shift of those of qmcu_smmla, of sums shifted by pre_shift. */
#define QMCU_POLY_SHIFT(shift, pre_shift) ((shift) + 16u - (pre_shift))

/* Columns before the first one under the windows: so four outputs are complete with their group. */
#define QMCU_POLY_BEFORE 2u

/* Bytes of a row of taps: w2 + w1 * z and w0. */
#define QMCU_POLY_TAP_BYTES 8u

/* Coefficients of outputs in turn, two in each word. */
typedef struct {
    uint32_t a;
    uint32_t b;
    uint32_t c;
} qmcu_poly_sums;

/* Adds a row of two codes: to a the outputs that they complete, to b, where it goes on from `begin`, those that begin.
 */
QMCU_INLINE void qmcu_poly_add(uint32_t *a, uint32_t *b, uint32_t begin, uint32_t codes, qmcu_words taps)
{
    qmcu_long sum;
    sum.low = *a;
    sum.high = begin + codes * taps.second;
    sum = qmcu_smlal(codes, taps.first, sum);
    *a = sum.low;
    *b = sum.high;
}

/* Adds row i of four columns, whose group begins `at` bytes after x. */
QMCU_INLINE void qmcu_poly_add_four(uint32_t i, qmcu_poly_sums *s, uint32_t begin, const uint8_t *x, uint32_t at,
                                    const uint32_t *taps)
{
    const qmcu_words w = qmcu_load_two(taps, QMCU_POLY_TAP_BYTES * i);
    const qmcu_words codes = qmcu_load_two(x, at + QMCU_ROW_BYTES * i);
    qmcu_poly_add(&s->a, &s->b, i == 0u ? begin : s->b, codes.first, w);
    qmcu_poly_add(&s->b, &s->c, i == 0u ? begin : s->c, codes.second, w);
}

/* The four outputs that a group of columns completes: s.a and s.b; s.c goes on. */
QMCU_INLINE void qmcu_poly_four(qmcu_poly_sums *s, uint32_t begin, const uint8_t *x, uint32_t at, const uint32_t *taps)
{
    s->a = s->c;
    qmcu_poly_add_four(0u, s, begin, x, at, taps);
    qmcu_poly_add_four(1u, s, begin, x, at, taps);
    qmcu_poly_add_four(2u, s, begin, x, at, taps);
}

/* Adds row i of the second two of the columns, with which the first outputs begin. */
QMCU_INLINE void qmcu_poly_add_two(uint32_t i, qmcu_poly_sums *s, uint32_t begin, const uint8_t *x,
                                   const uint32_t *taps)
{
    qmcu_poly_add(&s->b, &s->c, i == 0u ? begin : s->c, qmcu_load(x + (QMCU_ROW_BYTES * i + 4u)),
                  qmcu_load_two(taps, QMCU_POLY_TAP_BYTES * i));
}

/* Adds to c row i of the first two of the columns: the low half of SMLAL. */
QMCU_INLINE void qmcu_poly_add_first(uint32_t i, qmcu_poly_sums *s, const uint8_t *x, const uint32_t *taps)
{
    s->c += qmcu_load(x + QMCU_ROW_BYTES * i) * taps[QMCU_POLY_TAP_BYTES / 4u * i];
}

/* The multiplier and what it needs. */
QMCU_INLINE qmcu_row_scale qmcu_poly_scale_of(const qmcu_row_weights *weights)
{
    return qmcu_row_scale_of(weights, weights->round);
}

/* Writes the outputs whose coefficients are the halves of a word: the first one, and with `both` the second, so many
 * bytes after it. */
QMCU_INLINE void qmcu_poly_write(const qmcu_row_shape *shape, qmcu_row_scale scale, int both, int32_t next, int second,
                                 uint32_t word, uint8_t *to)
{
    const uint32_t shift = QMCU_POLY_SHIFT(shape->shift, shape->pre_shift);
    const uint32_t sums = word ^ QMCU_POLY_HALVES; /* as signed numbers */
    qmcu_row_put(shape, shift, scale, second, qmcu_smlawb(scale.multiplier, sums, scale.round), to);
    if (both) {
        qmcu_row_put(shape, shift, scale, second, qmcu_smlawt(scale.multiplier, sums, scale.round), to + next);
    }
}

/* Writes four outputs. */
QMCU_INLINE void qmcu_poly_write_four(const qmcu_row_shape *shape, const qmcu_row_weights *weights, int32_t next,
                                      int second, const qmcu_poly_sums *s, uint8_t *to)
{
    const qmcu_row_scale scale = qmcu_poly_scale_of(weights);
    qmcu_poly_write(shape, scale, 1, next, second, s->a, to);
    qmcu_poly_write(shape, scale, 1, next, second, s->b, to + 2 * next);
}

/* One row: `eights` bytes of pixels, eight at a time, and the rest. */
QMCU_INLINE void qmcu_poly_one(const qmcu_row_shape *shape, const qmcu_row_weights *weights, const uint8_t *x,
                               int32_t group, int32_t eights, uint32_t rest, uint32_t begin, int32_t next, int second,
                               uint8_t *to)
{
    qmcu_poly_sums s = {0u, begin, 0u};
    qmcu_poly_add_two(0u, &s, begin, x, weights->taps);
    qmcu_poly_add_two(1u, &s, begin, x, weights->taps);
    qmcu_poly_add_two(2u, &s, begin, x, weights->taps);
    x += group;
    /* Eight, for then the sums that go on do so where they are, not moved to other registers. */
    for (const uint8_t *end = to + eights; to != end;) {
        qmcu_poly_four(&s, begin, x, 0u, weights->taps);
        qmcu_poly_write_four(shape, weights, next, second, &s, to);
        qmcu_poly_four(&s, begin, x, (uint32_t)group, weights->taps);
        qmcu_poly_write_four(shape, weights, next, second, &s, to + 4 * next);
        x += 2 * group;
        QMCU_OPAQUE(x); /* otherwise the compiler works out by multiplications where loops leave pointers */
        to += 8 * next;
        QMCU_OPAQUE(to);
    }
    if (rest >= 4u) {
        qmcu_poly_four(&s, begin, x, 0u, weights->taps);
        qmcu_poly_write_four(shape, weights, next, second, &s, to);
        x += group;
        to += 4 * next;
        rest -= 4u;
    }
    if (rest > (shape->pixel_bytes != 0 ? 2u : 0u)) {
        qmcu_poly_four(&s, begin, x, 0u, weights->taps);
        const qmcu_row_scale scale = qmcu_poly_scale_of(weights);
        qmcu_poly_write(shape, scale, rest > 1u, next, second, s.a, to);
        if (rest > 2u) {
            qmcu_poly_write(shape, scale, 0, next, second, s.b, to + 2 * next);
        }
    } else if (rest > 0u) {
        qmcu_poly_add_first(0u, &s, x, weights->taps);
        qmcu_poly_add_first(1u, &s, x, weights->taps);
        qmcu_poly_add_first(2u, &s, x, weights->taps);
        qmcu_poly_write(shape, qmcu_poly_scale_of(weights), rest > 1u, next, second, s.c, to);
    }
}

#endif /* QMCU_DSP */

#endif /* QMCU_DEPTHWISE2D_DSP_POLYNOMIAL_H */
