/**
 * Instructions of every step of a network on an emulated board, without a plugin of QEMU's: under `-icount shift=0` an
 * instruction takes a nanosecond of the board's time, and SysTick, which the program reads between the steps, counts
 * that. A loop of known length tells how many instructions a tick is (40 on the MPS2 boards, which is how far a step
 * may be off).
 *
 * @see https://www.qemu.org/docs/master/devel/tcg-icount.html
 */
import { stepNumbers } from '../codegen/checkpoints';
import { externalInputs, invokeName, invokeSignature, watchedCall } from '../codegen/inputs';
import { macroPrefix } from '../codegen/identifier';
import type { Program } from '../program/types';

/** Arguments of QEMU under which instructions can be counted. */
export const countingArguments = ['-icount', 'shift=0'] as const;

/** Of the linker: the self-test's inferences go through functions of {@link countingSource}. */
export function countingLinkFlags(program: Program, name: string): string[] {
  const invoke = invokeName(program, name);
  return [`-Wl,--wrap=${invoke}`, `-Wl,--wrap=${invoke}_watched`];
}

const FIRST = 'steps of ';
const LOOPS = 1_000_000;

const PRINT_NUMBER = `static void print_number(uint64_t value, char end)
{
    char text[24];
    int at = 22;
    text[23] = 0;
    text[22] = end;
    do {
        text[--at] = (char)('0' + (int)(value % 10u));
        value /= 10u;
    } while (value != 0);
    semihosting_print(text + at);
}
`;

/**
 * C that counts what each step takes between the watchers of an inference, and prints it by `print_steps()`: a line
 * with the number of inferences and the ticks of 2 {@link LOOPS} instructions, then the ticks of each step.
 */
export function countingSource(program: Program, name: string): string {
  const invoke = invokeName(program, name);
  const inputs = externalInputs(program).map(({ parameter }) => parameter);
  const wrapped = (watched: boolean): string =>
    invokeSignature(program, name, watched).replace(invoke, `__wrap_${invoke}`);
  const real = invokeSignature(program, name, true).replace(invoke, `__real_${invoke}`);
  return `#include "${name}.h"

#include <stddef.h>

#include "semihosting.h"

/* Armv7-M reference manual B3.3: control, reload and current value; 24 bits that count down. */
#define SYSTICK ((volatile uint32_t *)0xE000E010u)

static uint64_t ticks[${macroPrefix(name)}_STEPS];
static uint32_t runs;
static uint32_t last;

static void start(void)
{
    SYSTICK[1] = 0xffffffu;
    SYSTICK[2] = 0;
    SYSTICK[0] = 5;
    last = SYSTICK[2];
}

static uint32_t passed(void)
{
    return (last - SYSTICK[2]) & 0xffffffu;
}

static int after(void *context, int32_t step, const qmcu_map *output)
{
    const qmcu_watch *inner = (const qmcu_watch *)context;
    int end;
    ticks[step] += passed();
    end = inner != NULL ? inner->after(inner->context, step, output) : 0;
    last = SYSTICK[2];
    return end;
}

${real};
${wrapped(true)};
${wrapped(false)};

${wrapped(true)}
{
    const qmcu_watch counted = {after, (void *)(uintptr_t)watch};
    runs++;
    start();
    return __real_${watchedCall(program, name, 'arena', inputs, '&counted')};
}

${wrapped(false)}
{
    return __wrap_${watchedCall(program, name, 'arena', inputs, 'NULL')};
}

${PRINT_NUMBER}
void print_steps(void);
void print_steps(void)
{
    uint32_t loops = ${LOOPS}u;
    start();
    __asm__ volatile(".syntax unified\\n1: subs %0, #1\\n bne 1b" : "+l"(loops) : : "cc");
    semihosting_print("${FIRST}");
    print_number(runs, ' ');
    print_number(passed(), '\\n');
    for (int32_t i = 0; i < ${macroPrefix(name)}_STEPS; i++) {
        print_number(ticks[i], '\\n');
    }
}
`;
}

/**
 * Instructions of each layer in one inference.
 * @param output of a program with {@link countingSource}
 * @returns by the layers' positions; null where it printed no counts
 */
export function layerCounts(program: Program, output: string): number[] | null {
  const [, text] = output.split(FIRST);
  if (text === undefined) return null;
  const [head, ...lines] = text.split('\n');
  const [runs, calibration] = head.split(' ').map(Number);
  const numbers = stepNumbers(program);
  const steps = (numbers[numbers.length - 1] ?? -1) + 1;
  const ticks = lines.slice(0, steps).map(Number);
  if (!(runs > 0 && calibration > 0) || ticks.length < steps || ticks.some((n) => !Number.isFinite(n))) return null;
  const perTick = (2 * LOOPS) / calibration / runs;
  const layers: number[] = [];
  numbers.forEach((number, i) => {
    // The kernel calls of one step are of one layer.
    if (i > 0 && numbers[i - 1] === number) return;
    const { layer } = program.steps[i];
    layers[layer] = (layers[layer] ?? 0) + ticks[number] * perTick;
  });
  return Array.from(layers, (n) => Math.round(n ?? 0));
}
