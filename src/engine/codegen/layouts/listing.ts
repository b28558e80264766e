import { lstat, readdir, readFile } from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../common/errors';
import type { ProjectListing } from './types';

/** A build file is text of some kilobytes. */
const maxBytes = 1 << 20;
/** No more build files than this are read, e.g. of a solution with many projects. */
const maxFiles = 64;

const fixed = ['CMakeLists.txt', 'Makefile', '.cproject', 'cmake/stm32cubemx/CMakeLists.txt', 'main/CMakeLists.txt'];

/**
 * Reads what layouts need to know about a project: the names in its top folder and its build files, the latter up to
 * one folder deep.
 * @throws UserError if the folder cannot be read
 */
export async function readListing(projectFolder: string): Promise<ProjectListing> {
  const root = path.resolve(projectFolder);
  let entries;
  try {
    entries = await readdir(root, { withFileTypes: true });
  } catch (error) {
    throw new UserError(
      `${projectFolder}: this project folder cannot be read; choose the folder that holds the firmware's build file.`,
      { cause: error },
    );
  }
  const names = new Set(entries.map((entry) => entry.name));
  const candidates = [...fixed];
  if ([...names].some((name) => /\.csolution\.ya?ml$/.test(name))) candidates.push(...(await cprojects(root, entries)));
  const texts = new Map<string, string>();
  for (const file of candidates.slice(0, maxFiles)) {
    const text = await readText(root, file);
    if (text !== undefined) texts.set(file, text);
  }
  return {
    folderName: path.basename(root),
    names,
    text: (file) => texts.get(file),
    buildFiles: [...texts.keys()].sort(),
  };
}

async function cprojects(
  root: string,
  entries: readonly { name: string; isDirectory(): boolean }[],
): Promise<string[]> {
  const isProject = (name: string): boolean => /\.cproject\.ya?ml$/.test(name);
  const found = entries.map(({ name }) => name).filter(isProject);
  for (const folder of entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .slice(0, maxFiles)) {
    const names = await readdir(path.join(root, folder.name)).catch(() => []);
    found.push(...names.filter(isProject).map((name) => `${folder.name}/${name}`));
  }
  return found.sort();
}

/** Text of a regular file that no link leads to; undefined where there is none. */
async function readText(root: string, file: string): Promise<string | undefined> {
  const parts = file.split('/');
  try {
    for (let i = 1; i <= parts.length; i++) {
      const status = await lstat(path.join(root, ...parts.slice(0, i)));
      if (i < parts.length ? !status.isDirectory() : !status.isFile() || status.size > maxBytes) return undefined;
    }
    const bytes = await readFile(path.join(root, ...parts));
    const text = bytes.toString('utf8');
    return Buffer.from(text).equals(bytes) ? text : undefined;
  } catch {
    return undefined;
  }
}
