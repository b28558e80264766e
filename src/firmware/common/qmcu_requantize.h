/*
 * QuantMCU runtime: from accumulators to codes, with what is the same for a whole layer worked out once. Not part of
 * the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_REQUANTIZE_H
#define QMCU_REQUANTIZE_H

#include "qmcu_dsp.h"

/* What qmcu_requant says of all channels. */
typedef struct {
    const qmcu_requant *requant;
    int32_t round; /* 1 << (shift - 1), less base << shift */
    uint32_t pre_shift;
    uint32_t shift;
    /*
     * 8, 4 or 2 where the bounds are those of this many bits: then codes are saturated as y - base, as signed numbers
     * that differ from the codes by the bits of `flip`: the highest for unsigned codes. 0 elsewhere.
     */
    uint32_t saturate;
    uint32_t flip;
} qmcu_scale;

/* For codes of `format`. */
QMCU_INLINE qmcu_scale qmcu_scale_of(const qmcu_requant *r, uint32_t format)
{
    qmcu_scale s;
    const uint32_t bits = qmcu_bits(format);
    const int32_t half = (int32_t)(1u << (bits - 1u));
    const int32_t base = (format & 1u) != 0u ? 0 : half;
    s.requant = r;
    s.pre_shift = r->pre_shift;
    s.shift = r->shift;
    /* |mulhi| <= 2^30, and 128 << 22 leaves the sum in 32 bits. */
    const int full = r->max_table == NULL && r->min == base - half && r->max == base + half - 1;
    s.saturate = QMCU_DSP && full && r->shift <= 22u ? bits : 0u;
    s.round = (int32_t)(1u << (r->shift - 1u)) - (s.saturate != 0u ? qmcu_shift_left(base, r->shift) : 0);
    s.flip = (uint32_t)base;
    return s;
}

/* A bias of the table in the accumulator's units. */
QMCU_INLINE int32_t qmcu_shift_bias(int32_t bias, int32_t shift)
{
    if (shift >= 0) {
        return qmcu_shift_left(bias, (uint32_t)shift);
    }
    const uint32_t n = (uint32_t)-shift;
    return (bias + (int32_t)(1u << (n - 1u))) >> n;
}

/* The bias of channel c in the accumulator's units. */
QMCU_INLINE int32_t qmcu_bias(const qmcu_requant *r, int32_t c)
{
    return qmcu_shift_bias(r->bias[c], r->bias_shift);
}

/* Code of an accumulator that includes the bias, where s->saturate is 0; `max` is the channel's. */
QMCU_INLINE int32_t qmcu_scale_acc(const qmcu_scale *s, int32_t multiplier, int32_t max, int32_t acc)
{
    const int32_t a = qmcu_shift_left(acc, s->pre_shift);
    return qmcu_clamp((qmcu_mulhi(a, multiplier) + s->round) >> s->shift, s->requant->min, max);
}

#if QMCU_DSP
/* The same where s->saturate is `bits`: the code with the bits of s->flip inverted, extended by its sign. */
QMCU_INLINE uint32_t qmcu_scale_saturated(const qmcu_scale *s, uint32_t bits, int32_t multiplier, int32_t acc)
{
    const int32_t y = qmcu_smmla(qmcu_shift_left(acc, s->pre_shift), multiplier, s->round) >> s->shift;
    return (uint32_t)(bits == 8u ? qmcu_ssat8(y) : bits == 4u ? qmcu_ssat4(y) : qmcu_ssat2(y));
}
#endif

QMCU_INLINE int32_t qmcu_scale_max(const qmcu_scale *s, int32_t c)
{
    return s->requant->max_table != NULL ? s->requant->max_table[c] : s->requant->max;
}

#endif /* QMCU_REQUANTIZE_H */
