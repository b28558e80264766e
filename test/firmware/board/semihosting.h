/*
 * Semihosting on Cortex-M and RISC-V: the program asks QEMU to print, to stop and to read and write files.
 * Arm, "Semihosting for AArch32 and AArch64" (release 2023Q3): operation in r0, argument in r1, BKPT 0xAB, result in
 * r0. "RISC-V Semihosting" 0.4: a0, a1, EBREAK between two shifts that do nothing.
 */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stddef.h>
#include <stdint.h>

enum semihosting_operation {
    SEMIHOSTING_OPEN = 0x01,
    SEMIHOSTING_CLOSE = 0x02,
    SEMIHOSTING_WRITE0 = 0x04,
    SEMIHOSTING_WRITE = 0x05,
    SEMIHOSTING_READ = 0x06,
    SEMIHOSTING_SEEK = 0x0a,
    SEMIHOSTING_GET_CMDLINE = 0x15,
    SEMIHOSTING_EXIT_EXTENDED = 0x20
};

/* Modes of fopen as the specification numbers them. */
enum semihosting_mode { SEMIHOSTING_MODE_RB = 1, SEMIHOSTING_MODE_WB = 5 };

int semihosting_call(enum semihosting_operation operation, const void *argument);

void semihosting_print(const char *text);
void semihosting_print_unsigned(uint32_t value);
void semihosting_exit(int code);

/* Copies the command line; 0 when it fits. */
int semihosting_command_line(char *text, size_t size);

/* A handle, or -1. */
int semihosting_open(const char *file, enum semihosting_mode mode);
void semihosting_close(int handle);

/* Whether all bytes were read or written. */
int semihosting_read(int handle, void *data, size_t bytes);
int semihosting_write(int handle, const void *data, size_t bytes);

/* Goes on at a byte of the file, counted from its beginning; whether that is possible. */
int semihosting_seek(int handle, size_t byte);

#endif
