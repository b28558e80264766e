import { matchLayouts, readListing, removeFromProject, toIdentifier } from '../engine/codegen';
import { checkCancelled, type Progress } from '../engine/common/progress';
import { runSelftest } from '../engine/emulator/selftest';
import { readPlan } from '../engine/plan/files';
import { generateSources } from '../engine/run/generate';
import type { EngineService } from '../protocol/engine';
import type { ModelStore } from './models';
import { open } from './openPlans';
import { isUnfitted } from './planView';
import { storeCounts } from './results';
import { writeGenerated } from './writeGenerated';

/** A plan's sources in firmware projects, and their self-test. */
export function projectService(
  models: ModelStore,
  progress: Progress,
): Pick<EngineService, 'generate' | 'layouts' | 'remove' | 'selftest'> {
  return {
    generate: async ({
      planPath,
      projectPath,
      overwrite = [],
      keep = [],
      layoutId,
      editBuildFiles = [],
      dryRun = false,
      optimize,
      camera,
    }) => {
      progress.report('Opening the plan', 0, 0);
      const opened = await open(models, planPath);
      checkCancelled(progress);
      progress.report('Writing C', 0, 0);
      const generated = generateSources(opened, optimize, 'target', 'checksum', camera);
      const { name, sources, arenaBytes, weightBytes, flash, usage, takesPictures } = generated;
      checkCancelled(progress);
      return writeGenerated({ projectPath, layoutId, overwrite, keep, editBuildFiles, dryRun }, name, sources, {
        arenaBytes,
        weightBytes,
        flashBytes: flash.total,
        usage,
        takesPictures,
        unfitted: isUnfitted(opened),
      });
    },

    layouts: async (projectPath) =>
      matchLayouts(readListing(projectPath)).map(({ layout: { id, title }, evidence }) => ({
        id,
        title,
        evidence,
      })),

    remove: async ({ projectPath, planPath, dryRun }) => {
      const name = toIdentifier((await readPlan(planPath)).model.file);
      return { name, ...(await removeFromProject(projectPath, name, { dryRun })) };
    },

    selftest: async ({ planPath, core, optimize }) => {
      progress.report('Opening the plan', 0, 0);
      const opened = await open(models, planPath);
      const { name, files } = generateSources(opened, optimize);
      const { passed, message, output, layers } = await runSelftest(name, files, core, progress, opened.program);
      if (layers) await storeCounts(planPath, opened, core, layers);
      return { name, passed, message, output, instructions: layers && layers.reduce((sum, n) => sum + n, 0) };
    },
  };
}
