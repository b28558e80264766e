/*
 * Marks for counting.c around the code to be counted. The barriers keep the marks in blocks of their own, and compilers
 * from moving code across them. The alignment keeps a mark from straddling two pages, where QEMU 7.2 does not report
 * it.
 */
#ifndef COUNTING_H
#define COUNTING_H

#if defined(__riscv)
/* FENCE.I ends QEMU's blocks; written as a number, for it belongs to an extension that -march need not name. 1 is
 * C.NOP: the assembler fills with zeros, which are no instruction. */
#define COUNTING_MARK(instruction)                                                                          \
    __asm__ volatile(                                                                                       \
        ".option push\n .option norelax\n .balignw 16, 1\n .option norvc\n .word 0x0000100f\n " instruction \
        "\n .word 0x0000100f\n .option pop" ::                                                              \
            : "memory")
#define COUNTING_BEGIN() COUNTING_MARK("mv s9, s9")
#define COUNTING_END()   COUNTING_MARK("mv s10, s10")
#else
/* Compilers take the length of the code from its lines: empty ones stand for what the alignment may add. */
#define COUNTING_BEGIN() __asm__ volatile("isb\n .p2align 4\n\n\n\n mov r9, r9\n isb" ::: "memory")
#define COUNTING_END()   __asm__ volatile("isb\n .p2align 4\n\n\n\n mov r10, r10\n isb" ::: "memory")
#endif

#endif
