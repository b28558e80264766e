/* Semihosting for Cortex-M: the program asks QEMU to print and to stop.
 * Arm, "Semihosting for AArch32 and AArch64" (release 2023Q3): operation in r0, argument in r1, BKPT 0xAB.
 */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stdint.h>

enum { SEMIHOSTING_WRITE0 = 0x04, SEMIHOSTING_EXIT_EXTENDED = 0x20, SEMIHOSTING_APPLICATION_EXIT = 0x20026 };

static inline void semihosting_call(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory", "cc");
}

static inline void semihosting_print(const char *text)
{
    semihosting_call(SEMIHOSTING_WRITE0, text);
}

static inline void semihosting_exit(int code)
{
    const uint32_t block[2] = {SEMIHOSTING_APPLICATION_EXIT, (uint32_t)code};
    semihosting_call(SEMIHOSTING_EXIT_EXTENDED, block);
}

#endif
