import { UserError } from '../engine/common/errors';
import type { Progress } from '../engine/common/progress';
import { findPreprocess } from '../engine/run/findPreprocess';
import { checkFit } from '../engine/run/fit';
import { arenaTarget } from '../engine/targets/capacity';
import { targets } from '../engine/targets/targets';
import type { EngineService } from '../protocol/engine';
import type { FitBoard } from '../protocol/fit';
import type { ModelStore } from './models';

/** What is found out about a model before it is quantized. */
export function fitService(
  models: ModelStore,
  progress: Progress,
): Pick<EngineService, 'fit' | 'findPreprocess' | 'readModel'> {
  return {
    readModel: async ({ modelPath, sizes }) => {
      await models.model(modelPath, sizes);
    },

    findPreprocess: async ({ modelPath, imagesPath, sizes }) => {
      const { graph } = await models.model(modelPath, sizes);
      return findPreprocess(graph, modelPath, imagesPath, progress);
    },

    fit: async ({ modelPath, sizes, boards, limits }) => {
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
      const { graph } = await models.model(modelPath, sizes);
      const all = [...known, ...boards];
      return models.fit(graph, JSON.stringify(all), () => checkFit(graph, all, progress));
    },
  };
}
