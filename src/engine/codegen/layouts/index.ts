import { arduino } from './arduino';
import { cmake } from './cmake';
import { csolution } from './csolution';
import { cubeIde } from './cubeIde';
import { cubemxCmake } from './cubemxCmake';
import { cubemxMake } from './cubemxMake';
import { espIdf } from './espIdf';
import { readListing } from './listing';
import { picoSdk } from './picoSdk';
import { plain } from './plain';
import { platformio } from './platformio';
import type { Layout, ProjectListing } from './types';
import { zephyr } from './zephyr';

/** All layouts, the most specific first; the last fits every project. */
export const layouts: readonly Layout[] = [
  platformio,
  csolution,
  zephyr,
  espIdf,
  picoSdk,
  cubemxCmake,
  cubemxMake,
  cubeIde,
  arduino,
  cmake,
  plain,
];

/** The layout with an id; null if there is none. */
export function findLayoutOrNull(id: string): Layout | null {
  return layouts.find((layout) => layout.id === id) ?? null;
}

/** A layout that fits a project, and what tells so. */
export interface DetectedLayout {
  readonly layout: Layout;
  readonly evidence: string;
}

/** Layouts that fit a project, the best first. */
export function matchLayouts(project: ProjectListing): DetectedLayout[] {
  return layouts.flatMap((layout) => {
    const evidence = layout.detect(project);
    return evidence === null ? [] : [{ layout, evidence }];
  });
}

/**
 * Layouts that fit a project, the best first.
 * @throws UserError if the folder cannot be read
 */
export async function detectLayouts(projectFolder: string): Promise<Layout[]> {
  return matchLayouts(readListing(projectFolder)).map(({ layout }) => layout);
}

export { MAX_BUILD_FILE_BYTES, readListing } from './listing';
export { runtimeName } from './types';
export type { Layout, ProjectEdit, ProjectListing, Wiring } from './types';
