/* What main.c needs from the machine it runs on: host/platform.c for a PC, board/platform.c for a microcontroller. */
#ifndef PLATFORM_H
#define PLATFORM_H

/* Prints a text as it is, without adding a line break. */
void platform_print(const char *text);

/* Bytes of flash that the whole program takes: code, constants and initial values of variables.
 * 0 where the question makes no sense (a PC). */
unsigned long platform_flash_bytes(void);

#endif
