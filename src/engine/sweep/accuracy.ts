import type { Evaluation } from '../run/evaluate';
import type { SweepAccuracy } from './types';

/** An evaluation as a table has it: shares instead of percent. */
export function accuracyOf({ images, float, quantized, agreement, detection, outputSnr }: Evaluation): SweepAccuracy {
  const share = (percent: number | null): number | null => (percent === null ? null : percent / 100);
  return {
    images,
    floatTop1: share(float.top1),
    floatTop5: share(float.top5),
    top1: share(quantized.top1),
    top5: share(quantized.top5),
    agreement: share(agreement),
    outputSnr: Number.isFinite(outputSnr) ? outputSnr : null,
    ...(detection
      ? {
          floatMap50: share(detection.accuracy?.float.map50 ?? null),
          map50: share(detection.accuracy?.quantized.map50 ?? null),
          boxAgreement: share(detection.agreement.paired),
        }
      : {}),
  };
}
