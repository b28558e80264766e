/*
 * QuantMCU runtime: from accumulators to codes, with what is the same for a whole layer worked out once. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_SCALE_H
#define QMCU_SCALE_H

#include "qmcu_dsp.h"

/* What qmcu_requant says of all channels. */
typedef struct {
    const qmcu_requant *requant;
    int32_t round;      /* 1 << (shift - 1), less base << shift */
    uint32_t pre_shift;
    uint32_t shift;
    /*
     * Where the bounds are those of 8 bits, codes are saturated as y - base, base 0 or 128: as signed 8-bit numbers, which differ
     * from the codes by the bits of `flip`.
     */
    uint32_t flip;
    int saturate;
} qmcu_scale;

QMCU_INLINE qmcu_scale qmcu_scale_of(const qmcu_requant *r)
{
    qmcu_scale s;
    const int32_t base = r->min == 0 ? 128 : 0;
    s.requant = r;
    s.pre_shift = r->pre_shift;
    s.shift = r->shift;
    /* |mulhi| < 2^30, and 128 << 22 leaves the sum in 32 bits. */
    s.saturate = QMCU_DSP && r->max_table == NULL && r->shift <= 22u && r->max - r->min == 255 && (r->min == 0 || r->min == -128);
    s.round = (int32_t)(1u << (r->shift - 1u)) - (s.saturate ? base << r->shift : 0);
    s.flip = s.saturate ? (uint32_t)base : 0u;
    return s;
}

/* The bias of channel c in the accumulator's units. */
QMCU_INLINE int32_t qmcu_bias(const qmcu_requant *r, int32_t c)
{
    const int32_t bias = r->bias[c];
    if (r->bias_shift >= 0) {
        return qmcu_shift_left(bias, (uint32_t)r->bias_shift);
    }
    const uint32_t n = (uint32_t)-r->bias_shift;
    return (bias + (int32_t)(1u << (n - 1u))) >> n;
}

/* Code of an accumulator that includes the bias; `max` is the channel's, unused where s->saturate. */
QMCU_INLINE int32_t qmcu_scale_acc(const qmcu_scale *s, int32_t multiplier, int32_t max, int32_t acc)
{
    const int32_t a = qmcu_shift_left(acc, s->pre_shift);
#if QMCU_DSP
    const int32_t y = qmcu_smmla(a, multiplier, s->round) >> s->shift;
    if (s->saturate) {
        return qmcu_ssat8(y) ^ (int32_t)s->flip;
    }
#else
    const int32_t y = (qmcu_mulhi(a, multiplier) + s->round) >> s->shift;
#endif
    return qmcu_clamp(y, s->requant->min, max);
}

QMCU_INLINE int32_t qmcu_scale_max(const qmcu_scale *s, int32_t c)
{
    return s->requant->max_table != NULL ? s->requant->max_table[c] : s->requant->max;
}

#endif /* QMCU_SCALE_H */
