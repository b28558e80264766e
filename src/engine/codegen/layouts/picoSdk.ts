import { ownText } from './blocks';
import { linkAtEnd, staticLibrary } from './cmakeFiles';
import type { Layout } from './types';

/**
 * Raspberry Pi Pico SDK: a CMake project whose tool chain file sets the core's flags, so a static library in
 * `lib/<name>/` serves.
 */
export const picoSdk: Layout = {
  id: 'pico-sdk',
  title: 'Pico SDK library',
  detect: (project) => {
    if (project.names.has('pico_sdk_import.cmake')) return 'pico_sdk_import.cmake';
    return /\bpico_sdk_init\s*\(/.test(ownText(project.text('CMakeLists.txt') ?? ''))
      ? 'pico_sdk_init() in CMakeLists.txt'
      : null;
  },
  folder: (name) => `lib/${name}`,
  arrange: (name, sources, uses) => [...sources, staticLibrary(name, sources, uses)],
  wire: (name, _sources, project, role) => linkAtEnd(name, project, role),
  include: (name) => `"${name}.h"`,
};
