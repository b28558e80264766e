import * as path from 'node:path';
import { UserError } from '../common/errors';
import { SafeFolder } from '../common/safeFolder';
import { withEdits } from './buildFiles';
import { findLayoutOrNull, layouts, matchLayouts, readListing, runtimeName } from './layouts';
import type { Layout, ProjectEdit, ProjectListing } from './layouts';
import { blocksOf } from './layouts/blocks';
import type { Role, Wiring } from './layouts/types';
import { needsWith, readRuntime, runtimeFolder, runtimeLibrary } from './projectRuntime';
import { isRuntimeName } from './runtime';
import type { GeneratedFile, GeneratedSources } from './types';
import { writeLibraries } from './write';
import type { WriteOptions } from './write';
import type { WriteResult } from './writeResult';
import { planLibraries } from './writePlan';
import type { Library, WritePlan } from './writePlan';

/**
 * What is written: a model's sources for a runtime that the project has once, or files that need nothing else, the
 * runtime among them.
 */
export type ProjectSources = GeneratedSources | readonly GeneratedFile[];

export interface ProjectOptions {
  /** The one to use; without it the one that fits best. */
  readonly layout?: Layout;
}

/** What generating into a project would do. */
export interface ProjectPlan {
  readonly layout: Layout;
  /** What tells that the layout fits; null for one that was asked for and does not. */
  readonly evidence: string | null;
  /** Absolute folder that holds the model's files. */
  readonly folder: string;
  /** Paths are relative to the project. */
  readonly write: Omit<WritePlan, 'manifest'>;
  /** All files as they would be, relative to the project. */
  readonly files: readonly GeneratedFile[];
  /** Changes to build files of the user's, made only on request. */
  readonly edits: readonly ProjectEdit[];
  /** What to add by hand if the edits are not made or not possible; empty when the build finds the sources already. */
  readonly instructions: readonly string[];
  /** The line by which the firmware includes the header. */
  readonly include: string;
}

/** Paths are relative to the project. */
export interface ProjectWriteResult extends WriteResult {
  readonly layout: Layout;
  /** Absolute folder that holds the model's files. */
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
  const layout = findLayoutOrNull(id);
  if (!layout) throw new UserError(`Unknown layout "${id}". Layouts: ${layouts.map((l) => l.id).join(', ')}.`);
  return layout;
}

/**
 * Finds out what generating would do; changes nothing.
 * @throws UserError if the project cannot be read
 */
export async function planProject(
  projectFolder: string,
  name: string,
  sources: ProjectSources,
  options: ProjectOptions = {},
): Promise<ProjectPlan> {
  const { libraries, ...plan } = prepare(projectFolder, name, sources, options);
  return {
    ...plan,
    write: planLibraries(projectFolder, libraries),
    files: libraries.flatMap(({ folder, files }) => files.map((f) => ({ ...f, path: `${folder}/${f.path}` }))),
  };
}

/**
 * Writes a model's sources into a firmware project, in the layout that fits it best or the given one, and the runtime
 * that they need where they do not bring it. Build files are changed only with `editBuildFiles` (all, or those with the
 * given paths), and only by marked blocks. All or nothing: after an error the project is as it was.
 * @throws UserError as {@link writeLibraries}, or if the project cannot be read
 */
export async function writeToProject(
  projectFolder: string,
  name: string,
  sources: ProjectSources,
  options: WriteOptions & ProjectOptions & { readonly editBuildFiles?: boolean | readonly string[] } = {},
): Promise<ProjectWriteResult> {
  const { layout, libraries, folder, edits, instructions, include } = prepare(projectFolder, name, sources, options);
  const { editBuildFiles = false } = options;
  const made = edits.filter((edit) =>
    typeof editBuildFiles === 'boolean' ? editBuildFiles : editBuildFiles.includes(edit.path),
  );
  const result = await withEdits(new SafeFolder(projectFolder), made, () =>
    writeLibraries(projectFolder, libraries, options),
  );
  return {
    layout,
    folder,
    edited: made.map((edit) => edit.path),
    instructions: made.length > 0 && made.length === edits.length ? [] : instructions,
    include,
    ...result,
  };
}

function prepare(
  projectFolder: string,
  name: string,
  sources: ProjectSources,
  options: ProjectOptions,
): Omit<ProjectPlan, 'write' | 'files'> & { readonly libraries: readonly Library[] } {
  const project = readListing(projectFolder);
  const layout = options.layout ?? matchLayouts(project)[0].layout;
  const folder = layout.folder(name, project);
  const common = {
    layout,
    evidence: layout.detect(project),
    folder: path.join(path.resolve(projectFolder), ...folder.split('/')),
    include: `#include ${layout.include(name)}`,
  };
  if (!('runtime' in sources)) {
    const wiring = wire(layout, project, [{ name, files: sources, role: 'model' }]);
    return { ...common, ...wiring, libraries: [{ folder, files: layout.arrange(name, sources) }] };
  }
  const place = runtimeFolder(layout, project);
  const known = readRuntime(projectFolder, place, layout);
  const needs = needsWith(projectFolder, layout, project, known, name, sources.runtime);
  const runtime = runtimeLibrary(layout, place, needs);
  const model = layout.includesBySibling ? includingBySibling(sources.files) : sources.files;
  const wiring = wire(layout, project, [
    { name: runtimeName, files: runtime.files, role: 'runtime' },
    { name, files: model, role: 'model' },
  ]);
  return {
    ...common,
    ...wiring,
    libraries: [runtime, { folder, files: layout.arrange(name, model, runtimeName) }],
  };
}

/** How the build comes to know some libraries, one edit for each file. */
function wire(
  layout: Layout,
  project: ProjectListing,
  libraries: readonly { readonly name: string; readonly files: readonly GeneratedFile[]; readonly role: Role }[],
): Wiring {
  const texts = new Map<string, string>();
  const instructions: string[] = [];
  for (const { name, files, role } of libraries) {
    const seen: ProjectListing = { ...project, text: (file) => texts.get(file) ?? project.text(file) };
    const wiring = layout.wire?.(name, files, seen, role);
    if (wiring === undefined) continue;
    // A block that says the same already stays where it is.
    const changes = wiring.edits.filter((e) => blocksOf(e.before, name).join() !== blocksOf(e.after, name).join());
    for (const { path: file, after } of changes) texts.set(file, after);
    if (wiring.edits.length === 0 || changes.length > 0) instructions.push(...wiring.instructions);
  }
  const edits = [...texts].map(([file, after]) => ({ path: file, before: project.text(file)!, after }));
  return { edits, instructions };
}

/** Files of a model whose includes name the runtime's folder, which is next to theirs. */
function includingBySibling(files: readonly GeneratedFile[]): GeneratedFile[] {
  return files.map(({ path: file, text }) => ({
    path: file,
    text: text.replace(/^(#\s*include\s+")([^"]+)(")/gm, (whole, open: string, name: string, close: string) =>
      isRuntimeName(name) ? `${open}../${runtimeName}/${name}${close}` : whole,
    ),
  }));
}
