import { promises as fs } from 'node:fs';
import * as path from 'node:path';
import { cachedCalibration, defaultCachePath } from '../engine/calibration/cache';
import { loadPreprocess } from '../engine/calibration/preprocess';
import { detectLayouts, WriteConflictError, writeToProject } from '../engine/codegen';
import { UserError } from '../engine/errors';
import { evaluate } from '../engine/evaluate';
import { generateSources } from '../engine/generate';
import { quantize } from '../engine/pipeline';
import { openPlan, type OpenedPlan } from '../engine/plan/open';
import { checkCancelled, type Progress } from '../engine/progress';
import { arenaTarget } from '../engine/targets/capacity';
import { findTarget, targets } from '../engine/targets/targets';
import type { Target } from '../engine/targets/types';
import type { EngineService, GenerateConflict } from '../protocol/engine';
import type { EditorView, TargetView } from '../protocol/views';
import { readModelView } from './modelView';
import { planView } from './planView';

/** What the host asks, answered by the engine. @param progress of the one call that the service is made for */
export function createService(progress: Progress): EngineService {
  return {
    targets: async () => targets.map(targetView),

    view: async ({ modelPath, planPath, sizes }): Promise<EditorView> => {
      const { view: model, graph } = await readModelView(modelPath, sizes);
      if (!graph || !(await isFile(planPath))) return { model, plan: null, planProblem: null };
      try {
        const opened = await open(planPath);
        const { plan, layers } = planView(opened, model.layers, targetOf(opened));
        return { model: { ...model, layers }, plan, planProblem: null };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { model, plan: null, planProblem: error.message };
      }
    },

    quantize: async (request) => {
      const board = request.targetId === 'custom' ? null : findTarget(request.targetId);
      const { sramBytes, flashBytes } = request;
      if (!board && (sramBytes === undefined || flashBytes === undefined)) throw new UserError('A board of your own needs its SRAM and flash in bytes.');
      const { summary, notes, target } = await quantize({
        ...request,
        target: board ? arenaTarget(board, { sramBytes, flashBytes }) : { id: 'custom', sramBytes: sramBytes!, flashBytes: flashBytes! },
        preprocess: await loadPreprocess(request.preprocess),
        cachePath: defaultCachePath(),
      }, progress);
      return {
        planPath: summary.plan,
        target: summary.target,
        grid: summary.patch?.grid ?? 'none',
        arenaBytes: summary.memory.arenaBytes,
        sramBytes: target.sramBytes,
        weightBytes: summary.memory.weightBytes,
        bitOpsReduction: summary.bitOps.reduction,
        seconds: summary.seconds.total,
        notes,
      };
    },

    generate: async ({ planPath, projectPath, overwrite = [] }) => {
      progress.report('Opening the plan', 0, 0);
      const opened = await open(planPath);
      checkCancelled(progress);
      progress.report('Writing C', 0, 0);
      const { name, files, arenaBytes, weightBytes } = generateSources(opened);
      checkCancelled(progress);
      const [layout] = await detectLayouts(projectPath);
      const common = { name, layout: layout.title, arenaBytes, weightBytes };
      try {
        const { folder, written, unchanged, removed } = await writeToProject(projectPath, name, files, { layout, overwriteEdited: overwrite });
        return { ...common, folder, conflicts: [], written, unchanged, removed };
      } catch (error) {
        if (!(error instanceof WriteConflictError)) throw error;
        const textOf = new Map(layout.arrange(name, files).map((file) => [file.path, file.text]));
        const conflicts = error.conflicts.map((conflict): GenerateConflict => ({ ...conflict, text: textOf.get(conflict.path) ?? '' }));
        return { ...common, folder: error.folder, conflicts, written: [], unchanged: [], removed: [] };
      }
    },

    evaluate: async ({ planPath, imagesPath, limit }) => {
      const { graph, modelPath, program, plan } = await open(planPath);
      const { images, float, quantized, agreement } = await evaluate(graph, modelPath, program, plan.preprocess, imagesPath, limit, progress);
      return { images, float, quantized, agreement };
    },
  };
}

/** Opens a plan; a calibration cached on this machine serves one whose bits were edited by hand. */
function open(planPath: string): Promise<OpenedPlan> {
  return openPlan(planPath, { calibration: (key, graph) => cachedCalibration(defaultCachePath(), key, graph) });
}

function targetView(target: Target): TargetView {
  const { sramBytes, flashBytes } = arenaTarget(target, {});
  const { id, name, core, clockMHz, source } = target;
  return { id, name, core, clockMHz, sramBytes, flashBytes, source };
}

/** The board of a plan, as the table knows it today. */
function targetOf({ plan }: OpenedPlan): TargetView {
  const known = targets.find(({ id }) => id === plan.target.id);
  return known ? targetView(known) : { id: plan.target.id, name: path.basename(plan.target.id), core: '', clockMHz: 0, source: '', sramBytes: 0, flashBytes: 0 };
}

async function isFile(file: string): Promise<boolean> {
  return fs.stat(file).then((stat) => stat.isFile(), () => false);
}
