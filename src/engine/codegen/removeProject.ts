import { rmdir } from 'node:fs/promises';
import * as path from 'node:path';
import { withEdits } from './buildFiles';
import { layouts, readListing } from './layouts';
import type { ProjectEdit } from './layouts';
import { withoutBlocks } from './layouts/blocks';
import { manifestName, readManifest } from './manifest';
import { changeFolder } from './transaction';
import { planWrite } from './writePlan';

/**
 * What removing a model's sources from a project does or would do. Paths are relative to the project, with '/'
 * separators, and sorted.
 */
export interface ProjectRemoval {
  readonly removed: readonly string[];
  /** Generated files that were edited: they stay. */
  readonly kept: readonly string[];
  /** Build files that lose our marked block. */
  readonly edits: readonly ProjectEdit[];
}

/**
 * Takes a model's generated files out of a project, wherever a layout may have put them: only files of ours that are
 * unedited, and the marked blocks in build files. With `dryRun` nothing is changed.
 *
 * @param name the model's C identifier
 * @throws UserError if the project cannot be read or written
 */
export async function removeFromProject(
  projectFolder: string,
  name: string,
  options: { readonly dryRun?: boolean } = {},
): Promise<ProjectRemoval> {
  const project = await readListing(projectFolder);
  const root = path.resolve(projectFolder);
  const edits = project.buildFiles.flatMap((file): ProjectEdit[] => {
    const before = project.text(file)!;
    const after = withoutBlocks(before, name);
    return after === before ? [] : [{ path: file, before, after }];
  });
  const folders = [...new Set(layouts.map((layout) => layout.folder(name, project)))];
  const plans = (await Promise.all(folders.map((folder) => planFolder(root, folder)))).filter((plan) => plan !== null);
  if (!options.dryRun) {
    await withEdits(root, edits, async () => {
      for (const { folder, remove } of plans) {
        const absolute = path.join(root, ...folder.split('/'));
        await changeFolder(absolute, () => Promise.resolve({ write: [], remove: [...remove, manifestName] }));
        await removeEmpty(root, absolute);
      }
    });
  }
  const inProject = (key: 'remove' | 'released'): string[] =>
    plans.flatMap((plan) => plan[key].map((file) => `${plan.folder}/${file}`)).sort();
  return { removed: inProject('remove'), kept: inProject('released'), edits };
}

/** Files of ours in a folder; null if nothing there is. */
async function planFolder(
  root: string,
  folder: string,
): Promise<{ folder: string; remove: readonly string[]; released: readonly string[] } | null> {
  const absolute = path.join(root, ...folder.split('/'));
  if ((await readManifest(absolute)).size === 0) return null;
  const { remove, released } = await planWrite(absolute, []);
  return { folder, remove, released };
}

/** The folder and its parents in the project, as far as nothing is in them. */
async function removeEmpty(root: string, folder: string): Promise<void> {
  for (let at = folder; at !== root; at = path.dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      return;
    }
  }
}
