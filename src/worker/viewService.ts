import { promises as fs } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../engine/common/errors';
import type { Progress } from '../engine/common/progress';
import { modelPathOf, readPlan } from '../engine/plan/files';
import { formatPlan, parsePlan } from '../engine/plan/sidecar';
import type { OpenedPlan } from '../engine/planned/open';
import type { Graph } from '../engine/graph/types';
import type { Plan } from '../engine/plan/types';
import type { ChangeRequest, EngineService } from '../protocol/engine';
import type { EditorView } from '../protocol/views';
import { detections } from './detections';
import { explain, noExplanation } from './explain';
import { layerDetails } from './layerDetails';
import type { ModelStore } from './models';
import { graphLayers } from './modelView';
import { open, openKept } from './openPlans';
import { changePlan } from '../engine/run/whatIf/changePlan';
import { floatScore } from '../engine/run/floatScore';
import { modelText, type ImagesScore } from './modelText';
import { planProblems } from './planCheck';
import { planView } from './planView';
import { previewFigures } from '../engine/run/whatIf/previewFigures';
import { storedResult } from './results';
import { sampleImage } from './sampleImage';
import { targetOf } from '../engine/targets/targetFacts';
import { memoryPoints, phiPoints } from './tradeOff';

type ViewService = Pick<
  EngineService,
  | 'view'
  | 'modelText'
  | 'checkPlan'
  | 'prepare'
  | 'change'
  | 'previewChange'
  | 'sampleImage'
  | 'detections'
  | 'layerDetails'
  | 'tradeOff'
  | 'baseline'
>;

/** Models and plans as the editor shows them, and what a change does to them. Writes nothing. */
export function viewService(models: ModelStore, progress: Progress): ViewService {
  return {
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

    modelText: async ({ modelPath, sizes, planPath, imagesPath }) => {
      const shownModel = await models.shown(modelPath, sizes);
      const { graph } = shownModel;
      const score =
        graph && planPath !== undefined ? await imagesScore(graph, modelPath, planPath, imagesPath, progress) : null;
      return modelText(shownModel, score);
    },

    checkPlan: (request) => planProblems(request, models),

    prepare: async ({ planPath, planText }) => {
      const plan = planText === undefined ? await readPlan(planPath) : parsePlan(planText, planPath);
      const { graph } = await models.model(modelPathOf(planPath, plan), plan.model);
      await models.calibration(plan.calibration.key, graph);
      // The second time is what the first change takes.
      for (let i = 0; i < 3; i++) previewFigures(graph, plan, planPath);
    },

    change: async (request) => {
      const { graph, plan } = await changed(models, request, progress);
      return { planText: formatPlan(plan), preview: previewFigures(graph, plan, request.planPath) };
    },

    previewChange: async (request) => {
      try {
        const { graph, plan } = await changed(models, request, progress);
        return previewFigures(graph, plan, request.planPath);
      } catch (error) {
        if (error instanceof UserError) return null;
        throw error;
      }
    },

    sampleImage: async ({ planPath, planText }) => {
      const plan = planText === undefined ? await readPlan(planPath) : parsePlan(planText, planPath);
      const { graph } = await models.model(modelPathOf(planPath, plan), plan.model);
      return sampleImage(graph, plan, planPath, await models.calibration(plan.calibration.key, graph));
    },

    detections: async ({ planPath, planText, image }) =>
      detections(await openKept(models, planPath, planText), image, models.floatOutputs, progress),

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
  };
}

/** A plan after a change, on its graph. @throws UserError when the change is not possible */
async function changed(
  models: ModelStore,
  { planPath, planText, change }: ChangeRequest,
  progress: Progress,
): Promise<{ readonly graph: Graph; readonly plan: Plan }> {
  const plan = parsePlan(planText, planPath);
  const modelPath = modelPathOf(planPath, plan);
  const { sha256, graph } = await models.model(modelPath, plan.model);
  if (sha256 !== plan.model.sha256)
    throw new UserError(`${modelPath} has changed since ${planPath} was made. Quantize it again.`);
  const calibration = await models.calibration(plan.calibration.key, graph);
  return { graph, plan: changePlan(graph, plan, change, planPath, calibration, progress) };
}

/** A model with an opened plan, as it is shown. */
async function shown(models: ModelStore, model: EditorView['model'], opened: OpenedPlan): Promise<EditorView> {
  const calibration = await models.calibration(opened.plan.calibration.key, opened.graph);
  const explanation = calibration ? explain(opened, calibration) : noExplanation;
  const result = await storedResult(opened.planPath, opened.plan);
  const { plan, layers } = planView(opened, graphLayers(opened.graph), targetOf(opened.plan.target), {
    explanation,
    accuracy: result?.accuracy ?? null,
    snr: result?.snr ?? {},
    counts: result?.counts ?? null,
  });
  return { model: { ...model, layers }, plan, planProblem: null };
}

/** How well a float model does on a plan's images, or on others; null where that cannot be found. */
async function imagesScore(
  graph: Graph,
  modelPath: string,
  planPath: string,
  imagesPath: string | undefined,
  progress: Progress,
): Promise<ImagesScore | null> {
  try {
    const { preprocess, calibration } = await readPlan(planPath);
    const folder = imagesPath ?? path.resolve(path.dirname(planPath), calibration.folder);
    const score = await floatScore(graph, modelPath, folder, preprocess, progress);
    return score && { ...score, folder: path.basename(folder) };
  } catch (error) {
    // The plan may be damaged, its images elsewhere: structure and weights are compared all the same.
    if (error instanceof UserError) return null;
    throw error;
  }
}

async function isFile(file: string): Promise<boolean> {
  return fs.stat(file).then(
    (stat) => stat.isFile(),
    () => false,
  );
}
