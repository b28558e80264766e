#include "semihosting.h"

#include <string.h>

int semihosting_call(enum semihosting_operation operation, const void *argument)
{
#if defined(__riscv)
    register int a0 __asm__("a0") = (int)operation;
    register const void *a1 __asm__("a1") = argument;
    /* Three instructions of 32 bits on one page. */
    __asm__ volatile(".option push\n .option norvc\n .p2align 4\n slli zero, zero, 0x1f\n ebreak\n"
                     " srai zero, zero, 7\n .option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
#else
    register int r0 __asm__("r0") = (int)operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory", "cc");
    return r0;
#endif
}

void semihosting_print(const char *text)
{
    (void)semihosting_call(SEMIHOSTING_WRITE0, text);
}

void semihosting_print_unsigned(uint32_t value)
{
    char text[11];
    char *at = text + sizeof text - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0u);
    semihosting_print(at);
}

void semihosting_exit(int code)
{
    const uint32_t application_exit = 0x20026;
    const uint32_t block[2] = {application_exit, (uint32_t)code};
    (void)semihosting_call(SEMIHOSTING_EXIT_EXTENDED, block);
}

int semihosting_command_line(char *text, size_t size)
{
    const uint32_t block[2] = {(uint32_t)text, size};
    return semihosting_call(SEMIHOSTING_GET_CMDLINE, block);
}

int semihosting_open(const char *file, enum semihosting_mode mode)
{
    const uint32_t block[3] = {(uint32_t)file, (uint32_t)mode, strlen(file)};
    return semihosting_call(SEMIHOSTING_OPEN, block);
}

void semihosting_close(int handle)
{
    const uint32_t block[1] = {(uint32_t)handle};
    (void)semihosting_call(SEMIHOSTING_CLOSE, block);
}

/* Both calls return the number of bytes that were not transferred. */
int semihosting_read(int handle, void *data, size_t bytes)
{
    const uint32_t block[3] = {(uint32_t)handle, (uint32_t)data, bytes};
    return semihosting_call(SEMIHOSTING_READ, block) == 0;
}

int semihosting_write(int handle, const void *data, size_t bytes)
{
    const uint32_t block[3] = {(uint32_t)handle, (uint32_t)data, bytes};
    return semihosting_call(SEMIHOSTING_WRITE, block) == 0;
}

int semihosting_seek(int handle, size_t byte)
{
    const uintptr_t block[2] = {(uintptr_t)handle, byte};
    return semihosting_call(SEMIHOSTING_SEEK, block) == 0;
}
