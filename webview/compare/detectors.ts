import type { PlanView } from '../../src/protocol/views';
import { percent } from '../format';
import { t } from '../l10n';

/** What a detector's accuracy is called; null for other networks, and before an evaluation. */
export function accuracyName({ figures }: PlanView): string | null {
  const boxes = figures.accuracy?.detection;
  return boxes === undefined ? null : boxes.map50 === null ? t('Box agreement') : t('mAP@0.5');
}

/** Average precision of each class of either plan: name, this plan's, the other's. */
export function classRows(own: PlanView, other: PlanView): [string, string, string][] {
  const of = (plan: PlanView): Map<string, number> =>
    new Map(plan.figures.accuracy?.detection?.map50?.classes.map((c) => [c.label, c.quantized] as const));
  const [mine, theirs] = [of(own), of(other)];
  const write = (value: number | undefined): string => (value === undefined ? '–' : percent(value));
  return [...new Set([...mine.keys(), ...theirs.keys()])].map((label) => [
    t('AP of {0}', label),
    write(mine.get(label)),
    write(theirs.get(label)),
  ]);
}
