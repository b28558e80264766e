import * as path from 'node:path';
import { UserError } from '../../common/errors';
import { SafeFolder } from '../../common/safeFolder';
import type { ProjectListing } from './types';

/** A build file is text of some kilobytes. */
export const MAX_BUILD_FILE_BYTES = 1 << 20;
/** No more build files than this are read, e.g. of a solution with many projects. */
const maxFiles = 64;

const fixed = ['CMakeLists.txt', 'Makefile', '.cproject', 'cmake/stm32cubemx/CMakeLists.txt', 'main/CMakeLists.txt'];

/**
 * Reads what layouts need to know about a project: the names in its top folder and its build files, the latter up to
 * one folder deep.
 * @throws UserError if the folder cannot be read
 */
export function readListing(projectFolder: string): ProjectListing {
  const project = new SafeFolder(projectFolder);
  let names: string[];
  try {
    names = project.list();
    if (project.kind() !== 'folder') throw new Error('there is no folder');
  } catch (error) {
    throw new UserError(
      `${projectFolder}: this project folder cannot be read; choose the folder that holds the firmware's build file.`,
      { cause: error },
    );
  }
  const candidates = [...fixed];
  if (names.some((name) => /\.csolution\.ya?ml$/.test(name))) candidates.push(...cprojects(project, names));
  const texts = new Map<string, string>();
  for (const file of candidates.slice(0, maxFiles)) {
    const text = readText(project, file);
    if (text !== undefined) texts.set(file, text);
  }
  return {
    folderName: path.basename(project.absolute()),
    names: new Set(names),
    text: (file) => texts.get(file),
    buildFiles: [...texts.keys()].sort(),
  };
}

function cprojects(project: SafeFolder, names: readonly string[]): string[] {
  const isProject = (name: string): boolean => /\.cproject\.ya?ml$/.test(name);
  const folders = names.filter((name) => !name.startsWith('.') && project.kind(name) === 'folder');
  const found = names.filter(isProject);
  for (const folder of folders.slice(0, maxFiles)) {
    const inside = listOf(project, folder);
    found.push(...inside.filter(isProject).map((name) => `${folder}/${name}`));
  }
  return found.sort();
}

function listOf(project: SafeFolder, folder: string): string[] {
  try {
    return project.list(folder);
  } catch {
    return [];
  }
}

/** Text of a regular file that no link leads to; undefined where there is none. */
function readText(project: SafeFolder, file: string): string | undefined {
  try {
    const bytes = project.read(file, MAX_BUILD_FILE_BYTES);
    const text = bytes?.toString('utf8');
    return text !== undefined && Buffer.from(text).equals(bytes!) ? text : undefined;
  } catch {
    return undefined;
  }
}
