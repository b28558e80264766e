import { SafeFolder } from '../common/safeFolder';
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
  const root = new SafeFolder(projectFolder);
  const project = readListing(projectFolder);
  const edits = project.buildFiles.flatMap((file): ProjectEdit[] => {
    const before = project.text(file)!;
    const after = withoutBlocks(before, name);
    return after === before ? [] : [{ path: file, before, after }];
  });
  const folders = [...new Set(layouts.map((layout) => layout.folder(name, project)))];
  const plans = folders
    .map((folder) => planFolder(folder, new SafeFolder(projectFolder, folder)))
    .filter((plan) => plan !== null);
  if (!options.dryRun) {
    await withEdits(root, edits, async () => {
      for (const { place, remove } of plans) {
        await changeFolder(place, () => Promise.resolve({ write: [], remove: [...remove, manifestName] }));
        place.removeEmpty('');
      }
    });
  }
  const inProject = (key: 'remove' | 'released'): string[] =>
    plans.flatMap((plan) => plan[key].map((file) => `${plan.folder}/${file}`)).sort();
  return { removed: inProject('remove'), kept: inProject('released'), edits };
}

interface FolderRemoval {
  /** Relative to the project. */
  readonly folder: string;
  readonly place: SafeFolder;
  readonly remove: readonly string[];
  readonly released: readonly string[];
}

/** Files of ours in a folder; null if nothing there is, or a link leads there. */
function planFolder(folder: string, place: SafeFolder): FolderRemoval | null {
  if (readManifest(place).size === 0) return null;
  const { remove, released } = planWrite(place, []);
  return { folder, place, remove, released };
}
