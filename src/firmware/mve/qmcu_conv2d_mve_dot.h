/*
 * QuantMCU runtime: inner products of a column of bytes with four rows of weights, for the vector extension Helium.
 * Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_MVE_DOT_H
#define QMCU_CONV2D_MVE_DOT_H

#include "qmcu_mve.h"

#if QMCU_MVE

/* Sums of four rows. */
typedef struct {
    int32_t r0;
    int32_t r1;
    int32_t r2;
    int32_t r3;
} qmcu_mve_sums4;

QMCU_INLINE int32x4_t qmcu_mve_vector_of(const qmcu_mve_sums4 *s)
{
#if defined(__GNUC__) || defined(__clang__)
    /* Compilers go through memory or move one lane at a time. */
    int32x4_t v;
    __asm__("vmov %q0[2], %q0[0], %1, %2\n\tvmov %q0[3], %q0[1], %3, %4"
            : "=&w"(v)
            : "r"(s->r0), "r"(s->r2), "r"(s->r1), "r"(s->r3));
    return v;
#else
    int32x4_t v = vdupq_n_s32(s->r0);
    v = vsetq_lane_s32(s->r1, v, 1);
    v = vsetq_lane_s32(s->r2, v, 2);
    return vsetq_lane_s32(s->r3, v, 3);
#endif
}

/*
 * acc + the sum of sixteen products of codes and weights. The instruction takes both as signed or both as unsigned
 * numbers: unsigned 8-bit codes go with weights + 128, see qmcu_mve_first_sum.
 */
QMCU_INLINE int32_t qmcu_mve_add16(int is_unsigned, int32_t acc, uint8x16_t x, int8x16_t w)
{
    if (is_unsigned) {
        const uint8x16_t biased = veorq_u8(vreinterpretq_u8_s8(w), vdupq_n_u8(0x80u));
        return (int32_t)vmladavaq_u8((uint32_t)acc, x, biased);
    }
    return vmladavaq_s8(acc, vreinterpretq_s8_u8(x), w);
}

/* What the sums of unsigned 8-bit codes begin with: -128 times the codes. n is a multiple of 16. */
QMCU_INLINE int32_t qmcu_mve_first_sum(const uint8_t *x, uint32_t n)
{
    uint32_t sum = 0u;
    for (; n > 0u; n -= 16u) {
        sum = vaddvaq_u8(sum, vldrbq_u8(x));
        x += 16;
    }
    return (int32_t)(0u - 128u * sum);
}

/* 8-bit weights, eight of each row at most, `active` by two bytes: for rows that no word begins and for the rest of a
 * column. */
QMCU_INLINE void qmcu_mve_add8(int is_unsigned, qmcu_mve_sums4 *s, const uint8_t *x, const int8_t *a, const int8_t *b,
                               mve_pred16_t active)
{
    const int16x8_t codes =
        is_unsigned ? vreinterpretq_s16_u16(vldrbq_z_u16(x, active)) : vldrbq_z_s16((const int8_t *)x, active);
    const int8x16_t wa = vldrbq_z_s8(a, active);
    const int8x16_t wb = vldrbq_z_s8(b, active);
    s->r0 = vmladavaq_s16(s->r0, codes, vmovlbq_s8(wa));
    s->r1 = vmladavaq_s16(s->r1, codes, vmovltq_s8(wa));
    s->r2 = vmladavaq_s16(s->r2, codes, vmovlbq_s8(wb));
    s->r3 = vmladavaq_s16(s->r3, codes, vmovltq_s8(wb));
}

/* Two pairs of rows with 8-bit weights from a and b on, and n codes; `first` is what the sums of whole sixteens begin
 * with. */
QMCU_INLINE int32x4_t qmcu_mve_dot8(int is_unsigned, int32_t first, const uint8_t *x, const int8_t *a, const int8_t *b,
                                    uint32_t n)
{
    qmcu_mve_sums4 s = {0, 0, 0, 0};
    /* VLD2 reads words. Both pairs lie on words or, if not, at least one does not. */
    if ((((uintptr_t)a | (uintptr_t)b) & 3u) == 0u) {
        s.r0 = first;
        s.r1 = first;
        s.r2 = first;
        s.r3 = first;
        for (uint32_t iterations = n / 16u; iterations > 0u; iterations--) {
            const int8x16x2_t wa = vld2q_s8(a);
            const int8x16x2_t wb = vld2q_s8(b);
            const uint8x16_t codes = vldrbq_u8(x);
            s.r0 = qmcu_mve_add16(is_unsigned, s.r0, codes, wa.val[0]);
            s.r1 = qmcu_mve_add16(is_unsigned, s.r1, codes, wa.val[1]);
            s.r2 = qmcu_mve_add16(is_unsigned, s.r2, codes, wb.val[0]);
            s.r3 = qmcu_mve_add16(is_unsigned, s.r3, codes, wb.val[1]);
            a += 32;
            b += 32;
            x += 16;
        }
        n %= 16u;
    }
    for (int32_t left = (int32_t)n; left > 0; left -= 8) {
        qmcu_mve_add8(is_unsigned, &s, x, a, b, vctp16q((uint32_t)left));
        a += 16;
        b += 16;
        x += 8;
    }
    return qmcu_mve_vector_of(&s);
}

/* Likewise with 4-bit weights, a byte for both rows of a pair: 16 times the weights are multiplied. */
QMCU_INLINE int32x4_t qmcu_mve_dot4(int is_unsigned, int32_t first, const uint8_t *x, const int8_t *a, const int8_t *b,
                                    uint32_t n)
{
    qmcu_mve_sums4 s = {first, first, first, first};
    const int8x16_t high = vdupq_n_s8((int8_t)-16);
    for (int32_t left = (int32_t)n; left > 0; left -= 16) {
        const mve_pred16_t active = vctp8q((uint32_t)left);
        const int8x16_t wa = vldrbq_z_s8(a, active);
        const int8x16_t wb = vldrbq_z_s8(b, active);
        const uint8x16_t codes = vldrbq_u8(x);
        s.r0 = qmcu_mve_add16(is_unsigned, s.r0, codes, vshlq_n_s8(wa, 4));
        s.r1 = qmcu_mve_add16(is_unsigned, s.r1, codes, vandq_s8(wa, high));
        s.r2 = qmcu_mve_add16(is_unsigned, s.r2, codes, vshlq_n_s8(wb, 4));
        s.r3 = qmcu_mve_add16(is_unsigned, s.r3, codes, vandq_s8(wb, high));
        a += 16;
        b += 16;
        x += 16;
    }
    return vshrq_n_s32(qmcu_mve_vector_of(&s), 4);
}

/*
 * Whole sixteens from a and b on, where VLD2 may read whole words: sums of four rows. `b` lies `shift` (0 or 1) weights
 * before its row's first, and so do the codes that it is multiplied with.
 */
QMCU_INLINE int32x4_t qmcu_mve_dot8_whole(int is_unsigned, int32_t first, const uint8_t *x, const int8_t *a,
                                          const int8_t *b, uint32_t shift, uint32_t iterations)
{
    qmcu_mve_sums4 s = {first, first, first, first};
    for (; iterations > 0u; iterations--) {
        const int8x16x2_t wa = vld2q_s8(a);
        const int8x16x2_t wb = vld2q_s8(b);
        const uint8x16_t codes = vldrbq_u8(x);
        const uint8x16_t shifted = shift != 0u ? vldrbq_u8(x - 1) : codes;
        s.r0 = qmcu_mve_add16(is_unsigned, s.r0, codes, wa.val[0]);
        s.r1 = qmcu_mve_add16(is_unsigned, s.r1, codes, wa.val[1]);
        s.r2 = qmcu_mve_add16(is_unsigned, s.r2, shifted, wb.val[0]);
        s.r3 = qmcu_mve_add16(is_unsigned, s.r3, shifted, wb.val[1]);
        a += 32;
        b += 32;
        x += 16;
    }
    return qmcu_mve_vector_of(&s);
}

/* Likewise with 4-bit weights. */
QMCU_INLINE int32x4_t qmcu_mve_dot4_whole(int is_unsigned, int32_t first, const uint8_t *x, const int8_t *a,
                                          const int8_t *b, uint32_t iterations)
{
    qmcu_mve_sums4 s = {first, first, first, first};
    const int8x16_t high = vdupq_n_s8((int8_t)-16);
    for (; iterations > 0u; iterations--) {
        const int8x16_t wa = vldrbq_s8(a);
        const int8x16_t wb = vldrbq_s8(b);
        const uint8x16_t codes = vldrbq_u8(x);
        s.r0 = qmcu_mve_add16(is_unsigned, s.r0, codes, vshlq_n_s8(wa, 4));
        s.r1 = qmcu_mve_add16(is_unsigned, s.r1, codes, vandq_s8(wa, high));
        s.r2 = qmcu_mve_add16(is_unsigned, s.r2, codes, vshlq_n_s8(wb, 4));
        s.r3 = qmcu_mve_add16(is_unsigned, s.r3, codes, vandq_s8(wb, high));
        a += 16;
        b += 16;
        x += 16;
    }
    return vshrq_n_s32(qmcu_mve_vector_of(&s), 4);
}

#if defined(__GNUC__) || defined(__clang__)
#define QMCU_MVE_FOURS 1

/* Four output channels for some pixels of a row: what qmcu_mve_fours reads, at offsets from pre_shift. */
typedef struct {
    const int8_t *a;       /* -8: a pair of rows, on words */
    const int8_t *b;       /* -4: the next */
    int32_t pre_shift;     /* 0 */
    int32_t shift;         /* 4: negative: to the right */
    int32_t x_next;        /* 8: from the end of one pixel's codes to those of the next */
    int32_t to_next;       /* 12 */
    int32_t iterations;    /* 16: sixteens of a column, > 0 */
    int32_t pixels;        /* 20: > 0 */
    int32_t bias[4];       /* 24 */
    int32_t multiplier[4]; /* 40 */
    int32_t min[4];        /* 56 */
    int32_t max[4];        /* 72 */
    int32_t powers[4];     /* 88: of 16 */
} qmcu_mve_four;

/*
 * Whole sixteens of 8-bit weights and codes that are signed, or with TO_SIGNED made so by taking 128 off: the bias
 * makes up for that. Compilers spill the sums, and move vectors to where the next instruction wants them: 10
 * instructions (11) for 64 products. q5 is what taking off needs, or the lower bounds, which MIN loads otherwise; STORE
 * writes the codes in q0 to [to].
 */
#define QMCU_MVE_FOURS_OF(name, Q5, TO_SIGNED, SHIFTED, MIN, STORE)                                                  \
    QMCU_INLINE void name(const qmcu_mve_four *k, const uint8_t *x, uint8_t *to)                                     \
    {                                                                                                                \
        const int8_t *a;                                                                                             \
        const int8_t *b;                                                                                             \
        const int32_t *bias;                                                                                         \
        int32_t iterations;                                                                                          \
        int32_t pixels;                                                                                              \
        __asm__ volatile("ldrd %[n], %[p], [%[k], #16]\n\t"                                                          \
                         "add %[bias], %[k], #24\n\t" Q5 "vldrw.32 q6, [%[k], #72]\n\t"                              \
                         "vldrw.32 q7, [%[k], #40]\n"                                                                \
                         "1:\n\t"                                                                                    \
                         "ldrd %[a], %[b], [%[k], #-8]\n\t"                                                          \
                         "ldm %[bias], {r0, r2, r4, r6}\n\t"                                                         \
                         "dls lr, %[n]\n"                                                                            \
                         "2:\n\t"                                                                                    \
                         "vldrb.8 q4, [%[x]], #16\n\t"                                                               \
                         "vld20.8 {q0, q1}, [%[a]]\n\t"                                                              \
                         "vld21.8 {q0, q1}, [%[a]]!\n\t" TO_SIGNED "vld20.8 {q2, q3}, [%[b]]\n\t"                    \
                         "vmladava.s8 r0, q0, q4\n\t"                                                                \
                         "vld21.8 {q2, q3}, [%[b]]!\n\t"                                                             \
                         "vmladava.s8 r2, q1, q4\n\t" SHIFTED "vmladava.s8 r4, q2, q4\n\t"                           \
                         "vmladava.s8 r6, q3, q4\n\t"                                                                \
                         "le lr, 2b\n\t"                                                                             \
                         "vmov q0[2], q0[0], r0, r4\n\t"                                                             \
                         "vmov q0[3], q0[1], r2, r6\n\t"                                                             \
                         "ldm %[k], {r0, r2, r4, r6}\n\t"                                                            \
                         "vshl.s32 q0, r0\n\t"                                                                       \
                         "add %[x], r4\n\t"                                                                          \
                         "vmulh.s32 q0, q0, q7\n\t"                                                                  \
                         "vrshl.s32 q0, r2\n\t" MIN "vmin.s32 q0, q0, q6\n\t" STORE "add %[to], r6\n\t"              \
                         "subs %[p], #1\n\t"                                                                         \
                         "bne 1b"                                                                                    \
                         : [a] "=&r"(a), [b] "=&r"(b), [bias] "=&r"(bias), [n] "=&r"(iterations), [p] "=&r"(pixels), \
                           [x] "+r"(x), [to] "+l"(to)                                                                \
                         : [k] "r"(&k->pre_shift)                                                                    \
                         : "r0", "r2", "r4", "r6", "lr", "cc", "memory", "q0", "q1", "q2", "q3", "q4", "q5", "q6",   \
                           "q7");                                                                                    \
    }

#define QMCU_MVE_STORE_8 "vstrb.32 q0, [%[to]]\n\t"
/* Codes side by side: the sum of their products with powers of 16. */
#define QMCU_MVE_STORE_4           \
    "vmov.i32 q1, #15\n\t"         \
    "vldrw.32 q2, [%[k], #88]\n\t" \
    "vand q0, q0, q1\n\t"          \
    "vmladav.s32 r0, q0, q2\n\t"   \
    "strb r0, [%[to]]\n\t"         \
    "lsrs r0, r0, #8\n\t"          \
    "strb r0, [%[to], #1]\n\t"
#define QMCU_MVE_TO_SIGNED "veor q4, q4, q5\n\t"
#define QMCU_MVE_128       "vmov.i8 q5, #0x80\n\t"
#define QMCU_MVE_LOAD_MIN  "vldrw.32 q1, [%[k], #56]\n\tvmax.s32 q0, q0, q1\n\t"
#define QMCU_MVE_MIN_IN_Q5 "vldrw.32 q5, [%[k], #56]\n\t"
#define QMCU_MVE_KEPT_MIN  "vmax.s32 q0, q0, q5\n\t"
#define QMCU_MVE_UNSIGNED_FOURS(name, SHIFTED, STORE) \
    QMCU_MVE_FOURS_OF(name, QMCU_MVE_128, QMCU_MVE_TO_SIGNED, SHIFTED, QMCU_MVE_LOAD_MIN, STORE)
#define QMCU_MVE_SIGNED_FOURS(name, SHIFTED, STORE) \
    QMCU_MVE_FOURS_OF(name, QMCU_MVE_MIN_IN_Q5, "", SHIFTED, QMCU_MVE_KEPT_MIN, STORE)

/* Rows of odd lengths: the next pair is read from a weight earlier on, which a word begins, and so are its codes. */
#define QMCU_MVE_SHIFTED "vldrb.8 q4, [%[x], #-17]\n\t"

QMCU_MVE_UNSIGNED_FOURS(qmcu_mve_fours_u8, "", QMCU_MVE_STORE_8)
QMCU_MVE_UNSIGNED_FOURS(qmcu_mve_fours_u4, "", QMCU_MVE_STORE_4)
QMCU_MVE_SIGNED_FOURS(qmcu_mve_fours_s8, "", QMCU_MVE_STORE_8)
QMCU_MVE_SIGNED_FOURS(qmcu_mve_fours_s4, "", QMCU_MVE_STORE_4)
QMCU_MVE_UNSIGNED_FOURS(qmcu_mve_odd_fours_u8, QMCU_MVE_SHIFTED QMCU_MVE_TO_SIGNED, QMCU_MVE_STORE_8)
QMCU_MVE_UNSIGNED_FOURS(qmcu_mve_odd_fours_u4, QMCU_MVE_SHIFTED QMCU_MVE_TO_SIGNED, QMCU_MVE_STORE_4)
QMCU_MVE_SIGNED_FOURS(qmcu_mve_odd_fours_s8, QMCU_MVE_SHIFTED, QMCU_MVE_STORE_8)
QMCU_MVE_SIGNED_FOURS(qmcu_mve_odd_fours_s4, QMCU_MVE_SHIFTED, QMCU_MVE_STORE_4)

/* 128 times the sums of four rows of whole sixteens: what codes lose that 128 is taken off. */
QMCU_INLINE int32x4_t qmcu_mve_sums_of_rows(const int8_t *a, const int8_t *b, int32_t iterations)
{
    qmcu_mve_sums4 s = {0, 0, 0, 0};
    for (; iterations > 0; iterations--) {
        const int8x16x2_t wa = vld2q_s8(a);
        const int8x16x2_t wb = vld2q_s8(b);
        s.r0 = vaddvaq_s8(s.r0, wa.val[0]);
        s.r1 = vaddvaq_s8(s.r1, wa.val[1]);
        s.r2 = vaddvaq_s8(s.r2, wb.val[0]);
        s.r3 = vaddvaq_s8(s.r3, wb.val[1]);
        a += 32;
        b += 32;
    }
    return vshlq_n_s32(qmcu_mve_vector_of(&s), 7);
}
#endif

#endif

#endif /* QMCU_CONV2D_MVE_DOT_H */
