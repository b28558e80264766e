import type { Layout } from './types';

/** CMake: a static library target of the model's name in `lib/<name>/`, for `add_subdirectory` and `target_link_libraries`. */
export const cmake: Layout = {
  id: 'cmake',
  title: 'CMake library',
  detect: ({ names }) => names.has('CMakeLists.txt'),
  folder: (name) => `lib/${name}`,
  arrange: (name, sources) => {
    const files = sources.filter((f) => f.path.endsWith('.c')).map((f) => `  ${f.path}\n`);
    const text =
      '# In the project: add_subdirectory(lib/' + name + ') and target_link_libraries(<target> PRIVATE ' + name + ')\n' +
      `add_library(${name} STATIC\n${files.join('')})\ntarget_include_directories(${name} PUBLIC \${CMAKE_CURRENT_SOURCE_DIR})\n` +
      `set_target_properties(${name} PROPERTIES C_STANDARD 99 C_STANDARD_REQUIRED ON)\n`;
    return [...sources, { path: 'CMakeLists.txt', text }];
  },
};
