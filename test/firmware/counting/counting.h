/*
 * Marks for counting.c around the code to be counted. The barriers keep the marks in blocks of their own, and compilers
 * from moving code across them. The alignment keeps a mark from straddling two pages, where QEMU 7.2 does not report
 * it.
 */
#ifndef COUNTING_H
#define COUNTING_H

#define COUNTING_BEGIN() __asm__ volatile("isb\n .p2align 4\n mov r9, r9\n isb" ::: "memory")
#define COUNTING_END()   __asm__ volatile("isb\n .p2align 4\n mov r10, r10\n isb" ::: "memory")

#endif
