import { UserError } from '../common/errors';
import type { PlanTarget } from './types';
import type { Core, MemoryRegion, Target } from './types';

/**
 * The memories of a part: those of SRAM by name, the arena's first, and its flash.
 * @param sram sizes in KiB
 * @param flash size in KiB
 */
function memories(
  sram: Readonly<Record<string, number>>,
  flash: number,
  flashName = 'FLASH',
): Pick<Target, 'regions' | 'arenaRegion' | 'flashRegion'> {
  const region = (kind: MemoryRegion['kind'], name: string, kib: number): MemoryRegion => ({
    ...{ name, kind },
    bytes: kib * 1024,
  });
  const [arenaRegion] = Object.keys(sram);
  return {
    regions: [
      ...Object.entries(sram).map(([name, kib]) => region('sram', name, kib)),
      region('flash', flashName, flash),
    ],
    arenaRegion,
    flashRegion: flashName,
  };
}

/**
 * Boards and parts that a plan can be made for. The arena may take its whole region; how much of it the application
 * needs for itself is for the user to say (`--sram`). Parts with several memories list each: an arena cannot span two
 * of them.
 */
export const targets: readonly Target[] = [
  {
    id: 'nano33ble',
    name: 'Arduino Nano 33 BLE Sense (nRF52840)',
    core: 'cortex-m4',
    clockMHz: 64,
    ...memories({ RAM: 256 }, 1024),
    memory: {
      factor: 1.1,
      error: 0.1,
      source: 'nRF52840 Product Specification, NVMC: 64 MHz with an instruction cache of its own, constants uncached',
    },
    source: 'Nordic nRF52840 Product Specification, Memory: 1 MB flash and 256 kB RAM',
  },
  {
    id: 'stm32h743',
    name: 'STM32H743 (NUCLEO-H743ZI2)',
    core: 'cortex-m7',
    clockMHz: 480,
    ...memories({ AXI: 512, DTCM: 128, 'SRAM1-3': 288, SRAM4: 64 }, 2048),
    memory: {
      factor: 1.1,
      error: 0.1,
      source: 'RM0433, Embedded flash: wait states by clock; caches of 16 KB for code and 16 KB for data',
    },
    source:
      'ST RM0433, Memory organization: AXI SRAM 512 KB (D1), DTCM 128 KB, SRAM1 to SRAM3 of 128 + 128 + 32 KB ' +
      '(D2, contiguous), SRAM4 64 KB (D3); DS12110 for flash and clock',
  },
  {
    id: 'stm32f746',
    name: 'STM32F746 (32F746GDISCOVERY)',
    core: 'cortex-m7',
    clockMHz: 216,
    ...memories({ SRAM1: 240, DTCM: 64, SRAM2: 16 }, 1024),
    memory: {
      factor: 1.15,
      error: 0.15,
      source: 'RM0385, Embedded flash: 7 wait states at 216 MHz, ART accelerator; caches of 4 KB each',
    },
    source: 'ST RM0385, Memory organization: SRAM1 240 KB, SRAM2 16 KB, DTCM 64 KB; DS10916 for flash and clock',
  },
  {
    id: 'stm32f411',
    name: 'STM32F411 (NUCLEO-F411RE)',
    core: 'cortex-m4',
    clockMHz: 100,
    ...memories({ RAM: 128 }, 512),
    memory: {
      factor: 1.1,
      error: 0.1,
      source:
        'RM0383, Embedded flash: 3 wait states at 100 MHz, ART accelerator with 1 KB for code and 128 bytes for data',
    },
    source: 'ST DS10314, STM32F411xE: 512 Kbytes of flash memory, 128 Kbytes of SRAM, 100 MHz',
  },
  {
    id: 'stm32f446',
    name: 'STM32F446 (NUCLEO-F446RE)',
    core: 'cortex-m4',
    clockMHz: 180,
    ...memories({ RAM: 128 }, 512),
    memory: {
      factor: 1.15,
      error: 0.1,
      source:
        'RM0390, Embedded flash: 5 wait states at 180 MHz, ART accelerator with 1 KB for code and 128 bytes for data',
    },
    source:
      'ST DS10693, STM32F446xE: 512 Kbytes of flash, 128 Kbytes of SRAM (SRAM1 112 KB and SRAM2 16 KB, ' +
      'contiguous), 180 MHz',
  },
  {
    id: 'stm32l4r5',
    name: 'STM32L4R5 (NUCLEO-L4R5ZI)',
    core: 'cortex-m4',
    clockMHz: 120,
    ...memories({ SRAM3: 384, SRAM1: 192, SRAM2: 64 }, 2048),
    memory: {
      factor: 1.15,
      error: 0.1,
      source:
        'RM0432, Embedded flash: 5 wait states at 120 MHz, ART accelerator with 1 KB for code and 256 bytes for data',
    },
    source:
      'ST RM0432, Embedded SRAM: SRAM1 192 Kbytes, SRAM2 64 Kbytes, SRAM3 384 Kbytes; DS12023 for flash and clock',
  },
  {
    id: 'stm32u585',
    name: 'STM32U585 (B-U585I-IOT02A)',
    core: 'cortex-m33',
    clockMHz: 160,
    ...memories({ SRAM3: 512, SRAM1: 192, SRAM2: 64, SRAM4: 16 }, 2048),
    memory: { factor: 1.1, error: 0.1, source: 'RM0456, Embedded flash: 4 wait states at 160 MHz; ICACHE of 8 KB' },
    source:
      'ST RM0456, Internal SRAMs of STM32U575/585: SRAM1 192 Kbytes, SRAM2 64 Kbytes, SRAM3 512 Kbytes, SRAM4 16 ' +
      'Kbytes; DS13086 for flash and clock',
  },
  {
    id: 'nrf5340',
    name: 'nRF5340 DK (application core)',
    core: 'cortex-m33',
    clockMHz: 128,
    ...memories({ RAM: 512 }, 1024),
    memory: {
      factor: 1.1,
      error: 0.1,
      source: 'nRF5340 Product Specification, CACHE: instructions and data of the application core',
    },
    source: 'Nordic nRF5340 Product Specification, Application core: 128 MHz, 1 MB flash, 512 kB RAM',
  },
  {
    id: 'samd51x20',
    name: 'ATSAMD51P20A / ATSAMD51J20A',
    core: 'cortex-m4',
    clockMHz: 120,
    ...memories({ RAM: 256 }, 1024),
    memory: { factor: 1.1, error: 0.1, source: 'DS60001507, NVMCTRL: 5 wait states at 120 MHz; CMCC cache of 4 KB' },
    source: 'Microchip DS60001507, SAM D5x/E5x Family, Configuration Summary: 1024 KB flash, 256 KB SRAM, 120 MHz',
  },
  {
    id: 'rp2040',
    name: 'Raspberry Pi Pico (RP2040)',
    core: 'cortex-m0plus',
    clockMHz: 133,
    ...memories({ RAM: 256, SCRATCH_X: 4, SCRATCH_Y: 4 }, 2048),
    memory: {
      factor: 1.3,
      error: 0.3,
      source: 'RP2040 Datasheet, XIP: code and constants from QSPI flash through a cache of 16 KB',
    },
    source:
      'RP2040 Datasheet, SRAM: four striped banks of 64 KB and two of 4 KB; Raspberry Pi Pico Datasheet: 2 MB of ' +
      'QSPI flash',
  },
  {
    id: 'rp2350',
    name: 'Raspberry Pi Pico 2 (RP2350)',
    core: 'cortex-m33',
    clockMHz: 150,
    ...memories({ RAM: 512, SCRATCH_X: 4, SCRATCH_Y: 4 }, 4096),
    memory: {
      factor: 1.25,
      error: 0.25,
      source: 'RP2350 Datasheet, XIP: code and constants from QSPI flash through a cache of 16 KB',
    },
    source:
      'RP2350 Datasheet, SRAM: eight banks of 64 KB and two of 4 KB; Raspberry Pi Pico 2 Datasheet: 4 MB of QSPI flash',
  },
  {
    id: 'esp32s3',
    name: 'ESP32-S3-DevKitC-1 (N8)',
    core: 'xtensa-lx7',
    clockMHz: 240,
    ...memories({ SRAM1: 416, SRAM2: 64 }, 8192),
    memory: {
      factor: 1.2,
      error: 0.2,
      source: 'ESP32-S3 Technical Reference Manual, System and Memory: flash through caches for code and data',
    },
    source:
      'Espressif ESP32-S3 Technical Reference Manual, System and Memory: Internal SRAM 1 of 416 KB (shared with ' +
      'IRAM code), SRAM 2 of 64 KB (part of it the data cache); ESP32-S3-WROOM-1-N8 Datasheet: 8 MB flash',
  },
  {
    id: 'esp32c3',
    name: 'ESP32-C3-DevKitM-1',
    core: 'riscv32',
    clockMHz: 160,
    ...memories({ SRAM1: 384 }, 4096),
    memory: {
      factor: 1.2,
      error: 0.2,
      source: 'ESP32-C3 Technical Reference Manual, System and Memory: flash through a cache of 16 KB',
    },
    source:
      'Espressif ESP32-C3 Technical Reference Manual, System and Memory: Internal SRAM 1 of 384 KB (shared with ' +
      'IRAM code); ESP32-C3-MINI-1 Datasheet: 4 MB flash',
  },
  {
    id: 'corstone300',
    name: 'Arm Corstone-300 (Cortex-M55, MPS3 AN547)',
    core: 'cortex-m55',
    clockMHz: 32,
    ...memories({ DTCM: 512, ISRAM: 4096 }, 2048, 'SRAM'),
    memory: { factor: 1, error: 0.05, source: 'AN547: code memory is FPGA SRAM without wait states' },
    source:
      'Arm AN547 (DAI0547), memory map: DTCM of 4 × 128 KB, code memory of 2 MB (FPGA SRAM, the place of flash), ' +
      'internal SRAM of 4 MB; as QEMU machine mps3-an547 models it',
  },
];

/** Id of a target that the user describes by its sizes. */
export const customTargetId = 'custom';

/**
 * The target with this id.
 * @throws UserError listing the ids there are
 */
export function findTarget(id: string): Target {
  const target = targets.find((t) => t.id === id);
  if (!target)
    throw new UserError(
      `There is no target "${id}". Choose one of ${targets.map((t) => t.id).join(', ')}, or ${customTargetId} ` +
        'with its SRAM and flash in bytes.',
    );
  return target;
}

/** The core of a plan's board; of one that the table does not know, the one that the plan names, or a Cortex-M4. */
export function coreOf({ id, core }: Pick<PlanTarget, 'id' | 'core'>): Core {
  return targets.find((t) => t.id === id)?.core ?? core ?? 'cortex-m4';
}

/**
 * A target that is not in the table.
 * @throws UserError if a size is not a whole number above 0
 */
export function customTarget({ sramBytes, flashBytes, core = 'cortex-m4' }: Omit<PlanTarget, 'id'>): Target {
  for (const [what, bytes] of [
    ['SRAM', sramBytes],
    ['Flash', flashBytes],
  ] as const) {
    if (!Number.isSafeInteger(bytes) || bytes <= 0)
      throw new UserError(`${what} of a custom target must be a whole number of bytes above 0, not ${bytes}.`);
  }
  return {
    id: customTargetId,
    name: 'Custom',
    core,
    clockMHz: 100,
    ...memories({ RAM: sramBytes / 1024 }, flashBytes / 1024),
    source: 'Given by the user',
  };
}
