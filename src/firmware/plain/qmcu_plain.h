/*
 * QuantMCU runtime: what the kernels for cores without DSP and vector instructions share: Cortex-M0+, M3, RISC-V,
 * Xtensa ... QMCU_PLAIN is 1 there. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_PLAIN_H
#define QMCU_PLAIN_H

#include "qmcu_dsp.h"

#if QMCU_PLAIN

/* Cortex-M0, M0+ and M1. */
#if defined(__ARM_ARCH_6M__) && (defined(__GNUC__) || defined(__clang__)) && !defined(__ARM_BIG_ENDIAN)
#define QMCU_PLAIN_ARMV6M 1
#else
#define QMCU_PLAIN_ARMV6M 0
#endif

/*
 * 1: products of two pixels are always computed at once, in the halves of a word, for cores with few registers. 0: only
 * where codes and weights are so small that the halves take sums of several products. Both give the same bits.
 */
#ifndef QMCU_PLAIN_LANES
#if defined(__ARM_ARCH_6M__)
#define QMCU_PLAIN_LANES 1
#else
#define QMCU_PLAIN_LANES 0
#endif
#endif

/* Two adjacent words. */
QMCU_INLINE void qmcu_plain_load2(const int32_t *p, int32_t *first, int32_t *second)
{
#if QMCU_THUMB2
    __asm__("ldrd %0, %1, %2" : "=r"(*first), "=r"(*second) : "m"(p[0]), "m"(p[1]));
#else
    *first = p[0];
    *second = p[1];
#endif
}

/* Whether all codes of the format are possible. */
QMCU_INLINE int qmcu_plain_full(const qmcu_requant *r, uint32_t format)
{
    const int32_t half = (int32_t)(1u << (qmcu_bits(format) - 1u));
    const int32_t base = format % 2u != 0u ? 0 : half;
    return r->max_table == NULL && r->min == base - half && r->max == base + half - 1;
}

/* The nearest number of 8 bits, signed or unsigned. */
QMCU_INLINE int32_t qmcu_plain_saturate(int is_signed, int32_t y)
{
#if QMCU_THUMB2
    int32_t r;
    if (is_signed) {
        __asm__("ssat %0, #8, %1" : "=r"(r) : "r"(y) : "cc");
    } else {
        __asm__("usat %0, #8, %1" : "=r"(r) : "r"(y) : "cc");
    }
    return r;
#else
    return is_signed ? qmcu_clamp(y, -128, 127) : qmcu_clamp(y, 0, 255);
#endif
}

/* Likewise of 4 bits. */
QMCU_INLINE int32_t qmcu_plain_saturate4(int is_signed, int32_t y)
{
#if QMCU_THUMB2
    int32_t r;
    if (is_signed) {
        __asm__("ssat %0, #4, %1" : "=r"(r) : "r"(y) : "cc");
    } else {
        __asm__("usat %0, #4, %1" : "=r"(r) : "r"(y) : "cc");
    }
    return r;
#else
    return is_signed ? qmcu_clamp(y, -8, 7) : qmcu_clamp(y, 0, 15);
#endif
}

#endif /* QMCU_PLAIN */

#endif /* QMCU_PLAIN_H */
