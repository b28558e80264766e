// What each object takes of a linked image, by the linker's map.
import { readFileSync } from 'node:fs';

/**
 * Bytes of flash and of RAM that the image holds of each object, named as in the map (`lib.a(member.o)` of an archive).
 * Variables with a first value are in both. @param {string} map @returns {Map<string, {flash: number, ram: number}>}
 */
export function linkedSections(map) {
  const text = readFileSync(map, 'utf8');
  // What the linker left out stands before.
  const memory = text.slice(text.indexOf('Linker script and memory map'));
  /** @type {Map<string, {flash: number, ram: number}>} */
  const found = new Map();
  for (const [, section, size, object] of memory.matchAll(
    /^ (\.(?:text|rodata|srodata|data|sdata|bss|sbss)|COMMON)\S*\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S.*)$/gm,
  )) {
    const bytes = found.get(object) ?? { flash: 0, ram: 0 };
    if (!/bss|COMMON/.test(section)) bytes.flash += Number.parseInt(size, 16);
    if (!/text|rodata/.test(section)) bytes.ram += Number.parseInt(size, 16);
    found.set(object, bytes);
  }
  return found;
}
