import type { Layout, ProjectListing } from './types';

/**
 * STM32CubeIDE (Eclipse CDT managed build): all C files below a source folder are compiled, so the sources go into one
 * that is there.
 */
export const cubeIde: Layout = {
  id: 'cubeide',
  title: 'STM32CubeIDE source folder',
  detect: (project) => (project.names.has('.cproject') && sourceFolder(project) !== undefined ? '.cproject' : null),
  folder: (name, project) => `${sourceFolder(project) ?? 'Core'}/${name}`,
  arrange: (_name, sources) => [...sources],
  includesBySibling: true,
  include: (name) => `"../${name}/${name}.h"`,
};

/** The project's first source folder, `Core` if it is one. */
function sourceFolder(project: ProjectListing): string | undefined {
  const folders = [
    ...(project.text('.cproject') ?? '').matchAll(/<entry\b[^>]*\bkind="sourcePath"[^>]*\bname="([A-Za-z0-9_]+)"/g),
  ].map((entry) => entry[1]);
  return folders.includes('Core') ? 'Core' : folders[0];
}
