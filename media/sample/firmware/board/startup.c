/* Start-up for any Cortex-M with a vector table at address 0 (M0+, M3, M4, M7): initial stack and handlers,
 * the floating-point unit where the compiler uses it, initialized and zeroed variables, main(), exit.
 * Symbols that begin with board_ come from the linker script.
 */
#include <stdint.h>

#include "semihosting.h"

extern uint32_t board_stack_top[];
extern const uint32_t board_data_load[];
extern uint32_t board_data_begin[], board_data_end[];
extern uint32_t board_bss_begin[], board_bss_end[];

int main(void);
void board_reset(void);

#define EXIT_FAULT 99

/* Every exception ends here: the program enables no interrupts, so any is a fault. */
static void fault(void)
{
    semihosting_print("fault: the processor stopped\n");
    semihosting_exit(EXIT_FAULT);
    for (;;) {
    }
}

/* Kept apart from board_reset: it may use floating-point registers, which must be switched on before. */
static __attribute__((noinline, noreturn)) void run(void)
{
    const uint32_t *from = board_data_load;
    for (uint32_t *to = board_data_begin; to < board_data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = board_bss_begin; to < board_bss_end; to++) {
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

/* Armv7-M reference manual B1.5.2, Armv6-M the same with fewer entries in use: stack pointer, reset, exceptions 2
 * to 15. */
struct vector_table {
    uint32_t *stack;
    handler_t handlers[15];
};

__attribute__((section(".vectors"), used)) const struct vector_table board_vectors = {
    board_stack_top,
    {board_reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault},
};
