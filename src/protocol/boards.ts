/**
 * Id, in a plan and in requests, of a board that is not in the engine's table: the user gives its core, SRAM and flash.
 */
export const OWN_BOARD_ID = 'custom';

/** A core's name as its maker writes it: `cortex-m0plus` → `Cortex-M0+`; other names stay as they are. */
export function coreName(core: string): string {
  if (core === 'riscv32') return 'RISC-V';
  return core
    .replace(/^cortex-m/, 'Cortex-M')
    .replace(/plus$/, '+')
    .replace(/^xtensa-lx/, 'Xtensa LX');
}
