import type { Layout } from './types';

/** Sources and headers in `lib/<name>/`, for make and everything that takes a list of files. Always possible. */
export const plain: Layout = {
  id: 'plain',
  title: 'Plain folder',
  detect: () => 'fits every project',
  folder: (name) => `lib/${name}`,
  arrange: (_name, sources) => [...sources],
  include: (name) => `"${name}.h"`,
};
