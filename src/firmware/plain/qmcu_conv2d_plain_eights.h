/*
 * QuantMCU runtime: convolutions of small products for cores without DSP and vector instructions. Not part of the
 * interface.
 *
 * Two pixels share a word, and so one multiplication (qmcu_conv2d_plain_columns.h). Where codes or weights have 4 bits
 * or fewer, the sums of many products stay in the halves of a word before they must be taken apart. Eight pixels are
 * four words, which stay in registers with their four sums.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_PLAIN_EIGHTS_H
#define QMCU_CONV2D_PLAIN_EIGHTS_H

#include "qmcu_conv2d_plain_dot.h"

#if QMCU_PLAIN

/* Rows of weights and the columns of eight pixels. */
typedef struct {
    const int32_t *x; /* code k of pixels 2 i and 2 i + 1 at 4 k + i */
    const uint8_t *w; /* pairs of rows, see qmcu_conv2d */
    int32_t *sums;    /* those of pixels 0 ... 3 of each row; the others' stand `others` words later */
    uint32_t others;
    uint32_t begin;      /* 1: the sums begin with 0, and not with what they are */
    uint32_t n;          /* codes */
    uint32_t run;        /* products whose sum fits in half a word, a multiple of 4 */
    uint32_t pair_bytes; /* from one pair of rows to the next */
    int32_t pairs;       /* of rows */
} qmcu_plain_eights;

/* Sums of pixels 0 and 1, 2 and 3 ... */
typedef struct {
    int32_t s01;
    int32_t s23;
    int32_t s45;
    int32_t s67;
} qmcu_plain_four_words;

/* One weight times a code of each pixel. */
QMCU_INLINE void qmcu_plain_eight1(qmcu_plain_four_words *s, const int32_t *x, int32_t w)
{
    s->s01 = qmcu_mla(x[0], w, s->s01);
    s->s23 = qmcu_mla(x[1], w, s->s23);
    s->s45 = qmcu_mla(x[2], w, s->s45);
    s->s67 = qmcu_mla(x[3], w, s->s67);
}

/* Weight k of four of a row of a pair, 0 or 1; at 4 bits of places 0, 2, 1, 3. */
QMCU_INLINE int32_t qmcu_plain_weight(uint32_t weight_bits, uint32_t row, const uint8_t *w, uint32_t k)
{
    if (weight_bits == 8u) {
        return (int8_t)w[2u * k + row];
    }
    return row == 0u ? qmcu_plain_low(w[k]) : qmcu_plain_high(w[k]);
}

#if QMCU_THUMB2

/* A code of all pixels times the weight of `bits` bits at `bit` of the word. r7 may be the compiler's. */
#define QMCU_EIGHT_CODE(bit, bits)               \
    "ldmia %[x]!, {r4, r5, r6, r8}\n\t"          \
    "sbfx %[t], %[v], #" #bit ", #" #bits "\n\t" \
    "mla %[a], r4, %[t], %[a]\n\t"               \
    "mla %[b], r5, %[t], %[b]\n\t"               \
    "mla %[c], r6, %[t], %[c]\n\t"               \
    "mla %[d], r8, %[t], %[d]\n\t"
#define QMCU_EIGHT_WORD "ldr %[v], [%[w]], #4\n\t"
#define QMCU_EIGHT_LOOP(codes)                                                                           \
    __asm__ volatile("1:\n\t" codes "cmp %[x], %[end]\n\tbne 1b"                                         \
                     : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [x] "+r"(from), [w] "+r"(at), \
                       [v] "=&r"(word), [t] "=&r"(weight)                                                \
                     : [end] "r"(end)                                                                    \
                     : "r4", "r5", "r6", "r8", "cc", "memory")

/* n codes from *x on, a multiple of 4 and at least one, times a row's weights from *w on. */
#define QMCU_EIGHT_ROW(name, four)                                                                    \
    QMCU_INLINE void name(qmcu_plain_four_words *s, const int32_t **x, const uint8_t **w, uint32_t n) \
    {                                                                                                 \
        int32_t a = s->s01, b = s->s23, c = s->s45, d = s->s67;                                       \
        const int32_t *from = *x;                                                                     \
        const uint8_t *at = *w;                                                                       \
        uint32_t word;                                                                                \
        int32_t weight;                                                                               \
        if (n >= 8u) {                                                                                \
            const int32_t *const end = from + 4u * (n & ~7u);                                         \
            QMCU_EIGHT_LOOP(four four);                                                               \
        }                                                                                             \
        if ((n & 4u) != 0u) {                                                                         \
            const int32_t *const end = from + 16;                                                     \
            QMCU_EIGHT_LOOP(four);                                                                    \
        }                                                                                             \
        s->s01 = a;                                                                                   \
        s->s23 = b;                                                                                   \
        s->s45 = c;                                                                                   \
        s->s67 = d;                                                                                   \
        *x = from;                                                                                    \
        *w = at;                                                                                      \
    }

QMCU_EIGHT_ROW(qmcu_plain_eight_first4, QMCU_EIGHT_WORD QMCU_EIGHT_CODE(0, 4) QMCU_EIGHT_CODE(16, 4)
                                            QMCU_EIGHT_CODE(8, 4) QMCU_EIGHT_CODE(24, 4))
QMCU_EIGHT_ROW(qmcu_plain_eight_second4, QMCU_EIGHT_WORD QMCU_EIGHT_CODE(4, 4) QMCU_EIGHT_CODE(20, 4)
                                             QMCU_EIGHT_CODE(12, 4) QMCU_EIGHT_CODE(28, 4))
QMCU_EIGHT_ROW(qmcu_plain_eight_first8, QMCU_EIGHT_WORD QMCU_EIGHT_CODE(0, 8) QMCU_EIGHT_CODE(16, 8)
                                            QMCU_EIGHT_WORD QMCU_EIGHT_CODE(0, 8) QMCU_EIGHT_CODE(16, 8))
QMCU_EIGHT_ROW(qmcu_plain_eight_second8, QMCU_EIGHT_WORD QMCU_EIGHT_CODE(8, 8) QMCU_EIGHT_CODE(24, 8)
                                             QMCU_EIGHT_WORD QMCU_EIGHT_CODE(8, 8) QMCU_EIGHT_CODE(24, 8))

QMCU_INLINE void qmcu_plain_eight_row(uint32_t weight_bits, uint32_t row, qmcu_plain_four_words *s, const int32_t **x,
                                      const uint8_t **w, uint32_t n)
{
    if (weight_bits == 4u) {
        (row == 0u ? qmcu_plain_eight_first4 : qmcu_plain_eight_second4)(s, x, w, n);
    } else {
        (row == 0u ? qmcu_plain_eight_first8 : qmcu_plain_eight_second8)(s, x, w, n);
    }
}

#endif

/* Both halves of a word. */
QMCU_INLINE void qmcu_plain_put_lanes(int32_t lanes, int32_t *first, int32_t *second)
{
    const int32_t low = (int16_t)lanes;
    *first = low;
    *second = (lanes - low) >> 16;
}

/* The halves become sums. */
QMCU_INLINE void qmcu_plain_eight_put(int32_t *sums, uint32_t others, const qmcu_plain_four_words *s)
{
    qmcu_plain_put_lanes(s->s01, sums, sums + 1);
    qmcu_plain_put_lanes(s->s23, sums + 2, sums + 3);
    qmcu_plain_put_lanes(s->s45, sums + others, sums + others + 1);
    qmcu_plain_put_lanes(s->s67, sums + others + 2, sums + others + 3);
}

/* The halves are added to their sums. */
QMCU_INLINE void qmcu_plain_eight_add(int32_t *sums, uint32_t others, const qmcu_plain_four_words *s)
{
    qmcu_plain_add_lanes(s->s01, sums, sums + 1);
    qmcu_plain_add_lanes(s->s23, sums + 2, sums + 3);
    qmcu_plain_add_lanes(s->s45, sums + others, sums + others + 1);
    qmcu_plain_add_lanes(s->s67, sums + others + 2, sums + others + 3);
}

#if QMCU_THUMB2

/* The whole fours of a row's codes. */
QMCU_INLINE void qmcu_plain_eight_by(uint32_t weight_bits, uint32_t row, const qmcu_plain_eights *e, const uint8_t *w,
                                     int32_t *sums)
{
    const int32_t *x = e->x;
    uint32_t begin = e->begin;
    uint32_t n = e->n & ~3u;
    do {
        const uint32_t codes = n < e->run ? n : e->run;
        qmcu_plain_four_words s = {0, 0, 0, 0};
        qmcu_plain_eight_row(weight_bits, row, &s, &x, &w, codes);
        if (begin != 0u) {
            qmcu_plain_eight_put(sums, e->others, &s);
        } else {
            qmcu_plain_eight_add(sums, e->others, &s);
        }
        begin = 0u;
        n -= codes;
    } while (n > 0u);
}

/* The whole fours of the codes of both rows of a pair. */
QMCU_INLINE void qmcu_plain_eight_pair(uint32_t weight_bits, const qmcu_plain_eights *e, const uint8_t *w,
                                       int32_t *sums)
{
    qmcu_plain_eight_by(weight_bits, 0u, e, w, sums);
    qmcu_plain_eight_by(weight_bits, 1u, e, w, sums + 4);
}

#else

/* Both rows at a time, for cores with many registers. */
QMCU_INLINE void qmcu_plain_eight2(qmcu_plain_four_words *s, qmcu_plain_four_words *t, const int32_t *x, int32_t a,
                                   int32_t b)
{
    const int32_t x01 = x[0];
    const int32_t x23 = x[1];
    const int32_t x45 = x[2];
    const int32_t x67 = x[3];
    s->s01 = qmcu_mla(x01, a, s->s01);
    t->s01 = qmcu_mla(x01, b, t->s01);
    s->s23 = qmcu_mla(x23, a, s->s23);
    t->s23 = qmcu_mla(x23, b, t->s23);
    s->s45 = qmcu_mla(x45, a, s->s45);
    t->s45 = qmcu_mla(x45, b, t->s45);
    s->s67 = qmcu_mla(x67, a, s->s67);
    t->s67 = qmcu_mla(x67, b, t->s67);
}

QMCU_INLINE void qmcu_plain_eight_pair(uint32_t weight_bits, const qmcu_plain_eights *e, const uint8_t *w,
                                       int32_t *sums)
{
    const int32_t *x = e->x;
    uint32_t begin = e->begin;
    uint32_t n = e->n & ~3u;
    do {
        const uint32_t codes = n < e->run ? n : e->run;
        qmcu_plain_four_words s = {0, 0, 0, 0};
        qmcu_plain_four_words t = {0, 0, 0, 0};
        for (const int32_t *const end = x + 4u * codes; x != end; x += 16) {
            const uint32_t second = weight_bits == 4u ? 2u : 1u;
            qmcu_plain_eight2(&s, &t, x, qmcu_plain_weight(weight_bits, 0u, w, 0u),
                              qmcu_plain_weight(weight_bits, 1u, w, 0u));
            qmcu_plain_eight2(&s, &t, x + 4, qmcu_plain_weight(weight_bits, 0u, w, second),
                              qmcu_plain_weight(weight_bits, 1u, w, second));
            qmcu_plain_eight2(&s, &t, x + 8, qmcu_plain_weight(weight_bits, 0u, w, 3u - second),
                              qmcu_plain_weight(weight_bits, 1u, w, 3u - second));
            qmcu_plain_eight2(&s, &t, x + 12, qmcu_plain_weight(weight_bits, 0u, w, 3u),
                              qmcu_plain_weight(weight_bits, 1u, w, 3u));
            w += weight_bits;
        }
        if (begin != 0u) {
            qmcu_plain_eight_put(sums, e->others, &s);
            qmcu_plain_eight_put(sums + 4, e->others, &t);
        } else {
            qmcu_plain_eight_add(sums, e->others, &s);
            qmcu_plain_eight_add(sums + 4, e->others, &t);
        }
        begin = 0u;
        n -= codes;
    } while (n > 0u);
}

#endif

/* The last codes of a row, fewer than four. */
QMCU_INLINE void qmcu_plain_eight_last(uint32_t weight_bits, uint32_t row, const qmcu_plain_eights *e, const uint8_t *w,
                                       int32_t *sums)
{
    const uint32_t whole = e->n & ~3u;
    qmcu_plain_four_words s = {0, 0, 0, 0};
    w += whole * weight_bits / 4u;
    for (uint32_t k = 0u; whole + k < e->n; k++) {
        qmcu_plain_eight1(&s, e->x + 4u * (whole + k), qmcu_plain_weight(weight_bits, row, w, k));
    }
    if (e->begin != 0u && whole == 0u) {
        qmcu_plain_eight_put(sums, e->others, &s);
    } else {
        qmcu_plain_eight_add(sums, e->others, &s);
    }
}

/* All rows. Inlined with constant `weight_bits`. */
QMCU_INLINE void qmcu_plain_eight_rows(uint32_t weight_bits, const qmcu_plain_eights *e)
{
    const uint8_t *w = e->w;
    int32_t *sums = e->sums;
    for (int32_t pairs = e->pairs; pairs > 0; pairs--) {
        if (e->n >= 4u) {
            qmcu_plain_eight_pair(weight_bits, e, w, sums);
        }
        if (e->n % 4u != 0u) {
            qmcu_plain_eight_last(weight_bits, 0u, e, w, sums);
            qmcu_plain_eight_last(weight_bits, 1u, e, w, sums + 4);
        }
        w += e->pair_bytes;
        sums += 8;
    }
}

#endif /* QMCU_PLAIN */

#endif /* QMCU_CONV2D_PLAIN_EIGHTS_H */
