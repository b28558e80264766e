import { ownLines, splitLines, withBlock, withoutBlocks } from './blocks';
import { cFiles } from './cmakeFiles';
import type { Layout } from './types';

/**
 * STM32CubeMX with Make, and Makefiles made after its model: appends to `C_SOURCES` and `C_INCLUDES` below where they
 * are set.
 */
export const cubemxMake: Layout = {
  id: 'cubemx-make',
  title: 'STM32CubeMX (Make)',
  detect: (project) =>
    endOfAssignment(project.text('Makefile') ?? '', 'C_SOURCES') === undefined ? null : 'C_SOURCES in Makefile',
  folder: (name) => `lib/${name}`,
  arrange: (_name, sources) => [...sources],
  wire: (name, sources, project) => {
    const file = 'Makefile';
    const appendSources = [
      'C_SOURCES += \\',
      ...cFiles(sources).map((source, i, all) => `lib/${name}/${source}${i < all.length - 1 ? ' \\' : ''}`),
    ];
    const appendIncludes = [`C_INCLUDES += -Ilib/${name}`];
    const instructions = [
      `Add to ${file}, below C_SOURCES and C_INCLUDES:`,
      ...[...appendSources, ...appendIncludes].map((line) => `  ${line}`),
    ];
    const text = project.text(file);
    if (text === undefined) return { edits: [], instructions };
    let after = withoutBlocks(text, name);
    for (const [variable, lines] of [
      ['C_SOURCES', appendSources],
      ['C_INCLUDES', appendIncludes],
    ] as const) {
      const at = endOfAssignment(after, variable);
      if (at === undefined) return { edits: [], instructions };
      after = withBlock(after, name, at, lines);
    }
    return after === text
      ? { edits: [], instructions: [] }
      : { edits: [{ path: file, before: text, after }], instructions };
  },
  include: (name) => `"${name}.h"`,
};

/** Index of the line after the last assignment of a variable by the user and all its continuation lines. */
function endOfAssignment(text: string, variable: string): number | undefined {
  const assignment = new RegExp(`^${variable}\\s*(\\+|:{1,3}|\\?)?=`);
  const last = ownLines(text)
    .filter(({ line }) => assignment.test(line))
    .pop();
  if (!last) return undefined;
  const lines = splitLines(text);
  let at = last.index;
  while (at < lines.length && /\\\r?\n?$/.test(lines[at])) at++;
  return Math.min(at + 1, lines.length);
}
