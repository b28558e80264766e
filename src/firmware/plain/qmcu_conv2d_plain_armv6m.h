/*
 * QuantMCU runtime: inner products in assembly for Cortex-M0, M0+ and M1, whose eight low registers compilers do not
 * make enough of. Not part of the interface.
 *
 * A word holds the codes of two pixels (qmcu_conv2d_plain_columns.h); MULS multiplies both by a weight. Of a product,
 * or a sum of products, t whose low half fits in 16 bits, ASRS #16 leaves the high half and the sign of the low one in
 * the carry, and ADCS adds both: the second pixel's part exactly. The sum of all t, modulo 2^32, then gives the first
 * pixel's.
 *
 * The functions are naked: they say themselves which registers they use, the same at every level of optimization.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_PLAIN_ARMV6M_H
#define QMCU_CONV2D_PLAIN_ARMV6M_H

#include "qmcu_conv2d_plain_dot.h"

#if QMCU_PLAIN_ARMV6M

#define QMCU_NAKED      static __attribute__((naked, noinline, unused))
#define QMCU_LINE(text) text "\n\t"

/* GCC takes the assembly of these cores for an older syntax. Registers on the stack: r8 to r11 from sp on, then r3, r4
 * to r7 and the return address. */
/* clang-format off */
#define QMCU_ENTER                \
    QMCU_LINE(".syntax unified")  \
    QMCU_LINE("push {r3-r7, lr}") \
    QMCU_LINE("mov r4, r8")       \
    QMCU_LINE("mov r5, r9")       \
    QMCU_LINE("mov r6, r10")      \
    QMCU_LINE("mov r7, r11")      \
    QMCU_LINE("push {r4-r7}")
#define QMCU_LEAVE           \
    QMCU_LINE("pop {r4-r7}") \
    QMCU_LINE("mov r8, r4")  \
    QMCU_LINE("mov r9, r5")  \
    QMCU_LINE("mov r10, r6") \
    QMCU_LINE("mov r11, r7") \
    "pop {r3-r7, pc}"

/*
 * r0 codes, r1 weights, r2 to r5 for values, r6 and r7 sums of pixels 1 and 3; r8 and r9 all words' of pixels 0 and 1,
 * and of 2 and 3; r10 where whole eights of codes end, r11 where the codes end, r12 where they begin.
 */
/* Weights i and i + 1 of a row, which lie two bytes apart. */
#define QMCU_TWO_WEIGHTS(i)                   \
    QMCU_LINE("ldrb r2, [r1, #2*(" #i ")]")   \
    QMCU_LINE("ldrb r3, [r1, #2*(" #i ")+2]") \
    QMCU_LINE("sxtb r2, r2")                  \
    QMCU_LINE("sxtb r3, r3")

/* Codes i and i + 1 of a word's pixels times the two weights, added up: for QMCU_S8 codes times -1 both halves are in
 * -32768 ... 32512. */
#define QMCU_TWO_PRODUCTS(i, word, all, second)        \
    QMCU_LINE("ldr r4, [r0, #8*(" #i ")+" #word "]")   \
    QMCU_LINE("ldr r5, [r0, #8*(" #i ")+8+" #word "]") \
    QMCU_LINE("muls r4, r2")                           \
    QMCU_LINE("muls r5, r3")                           \
    QMCU_LINE("adds r4, r4, r5")                       \
    QMCU_LINE("add " #all ", r4")                      \
    QMCU_LINE("asrs r4, r4, #16")                      \
    QMCU_LINE("adcs " #second ", r4")

#define QMCU_SIGNED_CODES(i)        \
    QMCU_TWO_WEIGHTS(i)             \
    QMCU_TWO_PRODUCTS(i, 0, r8, r6) \
    QMCU_TWO_PRODUCTS(i, 4, r9, r7)

/* The same for products that fill a half by themselves: of QMCU_U8 codes, -32640 ... 32385. */
#define QMCU_ONE_PRODUCT(i, word, weight, all, second) \
    QMCU_LINE("ldr r4, [r0, #8*(" #i ")+" #word "]")   \
    QMCU_LINE("muls r4, " #weight)                     \
    QMCU_LINE("add " #all ", r4")                      \
    QMCU_LINE("asrs r4, r4, #16")                      \
    QMCU_LINE("adcs " #second ", r4")

#define QMCU_UNSIGNED_CODES(i)             \
    QMCU_TWO_WEIGHTS(i)                    \
    QMCU_ONE_PRODUCT(i, 0, r2, r8, r6)     \
    QMCU_ONE_PRODUCT(i, 4, r2, r9, r7)     \
    QMCU_ONE_PRODUCT(i + 1, 0, r3, r8, r6) \
    QMCU_ONE_PRODUCT(i + 1, 4, r3, r9, r7)

/* sums[at] += or -= value. */
#define QMCU_ADD_SUM(op, at, value)     \
    QMCU_LINE("ldr r4, [r0, #" #at "]") \
    QMCU_LINE(op " r4, r4, " #value)    \
    QMCU_LINE("str r4, [r0, #" #at "]")

/*
 * Adds the products of n codes of four pixels with two rows of 8-bit weights, which lie in turn, to the sums: four of
 * the first row, four of the second. `op` is "subs" where the codes are times -1.
 */
#define QMCU_TWO_ROWS(name, codes, op)                                                                       \
    QMCU_NAKED void name(const int32_t *x __attribute__((unused)), const uint8_t *w __attribute__((unused)), \
                         uint32_t n __attribute__((unused)), int32_t *sums __attribute__((unused)))          \
    {                                                                                                        \
        __asm__ volatile(                                                                                    \
            QMCU_ENTER                                                                                       \
            QMCU_LINE("mov r12, r0")                                                                         \
            QMCU_LINE("mov lr, r1")                                                                          \
            QMCU_LINE("lsls r2, r2, #3")                                                                     \
            QMCU_LINE("adds r3, r0, r2")                                                                     \
            QMCU_LINE("mov r11, r3")                                                                         \
            QMCU_LINE("lsrs r2, r2, #6")                                                                     \
            QMCU_LINE("lsls r2, r2, #6")                                                                     \
            QMCU_LINE("adds r3, r0, r2")                                                                     \
            QMCU_LINE("mov r10, r3")                                                                         \
        "0:\n\t"                                                                                             \
            QMCU_LINE("mov r0, r12")                                                                         \
            QMCU_LINE("movs r6, #0")                                                                         \
            QMCU_LINE("movs r7, #0")                                                                         \
            QMCU_LINE("mov r8, r6")                                                                          \
            QMCU_LINE("mov r9, r6")                                                                          \
            QMCU_LINE("cmp r0, r10")                                                                         \
            QMCU_LINE("beq 2f")                                                                              \
        "1:\n\t"                                                                                             \
            codes(0)                                                                                         \
            codes(2)                                                                                         \
            codes(4)                                                                                         \
            codes(                                                                                           \
            6)                                                                                               \
            QMCU_LINE("adds r1, #16")                                                                        \
            QMCU_LINE("adds r0, #64")                                                                        \
            QMCU_LINE("cmp r0, r10")                                                                         \
            QMCU_LINE("bne 1b")                                                                              \
        "2:\n\t"                                                                                             \
            QMCU_LINE("cmp r0, r11")                                                                         \
            QMCU_LINE("beq 4f")                                                                              \
        "3:\n\t"                                                                                             \
            QMCU_LINE("ldrb r2, [r1]")                                                                       \
            QMCU_LINE("adds r1, #2")                                                                         \
            QMCU_LINE("sxtb r2, r2")                                                                         \
            QMCU_ONE_PRODUCT(0, 0, r2, r8, r6)                                                               \
            QMCU_ONE_PRODUCT(0, 4, r2, r9, r7)                                                               \
            QMCU_LINE("adds r0, #8")                                                                         \
            QMCU_LINE("cmp r0, r11")                                                                         \
            QMCU_LINE("bne 3b")                                                                              \
        "4:\n\t"                                                                                             \
            QMCU_LINE("ldr r0, [sp, #16]")                                                                   \
            QMCU_LINE("lsls r2, r6, #16")                                                                    \
            QMCU_LINE("mov r3, r8")                                                                          \
            QMCU_LINE("subs r3, r3, r2")                                                                     \
            QMCU_ADD_SUM(op, 0, r3)                                                                          \
            QMCU_ADD_SUM(op, 4, r6)                                                                          \
            QMCU_LINE("lsls r2, r7, #16")                                                                    \
            QMCU_LINE("mov r3, r9")                                                                          \
            QMCU_LINE("subs r3, r3, r2")                                                                     \
            QMCU_ADD_SUM(op, 8, r3)                                                                          \
            QMCU_ADD_SUM(op, 12, r7)                                                                         \
            QMCU_LINE("adds r0, #16")                                                                        \
            QMCU_LINE("str r0, [sp, #16]")                                                                   \
            /* The second row begins one byte later. */                                                      \
            QMCU_LINE("mov r1, lr")                                                                          \
            QMCU_LINE("cmp r1, #0")                                                                          \
            QMCU_LINE("beq 5f")                                                                              \
            QMCU_LINE("adds r1, #1")                                                                         \
            QMCU_LINE("movs r2, #0")                                                                         \
            QMCU_LINE("mov lr, r2")                                                                          \
            QMCU_LINE("b 0b")                                                                                \
        "5:\n\t"                                                                                             \
            QMCU_LEAVE);                                                                                     \
    }
/* clang-format on */

QMCU_TWO_ROWS(qmcu_plain_rows_signed, QMCU_SIGNED_CODES, "subs")
QMCU_TWO_ROWS(qmcu_plain_rows_unsigned, QMCU_UNSIGNED_CODES, "adds")

/* One code's pixels times a weight, added to sums in the halves of r6 and r7. */
/* clang-format off */
#define QMCU_ONE_CODE(i, weight)             \
    QMCU_LINE("ldr r4, [r0, #8*(" #i ")]")   \
    QMCU_LINE("ldr r5, [r0, #8*(" #i ")+4]") \
    QMCU_LINE("muls r4, " #weight)           \
    QMCU_LINE("muls r5, " #weight)           \
    QMCU_LINE("adds r6, r6, r4")             \
    QMCU_LINE("adds r7, r7, r5")

/* Both halves added to two sums from r2 + at on. */
#define QMCU_ADD_HALVES(halves, at)                 \
    QMCU_LINE("sxth r3, " #halves)                  \
    QMCU_LINE("subs " #halves ", " #halves ", r3")  \
    QMCU_LINE("asrs " #halves ", " #halves ", #16") \
    QMCU_LINE("ldr r4, [r2, #" #at "]")             \
    QMCU_LINE("adds r4, r4, r3")                    \
    QMCU_LINE("str r4, [r2, #" #at "]")             \
    QMCU_LINE("ldr r4, [r2, #" #at "+4]")           \
    QMCU_LINE("adds r4, r4, " #halves)              \
    QMCU_LINE("str r4, [r2, #" #at "+4]")
/* clang-format on */

/* The same for small codes: n is a multiple of 4, and the sums of `period` products stay in 16 bits. r8: where such a
 * sum ends, r9: its bytes. */
QMCU_NAKED void qmcu_plain_rows_small(const int32_t *x __attribute__((unused)),
                                      const uint8_t *w __attribute__((unused)), uint32_t n __attribute__((unused)),
                                      int32_t *sums __attribute__((unused)), uint32_t period __attribute__((unused)))
{
    /* clang-format off */
    __asm__ volatile(
        QMCU_ENTER
        QMCU_LINE("mov r12, r0")
        QMCU_LINE("mov lr, r1")
        QMCU_LINE("lsls r2, r2, #3")
        QMCU_LINE("adds r3, r0, r2")
        QMCU_LINE("mov r10, r3")
        QMCU_LINE("ldr r3, [sp, #40]")
        QMCU_LINE("lsls r3, r3, #3")
        QMCU_LINE("mov r9, r3")
    "0:\n\t"
        QMCU_LINE("mov r0, r12")
    "1:\n\t"
        QMCU_LINE("mov r2, r0")
        QMCU_LINE("add r2, r9")
        QMCU_LINE("cmp r2, r10")
        QMCU_LINE("bls 2f")
        QMCU_LINE("mov r2, r10")
    "2:\n\t"
        QMCU_LINE("mov r8, r2")
        QMCU_LINE("movs r6, #0")
        QMCU_LINE("movs r7, #0")
    "3:\n\t"
        QMCU_TWO_WEIGHTS(0)
        QMCU_ONE_CODE(0, r2)
        QMCU_ONE_CODE(1, r3)
        QMCU_TWO_WEIGHTS(2)
        QMCU_ONE_CODE(2, r2)
        QMCU_ONE_CODE(3, r3)
        QMCU_LINE("adds r1, #8")
        QMCU_LINE("adds r0, #32")
        QMCU_LINE("cmp r0, r8")
        QMCU_LINE("bne 3b")
        QMCU_LINE("ldr r2, [sp, #16]")
        QMCU_ADD_HALVES(r6, 0)
        QMCU_ADD_HALVES(r7, 8)
        QMCU_LINE("cmp r0, r10")
        QMCU_LINE("bne 1b")
        QMCU_LINE("adds r2, #16")
        QMCU_LINE("str r2, [sp, #16]")
        QMCU_LINE("mov r1, lr")
        QMCU_LINE("cmp r1, #0")
        QMCU_LINE("beq 4f")
        QMCU_LINE("adds r1, #1")
        QMCU_LINE("movs r2, #0")
        QMCU_LINE("mov lr, r2")
        QMCU_LINE("b 0b")
    "4:\n\t"
        QMCU_LEAVE);
    /* clang-format on */
}

/* Two codes of one pixel, in r3 and r4, times the weights of a pair of rows in the word that `from` loads. */
/* clang-format off */
#define QMCU_TWO_OF_PAIR(from, a, b)    \
    QMCU_LINE("ldmia " #from "!, {r5}") \
    QMCU_LINE("sxtb r6, r5")            \
    QMCU_LINE("muls r6, r3")            \
    QMCU_LINE("add " #a ", r6")         \
    QMCU_LINE("lsls r6, r5, #16")       \
    QMCU_LINE("asrs r6, r6, #24")       \
    QMCU_LINE("muls r6, r3")            \
    QMCU_LINE("add " #b ", r6")         \
    QMCU_LINE("lsls r6, r5, #8")        \
    QMCU_LINE("asrs r6, r6, #24")       \
    QMCU_LINE("muls r6, r4")            \
    QMCU_LINE("add " #a ", r6")         \
    QMCU_LINE("asrs r5, r5, #24")       \
    QMCU_LINE("muls r5, r4")            \
    QMCU_LINE("add " #b ", r5")
#define QMCU_TWO_OF_ROWS             \
    QMCU_LINE("ldmia r0!, {r3, r4}") \
    QMCU_TWO_OF_PAIR(r1, r8, r9)     \
    QMCU_TWO_OF_PAIR(r2, r10, r11)
#define QMCU_ADD_ROW(row, at)           \
    QMCU_LINE("ldr r1, [r0, #" #at "]") \
    QMCU_LINE("add r1, " #row)          \
    QMCU_LINE("str r1, [r0, #" #at "]")
/* clang-format on */

/* Adds n codes of one pixel, a multiple of 16, times two pairs of rows on words, w and v, to four sums. */
QMCU_NAKED void qmcu_plain_four_rows(const int32_t *x __attribute__((unused)), const uint8_t *w __attribute__((unused)),
                                     const uint8_t *v __attribute__((unused)), uint32_t n __attribute__((unused)),
                                     int32_t *sums __attribute__((unused)))
{
    /* clang-format off */
    __asm__ volatile(
        QMCU_ENTER
        QMCU_LINE("lsls r3, r3, #2")
        QMCU_LINE("adds r3, r3, r0")
        QMCU_LINE("mov r12, r3")
        QMCU_LINE("movs r3, #0")
        QMCU_LINE("mov r8, r3")
        QMCU_LINE("mov r9, r3")
        QMCU_LINE("mov r10, r3")
        QMCU_LINE("mov r11, r3")
    "1:\n\t"
        QMCU_LINE(".rept 8")
        QMCU_TWO_OF_ROWS
        QMCU_LINE(".endr")
        QMCU_LINE("cmp r0, r12")
        QMCU_LINE("beq 2f")
        QMCU_LINE("b 1b")
    "2:\n\t"
        QMCU_LINE("ldr r0, [sp, #40]")
        QMCU_ADD_ROW(r8, 0)
        QMCU_ADD_ROW(r9, 4)
        QMCU_ADD_ROW(r10, 8)
        QMCU_ADD_ROW(r11, 12)
        QMCU_LEAVE);
    /* clang-format on */
}

/* Of QMCU_S8 codes times -1, and of QMCU_U8 codes; see qmcu_plain_by_lanes. */
QMCU_INLINE void qmcu_plain_by_signed(uint32_t weight_bits, qmcu_sums *s, const int32_t *x, const uint8_t *w,
                                      uint32_t n, uint32_t period)
{
    (void)weight_bits;
    (void)period;
    qmcu_plain_rows_signed(x, w, n, &s->a0);
}

QMCU_INLINE void qmcu_plain_by_unsigned(uint32_t weight_bits, qmcu_sums *s, const int32_t *x, const uint8_t *w,
                                        uint32_t n, uint32_t period)
{
    (void)weight_bits;
    (void)period;
    qmcu_plain_rows_unsigned(x, w, n, &s->a0);
}

/* Of codes whose sums of `period` products, a multiple of 4, stay in 16 bits. */
QMCU_INLINE void qmcu_plain_by_small(uint32_t weight_bits, qmcu_sums *s, const int32_t *x, const uint8_t *w, uint32_t n,
                                     uint32_t period)
{
    const uint32_t fours = n & ~3u;
    if (fours != 0u) {
        qmcu_plain_rows_small(x, w, fours, &s->a0, period);
    }
    qmcu_plain_by_lanes(weight_bits, s, x + 2u * fours, w + 2u * fours, n - fours, 1u);
}

#endif

#endif /* QMCU_CONV2D_PLAIN_ARMV6M_H */
