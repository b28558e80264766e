/*
 * QuantMCU runtime: the instructions of Arm's DSP extension (Cortex-M4, M7, M33, M55 ...) that the kernels use, by their names in the
 * Armv7-M manual, A7.7. QMCU_DSP is 1 where they exist; elsewhere the kernels are plain C. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_DSP_H
#define QMCU_DSP_H

#include "qmcu_internal.h"

#if defined(QMCU_EMULATE_DSP)
#define QMCU_DSP 1
#include QMCU_EMULATE_DSP
#elif defined(__ARM_FEATURE_DSP) && (defined(__GNUC__) || defined(__clang__)) && !defined(__ARM_BIG_ENDIAN)
#define QMCU_DSP 1

/* ACLE has no name for some of them, and not every compiler joins the rotation to SXTB16: one way for all. */
#define QMCU_DSP_2(name, text)                         \
    QMCU_INLINE uint32_t name(uint32_t a)              \
    {                                                  \
        uint32_t r;                                    \
        __asm__(text : "=r"(r) : "r"(a));              \
        return r;                                      \
    }
/* Bytes 0 and 2, or after the rotation 1 and 3, as two signed or unsigned halves. */
QMCU_DSP_2(qmcu_sxtb16, "sxtb16 %0, %1")
QMCU_DSP_2(qmcu_sxtb16_ror8, "sxtb16 %0, %1, ror #8")
QMCU_DSP_2(qmcu_uxtb16, "uxtb16 %0, %1")
QMCU_DSP_2(qmcu_uxtb16_ror8, "uxtb16 %0, %1, ror #8")

#define QMCU_DSP_3(name, text)                               \
    QMCU_INLINE uint32_t name(uint32_t a, uint32_t b)        \
    {                                                        \
        uint32_t r;                                          \
        __asm__(text : "=r"(r) : "r"(a), "r"(b));            \
        return r;                                            \
    }
/* Halves: low of a and low of b; high of a as low, high of b as high. */
QMCU_DSP_3(qmcu_pkh_low, "pkhbt %0, %1, %2, lsl #16")
QMCU_DSP_3(qmcu_pkh_high, "pkhtb %0, %2, %1, asr #16")
/* a - b in both halves. */
QMCU_DSP_3(qmcu_ssub16, "ssub16 %0, %1, %2")

/* The sum stays in its register: inner loops have none to spare. */
#define QMCU_DSP_4(name, text)                                            \
    QMCU_INLINE int32_t name(uint32_t a, uint32_t b, int32_t acc)         \
    {                                                                     \
        __asm__(text : "+r"(acc) : "r"(a), "r"(b));                       \
        return acc;                                                       \
    }
/* acc + the products of both halves; of the low halves; of the high halves. */
QMCU_DSP_4(qmcu_smlad, "smlad %0, %1, %2, %0")
QMCU_DSP_4(qmcu_smlabb, "smlabb %0, %1, %2, %0")
QMCU_DSP_4(qmcu_smlatt, "smlatt %0, %1, %2, %0")

/* c + floor(a * b / 2^32). */
QMCU_INLINE int32_t qmcu_smmla(int32_t a, int32_t b, int32_t c)
{
    int32_t r;
    __asm__("smmla %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(c));
    return r;
}

/* The nearest number of so many bits, signed. */
#define QMCU_DSP_SATURATE(name, text)              \
    QMCU_INLINE int32_t name(int32_t a)            \
    {                                              \
        int32_t r;                                 \
        __asm__(text : "=r"(r) : "r"(a) : "cc");   \
        return r;                                  \
    }
QMCU_DSP_SATURATE(qmcu_ssat8, "ssat %0, #8, %1")
QMCU_DSP_SATURATE(qmcu_ssat4, "ssat %0, #4, %1")
QMCU_DSP_SATURATE(qmcu_ssat2, "ssat %0, #2, %1")
#else
#define QMCU_DSP 0
#endif

#if QMCU_DSP
typedef uint32_t __attribute__((may_alias)) qmcu_word;
typedef uint32_t __attribute__((may_alias, aligned(1))) qmcu_unaligned_word;

/* Four bytes in memory, on word addresses or any. */
QMCU_INLINE uint32_t qmcu_load(const void *p)
{
    return *(const qmcu_word *)p;
}

QMCU_INLINE uint32_t qmcu_load_unaligned(const void *p)
{
    return *(const qmcu_unaligned_word *)p;
}

QMCU_INLINE void qmcu_store(void *p, uint32_t word)
{
    *(qmcu_word *)p = word;
}
#endif

#endif /* QMCU_DSP_H */
