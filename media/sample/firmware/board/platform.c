/* The platform of a Cortex-M with a debugger or QEMU attached: text goes through semihosting. */
#include "platform.h"

#include <stdint.h>

#include "semihosting.h"

extern const uint8_t board_flash_begin[], board_flash_end[]; /* from the linker script */

void platform_print(const char *text)
{
    semihosting_print(text);
}

unsigned long platform_flash_bytes(void)
{
    return (unsigned long)((uintptr_t)board_flash_end - (uintptr_t)board_flash_begin);
}
