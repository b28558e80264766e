import { defaultCachePath } from '../engine/calibration/cache';
import { loadPreprocess } from '../engine/calibration/preprocess';
import { UserError } from '../engine/common/errors';
import type { Progress } from '../engine/common/progress';
import { evaluate } from '../engine/run/evaluate';
import { quantize } from '../engine/run/quantize';
import { isCalibrationFolder } from '../engine/plan/relativeTo';
import { arenaTarget } from '../engine/targets/capacity';
import { findTarget, targets } from '../engine/targets/targets';
import type { EngineService } from '../protocol/engine';
import { fitService } from './fitService';
import { layoutLayered } from './layout/layered';
import { ModelStore } from './models';
import { open } from './openPlans';
import { projectService } from './projectService';
import { storeAccuracy } from './results';
import { sweepService } from './sweeps';
import { targetFacts } from '../engine/targets/targetFacts';
import { viewService } from './viewService';

/** Images on which an evaluation compares layers, too: their signal-to-noise ratios hardly change with more. */
const LAYER_IMAGES = 8;

/**
 * What the host asks, answered by the engine.
 * @param progress of the one call that the service is made for
 * @param models outlives the calls, so that asking again about a model does not read it again
 */
export function createService(progress: Progress, models: ModelStore = new ModelStore()): EngineService {
  return {
    ...viewService(models, progress),
    ...fitService(models, progress),
    ...projectService(models, progress),
    ...sweepService((planPath) => open(models, planPath), progress),

    targets: async () => targets.map(targetFacts),

    layout: async (request) => layoutLayered(request),

    quantize: async (request) => {
      const board = request.targetId === 'custom' ? null : findTarget(request.targetId);
      const { sramBytes, flashBytes, core, flashReserve, optimize } = request;
      if (!board && (sramBytes === undefined || flashBytes === undefined))
        throw new UserError('Give the SRAM and flash of your own board in bytes.');
      const target = board
        ? arenaTarget(board, { sramBytes, flashBytes })
        : { id: 'custom', sramBytes: sramBytes!, flashBytes: flashBytes!, ...(core ? { core } : {}) };
      const { summary } = await quantize(
        {
          ...request,
          target: {
            ...target,
            ...(flashReserve === undefined
              ? {}
              : { flashReserveBytes: Math.round((flashReserve / 100) * target.flashBytes) }),
            ...(optimize === undefined || optimize === 'balanced' ? {} : { optimize }),
          },
          preprocess: request.preprocess === 'auto' ? null : await loadPreprocess(request.preprocess),
          cachePath: defaultCachePath(),
          model: () => models.model(request.modelPath, { sizes: request.sizes }),
        },
        progress,
      );
      return summary;
    },

    evaluate: async ({ planPath, imagesPath, limit }) => {
      const { graph, modelPath, program, plan, parameters, head } = await open(models, planPath);
      const layers = { formats: parameters.formats, images: LAYER_IMAGES };
      const evaluation = await evaluate(graph, modelPath, program, plan.preprocess, imagesPath, limit, progress, {
        layers,
        task: plan.task,
        detection: head ? { head } : undefined,
      });
      await storeAccuracy(planPath, plan, evaluation);
      const { images, float, quantized, agreement, detection, outputSnr } = evaluation;
      return {
        images,
        float,
        quantized,
        agreement,
        outputSnr: Number.isFinite(outputSnr) ? outputSnr : null,
        detection: detection && {
          boxAgreement: detection.agreement.paired,
          floatMap50: detection.accuracy?.float.map50 ?? null,
          map50: detection.accuracy?.quantized.map50 ?? null,
        },
        calibrated: isCalibrationFolder(planPath, plan, imagesPath),
      };
    },
  };
}
