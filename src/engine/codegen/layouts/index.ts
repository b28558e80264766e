import { readdir } from 'node:fs/promises';
import { UserError } from '../../errors';
import { cmake } from './cmake';
import { plain } from './plain';
import { platformio } from './platformio';
import type { Layout } from './types';

/** All layouts, the most specific first; the last fits every project. */
export const layouts: readonly Layout[] = [platformio, cmake, plain];

/**
 * Layouts that fit a project, the best first.
 * @throws UserError if the folder cannot be read
 */
export async function detectLayouts(projectFolder: string): Promise<Layout[]> {
  let names: string[];
  try {
    names = await readdir(projectFolder);
  } catch (error) {
    throw new UserError(`${projectFolder}: this project folder cannot be read; choose the folder that holds the firmware's build file.`, { cause: error });
  }
  const project = { names: new Set(names) };
  return layouts.filter((layout) => layout.detect(project));
}

export type { Layout, ProjectListing } from './types';
