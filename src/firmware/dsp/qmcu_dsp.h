/*
 * QuantMCU runtime: the instructions of Arm's DSP extension (Cortex-M4, M7, M33 ...) that the kernels use, by their
 * names in the Armv7-M manual, A7.7. QMCU_DSP is 1 where they exist and vectors (qmcu_mve.h) do not; elsewhere the
 * kernels are plain C. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_DSP_H
#define QMCU_DSP_H

#include "qmcu_mve.h"

/* 64 bits as two words. */
typedef struct {
    uint32_t low;
    uint32_t high;
} qmcu_long;

#if QMCU_DSP
#if !QMCU_EMULATE_DSP

/* Clang moves loads up, away from their uses, and then lacks registers for the sums: there all stand in the order in
 * which they are written. */
#if defined(__clang__)
#define QMCU_DSP_ASM __asm__ volatile
#else
#define QMCU_DSP_ASM __asm__
#endif

/* ACLE has no name for some of them, and not every compiler joins the rotation to SXTB16: one way for all. */
#define QMCU_DSP_2(name, text)                 \
    QMCU_INLINE uint32_t name(uint32_t a)      \
    {                                          \
        uint32_t r;                            \
        QMCU_DSP_ASM(text : "=r"(r) : "r"(a)); \
        return r;                              \
    }
/* Bytes 0 and 2, or after the rotation 1 and 3, as two signed or unsigned halves. */
QMCU_DSP_2(qmcu_sxtb16, "sxtb16 %0, %1")
QMCU_DSP_2(qmcu_sxtb16_ror8, "sxtb16 %0, %1, ror #8")
QMCU_DSP_2(qmcu_uxtb16, "uxtb16 %0, %1")
QMCU_DSP_2(qmcu_uxtb16_ror8, "uxtb16 %0, %1, ror #8")

#define QMCU_DSP_3(name, text)                         \
    QMCU_INLINE uint32_t name(uint32_t a, uint32_t b)  \
    {                                                  \
        uint32_t r;                                    \
        QMCU_DSP_ASM(text : "=r"(r) : "r"(a), "r"(b)); \
        return r;                                      \
    }
/* Halves: low of a and low of b; high of a as low, high of b as high. */
QMCU_DSP_3(qmcu_pkh_low, "pkhbt %0, %1, %2, lsl #16")
QMCU_DSP_3(qmcu_pkh_high, "pkhtb %0, %2, %1, asr #16")
/* The sum of the products of both halves. */
QMCU_DSP_3(qmcu_smuad, "smuad %0, %1, %2")
/* a - b in both halves; in all four bytes; in all four bytes of unsigned numbers, at least 0. */
QMCU_DSP_3(qmcu_ssub16, "ssub16 %0, %1, %2")
QMCU_DSP_3(qmcu_ssub8, "ssub8 %0, %1, %2")
QMCU_DSP_3(qmcu_uqsub8, "uqsub8 %0, %1, %2")

/* The larger of each two unsigned bytes. */
QMCU_INLINE uint32_t qmcu_larger_bytes(uint32_t a, uint32_t b)
{
    uint32_t r;
    QMCU_DSP_ASM("usub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(r) : "r"(a), "r"(b) : "cc");
    return r;
}

/* The sum stays in its register: inner loops have none to spare. */
#define QMCU_DSP_4(name, text)                                    \
    QMCU_INLINE int32_t name(uint32_t a, uint32_t b, int32_t acc) \
    {                                                             \
        QMCU_DSP_ASM(text : "+r"(acc) : "r"(a), "r"(b));          \
        return acc;                                               \
    }
/* acc + the products of both halves; of the low halves; of the high halves. */
QMCU_DSP_4(qmcu_smlad, "smlad %0, %1, %2, %0")
QMCU_DSP_4(qmcu_smlabb, "smlabb %0, %1, %2, %0")
QMCU_DSP_4(qmcu_smlatt, "smlatt %0, %1, %2, %0")
/* acc + low half of a * high half of b; + high half of a * low half of b. */
QMCU_DSP_4(qmcu_smlabt, "smlabt %0, %1, %2, %0")
QMCU_DSP_4(qmcu_smlatb, "smlatb %0, %1, %2, %0")

/* The same as qmcu_smlad and qmcu_smlatb, in a register of its own: begins sums. */
#define QMCU_DSP_FROM(name, text)                                                  \
    QMCU_INLINE int32_t name(uint32_t a, uint32_t b, int32_t acc)                  \
    {                                                                              \
        int32_t r;                                                                 \
        QMCU_DSP_ASM(text " %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(acc)); \
        return r;                                                                  \
    }
QMCU_DSP_FROM(qmcu_smlad_from, "smlad")
QMCU_DSP_FROM(qmcu_smlatb_from, "smlatb")

/* acc + a * b of signed numbers. */
QMCU_INLINE qmcu_long qmcu_smlal(uint32_t a, uint32_t b, qmcu_long acc)
{
    QMCU_DSP_ASM("smlal %0, %1, %2, %3" : "+r"(acc.low), "+r"(acc.high) : "r"(a), "r"(b));
    return acc;
}

/* a with the lowest 10 bits of b from bit 4 on. */
QMCU_INLINE uint32_t qmcu_insert10(uint32_t a, uint32_t b)
{
    QMCU_DSP_ASM("bfi %0, %1, #4, #10" : "+r"(a) : "r"(b));
    return a;
}

/* `bits` bits of a from bit `from` on, both constants. As an instruction: from masks and shifts compilers make up to
 * three. */
QMCU_INLINE uint32_t qmcu_field(uint32_t a, uint32_t from, uint32_t bits)
{
    uint32_t r;
    QMCU_DSP_ASM("ubfx %0, %1, %2, %3" : "=r"(r) : "r"(a), "i"(from), "i"(bits));
    return r;
}

/* c + floor(a * b / 2^32). */
QMCU_INLINE int32_t qmcu_smmla(int32_t a, int32_t b, int32_t c)
{
    int32_t r;
    QMCU_DSP_ASM("smmla %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(c));
    return r;
}

/* c + floor(a * b / 2^16) of the low half of b, or the high half, signed. */
QMCU_INLINE int32_t qmcu_smlawb(int32_t a, uint32_t b, int32_t c)
{
    int32_t r;
    QMCU_DSP_ASM("smlawb %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(c));
    return r;
}

QMCU_INLINE int32_t qmcu_smlawt(int32_t a, uint32_t b, int32_t c)
{
    int32_t r;
    QMCU_DSP_ASM("smlawt %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(c));
    return r;
}

/* The nearest number of this many bits, signed. */
#define QMCU_DSP_SATURATE(name, text)                 \
    QMCU_INLINE int32_t name(int32_t a)               \
    {                                                 \
        int32_t r;                                    \
        QMCU_DSP_ASM(text : "=r"(r) : "r"(a) : "cc"); \
        return r;                                     \
    }
QMCU_DSP_SATURATE(qmcu_ssat8, "ssat %0, #8, %1")
QMCU_DSP_SATURATE(qmcu_ssat4, "ssat %0, #4, %1")
QMCU_DSP_SATURATE(qmcu_ssat2, "ssat %0, #2, %1")
QMCU_DSP_SATURATE(qmcu_usat8, "usat %0, #8, %1")
QMCU_DSP_SATURATE(qmcu_usat4, "usat %0, #4, %1")
QMCU_DSP_SATURATE(qmcu_usat2, "usat %0, #2, %1")

/* The nearest numbers to a >> n: one instruction where n is known when the kernel is compiled. */
#define QMCU_DSP_SHIFT_SATURATE(name, text)                              \
    QMCU_INLINE int32_t name##_shifted(int32_t a, uint32_t n)            \
    {                                                                    \
        int32_t r;                                                       \
        if (!__builtin_constant_p(n)) {                                  \
            return name(a >> n);                                         \
        }                                                                \
        QMCU_DSP_ASM(text ", asr %2" : "=r"(r) : "r"(a), "i"(n) : "cc"); \
        return r;                                                        \
    }
QMCU_DSP_SHIFT_SATURATE(qmcu_ssat8, "ssat %0, #8, %1")
QMCU_DSP_SHIFT_SATURATE(qmcu_ssat4, "ssat %0, #4, %1")
QMCU_DSP_SHIFT_SATURATE(qmcu_usat8, "usat %0, #8, %1")
QMCU_DSP_SHIFT_SATURATE(qmcu_usat4, "usat %0, #4, %1")
QMCU_DSP_SHIFT_SATURATE(qmcu_ssat2, "ssat %0, #2, %1")
QMCU_DSP_SHIFT_SATURATE(qmcu_usat2, "usat %0, #2, %1")

/* The high nibbles of all bytes. As an immediate: a constant in a register would be one too many in inner loops. */
QMCU_INLINE uint32_t qmcu_high_nibbles(uint32_t word)
{
    uint32_t r;
    QMCU_DSP_ASM("and %0, %1, #0xf0f0f0f0" : "=r"(r) : "r"(word) : "cc");
    return r;
}
#endif

typedef uint32_t __attribute__((may_alias)) qmcu_word;
typedef uint32_t __attribute__((may_alias, aligned(1))) qmcu_unaligned_word;
typedef uint16_t __attribute__((may_alias, aligned(1))) qmcu_unaligned_half;
typedef uint16_t __attribute__((may_alias)) qmcu_half;

/* Four bytes in memory, on word addresses or any. */
QMCU_INLINE uint32_t qmcu_load(const void *p)
{
    return *(const qmcu_word *)p;
}

QMCU_INLINE uint32_t qmcu_load_unaligned(const void *p)
{
    return *(const qmcu_unaligned_word *)p;
}

QMCU_INLINE uint32_t qmcu_load_half(const void *p)
{
    return *(const qmcu_unaligned_half *)p;
}

/* A word, loaded also where the compiler knows the word: it cannot tell that keeping it costs more than loading it. */
QMCU_INLINE uint32_t qmcu_load_again(const void *p)
{
#if defined(__arm__) && !QMCU_EMULATE_DSP
    uint32_t r;
    __asm__ volatile("ldr %0, %1" : "=r"(r) : "m"(*(const qmcu_unaligned_word *)p));
    return r;
#else
    return qmcu_load_unaligned(p);
#endif
}

QMCU_INLINE void qmcu_store_unaligned(void *p, uint32_t word)
{
    *(qmcu_unaligned_word *)p = word;
}

/* Two words that begin `offset` bytes, a constant, after an address that is a multiple of 8: one instruction. */
typedef struct {
    uint32_t first;
    uint32_t second;
} qmcu_words;

typedef struct {
    uint8_t bytes[1024];
} __attribute__((may_alias)) qmcu_near; /* tells the compiler what LDRD reads, whatever the offset */

QMCU_INLINE qmcu_words qmcu_load_two(const void *p, uint32_t offset)
{
    qmcu_words r;
#if defined(__arm__) && !QMCU_EMULATE_DSP
    if (__builtin_constant_p(offset)) {
        QMCU_DSP_ASM("ldrd %0, %1, [%2, %3]"
                     : "=r"(r.first), "=r"(r.second)
                     : "r"(p), "i"(offset), "m"(*(const qmcu_near *)p));
        return r;
    }
#endif
    r.first = qmcu_load((const uint8_t *)p + offset);
    r.second = qmcu_load((const uint8_t *)p + offset + 4);
    return r;
}

QMCU_INLINE void qmcu_store_two(void *p, uint32_t offset, uint32_t first, uint32_t second)
{
#if defined(__arm__) && !QMCU_EMULATE_DSP
    if (__builtin_constant_p(offset)) {
        QMCU_DSP_ASM("strd %1, %2, [%3, %4]" : "+m"(*(qmcu_near *)p) : "r"(first), "r"(second), "r"(p), "i"(offset));
        return;
    }
#endif
    *(qmcu_word *)((uint8_t *)p + offset) = first;
    *(qmcu_word *)((uint8_t *)p + offset + 4) = second;
}

/* A function that stays one: its caller's registers are its caller's. */
#define QMCU_APART __attribute__((noinline))

/* Hides a value from the compiler, which otherwise makes versions of loops for steps that do not occur. */
#if defined(__GNUC__)
#define QMCU_OPAQUE(value) __asm__("" : "+r"(value))
#else
#define QMCU_OPAQUE(value) ((void)0)
#endif

QMCU_INLINE void qmcu_store(void *p, uint32_t word)
{
    *(qmcu_word *)p = word;
}
#endif

#include "qmcu_dsp_emulated.h"

#endif /* QMCU_DSP_H */
