import type { Layout } from './types';

/**
 * Arduino: of a sketch's folders only `src/` is compiled with all below it, without being on the include path; a
 * library that has `library.properties` is the same.
 * https://arduino.github.io/arduino-cli/latest/sketch-specification/#src-subfolder
 */
export const arduino: Layout = {
  id: 'arduino',
  title: 'Arduino sketch folder',
  detect: ({ names, folderName }) => {
    if (names.has(`${folderName}.ino`)) return `${folderName}.ino`;
    return (
      [...names].filter((file) => file.endsWith('.ino')).sort()[0] ??
      (names.has('library.properties') ? 'library.properties' : null)
    );
  },
  folder: (name) => `src/${name}`,
  arrange: (_name, sources) => [...sources],
  includesBySibling: true,
  include: (name) => `"src/${name}/${name}.h"`,
};
