/*
 * QuantMCU runtime: four channels of one tap of a depthwise convolution. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_DEPTHWISE2D_TAP_H
#define QMCU_DEPTHWISE2D_TAP_H

#include "qmcu_dsp.h"
#include "qmcu_plain.h"

#if !QMCU_MVE

/*
 * Four numbers of 16 bits. With the DSP extension in the order 0, 2, 1, 3, as SXTB16 takes them from four bytes.
 */
#if QMCU_DSP
#define QMCU_TAP_PLACE(j) (((j)&1u) * 2u + ((j) >> 1))
#else
#define QMCU_TAP_PLACE(j) (j)
#endif

/* The sums of four channels. */
typedef struct {
    int32_t c0;
    int32_t c1;
    int32_t c2;
    int32_t c3;
} qmcu_tap_sums;

#if QMCU_DSP
/* Two halves with `bits` bits of a word's halves each, extended by their sign where the format is signed. */
QMCU_INLINE uint32_t qmcu_tap_halves(uint32_t word, uint32_t format)
{
    const uint32_t bits = qmcu_bits(format);
    const uint32_t sign = 0x00010001u << (bits - 1u);
    const uint32_t codes = word & 0x00010001u * ((1u << bits) - 1u);
    return (format & 1u) != 0u ? qmcu_ssub16(codes ^ sign, sign) : codes;
}

/* Codes 0 and 2 from byte p on. */
QMCU_INLINE uint32_t qmcu_tap_even(uint32_t word, uint32_t format)
{
    switch (format) {
    case QMCU_U8:
        return qmcu_uxtb16(word);
    case QMCU_S8:
        return qmcu_sxtb16(word);
    case QMCU_U4:
    case QMCU_S4:
        return qmcu_tap_halves(word | word << 8, format);
    default:
        return qmcu_tap_halves(word | word << 12, format);
    }
}

/* Codes 1 and 3. */
QMCU_INLINE uint32_t qmcu_tap_odd(uint32_t word, uint32_t format)
{
    switch (format) {
    case QMCU_U8:
        return qmcu_uxtb16_ror8(word);
    case QMCU_S8:
        return qmcu_sxtb16_ror8(word);
    case QMCU_U4:
    case QMCU_S4:
        return qmcu_tap_halves(word >> 4 | word << 4, format);
    default:
        return qmcu_tap_halves(word >> 2 | word << 10, format);
    }
}

/* The bytes of four codes. */
QMCU_INLINE uint32_t qmcu_tap_load(const uint8_t *p, uint32_t format)
{
    switch (format) {
    case QMCU_U8:
    case QMCU_S8:
        return qmcu_load_unaligned(p);
    case QMCU_U4:
    case QMCU_S4:
        return p[0] | (uint32_t)p[1] << 8;
    default:
        return p[0];
    }
}
#endif

/* Adds four codes times four weights. */
QMCU_INLINE void qmcu_tap_add(uint32_t format, qmcu_tap_sums *s, const uint8_t *x, const int16_t *w)
{
#if QMCU_DSP
    const uint32_t codes = qmcu_tap_load(x, format);
    const uint32_t even = qmcu_tap_even(codes, format);
    const uint32_t even_weights = qmcu_load(w);
    s->c0 = qmcu_smlabb(even, even_weights, s->c0);
    s->c2 = qmcu_smlatt(even, even_weights, s->c2);
    const uint32_t odd = qmcu_tap_odd(codes, format);
    const uint32_t odd_weights = qmcu_load(w + 2);
    s->c1 = qmcu_smlabb(odd, odd_weights, s->c1);
    s->c3 = qmcu_smlatt(odd, odd_weights, s->c3);
#else
    s->c0 = qmcu_mla(qmcu_code(x, 0u, format), w[0], s->c0);
    s->c1 = qmcu_mla(qmcu_code(x, 1u, format), w[1], s->c1);
    s->c2 = qmcu_mla(qmcu_code(x, 2u, format), w[2], s->c2);
    s->c3 = qmcu_mla(qmcu_code(x, 3u, format), w[3], s->c3);
#endif
}

#endif /* !QMCU_MVE */

#endif /* QMCU_DEPTHWISE2D_TAP_H */
