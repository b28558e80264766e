import { ownText } from './blocks';
import { cFiles } from './cmakeFiles';
import type { Layout } from './types';

/**
 * ESP-IDF: a component in `components/<name>/`, which the build finds by itself. `main` sees all components unless its
 * registration lists what it requires.
 * https://docs.espressif.com/projects/esp-idf/en/stable/esp32/api-guides/build-system.html
 */
export const espIdf: Layout = {
  id: 'esp-idf',
  title: 'ESP-IDF component',
  detect: (project) => {
    if (/tools\/cmake\/project\.cmake/.test(ownText(project.text('CMakeLists.txt') ?? '')))
      return 'project.cmake in CMakeLists.txt';
    return ['sdkconfig', 'sdkconfig.defaults'].find((file) => project.names.has(file)) ?? null;
  },
  folder: (name) => `components/${name}`,
  arrange: (_name, sources, uses) => [
    ...sources,
    {
      path: 'CMakeLists.txt',
      text:
        `idf_component_register(\n  SRCS\n${cFiles(sources)
          .map((file) => `    "${file}"\n`)
          .join('')}` +
        `  INCLUDE_DIRS "."\n${uses === undefined ? '' : `  REQUIRES ${uses}\n`})\n` +
        '# Unoptimized kernels take thirty times as long.\n' +
        'if(CONFIG_COMPILER_OPTIMIZATION_DEBUG OR CONFIG_COMPILER_OPTIMIZATION_NONE)\n' +
        '  target_compile_options(${COMPONENT_LIB} PRIVATE -O2)\nendif()\n',
    },
  ],
  wire: (name, _sources, project, role) => {
    if (role === 'runtime') return { edits: [], instructions: [] };
    const main = ownText(project.text('main/CMakeLists.txt') ?? '');
    const requires = /\b(?:PRIV_)?REQUIRES\b([^)]*)/.exec(main)?.[1];
    const known = requires === undefined || requires.split(/[\s"]+/).includes(name);
    return { edits: [], instructions: known ? [] : [`Add ${name} to REQUIRES in main/CMakeLists.txt.`] };
  },
  include: (name) => `"${name}.h"`,
};
