import { linkAtEnd, staticLibrary } from './cmakeFiles';
import type { Layout } from './types';

/**
 * CMake: a static library target of the model's name in `lib/<name>/`, for `add_subdirectory` and
 * `target_link_libraries`.
 */
export const cmake: Layout = {
  id: 'cmake',
  title: 'CMake library',
  detect: ({ names }) => (names.has('CMakeLists.txt') ? 'CMakeLists.txt' : null),
  folder: (name) => `lib/${name}`,
  arrange: (name, sources, uses) => [...sources, staticLibrary(name, sources, uses)],
  wire: (name, _sources, project, role) => linkAtEnd(name, project, role),
  include: (name) => `"${name}.h"`,
};
