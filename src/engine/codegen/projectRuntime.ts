import { SafeFolder } from '../common/safeFolder';
import { findLayoutOrNull, type Layout, type ProjectListing, runtimeName } from './layouts';
import { readManifest, readManifestJson } from './manifest';
import { isRuntimeFile, joinNeeds, runtimeFiles, type RuntimeNeeds } from './runtime';
import { CORE_KINDS } from './runtimeParts';
import { readUses } from '../cost/runtimeUses';
import type { Library } from './writePlan';

/*
 * The runtime of a project: once, in a folder next to the models' (`quantmcu/`). Its manifest says which models need
 * what, so that a further model adds what is missing and the last one takes it all away.
 */

/** What a project's runtime is there for. */
export interface ProjectRuntime {
  readonly layout: Layout;
  readonly needs: ReadonlyMap<string, RuntimeNeeds>;
}

/** The runtime's folder in a layout, relative to the project. */
export function runtimeFolder(layout: Layout, project: ProjectListing): string {
  return layout.folder(runtimeName, project);
}

/** The runtime in a folder; undefined where there is none of ours, or its manifest is damaged. */
export function readRuntime(root: string, folder: string, fallback: Layout): ProjectRuntime | undefined {
  const place = new SafeFolder(root, folder);
  if (readManifest(place).size === 0) return undefined;
  const { layout, models } = readManifestJson(place) as { layout?: unknown; models?: unknown };
  const needs = new Map<string, RuntimeNeeds>();
  for (const [name, value] of Object.entries(typeof models === 'object' && models !== null ? models : {})) {
    const { cores, files, uses } = (value ?? {}) as { cores?: unknown; files?: unknown; uses?: unknown };
    if (!/^[a-z0-9_]{1,60}$/.test(name) || !Array.isArray(cores) || !Array.isArray(files)) continue;
    needs.set(name, {
      cores: CORE_KINDS.filter((kind) => cores.includes(kind)),
      files: files.filter(isRuntimeFile).sort(),
      uses: readUses(uses),
    });
  }
  return { layout: (typeof layout === 'string' ? findLayoutOrNull(layout) : null) ?? fallback, needs };
}

/** The runtime's library for some models. */
export function runtimeLibrary(layout: Layout, folder: string, needs: ReadonlyMap<string, RuntimeNeeds>): Library {
  const sorted = [...needs].sort(([a], [b]) => (a < b ? -1 : 1));
  const files = runtimeFiles(joinNeeds(sorted.map(([, n]) => n)));
  return {
    folder,
    files: layout.arrange(runtimeName, files),
    manifest: { layout: layout.id, models: Object.fromEntries(sorted) },
  };
}

/** The needs of a project's models with those of one more, or without one; models that are gone are left out. */
export function needsWith(
  root: string,
  layout: Layout,
  project: ProjectListing,
  runtime: ProjectRuntime | undefined,
  name: string,
  needs: RuntimeNeeds | null,
): ReadonlyMap<string, RuntimeNeeds> {
  const result = new Map<string, RuntimeNeeds>();
  for (const [other, known] of runtime?.needs ?? []) {
    const place = new SafeFolder(root, layout.folder(other, project));
    if (other !== name && readManifest(place).size > 0) result.set(other, known);
  }
  if (needs !== null) result.set(name, needs);
  return result;
}
