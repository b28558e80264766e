/** Boards that QEMU emulates, for programs that test themselves. */

/** Where a self-test can run: emulated Cortex-M, or this computer. */
export const selftestCores = ['m0plus', 'm3', 'm4', 'm7', 'm33', 'm55', 'host'] as const;
export type SelftestCore = (typeof selftestCores)[number];
export type EmulatedCore = Exclude<SelftestCore, 'host'>;

interface Memory {
  readonly origin: number;
  readonly kib: number;
}

export interface EmulatedBoard {
  /** Compiler flags that choose the core. */
  readonly flags: readonly string[];
  readonly machine: string;
  /** Where it starts, with room for code; where constants of any network have room. */
  readonly code: Memory;
  readonly constants: Memory;
  readonly ram: Memory;
}

type Place = readonly [origin: number, kib: number];

function memories(
  ...places: readonly [code: Place, constants: Place, ram: Place]
): Pick<EmulatedBoard, 'code' | 'constants' | 'ram'> {
  const [code, constants, ram] = places.map(([origin, kib]) => ({ origin, kib }));
  return { code, constants, ram };
}

/** @see https://www.qemu.org/docs/master/system/arm/mps2.html */
const mps2 = memories([0, 4096], [0x21000000, 16384], [0x20000000, 4096]);

/** QEMU has no M0+ with enough memory; the M3 runs its code. */
export const emulatedBoards: Readonly<Record<EmulatedCore, EmulatedBoard>> = {
  m0plus: { ...mps2, flags: ['-mcpu=cortex-m0plus', '-mfloat-abi=soft'], machine: 'mps2-an385' },
  m3: { ...mps2, flags: ['-mcpu=cortex-m3', '-mfloat-abi=soft'], machine: 'mps2-an385' },
  m4: { ...mps2, flags: ['-mcpu=cortex-m4', '-mfpu=fpv4-sp-d16', '-mfloat-abi=hard'], machine: 'mps2-an386' },
  m7: {
    ...mps2,
    constants: { origin: 0x60000000, kib: 16384 },
    flags: ['-mcpu=cortex-m7', '-mfpu=fpv5-d16', '-mfloat-abi=hard'],
    machine: 'mps2-an500',
  },
  // Secure addresses.
  m33: {
    ...memories([0x10000000, 4096], [0x80000000, 16384], [0x38000000, 4096]),
    flags: ['-mcpu=cortex-m33', '-mfloat-abi=hard'],
    machine: 'mps2-an505',
  },
  m55: {
    ...memories([0, 512], [0x60000000, 16384], [0x21000000, 2048]),
    flags: ['-mcpu=cortex-m55', '-mfloat-abi=hard'],
    machine: 'mps3-an547',
  },
};

/** Linker script of a board: the stack comes first, so that growing past its end it leaves the memory and faults. */
export function linkerScript({ code, constants, ram }: EmulatedBoard): string {
  const memory = ({ origin, kib }: Memory): string => `ORIGIN = 0x${origin.toString(16)}, LENGTH = ${kib}K`;
  return `ENTRY(board_reset)

MEMORY
{
    FLASH (rx)  : ${memory(code)}
    CONST (r)   : ${memory(constants)}
    RAM   (rwx) : ${memory(ram)}
}

SECTIONS
{
    .text : { KEEP(*(.vectors)) *(.text*) . = ALIGN(4); } > FLASH
    .rodata : { *(.rodata*) . = ALIGN(4); } > CONST
    .ARM.exidx : { *(.ARM.exidx*) } > FLASH
    .stack (NOLOAD) : { . += 64K; . = ALIGN(8); board_stack_top = .; } > RAM
    .data : { . = ALIGN(4); board_data_begin = .; *(.data*) . = ALIGN(4); board_data_end = .; } > RAM AT> FLASH
    board_data_load = LOADADDR(.data);
    .bss (NOLOAD) : { . = ALIGN(4); board_bss_begin = .; *(.bss*) *(COMMON) . = ALIGN(4); board_bss_end = .; } > RAM
}
`;
}
