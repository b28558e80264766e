import {
  findLayout,
  planProject,
  WriteConflictError,
  writeToProject,
  type ProjectSources,
  type WriteConflict,
} from '../engine/codegen';
import type { GenerateConflict, GeneratedChange, GenerateRequest, GenerateSummary } from '../protocol/engine';

type Choices = Required<Omit<GenerateRequest, 'planPath' | 'name' | 'layoutId' | 'optimize' | 'camera'>> &
  Pick<GenerateRequest, 'layoutId'>;

/** Writes rendered sources into a firmware project, or with `dryRun` says what that would do. */
export async function writeGenerated(
  { projectPath, layoutId, overwrite, keep, editBuildFiles, dryRun }: Choices,
  name: string,
  sources: ProjectSources,
  known: Pick<GenerateSummary, 'arenaBytes' | 'weightBytes' | 'flashBytes' | 'usage' | 'takesPictures' | 'unfitted'>,
): Promise<GenerateSummary> {
  const { layout, folder, write, files, edits, instructions } = await planProject(projectPath, name, sources, {
    layout: layoutId === undefined ? undefined : findLayout(layoutId),
  });
  const common = { name, layout: layout.title, layoutId: layout.id, folder, edits, ...known };
  const conflictsOf = (conflicts: readonly WriteConflict[]): GenerateConflict[] => {
    const textOf = new Map(files.map((file) => [file.path, file.text]));
    return conflicts.map((conflict) => ({ ...conflict, text: textOf.get(conflict.path) ?? '' }));
  };
  const nothing = { ...common, instructions, written: [], removed: [], kept: [] };
  if (dryRun) {
    const changes: GeneratedChange[] = [
      ...write.create.map(({ path, text }): GeneratedChange => ({ path, kind: 'create', text })),
      ...write.update.map(({ path, text }): GeneratedChange => ({ path, kind: 'update', text })),
      ...write.remove.map((path): GeneratedChange => ({ path, kind: 'remove', text: '' })),
    ];
    return { ...nothing, unchanged: write.unchanged, conflicts: conflictsOf(write.conflicts), changes };
  }
  try {
    const {
      written,
      unchanged,
      removed,
      kept,
      instructions: left,
    } = await writeToProject(projectPath, name, sources, {
      layout,
      overwriteEdited: overwrite,
      keepEdited: keep,
      editBuildFiles,
    });
    return { ...common, conflicts: [], written, unchanged, removed, kept, instructions: left, changes: [] };
  } catch (error) {
    if (!(error instanceof WriteConflictError)) throw error;
    return { ...nothing, unchanged: [], conflicts: conflictsOf(error.conflicts), changes: [] };
  }
}
