import { UserError } from '../common/errors';
import { SafeFolder } from '../common/safeFolder';
import { withEdits } from './buildFiles';
import { layouts, matchLayouts, readListing } from './layouts';
import type { Layout, ProjectEdit, ProjectListing } from './layouts';
import type { GeneratedFile } from './types';
import { writeSources } from './write';
import type { WriteOptions, WriteResult } from './write';
import { planWrite } from './writePlan';
import type { WritePlan } from './writePlan';

export interface ProjectOptions {
  /** The one to use; without it the one that fits best. */
  readonly layout?: Layout;
}

/** What generating into a project would do. */
export interface ProjectPlan {
  readonly layout: Layout;
  /** What tells that the layout fits; null for one that was asked for and does not. */
  readonly evidence: string | null;
  /** Absolute folder that holds the generated files. */
  readonly folder: string;
  readonly write: WritePlan;
  /** Changes to build files of the user's, made only on request. */
  readonly edits: readonly ProjectEdit[];
  /** What to add by hand if the edits are not made or not possible; empty when the build finds the sources already. */
  readonly instructions: readonly string[];
  /** The line by which the firmware includes the header. */
  readonly include: string;
}

export interface ProjectWriteResult extends WriteResult {
  readonly layout: Layout;
  /** Absolute folder that holds the generated files. */
  readonly folder: string;
  /** Build files that were changed, relative to the project. */
  readonly edited: readonly string[];
  /** What is left to be added by hand. */
  readonly instructions: readonly string[];
  /** The line by which the firmware includes the header. */
  readonly include: string;
}

/** The layout with an id. @throws UserError if there is none */
export function findLayout(id: string): Layout {
  const layout = layouts.find((l) => l.id === id);
  if (!layout) throw new UserError(`Unknown layout "${id}". Layouts: ${layouts.map((l) => l.id).join(', ')}.`);
  return layout;
}

/** Where a model's files go in a project. */
function placeIn(
  projectFolder: string,
  name: string,
  options: ProjectOptions,
): { project: ProjectListing; layout: Layout; folder: SafeFolder } {
  const project = readListing(projectFolder);
  const layout = options.layout ?? matchLayouts(project)[0].layout;
  return { project, layout, folder: new SafeFolder(projectFolder, layout.folder(name, project)) };
}

/**
 * Finds out what generating would do; changes nothing.
 * @throws UserError if the project cannot be read
 */
export async function planProject(
  projectFolder: string,
  name: string,
  sources: readonly GeneratedFile[],
  options: ProjectOptions = {},
): Promise<ProjectPlan> {
  const { project, layout, folder } = placeIn(projectFolder, name, options);
  const { edits, instructions } = layout.wire?.(name, sources, project) ?? { edits: [], instructions: [] };
  const write = planWrite(folder, layout.arrange(name, sources));
  return {
    layout,
    evidence: layout.detect(project),
    folder: folder.absolute(),
    write,
    edits,
    instructions,
    include: `#include ${layout.include(name)}`,
  };
}

/**
 * Writes a model's sources into a firmware project, in the layout that fits it best or the given one. Build files are
 * changed only with `editBuildFiles` (all, or those with the given paths), and only by marked blocks. All or nothing:
 * after an error the project is as it was.
 * @throws UserError as {@link writeSources}, or if the project cannot be read
 */
export async function writeToProject(
  projectFolder: string,
  name: string,
  sources: readonly GeneratedFile[],
  options: WriteOptions & ProjectOptions & { readonly editBuildFiles?: boolean | readonly string[] } = {},
): Promise<ProjectWriteResult> {
  const { layout, edits, instructions, include } = await planProject(projectFolder, name, sources, options);
  const { folder } = placeIn(projectFolder, name, { layout });
  const { editBuildFiles = false } = options;
  const made = edits.filter((edit) =>
    typeof editBuildFiles === 'boolean' ? editBuildFiles : editBuildFiles.includes(edit.path),
  );
  const result = await withEdits(new SafeFolder(projectFolder), made, () =>
    writeSources(folder, layout.arrange(name, sources), options),
  );
  return {
    layout,
    folder: folder.absolute(),
    edited: made.map((edit) => edit.path),
    instructions: made.length > 0 && made.length === edits.length ? [] : instructions,
    include,
    ...result,
  };
}
