/* Start-up for the Cortex-M boards that QEMU emulates: stack and handlers, the floating-point unit where the compiler uses it,
 * variables, main(), exit with its result. Symbols that begin with board_ come from the linker script.
 */
#include <stdint.h>

#include "semihosting.h"

extern uint32_t board_stack_top[];
extern const uint32_t board_data_load[];
extern uint32_t board_data_begin[], board_data_end[];
extern uint32_t board_bss_begin[], board_bss_end[];

int main(void);
void board_reset(void);

/* Exit code of a program that ran into an exception. */
#define EXIT_FAULT 99

/* The program enables no interrupts, so any exception is a fault. */
static void fault(void)
{
    semihosting_print("fault: the processor took an exception\n");
    semihosting_exit(EXIT_FAULT);
    for (;;) {
    }
}

/* Apart from board_reset: it may use floating-point registers, which must be switched on before. */
static __attribute__((noinline, noreturn)) void run(void)
{
    const uint32_t *from = board_data_load;
    uint32_t *to;
    for (to = board_data_begin; to < board_data_end; to++) {
        *to = *from++;
    }
    for (to = board_bss_begin; to < board_bss_end; to++) {
        *to = 0;
    }
    semihosting_exit(main());
    for (;;) {
    }
}

void board_reset(void)
{
#ifdef __ARM_FP
    /* CPACR (Armv7-M reference manual B3.2.20): full access to coprocessors 10 and 11, the floating-point unit. */
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
    __asm__ volatile("dsb\n isb" ::: "memory");
#endif
    run();
}

typedef void (*handler_t)(void);

/* Armv7-M reference manual B1.5.2, Armv6-M the same: initial stack pointer, reset, exceptions 2 to 15. */
struct vector_table {
    uint32_t *stack;
    handler_t handlers[15];
};

extern const struct vector_table board_vectors;
__attribute__((section(".vectors"), used)) const struct vector_table board_vectors = {
    board_stack_top,
    {board_reset, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault},
};
