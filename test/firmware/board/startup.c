/*
 * Start-up for the Cortex-M and RISC-V boards that QEMU emulates: stack and handlers, the units that the compiler's
 * code uses, variables, main() with the words of QEMU's -semihosting-config arg=..., exit with its result. Symbols that
 * begin with board_ come from the linker script.
 */
#include <stdint.h>

#include "semihosting.h"

extern uint32_t board_stack_top[];
extern const uint32_t board_data_load[];
extern uint32_t board_data_begin[], board_data_end[];
extern uint32_t board_bss_begin[], board_bss_end[];

int main(int argc, char **argv);
void board_reset(void);

/* Exit code of a program that ran into an exception. */
#define EXIT_FAULT 99

#define MAX_WORDS 128

/* The program enables no interrupts but SysTick, see below, so any other exception is a fault. */
static void fault(void)
{
    semihosting_print("fault: the processor took an exception\n");
    semihosting_exit(EXIT_FAULT);
    for (;;) {
    }
}

/* Splits the command line into words. */
static int split_words(char *text, char **words)
{
    int count = 0;
    while (count < MAX_WORDS - 1) {
        while (*text == ' ') {
            *text++ = '\0';
        }
        if (*text == '\0') {
            break;
        }
        words[count++] = text;
        while (*text != '\0' && *text != ' ') {
            text++;
        }
    }
    words[count] = NULL;
    return count;
}

/* Apart from board_reset: it may use floating-point or vector registers, which must be switched on before. */
static __attribute__((noinline, noreturn)) void run(void)
{
    static char command_line[2048];
    static char *words[MAX_WORDS];
    const uint32_t *from = board_data_load;
    uint32_t *to;
    for (to = board_data_begin; to < board_data_end; to++) {
        *to = *from++;
    }
    for (to = board_bss_begin; to < board_bss_end; to++) {
        *to = 0;
    }
    if (semihosting_command_line(command_line, sizeof command_line) != 0) {
        command_line[0] = '\0';
    }
    semihosting_exit(main(split_words(command_line, words), words));
    for (;;) {
    }
}

#if defined(__riscv)

/* Called by a trap: its vector is on a multiple of 4. */
__attribute__((aligned(4), used)) static void trap(void)
{
    fault();
}

__attribute__((used, noreturn)) static void begin(void)
{
    __asm__ volatile(".option push\n .option arch, +zicsr\n csrw mtvec, %0\n .option pop" ::"r"(trap));
#if defined(__riscv_flen)
    __asm__ volatile(".option push\n .option arch, +zicsr\n csrs mstatus, %0\n .option pop" ::"r"(
        3u << 13)); /* FS: floating-point registers may be used */
#endif
    run();
}

/* Privileged architecture 1.11: machine mode, no stack. */
__attribute__((naked, section(".reset"))) void board_reset(void)
{
    __asm__ volatile("la sp, board_stack_top\n j %0" ::"i"(begin));
}

#else

void board_reset(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    /* CPACR (Armv7-M manual B3.2.20, Armv8-M manual D1.2.10): full access to coprocessors 10 and 11. */
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
#endif
#if defined(__ARM_FEATURE_MVE)
    /* CCR.LOB (Armv8-M manual D1.2.9): low-overhead loops may use their cache; QEMU faults without. */
    *(volatile uint32_t *)0xE000ED14u |= 1u << 19;
#endif
    __asm__ volatile("dsb\n isb" ::: "memory");
    run();
}

typedef void (*handler_t)(void);

/* Armv7-M manual B1.5.2: initial stack pointer, reset, exceptions 2 to 15. */
struct vector_table {
    uint32_t *stack;
    handler_t handlers[15];
};

/* SysTick, for programs that have a handler of this name. */
void board_tick(void) __attribute__((weak, alias("fault")));

extern const struct vector_table board_vectors;
__attribute__((section(".vectors"), used))
const struct vector_table board_vectors = {board_stack_top,
                                           {board_reset, fault, fault, fault, fault, fault, fault, fault, fault, fault,
                                            fault, fault, fault, fault, board_tick}};

#endif
