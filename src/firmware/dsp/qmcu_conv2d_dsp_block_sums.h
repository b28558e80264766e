/*
 * QuantMCU runtime: the sums of four pixels and two output channels of a convolution, with the DSP extension. Not
 * part of the interface.
 *
 * Two output channels at a time are summed for the four pixels whose columns are given (qmcu_conv2d_dsp_columns.h):
 * eight sums, two weights of each channel and two words of codes are what a Cortex-M has registers for.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_DSP_BLOCK_SUMS_H
#define QMCU_CONV2D_DSP_BLOCK_SUMS_H

#include "qmcu_conv2d_dsp_dot.h"

#if QMCU_DSP

/* Two weights of each channel times two codes of each pixel, those of step `step` from x on; `first`: the sums of all
 * pixels begin with a3 and b3. */
QMCU_INLINE void qmcu_block_step(int first, qmcu_sums *s, const int16_t *x, uint32_t step, uint32_t a, uint32_t b)
{
    const qmcu_words x01 = qmcu_load_two(x, 16u * step);
    if (first) {
        s->a0 = qmcu_smlad_from(a, x01.first, s->a3);
        s->b0 = qmcu_smlad_from(b, x01.first, s->b3);
        s->a1 = qmcu_smlad_from(a, x01.second, s->a3);
        s->b1 = qmcu_smlad_from(b, x01.second, s->b3);
    } else {
        s->a0 = qmcu_smlad(a, x01.first, s->a0);
        s->b0 = qmcu_smlad(b, x01.first, s->b0);
        s->a1 = qmcu_smlad(a, x01.second, s->a1);
        s->b1 = qmcu_smlad(b, x01.second, s->b1);
    }
    const qmcu_words x23 = qmcu_load_two(x, 16u * step + 8u);
    if (first) {
        s->a2 = qmcu_smlad_from(a, x23.first, s->a3);
        s->b2 = qmcu_smlad_from(b, x23.first, s->b3);
    } else {
        s->a2 = qmcu_smlad(a, x23.first, s->a2);
        s->b2 = qmcu_smlad(b, x23.first, s->b2);
    }
    s->a3 = qmcu_smlad(a, x23.second, s->a3);
    s->b3 = qmcu_smlad(b, x23.second, s->b3);
}

/* 8-bit weights, those of both rows in turn. */
QMCU_INLINE void qmcu_block_step8(int first, qmcu_sums *s, const int16_t *x, const uint8_t *w, uint32_t step)
{
    const uint32_t weights = qmcu_load_unaligned(w + 4u * step);
    qmcu_block_step(first, s, x, step, qmcu_sxtb16(weights), qmcu_sxtb16_ror8(weights));
}

/* 4-bit weights, four of each row, see qmcu_pairs_4; 16 times their sums. They are loaded twice: a register holds them
 * no longer. */
QMCU_INLINE void qmcu_block_step4(int first, qmcu_sums *s, const int16_t *x, const uint8_t *w, uint32_t step)
{
    const uint32_t even = qmcu_load_again(w + 4u * step);
    qmcu_block_step(first, s, x, 2u * step, qmcu_sxtb16(qmcu_high_nibbles(even << 4)),
                    qmcu_sxtb16(qmcu_high_nibbles(even)));
    const uint32_t odd = qmcu_load_again(w + 4u * step);
    qmcu_block_step(0, s, x, 2u * step + 1u, qmcu_sxtb16_ror8(qmcu_high_nibbles(odd << 4)),
                    qmcu_sxtb16_ror8(qmcu_high_nibbles(odd)));
}

/* What is left of an odd number of codes or, at 4-bit weights, of a group of four: places `from` on, one of each row at
 * a time. */
QMCU_INLINE void qmcu_block_rest(uint32_t weight_bits, uint32_t from, uint32_t length, qmcu_sums *s, const int16_t *x,
                                 const uint8_t *w)
{
    for (; from < length; from++) {
        const uint32_t a = (uint32_t)(weight_bits == 8u ? (int8_t)w[0] : (int8_t)(w[0] << 4));
        const uint32_t b = (uint32_t)(weight_bits == 8u ? (int8_t)w[1] : (int8_t)(w[0] & 0xf0u));
        if (from % 2u == 0u) {
            s->a0 = qmcu_smlabb(a, qmcu_load(x), s->a0);
            s->a1 = qmcu_smlabb(a, qmcu_load(x + 2), s->a1);
            s->a2 = qmcu_smlabb(a, qmcu_load(x + 4), s->a2);
            s->a3 = qmcu_smlabb(a, qmcu_load(x + 6), s->a3);
            s->b0 = qmcu_smlabb(b, qmcu_load(x), s->b0);
            s->b1 = qmcu_smlabb(b, qmcu_load(x + 2), s->b1);
            s->b2 = qmcu_smlabb(b, qmcu_load(x + 4), s->b2);
            s->b3 = qmcu_smlabb(b, qmcu_load(x + 6), s->b3);
        } else {
            qmcu_pairs_add1(4u, s, x + 1, (int32_t)a, (int32_t)b);
            x += 8;
        }
        w += weight_bits / 4u;
    }
}

/* Longest column whose loop is unrolled where the length is known when the kernel is compiled. */
#define QMCU_BLOCK_UNROLLED 32u

/* A step of either kind. */
QMCU_INLINE void qmcu_block_any_step(uint32_t weight_bits, int first, qmcu_sums *s, const int16_t *x, const uint8_t *w,
                                     uint32_t step)
{
    if (weight_bits == 8u) {
        qmcu_block_step8(first, s, x, w, step);
    } else {
        qmcu_block_step4(first, s, x, w, step);
    }
}

/* Adds all products; at 4-bit weights 16 times. Sums that are not `begun` begin with a3 and b3. */
QMCU_INLINE void qmcu_block_dot(uint32_t weight_bits, int begun, uint32_t length, qmcu_sums *s, const int16_t *x,
                                const uint8_t *w)
{
    const uint32_t codes = weight_bits == 8u ? 2u : 4u; /* of a step */
    const uint32_t steps = length / codes;
#if defined(__OPTIMIZE__)
    if (!begun && __builtin_constant_p(length) && length <= QMCU_BLOCK_UNROLLED && length >= codes) {
        qmcu_block_any_step(weight_bits, 1, s, x, w, 0u);
#pragma GCC unroll 16
        for (uint32_t i = 1u; i < steps; i++) {
            qmcu_block_any_step(weight_bits, 0, s, x, w, i);
        }
        qmcu_block_rest(weight_bits, steps * codes, length, s, x + 4u * codes * steps, w + 4u * steps);
        return;
    }
#endif
    if (!begun) {
        *s = qmcu_sums_of(s->a3, s->b3);
    }
#if defined(__OPTIMIZE__)
    if (__builtin_constant_p(length) && steps % 8u == 0u) {
        for (const uint8_t *end = w + 4u * steps; w != end; w += 32) {
#pragma GCC unroll 8
            for (uint32_t i = 0u; i < 8u; i++) {
                qmcu_block_any_step(weight_bits, 0, s, x, w, i);
            }
            x += 32u * codes;
        }
        qmcu_block_rest(weight_bits, steps * codes, length, s, x, w);
        return;
    }
#endif
    /* Eight codes at a time. */
    const uint32_t unroll = 8u / codes;
    for (const uint8_t *end = w + steps / unroll * 4u * unroll; w != end; w += 4u * unroll) {
        qmcu_block_any_step(weight_bits, 0, s, x, w, 0u);
        qmcu_block_any_step(weight_bits, 0, s, x, w, 1u);
        if (unroll == 4u) {
            qmcu_block_any_step(weight_bits, 0, s, x, w, 2u);
            qmcu_block_any_step(weight_bits, 0, s, x, w, 3u);
        }
        x += 32u;
    }
    for (uint32_t rest = steps % unroll; rest > 0u; rest--) {
        qmcu_block_any_step(weight_bits, 0, s, x, w, 0u);
        x += 4u * codes;
        w += 4;
    }
    qmcu_block_rest(weight_bits, steps * codes, length, s, x, w);
}

#endif /* QMCU_DSP */

#endif /* QMCU_CONV2D_DSP_BLOCK_SUMS_H */
