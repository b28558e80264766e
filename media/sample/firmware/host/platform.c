/* The platform of a PC: text goes to standard output. */
#include "platform.h"

#include <stdio.h>

void platform_print(const char *text)
{
    fputs(text, stdout);
}

unsigned long platform_flash_bytes(void)
{
    return 0;
}
