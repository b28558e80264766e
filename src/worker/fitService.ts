import { UserError } from '../engine/common/errors';
import type { Progress } from '../engine/common/progress';
import { checkFit } from '../engine/run/fit';
import { arenaTarget } from '../engine/targets/capacity';
import { targets } from '../engine/targets/targets';
import type { EngineService } from '../protocol/engine';
import type { FitBoard } from '../protocol/fit';
import type { ModelStore } from './models';

/** Which boards a model fits. */
export function fitService(models: ModelStore, progress: Progress): Pick<EngineService, 'fit'> {
  return {
    fit: async ({ modelPath, sizes, boards, limits }) => {
      const { view, deferred } = await models.shown(modelPath, sizes);
      if (deferred)
        throw new UserError(
          `${view.parameters} parameters take ${Math.ceil(view.parameters / 2 ** 21)} MiB of flash at 4 bits, more ` +
            'than any board of the table has.',
        );
      const known = targets.map((target): FitBoard => {
        const { name, core, clockMHz } = target;
        return { ...arenaTarget(target, limits), name, core, clockMHz };
      });
      const { graph } = await models.model(modelPath, sizes);
      return checkFit(graph, [...known, ...boards], progress);
    },
  };
}
