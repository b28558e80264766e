import { splitLines, withBlock, withoutBlocks } from './blocks';
import { cFiles, findLine } from './cmakeFiles';
import type { Layout } from './types';

/** Comments of the CMakeLists.txt that CubeMX writes once and leaves to the user from then on. */
const sourcesHere = /^\s*#\s*Add user sources here\s*$/i;
const includesHere = /^\s*#\s*Add user defined include paths\s*$/i;

/**
 * STM32CubeMX with CMake: sources and include path in the user blocks of the top `CMakeLists.txt`, so that the
 * project's flags hold for them.
 */
export const cubemxCmake: Layout = {
  id: 'cubemx-cmake',
  title: 'STM32CubeMX (CMake)',
  detect: (project) => {
    if (project.text('cmake/stm32cubemx/CMakeLists.txt') !== undefined) return 'cmake/stm32cubemx';
    return findLine(project.text('CMakeLists.txt') ?? '', sourcesHere)
      ? '"# Add user sources here" in CMakeLists.txt'
      : null;
  },
  folder: (name) => `lib/${name}`,
  arrange: (_name, sources) => [...sources],
  wire: (name, sources, project) => {
    const file = 'CMakeLists.txt';
    const files = cFiles(sources).map((source) => `lib/${name}/${source}`);
    const instructions = [
      `Add to ${file}, below "# Add user sources here":`,
      ...files.map((f) => `  ${f}`),
      'and below "# Add user defined include paths":',
      `  lib/${name}`,
    ];
    const text = project.text(file);
    if (text === undefined) return { edits: [], instructions };
    const before = withoutBlocks(text, name);
    const withSources = insertBelow(before, sourcesHere, name, files);
    const after = withSources && insertBelow(withSources, includesHere, name, [`lib/${name}`]);
    if (after === undefined) return { edits: [], instructions };
    return after === text
      ? { edits: [], instructions: [] }
      : { edits: [{ path: file, before: text, after }], instructions };
  },
  include: (name) => `"${name}.h"`,
};

/** Puts a block below the comment, and below the blocks of other models that follow it. */
function insertBelow(text: string, comment: RegExp, name: string, content: readonly string[]): string | undefined {
  const at = findLine(text, comment);
  return at && withBlock(text, name, afterBlocks(text, at.index + 1), content, at.indent);
}

/**
 * Index of the first line from `index` on that is in no block, so that the order of generations does not matter to what
 * is written first.
 */
function afterBlocks(text: string, index: number): number {
  const lines = splitLines(text);
  let at = index;
  while (at < lines.length && /^\s*# >>> quantmcu /.test(lines[at])) {
    const end = lines.findIndex((line, i) => i > at && /^\s*# <<< quantmcu /.test(line));
    if (end < 0) break;
    at = end + 1;
  }
  return at;
}
