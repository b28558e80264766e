/*
 * QuantMCU runtime: inner products of two rows of weights with the columns of a block of pixels. Not part of the
 * interface.
 *
 * Each weight is loaded once for four pixels and each code once for two rows: what a Cortex-M has registers for.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_DSP_DOT_H
#define QMCU_CONV2D_DSP_DOT_H

#include "qmcu_dsp.h"

#if QMCU_DSP

/* Sums that begin with a and b. */
QMCU_INLINE qmcu_sums qmcu_sums_of(int32_t a, int32_t b)
{
    const qmcu_sums sums = {a, a, a, a, b, b, b, b};
    return sums;
}

/* Adds a weight of each row times a code of each pixel. */
QMCU_INLINE void qmcu_pairs_add1(uint32_t pixels, qmcu_sums *s, const int16_t *x, int32_t a, int32_t b)
{
    s->a0 = qmcu_mla(x[0], a, s->a0);
    s->b0 = qmcu_mla(x[0], b, s->b0);
    if (pixels > 1u) {
        s->a1 = qmcu_mla(x[2], a, s->a1);
        s->b1 = qmcu_mla(x[2], b, s->b1);
    }
    if (pixels > 2u) {
        s->a2 = qmcu_mla(x[4], a, s->a2);
        s->b2 = qmcu_mla(x[4], b, s->b2);
        s->a3 = qmcu_mla(x[6], a, s->a3);
        s->b3 = qmcu_mla(x[6], b, s->b3);
    }
}

/* Adds two weights of each row, which are in one word, times two codes of each pixel. */
QMCU_INLINE void qmcu_pairs_smlad(uint32_t pixels, qmcu_sums *s, const int16_t *x, uint32_t a, uint32_t b)
{
    const uint32_t x0 = qmcu_load(x);
    s->a0 = qmcu_smlad(a, x0, s->a0);
    s->b0 = qmcu_smlad(b, x0, s->b0);
    if (pixels > 1u) {
        const uint32_t x1 = qmcu_load(x + 2);
        s->a1 = qmcu_smlad(a, x1, s->a1);
        s->b1 = qmcu_smlad(b, x1, s->b1);
    }
    if (pixels > 2u) {
        const uint32_t x2 = qmcu_load(x + 4);
        s->a2 = qmcu_smlad(a, x2, s->a2);
        s->b2 = qmcu_smlad(b, x2, s->b2);
        const uint32_t x3 = qmcu_load(x + 6);
        s->a3 = qmcu_smlad(a, x3, s->a3);
        s->b3 = qmcu_smlad(b, x3, s->b3);
    }
}

QMCU_INLINE void qmcu_pairs_word8(uint32_t pixels, qmcu_sums *s, const int16_t *x, const uint8_t *w)
{
    const uint32_t weights = qmcu_load_unaligned(w);
    qmcu_pairs_smlad(pixels, s, x, qmcu_sxtb16(weights), qmcu_sxtb16_ror8(weights));
}

/* 8-bit weights, those of both rows in turn, and n codes. */
QMCU_INLINE void qmcu_pairs_8(uint32_t pixels, qmcu_sums *s, const int16_t *x, const uint8_t *w, uint32_t n)
{
    const uint32_t step = 2u * pixels;
    for (uint32_t iterations = n / 8u; iterations > 0u; iterations--) {
        qmcu_pairs_word8(pixels, s, x, w);
        qmcu_pairs_word8(pixels, s, x + step, w + 4);
        qmcu_pairs_word8(pixels, s, x + 2u * step, w + 8);
        qmcu_pairs_word8(pixels, s, x + 3u * step, w + 12);
        x += 4u * step;
        w += 16;
    }
    for (uint32_t iterations = n % 8u / 2u; iterations > 0u; iterations--) {
        qmcu_pairs_word8(pixels, s, x, w);
        x += step;
        w += 4;
    }
    if (n % 2u != 0u) {
        qmcu_pairs_add1(pixels, s, x, (int8_t)w[0], (int8_t)w[1]);
    }
}

/* Low and high nibble of a byte, sign-extended. */
QMCU_INLINE int32_t qmcu_low_nibble(uint32_t byte)
{
    return (int32_t)(byte << 28) >> 28;
}

QMCU_INLINE int32_t qmcu_high_nibble(uint32_t byte)
{
    return (int8_t)byte >> 4;
}

/*
 * 4-bit weights, the sums of a row all beginning with the same number: a byte holds one of each row. Whole groups of
 * four are stored in the order 0, 2, 1, 3, which puts neighbors two bytes apart, where SXTB16 takes them. n <= 65536.
 */
QMCU_INLINE void qmcu_pairs_4(uint32_t pixels, qmcu_sums *s, const int16_t *x, const uint8_t *w, uint32_t n)
{
    const uint32_t step = 2u * pixels;
    const int32_t first_a = s->a0;
    const int32_t first_b = s->b0;
    *s = qmcu_sums_of(0, 0);
    for (uint32_t iterations = n / 4u; iterations > 0u; iterations--) {
        /* Nibbles in the upper half of their bytes: 16 times the weights. 255 * 8 * 16 * 65536 < 2^31. */
        const uint32_t weights = qmcu_load_unaligned(w);
        const uint32_t a = weights << 4 & 0xf0f0f0f0u;
        const uint32_t b = weights & 0xf0f0f0f0u;
        qmcu_pairs_smlad(pixels, s, x, qmcu_sxtb16(a), qmcu_sxtb16(b));
        qmcu_pairs_smlad(pixels, s, x + step, qmcu_sxtb16_ror8(a), qmcu_sxtb16_ror8(b));
        x += 2u * step;
        w += 4;
    }
    s->a0 = (s->a0 >> 4) + first_a;
    s->b0 = (s->b0 >> 4) + first_b;
    s->a1 = (s->a1 >> 4) + first_a;
    s->b1 = (s->b1 >> 4) + first_b;
    s->a2 = (s->a2 >> 4) + first_a;
    s->b2 = (s->b2 >> 4) + first_b;
    s->a3 = (s->a3 >> 4) + first_a;
    s->b3 = (s->b3 >> 4) + first_b;
    uint32_t rest = n % 4u;
    if (rest >= 2u) {
        qmcu_pairs_add1(pixels, s, x, qmcu_low_nibble(w[0]), qmcu_high_nibble(w[0]));
        qmcu_pairs_add1(pixels, s, x + 1, qmcu_low_nibble(w[1]), qmcu_high_nibble(w[1]));
        x += step;
        w += 2;
        rest -= 2u;
    }
    if (rest != 0u) {
        qmcu_pairs_add1(pixels, s, x, qmcu_low_nibble(w[0]), qmcu_high_nibble(w[0]));
    }
}

#endif /* QMCU_DSP */

#endif /* QMCU_CONV2D_DSP_DOT_H */
