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
  arrange: (name, sources) => [...sources, staticLibrary(name, sources)],
  wire: (name, _sources, project) => linkAtEnd(name, project),
  include: (name) => `"${name}.h"`,
};
