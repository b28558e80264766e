import { UserError } from '../engine/common/errors';
import type { Progress } from '../engine/common/progress';
import type { Graph } from '../engine/graph/types';
import { endRest, prepareProcess } from '../engine/inference/pool';
import { findPreprocess } from '../engine/run/findPreprocess';
import { checkFit, checkLayerwise } from '../engine/run/fit';
import { arenaTarget } from '../engine/targets/capacity';
import { targets } from '../engine/targets/targets';
import type { EngineService, FitRequest } from '../protocol/engine';
import type { FitBoard } from '../protocol/fit';
import type { ModelStore } from './models';

/** How long onnxruntime waits for somebody who looks at the answers about the model before quantizing it. */
const PREPARED_MS = 60_000;

/** Lets calls that have arrived be served: views are asked for while boards are checked. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What is found out about a model before it is quantized. */
export function fitService(
  models: ModelStore,
  progress: Progress,
): Pick<EngineService, 'fit' | 'firstFit' | 'findPreprocess' | 'readModel'> {
  return {
    readModel: async ({ modelPath, sizes }) => {
      prepareProcess(PREPARED_MS);
      await models.model(modelPath, { sizes });
    },

    findPreprocess: async ({ modelPath, imagesPath, sizes }) => {
      const { graph } = await models.model(modelPath, { sizes });
      try {
        return await findPreprocess(graph, modelPath, imagesPath, progress);
      } finally {
        // What follows runs in the engine of the job, which has its own.
        endRest();
      }
    },

    fit: async (request) => {
      const { graph, boards } = await asked(models, request);
      return models.fit(graph, JSON.stringify(boards), () => checkFit(graph, boards, progress, turn));
    },

    firstFit: async (request) => {
      const { graph, boards } = await asked(models, request);
      return checkLayerwise(graph, boards);
    },
  };
}

/** The model that is asked about, and all boards. @throws UserError for models beyond all boards */
async function asked(
  models: ModelStore,
  { modelPath, sizes, boards, limits }: FitRequest,
): Promise<{ readonly graph: Graph; readonly boards: readonly FitBoard[] }> {
  const { view, deferred } = await models.shown(modelPath, sizes);
  if (deferred)
    throw new UserError(
      `${view.parameters} parameters take ${Math.ceil(view.parameters / 2 ** 21)} MiB of flash at 4 bits, more ` +
        'than any listed board has.',
    );
  const known = targets.map((target): FitBoard => {
    const { name, core, clockMHz } = target;
    return { ...arenaTarget(target, limits), name, core, clockMHz };
  });
  const { graph } = await models.model(modelPath, { sizes });
  return { graph, boards: [...known, ...boards] };
}
