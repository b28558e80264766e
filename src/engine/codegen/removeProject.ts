import { SafeFolder } from '../common/safeFolder';
import { withEdits } from './buildFiles';
import { layouts, readListing, runtimeName } from './layouts';
import type { ProjectEdit, ProjectListing } from './layouts';
import { withoutBlocks } from './layouts/blocks';
import { manifestName, readManifest } from './manifest';
import { needsWith, readRuntime, runtimeFolder, runtimeLibrary } from './projectRuntime';
import { changeFolder } from './transaction';
import { writeLibraries } from './write';
import { planLibraries, planWrite } from './writePlan';
import type { Library } from './writePlan';

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
  const project = readListing(projectFolder);
  const folders = [...new Set(layouts.map((layout) => layout.folder(name, project)))];
  const runtimes = runtimesWithout(projectFolder, project, name);
  const unused = runtimes.filter(({ library }) => library === null).map(({ folder }) => folder);
  const plans = [...folders, ...unused].map((folder) => planFolder(projectFolder, folder)).filter((p) => p !== null);
  const edits = project.buildFiles.flatMap((file): ProjectEdit[] => {
    const before = project.text(file)!;
    const own = withoutBlocks(before, name);
    const after = unused.length > 0 && unused.length === runtimes.length ? withoutBlocks(own, runtimeName) : own;
    return after === before ? [] : [{ path: file, before, after }];
  });
  const kept = runtimes.flatMap(({ library }) => (library === null ? [] : [library]));
  const left = planLibraries(projectFolder, kept);
  if (!options.dryRun) {
    await withEdits(new SafeFolder(projectFolder), edits, async () => {
      for (const { place, remove } of plans) {
        await changeFolder(place, () => Promise.resolve({ write: [], remove: [...remove, manifestName] }));
        place.removeEmpty('');
      }
      // What is edited stays as it is.
      await writeLibraries(projectFolder, kept, { keepEdited: left.conflicts.map((c) => c.path) });
    });
  }
  const inProject = (key: 'remove' | 'released'): string[] =>
    plans.flatMap((plan) => plan[key].map((file) => `${plan.folder}/${file}`));
  return { removed: [...inProject('remove'), ...left.remove].sort(), kept: inProject('released').sort(), edits };
}

interface FolderRemoval {
  /** Relative to the project. */
  readonly folder: string;
  readonly place: SafeFolder;
  readonly remove: readonly string[];
  readonly released: readonly string[];
}

/** Files of ours in a folder; null if nothing there is, or a link leads there. */
function planFolder(projectFolder: string, folder: string): FolderRemoval | null {
  const place = new SafeFolder(projectFolder, folder);
  if (readManifest(place).size === 0) return null;
  const { remove, released } = planWrite(place, []);
  return { folder, place, remove, released };
}

/** What becomes of the runtimes that a model needs: `library` for the other models, null where there is none. */
function runtimesWithout(
  projectFolder: string,
  project: ProjectListing,
  name: string,
): { readonly folder: string; readonly library: Library | null }[] {
  const places = [...new Map(layouts.map((layout) => [runtimeFolder(layout, project), layout])).entries()];
  return places.flatMap(([folder, fallback]) => {
    const runtime = readRuntime(projectFolder, folder, fallback);
    if (runtime === undefined || !runtime.needs.has(name)) return [];
    const needs = needsWith(projectFolder, runtime.layout, project, runtime, name, null);
    return [{ folder, library: needs.size === 0 ? null : runtimeLibrary(runtime.layout, folder, needs) }];
  });
}
