import { promises as fs } from 'node:fs';
import { defaultCachePath } from '../engine/calibration/cache';
import { loadPreprocess } from '../engine/calibration/preprocess';
import { matchLayouts, readListing, removeFromProject, toIdentifier } from '../engine/codegen';
import { runSelftest } from '../engine/emulator/selftest';
import { UserError } from '../engine/common/errors';
import { evaluate } from '../engine/run/evaluate';
import { generateSources } from '../engine/run/generate';
import { quantize } from '../engine/run/quantize';
import { modelPathOf, readPlan } from '../engine/plan/files';
import { openPlan, type OpenedPlan } from '../engine/planned/open';
import { formatPlan, parsePlan } from '../engine/plan/sidecar';
import type { Plan } from '../engine/plan/types';
import { checkCancelled, type Progress } from '../engine/common/progress';
import { arenaTarget } from '../engine/targets/capacity';
import { findTarget, targets } from '../engine/targets/targets';
import type { EngineService } from '../protocol/engine';
import type { EditorView } from '../protocol/views';
import { explain, noExplanation } from './explain';
import { layerDetails } from './layerDetails';
import { layoutLayered } from './layout/layered';
import { ModelStore } from './models';
import { graphLayers } from './modelView';
import { changePlan } from './planChange';
import { planProblems } from './planCheck';
import { isUnfitted, planView } from './planView';
import { previewFigures } from './preview';
import { storeAccuracy, storedResult } from './results';
import { writeGenerated } from './writeGenerated';
import { sampleImage } from './sampleImage';
import { sweepService } from './sweeps';
import { targetOf, targetView } from './targetView';
import { memoryPoints, phiPoints } from './tradeOff';

/** Images on which an evaluation compares layers, too: their signal-to-noise ratios hardly change with more. */
const LAYER_IMAGES = 8;

/**
 * What the host asks, answered by the engine.
 * @param progress of the one call that the service is made for
 * @param models outlives the calls, so that asking again about a model does not read it again
 */
export function createService(progress: Progress, models: ModelStore = new ModelStore()): EngineService {
  return {
    ...sweepService((planPath) => open(models, planPath), progress),

    targets: async () => targets.map(targetView),

    view: async ({ modelPath, planPath, planText, sizes }): Promise<EditorView> => {
      const { view: model, graph, deferred } = await models.shown(modelPath, sizes);
      if ((!graph && !deferred) || (planText === undefined && !(await isFile(planPath))))
        return { model, plan: null, planProblem: null };
      try {
        return await shown(models, model, await openKept(models, planPath, planText));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { model, plan: null, planProblem: error.message };
      }
    },

    checkPlan: (request) => planProblems(request, models),

    prepare: async ({ planPath, planText }) => {
      const plan = planText === undefined ? await readPlan(planPath) : parsePlan(planText, planPath);
      const { graph } = await models.model(modelPathOf(planPath, plan), plan.model.sizes);
      await models.calibration(plan.calibration.key, graph);
      // The second time is what the first change takes.
      for (let i = 0; i < 3; i++) previewFigures(graph, plan, planPath);
    },

    change: async ({ planPath, planText, change }) => {
      const plan = parsePlan(planText, planPath);
      const modelPath = modelPathOf(planPath, plan);
      const { sha256, graph } = await models.model(modelPath, plan.model.sizes);
      if (sha256 !== plan.model.sha256)
        throw new UserError(`${modelPath} has changed since ${planPath} was made for it. Quantize it again.`);
      const calibration = await models.calibration(plan.calibration.key, graph);
      const changed = changePlan(graph, plan, change, planPath, calibration, progress);
      return { planText: formatPlan(changed), preview: previewFigures(graph, changed, planPath) };
    },

    sampleImage: async ({ planPath, planText }) => {
      const plan = planText === undefined ? await readPlan(planPath) : parsePlan(planText, planPath);
      const { graph } = await models.model(modelPathOf(planPath, plan), plan.model.sizes);
      return sampleImage(graph, plan, planPath, await models.calibration(plan.calibration.key, graph));
    },

    layout: async (request) => layoutLayered(request),

    layerDetails: async ({ planPath, planText, layer, channel }) => {
      const opened = await openKept(models, planPath, planText);
      return layerDetails(opened, await models.calibration(opened.plan.calibration.key, opened.graph), layer, channel);
    },

    tradeOff: async ({ planPath, planText }) => {
      const opened = await openKept(models, planPath, planText);
      const calibration = await models.calibration(opened.plan.calibration.key, opened.graph);
      return calibration
        ? { memory: memoryPoints(opened), phi: phiPoints(opened, calibration) }
        : { memory: [], phi: null };
    },

    baseline: async ({ modelPath, planPath, planText, sizes }) => {
      const { view } = await models.shown(modelPath, sizes);
      const plan = planText === undefined ? await readPlan(planPath) : parsePlan(planText, planPath);
      return shown(models, view, await open(models, planPath, { ...plan, patchStage: null, maps: {}, layers: {} }));
    },

    quantize: async (request) => {
      const board = request.targetId === 'custom' ? null : findTarget(request.targetId);
      const { sramBytes, flashBytes, core } = request;
      if (!board && (sramBytes === undefined || flashBytes === undefined))
        throw new UserError('A board of your own needs its SRAM and flash in bytes.');
      const { summary } = await quantize(
        {
          ...request,
          target: board
            ? arenaTarget(board, { sramBytes, flashBytes })
            : { id: 'custom', sramBytes: sramBytes!, flashBytes: flashBytes!, ...(core ? { core } : {}) },
          preprocess: await loadPreprocess(request.preprocess),
          cachePath: defaultCachePath(),
        },
        progress,
      );
      return summary;
    },

    generate: async ({
      planPath,
      projectPath,
      overwrite = [],
      keep = [],
      layoutId,
      editBuildFiles = [],
      dryRun = false,
      optimize,
    }) => {
      progress.report('Opening the plan', 0, 0);
      const opened = await open(models, planPath);
      checkCancelled(progress);
      progress.report('Writing C', 0, 0);
      const { name, files, arenaBytes, weightBytes } = generateSources(opened, optimize);
      checkCancelled(progress);
      return writeGenerated({ projectPath, layoutId, overwrite, keep, editBuildFiles, dryRun }, name, files, {
        arenaBytes,
        weightBytes,
        unfitted: isUnfitted(opened),
      });
    },

    layouts: async (projectPath) =>
      matchLayouts(await readListing(projectPath)).map(({ layout: { id, title }, evidence }) => ({
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
      const { name, files } = generateSources(await open(models, planPath), optimize);
      const { passed, message, output } = await runSelftest(name, files, core, progress);
      return { name, passed, message, output };
    },

    evaluate: async ({ planPath, imagesPath, limit }) => {
      const { graph, modelPath, program, plan, parameters } = await open(models, planPath);
      const layers = { formats: parameters.formats, images: LAYER_IMAGES };
      const evaluation = await evaluate(graph, modelPath, program, plan.preprocess, imagesPath, limit, progress, {
        layers,
        task: plan.task,
      });
      await storeAccuracy(planPath, plan, evaluation);
      const { images, float, quantized, agreement, outputSnr } = evaluation;
      return { images, float, quantized, agreement, outputSnr: Number.isFinite(outputSnr) ? outputSnr : null };
    },
  };
}

/** A model with an opened plan, as it is shown. */
async function shown(models: ModelStore, model: EditorView['model'], opened: OpenedPlan): Promise<EditorView> {
  const calibration = await models.calibration(opened.plan.calibration.key, opened.graph);
  const explanation = calibration ? explain(opened, calibration) : noExplanation;
  const result = await storedResult(opened.planPath, opened.plan);
  const { plan, layers } = planView(opened, graphLayers(opened.graph), targetOf(opened.plan), {
    explanation,
    accuracy: result?.accuracy ?? null,
    snr: result?.snr ?? {},
  });
  return { model: { ...model, layers }, plan, planProblem: null };
}

/**
 * Opens a plan; a calibration cached on this machine serves one whose bits were edited by hand. @param plan where it is
 * not the file's
 */
function open(models: ModelStore, planPath: string, plan?: Plan): Promise<OpenedPlan> {
  return openPlan(planPath, {
    ...(plan === undefined ? {} : { plan }),
    model: (modelPath, sizes) => models.model(modelPath, sizes),
    calibration: (key, graph) => models.calibration(key, graph),
  });
}

/**
 * {@link open} for what is only looked at: the plan that was opened last is not opened again as long as its text and
 * its model are the same.
 */
async function openKept(models: ModelStore, planPath: string, text?: string): Promise<OpenedPlan> {
  const plan = text === undefined ? await readPlan(planPath) : parsePlan(text, planPath);
  const { graph } = await models.model(modelPathOf(planPath, plan), plan.model.sizes);
  return models.opened(graph, JSON.stringify([planPath, plan]), () => open(models, planPath, plan));
}

async function isFile(file: string): Promise<boolean> {
  return fs.stat(file).then(
    (stat) => stat.isFile(),
    () => false,
  );
}
