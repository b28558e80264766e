/*
 * QuantMCU runtime: inner loops of the 3 x 3 depthwise convolution of sixteen channels for the vector extension Helium.
 * Not part of the interface.
 *
 * VMULLB and VMULLT multiply the even and the odd of sixteen bytes to 16 bits. Two such products fit in a sum of 16
 * bits (weights are -127 at least), or all nine where codes or weights have 4 bits. Unsigned 8-bit codes are taken as
 * code - 128, for which the bias makes up. Sums of 32 bits stand in the order of the channels modulo 4: 0, 2, 1, 3.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_DEPTHWISE2D_MVE_SIXTEEN_H
#define QMCU_DEPTHWISE2D_MVE_SIXTEEN_H

#include "qmcu_depthwise2d_mve.h"

#ifdef QMCU_SIXTEEN

/* Sixteen channels for some pixels of a row: what qmcu_sixteen_* read, at the offsets that stand beside. */
typedef struct {
    const int8_t *w;        /* 0: nine rows of sixteen weights */
    int32_t next;           /* 4: bytes from tap to tap of the input */
    int32_t next_row;       /* 8: from row to row */
    int32_t next_pixel;     /* 12 */
    int32_t to_next;        /* 16 */
    int32_t pixels;         /* 20: > 0 */
    int32_t pre_shift;      /* 24 */
    int32_t shift;          /* 28: negative: to the right */
    int32_t bias[16];       /* 32 */
    int32_t multiplier[16]; /* 96 */
    int16_t min[8];         /* 160 */
    int16_t max[16];        /* 176: of the even channels, and of the odd ones at 192 */
    uint8_t mask[16];       /* 208: 15 */
    int32_t sum[4];         /* 224: the fourth sums, for which there is no register */
    QMCU_ALIGN(4) int8_t weights[16 * 9];
} qmcu_sixteen;

/* Codes from [p] on to signed bytes in q0. */
#define QMCU_SIXTEEN_S8(p) "vldrb.8 q0, [" p "]\n\t"
#define QMCU_SIXTEEN_U8(p) "vldrb.8 q0, [" p "]\n\tvadd.i8 q0, q0, %[c]\n\t"
/* A lane of 16 bits takes two codes apart. */
#define QMCU_SIXTEEN_U4(p) "vldrb.u16 q0, [" p "]\n\tvsli.16 q0, q0, #4\n\tvand q0, q0, q6\n\t"
#define QMCU_SIXTEEN_S4(p) "vldrb.u16 q0, [" p "]\n\tvsli.16 q0, q0, #4\n\tvshl.i8 q0, q0, #4\n\tvshr.s8 q0, q0, #4\n\t"

#define QMCU_SIXTEEN_MULTIPLY "vldrb.8 q1, [%[w]], #16\n\tvmullb.s8 q2, q0, q1\n\tvmullt.s8 q3, q0, q1\n\t"
#define QMCU_SIXTEEN_ADD                                                         \
    "vldrb.8 q1, [%[w]], #16\n\tvmullb.s8 q7, q0, q1\n\tvadd.i16 q2, q2, q7\n\t" \
    "vmullt.s8 q7, q0, q1\n\tvadd.i16 q3, q3, q7\n\t"
/* Sums of 16 bits to sums of 32 bits. */
#define QMCU_SIXTEEN_WIDEN                                                                           \
    "vmovlb.s16 q0, q2\n\tvadd.i32 q4, q4, q0\n\tvmovlt.s16 q0, q2\n\tvldrw.32 q1, [%[k], #224]\n\t" \
    "vadd.i32 q5, q5, q0\n\tvmovlb.s16 q0, q3\n\tvadd.i32 q6, q6, q0\n\tvmovlt.s16 q0, q3\n\t"       \
    "vadd.i32 q1, q1, q0\n\tvstrw.32 q1, [%[k], #224]\n\t"
#define QMCU_SIXTEEN_BIAS                                                                  \
    "vldrw.32 q7, [%[k], #80]\n\tvldrw.32 q4, [%[k], #32]\n\tvldrw.32 q5, [%[k], #48]\n\t" \
    "vldrw.32 q6, [%[k], #64]\n\tvstrw.32 q7, [%[k], #224]\n\t"

/* Nine taps: two products each are added up in 16 bits ... */
#define QMCU_SIXTEEN_PAIRS(CODES)                                                                         \
    QMCU_SIXTEEN_BIAS CODES("%[x]") "add %[tap], %[x], %[next]\n\t" QMCU_SIXTEEN_MULTIPLY CODES("%[tap]") \
        QMCU_SIXTEEN_ADD QMCU_SIXTEEN_WIDEN "add %[tap], %[next]\n\t" CODES(                              \
            "%[tap]") "add %[row], %[x], %[next_row]\n\t" QMCU_SIXTEEN_MULTIPLY CODES("%[row]")           \
            QMCU_SIXTEEN_ADD QMCU_SIXTEEN_WIDEN "add %[tap], %[row], %[next]\n\t" CODES(                  \
                "%[tap]") "add %[tap], %[next]\n\t" QMCU_SIXTEEN_MULTIPLY CODES("%[tap]")                 \
                QMCU_SIXTEEN_ADD QMCU_SIXTEEN_WIDEN "add %[row], %[next_row]\n\t" CODES(                  \
                    "%[row]") "add %[tap], %[row], %[next]\n\t" QMCU_SIXTEEN_MULTIPLY CODES("%[tap]")     \
                    QMCU_SIXTEEN_ADD QMCU_SIXTEEN_WIDEN "add %[tap], %[next]\n\t" CODES("%[tap]")         \
                        QMCU_SIXTEEN_MULTIPLY QMCU_SIXTEEN_WIDEN "vldrw.32 q7, [%[k], #224]\n\t"

/* ... or all nine. */
#define QMCU_SIXTEEN_NINE(CODES)                                                                                     \
    "vldrw.32 q6, [%[k], #208]\n\t" CODES("%[x]") "add %[tap], %[x], %[next]\n\t" QMCU_SIXTEEN_MULTIPLY CODES(       \
        "%[tap]") QMCU_SIXTEEN_ADD "add %[tap], %[next]\n\t" CODES("%[tap]") QMCU_SIXTEEN_ADD                        \
        "add %[row], %[x], %[next_row]\n\t" CODES("%[row]") QMCU_SIXTEEN_ADD                                         \
        "add %[tap], %[row], %[next]\n\t" CODES("%[tap]") QMCU_SIXTEEN_ADD "add %[tap], %[next]\n\t" CODES("%[tap]") \
            QMCU_SIXTEEN_ADD "add %[row], %[next_row]\n\t" CODES("%[row]") QMCU_SIXTEEN_ADD                          \
        "add %[tap], %[row], %[next]\n\t" CODES("%[tap]") QMCU_SIXTEEN_ADD "add %[tap], %[next]\n\t" CODES("%[tap]") \
            QMCU_SIXTEEN_ADD                                                                                         \
        "vldrw.32 q4, [%[k], #32]\n\tvldrw.32 q5, [%[k], #48]\n\tvldrw.32 q6, [%[k], #64]\n\t"                       \
        "vldrw.32 q7, [%[k], #80]\n\tvmovlb.s16 q0, q2\n\tvadd.i32 q4, q4, q0\n\tvmovlt.s16 q0, q2\n\t"              \
        "vadd.i32 q5, q5, q0\n\tvmovlb.s16 q0, q3\n\tvadd.i32 q6, q6, q0\n\tvmovlt.s16 q0, q3\n\t"                   \
        "vadd.i32 q7, q7, q0\n\t"

#define QMCU_SIXTEEN_SCALE(q, offset)                                                                          \
    "vldrw.32 q0, [%[k], #" offset "]\n\tvshl.s32 " q ", %[row]\n\tvmulh.s32 " q ", " q ", q0\n\tvrshl.s32 " q \
    ", %[w]\n\t"

#define QMCU_SIXTEEN_STORE_8 "vstrb.8 q4, [%[to]]\n\t"
#define QMCU_SIXTEEN_STORE_4                                                                     \
    "vldrw.32 q0, [%[k], #208]\n\tvand q4, q4, q0\n\tvshr.u16 q0, q4, #4\n\tvorr q4, q4, q0\n\t" \
    "vstrb.16 q4, [%[to]]\n\t"

#define QMCU_SIXTEEN_OF(name, TAPS, STORE)                                                                             \
    QMCU_KERNEL static void name(qmcu_sixteen *k, const uint8_t *x, uint8_t *to)                                       \
    {                                                                                                                  \
        const uint8_t *row;                                                                                            \
        const uint8_t *tap;                                                                                            \
        const int8_t *w;                                                                                               \
        int32_t next;                                                                                                  \
        int32_t next_row;                                                                                              \
        int32_t pixels;                                                                                                \
        __asm__ volatile(                                                                                              \
            "ldrd %[next], %[next_row], [%[k], #4]\n\t"                                                                \
            "ldr %[p], [%[k], #20]\n"                                                                                  \
            "1:\n\t"                                                                                                   \
            "ldr %[w], [%[k]]\n\t" TAPS "ldrd %[row], %[w], [%[k], #24]\n\t" QMCU_SIXTEEN_SCALE("q4", "96")            \
                QMCU_SIXTEEN_SCALE("q5", "112") QMCU_SIXTEEN_SCALE("q6", "128") QMCU_SIXTEEN_SCALE(                    \
                    "q7",                                                                                              \
                    "144") "vqmovnb.s32 q4, q4\n\tvqmovnt.s32 q4, q5\n\tvqmovnb.s32 q6, q6\n\tvqmovnt.s32 q6, q7\n\t"  \
                           "vldrw.32 q0, [%[k], #160]\n\tvldrw.32 q1, [%[k], #176]\n\tvldrw.32 q2, [%[k], #192]\n\t"   \
                           "vmax.s16 q4, q4, q0\n\tvmin.s16 q4, q4, q1\n\tvmax.s16 q6, q6, q0\n\t"                     \
                           "vmin.s16 q6, q6, q2\n\tvmovnt.i16 q4, q6\n\t" STORE "ldrd %[row], %[tap], [%[k], #12]\n\t" \
                           "add %[x], %[row]\n\t"                                                                      \
                           "add %[to], %[tap]\n\t"                                                                     \
                           "subs %[p], #1\n\t"                                                                         \
                           "bne 1b"                                                                                    \
            : [row] "=&l"(row), [tap] "=&l"(tap), [w] "=&r"(w), [next] "=&r"(next), [next_row] "=&r"(next_row),        \
              [p] "=&r"(pixels), [x] "+l"(x), [to] "+l"(to)                                                            \
            : [k] "r"(k), [c] "r"(128)                                                                                 \
            : "cc", "memory", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7");                                         \
    }

QMCU_SIXTEEN_OF(qmcu_sixteen_s8_8, QMCU_SIXTEEN_PAIRS(QMCU_SIXTEEN_S8), QMCU_SIXTEEN_STORE_8)
QMCU_SIXTEEN_OF(qmcu_sixteen_s8_4, QMCU_SIXTEEN_PAIRS(QMCU_SIXTEEN_S8), QMCU_SIXTEEN_STORE_4)
QMCU_SIXTEEN_OF(qmcu_sixteen_u8_8, QMCU_SIXTEEN_PAIRS(QMCU_SIXTEEN_U8), QMCU_SIXTEEN_STORE_8)
QMCU_SIXTEEN_OF(qmcu_sixteen_u8_4, QMCU_SIXTEEN_PAIRS(QMCU_SIXTEEN_U8), QMCU_SIXTEEN_STORE_4)
QMCU_SIXTEEN_OF(qmcu_sixteen_s8_w4_8, QMCU_SIXTEEN_NINE(QMCU_SIXTEEN_S8), QMCU_SIXTEEN_STORE_8)
QMCU_SIXTEEN_OF(qmcu_sixteen_s8_w4_4, QMCU_SIXTEEN_NINE(QMCU_SIXTEEN_S8), QMCU_SIXTEEN_STORE_4)
QMCU_SIXTEEN_OF(qmcu_sixteen_u8_w4_8, QMCU_SIXTEEN_NINE(QMCU_SIXTEEN_U8), QMCU_SIXTEEN_STORE_8)
QMCU_SIXTEEN_OF(qmcu_sixteen_u8_w4_4, QMCU_SIXTEEN_NINE(QMCU_SIXTEEN_U8), QMCU_SIXTEEN_STORE_4)
QMCU_SIXTEEN_OF(qmcu_sixteen_s4_8, QMCU_SIXTEEN_NINE(QMCU_SIXTEEN_S4), QMCU_SIXTEEN_STORE_8)
QMCU_SIXTEEN_OF(qmcu_sixteen_s4_4, QMCU_SIXTEEN_NINE(QMCU_SIXTEEN_S4), QMCU_SIXTEEN_STORE_4)
QMCU_SIXTEEN_OF(qmcu_sixteen_u4_8, QMCU_SIXTEEN_NINE(QMCU_SIXTEEN_U4), QMCU_SIXTEEN_STORE_8)
QMCU_SIXTEEN_OF(qmcu_sixteen_u4_4, QMCU_SIXTEEN_NINE(QMCU_SIXTEEN_U4), QMCU_SIXTEEN_STORE_4)

typedef void qmcu_sixteen_function(qmcu_sixteen *k, const uint8_t *x, uint8_t *to);

/* Indexed by the format of the input from U4 on (of 8 bits those for 4-bit weights follow), and by whether the output
 * has 8 bits. */
static qmcu_sixteen_function *const qmcu_sixteen_functions[6][2] = {
    {qmcu_sixteen_u4_4, qmcu_sixteen_u4_8},       {qmcu_sixteen_s4_4, qmcu_sixteen_s4_8},
    {qmcu_sixteen_u8_4, qmcu_sixteen_u8_8},       {qmcu_sixteen_s8_4, qmcu_sixteen_s8_8},
    {qmcu_sixteen_u8_w4_4, qmcu_sixteen_u8_w4_8}, {qmcu_sixteen_s8_w4_4, qmcu_sixteen_s8_w4_8},
};

#endif

#endif /* QMCU_DEPTHWISE2D_MVE_SIXTEEN_H */
