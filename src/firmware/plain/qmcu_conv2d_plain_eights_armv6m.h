/*
 * QuantMCU runtime: qmcu_conv2d_plain_eights.h in assembly for Cortex-M0, M0+ and M1. Not part of the interface.
 *
 * MULS writes over one of its factors, so that a word of codes serves one row only: rows of weights come one after the
 * other. The functions are naked, as those of qmcu_conv2d_plain_armv6m.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_PLAIN_EIGHTS_ARMV6M_H
#define QMCU_CONV2D_PLAIN_EIGHTS_ARMV6M_H

#include "qmcu_conv2d_plain_eights.h"
#include "qmcu_conv2d_plain_armv6m.h"

#if QMCU_PLAIN_ARMV6M

/*
 * r0 codes, r1 weights, r2 a word of weights, r3 a weight, r4 to r7 codes and products, r8 to r11 sums, r12 where the
 * run ends, lr 1 where the sums begin. On the stack: the pair's weights (0), the row's sums (4), pairs (8), where the
 * codes end (12), the others' sums less the first ones (16), the argument (36).
 */
/* clang-format off */
#define QMCU_EIGHT_PRODUCTS         \
    QMCU_LINE("ldmia r0!, {r4-r7}") \
    QMCU_LINE("muls r4, r3")        \
    QMCU_LINE("muls r5, r3")        \
    QMCU_LINE("muls r6, r3")        \
    QMCU_LINE("muls r7, r3")        \
    QMCU_LINE("add r8, r4")         \
    QMCU_LINE("add r9, r5")         \
    QMCU_LINE("add r10, r6")        \
    QMCU_LINE("add r11, r7")
#define QMCU_EIGHT_WEIGHT(left, right) \
    QMCU_LINE("lsls r3, r2, #" #left)  \
    QMCU_LINE("asrs r3, r3, #" #right) \
    QMCU_EIGHT_PRODUCTS
#define QMCU_EIGHT_LAST_WEIGHT(right)  \
    QMCU_LINE("asrs r3, r2, #" #right) \
    QMCU_EIGHT_PRODUCTS
#define QMCU_EIGHT_LOW_WEIGHT \
    QMCU_LINE("sxtb r3, r2")  \
    QMCU_EIGHT_PRODUCTS
#define QMCU_EIGHT_WORD          \
    QMCU_LINE("ldmia r1!, {r2}")
/* clang-format on */

/* Four weights of the first and second row of a pair. */
#define QMCU_EIGHT_FIRST4                                                                         \
    QMCU_EIGHT_WORD QMCU_EIGHT_WEIGHT(28, 28) QMCU_EIGHT_WEIGHT(12, 28) QMCU_EIGHT_WEIGHT(20, 28) \
        QMCU_EIGHT_WEIGHT(4, 28)
#define QMCU_EIGHT_SECOND4                                                                       \
    QMCU_EIGHT_WORD QMCU_EIGHT_WEIGHT(24, 28) QMCU_EIGHT_WEIGHT(8, 28) QMCU_EIGHT_WEIGHT(16, 28) \
        QMCU_EIGHT_LAST_WEIGHT(28)
#define QMCU_EIGHT_FIRST8                                          \
    QMCU_EIGHT_WORD QMCU_EIGHT_LOW_WEIGHT QMCU_EIGHT_WEIGHT(8, 24) \
        QMCU_EIGHT_WORD QMCU_EIGHT_LOW_WEIGHT QMCU_EIGHT_WEIGHT(8, 24)
#define QMCU_EIGHT_SECOND8                                                                                         \
    QMCU_EIGHT_WORD QMCU_EIGHT_WEIGHT(16, 24) QMCU_EIGHT_LAST_WEIGHT(24) QMCU_EIGHT_WORD QMCU_EIGHT_WEIGHT(16, 24) \
        QMCU_EIGHT_LAST_WEIGHT(24)

/* Both halves of a sum in two registers. */
/* clang-format off */
#define QMCU_EIGHT_HALVES(sum, first, second)           \
    QMCU_LINE("mov " #second ", " #sum)                 \
    QMCU_LINE("sxth " #first ", " #second)              \
    QMCU_LINE("subs " #second ", " #second ", " #first) \
    QMCU_LINE("asrs " #second ", " #second ", #16")
#define QMCU_EIGHT_PUT(to, sum, next)    \
    QMCU_EIGHT_HALVES(sum, r4, r5)       \
    QMCU_EIGHT_HALVES(next, r6, r7)      \
    QMCU_LINE("stmia " #to "!, {r4-r7}")
#define QMCU_EIGHT_ADD(to, sum)           \
    QMCU_EIGHT_HALVES(sum, r4, r5)        \
    QMCU_LINE("ldr r6, [" #to "]")        \
    QMCU_LINE("ldr r7, [" #to ", #4]")    \
    QMCU_LINE("adds r4, r4, r6")          \
    QMCU_LINE("adds r5, r5, r7")          \
    QMCU_LINE("stmia " #to "!, {r4, r5}")

/* A row: two fours of codes a turn, or one at first. The labels differ by `n`. */
#define QMCU_EIGHT_ROW(n, four)    \
    QMCU_LINE("ldr r2, [sp, #36]") \
    QMCU_LINE("ldr r0, [r2]")      \
    QMCU_LINE("ldr r1, [sp]")      \
    QMCU_LINE("ldr r3, [r2, #16]") \
    QMCU_LINE("mov lr, r3")        \
    #n                             \
    "1:\n\t"                       \
    QMCU_LINE("ldr r2, [sp, #36]") \
    QMCU_LINE("ldr r2, [r2, #24]") \
    QMCU_LINE("lsls r2, r2, #4")   \
    QMCU_LINE("adds r2, r2, r0")   \
    QMCU_LINE("ldr r3, [sp, #12]") \
    QMCU_LINE("cmp r2, r3")        \
    QMCU_LINE("bls " #n "2f")      \
    QMCU_LINE("mov r2, r3")        \
    #n                             \
    "2:\n\t"                       \
    QMCU_LINE("mov r12, r2")       \
    QMCU_LINE("movs r3, #0")       \
    QMCU_LINE("mov r8, r3")        \
    QMCU_LINE("mov r9, r3")        \
    QMCU_LINE("mov r10, r3")       \
    QMCU_LINE("mov r11, r3")       \
    QMCU_LINE("subs r2, r2, r0")   \
    QMCU_LINE("lsrs r2, r2, #7")   \
    QMCU_LINE("bcs " #n "4f")      \
    #n                             \
    "3:\n\t"                       \
    four                           \
    #n                             \
    "4:\n\t"                       \
    four                           \
    QMCU_LINE("cmp r0, r12")       \
    QMCU_LINE("bne " #n "3b")      \
    QMCU_LINE("ldr r2, [sp, #4]")  \
    QMCU_LINE("ldr r3, [sp, #16]") \
    QMCU_LINE("adds r3, r3, r2")   \
    QMCU_LINE("mov r4, lr")        \
    QMCU_LINE("cmp r4, #0")        \
    QMCU_LINE("beq " #n "5f")      \
    QMCU_EIGHT_PUT(r2, r8, r9)     \
    QMCU_EIGHT_PUT(r3, r10, r11)   \
    QMCU_LINE("b " #n "6f")        \
    #n                             \
    "5:\n\t"                       \
    QMCU_EIGHT_ADD(r2, r8)         \
    QMCU_EIGHT_ADD(r2, r9)         \
    QMCU_EIGHT_ADD(r3, r10)        \
    QMCU_EIGHT_ADD(r3, r11)        \
    #n                             \
    "6:\n\t"                       \
    QMCU_LINE("movs r4, #0")       \
    QMCU_LINE("mov lr, r4")        \
    QMCU_LINE("ldr r3, [sp, #12]") \
    QMCU_LINE("cmp r0, r3")        \
    QMCU_LINE("beq " #n "7f")      \
    QMCU_LINE("b " #n "1b")        \
    #n                             \
    "7:\n\t"                       \
    QMCU_LINE("str r2, [sp, #4]")

/* The whole fours of codes, at least one, of all rows; weights stand on words. */
#define QMCU_EIGHT_ROWS(name, first, second)                                 \
    QMCU_NAKED void name(const qmcu_plain_eights *e __attribute__((unused))) \
    {                                                                        \
        __asm__ volatile(                                                    \
            QMCU_LINE("mov r3, r0")                                          \
            QMCU_ENTER                                                       \
            QMCU_LINE("sub sp, #20")                                         \
            QMCU_LINE("ldr r1, [r0, #4]")                                    \
            QMCU_LINE("str r1, [sp]")                                        \
            QMCU_LINE("ldr r1, [r0, #8]")                                    \
            QMCU_LINE("str r1, [sp, #4]")                                    \
            QMCU_LINE("ldr r1, [r0, #32]")                                   \
            QMCU_LINE("str r1, [sp, #8]")                                    \
            QMCU_LINE("ldr r1, [r0, #20]")                                   \
            QMCU_LINE("lsrs r1, r1, #2")                                     \
            QMCU_LINE("lsls r1, r1, #6")                                     \
            QMCU_LINE("ldr r2, [r0]")                                        \
            QMCU_LINE("adds r1, r1, r2")                                     \
            QMCU_LINE("str r1, [sp, #12]")                                   \
            QMCU_LINE("ldr r1, [r0, #12]")                                   \
            QMCU_LINE("lsls r1, r1, #2")                                     \
            QMCU_LINE("str r1, [sp, #16]")                                   \
        "0:\n\t"                                                             \
            QMCU_EIGHT_ROW(1, first)                                         \
            QMCU_EIGHT_ROW(2, second)                                        \
            QMCU_LINE("ldr r2, [sp, #36]")                                   \
            QMCU_LINE("ldr r2, [r2, #28]")                                   \
            QMCU_LINE("ldr r1, [sp]")                                        \
            QMCU_LINE("adds r1, r1, r2")                                     \
            QMCU_LINE("str r1, [sp]")                                        \
            QMCU_LINE("ldr r1, [sp, #8]")                                    \
            QMCU_LINE("subs r1, r1, #1")                                     \
            QMCU_LINE("str r1, [sp, #8]")                                    \
            QMCU_LINE("beq 7f")                                              \
            QMCU_LINE("b 0b")                                                \
        "7:\n\t"                                                             \
            QMCU_LINE("add sp, #20")                                         \
            QMCU_LEAVE);                                                     \
    }
/* clang-format on */

QMCU_EIGHT_ROWS(qmcu_plain_rows_eight4, QMCU_EIGHT_FIRST4, QMCU_EIGHT_SECOND4)
QMCU_EIGHT_ROWS(qmcu_plain_rows_eight8, QMCU_EIGHT_FIRST8, QMCU_EIGHT_SECOND8)

/* All rows. Inlined with constant `weight_bits`. */
QMCU_INLINE void qmcu_plain_eight_rows_armv6m(uint32_t weight_bits, const qmcu_plain_eights *e)
{
    const uint8_t *w = e->w;
    int32_t *sums = e->sums;
    if (e->n < 4u || (((uintptr_t)w | e->pair_bytes) & 3u) != 0u) {
        qmcu_plain_eight_rows(weight_bits, e);
        return;
    }
    (weight_bits == 4u ? qmcu_plain_rows_eight4 : qmcu_plain_rows_eight8)(e);
    for (int32_t pairs = e->n % 4u != 0u ? e->pairs : 0; pairs > 0; pairs--) {
        qmcu_plain_eight_last(weight_bits, 0u, e, w, sums);
        qmcu_plain_eight_last(weight_bits, 1u, e, w, sums + 4);
        w += e->pair_bytes;
        sums += 8;
    }
}

#endif

#endif /* QMCU_CONV2D_PLAIN_EIGHTS_ARMV6M_H */
