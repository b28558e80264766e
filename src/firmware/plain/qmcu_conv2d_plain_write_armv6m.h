/*
 * QuantMCU runtime: from sums to codes in assembly for Cortex-M0, M0+ and M1. Not part of the interface.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef QMCU_CONV2D_PLAIN_WRITE_ARMV6M_H
#define QMCU_CONV2D_PLAIN_WRITE_ARMV6M_H

#include "qmcu_conv2d_plain_armv6m.h"

#if QMCU_PLAIN_ARMV6M

/* What the channels of a layer need; bias_shift is not negative. */
typedef struct {
    const int32_t *multiplier;
    const int32_t *bias;
    uint32_t bias_shift;
    uint32_t pre_shift;
    uint32_t shift;
    int32_t round;
} qmcu_plain_scale;

/*
 * One sum, which r0 points to, becomes a number that is a code after saturation. r1 pre_shift, r2 and r3 the
 * multiplier's low and high half, r8 the bias, r9 what is added before the last shift, r10 this one. The product is
 * that of qmcu_mulhi.
 */
/* clang-format off */
#define QMCU_SCALE_ONE            \
    QMCU_LINE("ldr r4, [r0]")     \
    QMCU_LINE("add r4, r8")       \
    QMCU_LINE("lsls r4, r1")      \
    QMCU_LINE("uxth r5, r4")      \
    QMCU_LINE("asrs r4, r4, #16") \
    QMCU_LINE("movs r6, r4")      \
    QMCU_LINE("muls r6, r2")      \
    QMCU_LINE("movs r7, r5")      \
    QMCU_LINE("muls r7, r2")      \
    QMCU_LINE("lsrs r7, r7, #16") \
    QMCU_LINE("adds r6, r6, r7")  \
    QMCU_LINE("muls r5, r3")      \
    QMCU_LINE("muls r4, r3")      \
    QMCU_LINE("uxth r7, r6")      \
    QMCU_LINE("adds r5, r5, r7")  \
    QMCU_LINE("asrs r6, r6, #16") \
    QMCU_LINE("asrs r5, r5, #16") \
    QMCU_LINE("adds r4, r4, r6")  \
    QMCU_LINE("adds r4, r4, r5")  \
    QMCU_LINE("add r4, r9")       \
    QMCU_LINE("mov r5, r10")      \
    QMCU_LINE("asrs r4, r5")      \
    QMCU_LINE("stmia r0!, {r4}")
/* clang-format on */

/* The sums of four pixels of `channels` channels, at least one, which lie together, are scaled where they are. */
QMCU_NAKED void qmcu_plain_scale_sums(int32_t *sums __attribute__((unused)), int32_t channels __attribute__((unused)),
                                      const qmcu_plain_scale *s __attribute__((unused)))
{
    /* On the stack: the multipliers (0), biases (4), channels (8). */
    /* clang-format off */
    __asm__ volatile(
        QMCU_ENTER
        QMCU_LINE("sub sp, #12")
        QMCU_LINE("str r1, [sp, #8]")
        QMCU_LINE("ldmia r2!, {r3-r7}")
        QMCU_LINE("str r3, [sp]")
        QMCU_LINE("str r4, [sp, #4]")
        QMCU_LINE("mov r12, r5")
        QMCU_LINE("movs r1, r6")
        QMCU_LINE("mov r10, r7")
        QMCU_LINE("ldr r3, [r2]")
        QMCU_LINE("mov r9, r3")
    "1:\n\t"
        QMCU_LINE("ldr r2, [sp]")
        QMCU_LINE("ldmia r2!, {r3}")
        QMCU_LINE("str r2, [sp]")
        QMCU_LINE("ldr r2, [sp, #4]")
        QMCU_LINE("ldmia r2!, {r4}")
        QMCU_LINE("str r2, [sp, #4]")
        QMCU_LINE("mov r2, r12")
        QMCU_LINE("lsls r4, r2")
        QMCU_LINE("mov r8, r4")
        QMCU_LINE("uxth r2, r3")
        QMCU_LINE("asrs r3, r3, #16")
        QMCU_SCALE_ONE
        QMCU_SCALE_ONE
        QMCU_SCALE_ONE
        QMCU_SCALE_ONE
        QMCU_LINE("ldr r4, [sp, #8]")
        QMCU_LINE("subs r4, r4, #1")
        QMCU_LINE("str r4, [sp, #8]")
        QMCU_LINE("bne 1b")
        QMCU_LINE("add sp, #12")
        QMCU_LEAVE);
    /* clang-format on */
}

#endif

#endif /* QMCU_CONV2D_PLAIN_WRITE_ARMV6M_H */
