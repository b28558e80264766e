/**
 * The points of the trade-off as rows of a table and points of a plot: one shape for sweeps, the planner's choices and
 * φ.
 */
import type { PlanChange } from '../../src/engine/run/whatIf/changes';
import type { SweepPointView, SweepView } from '../../src/protocol/sweeps';
import type { MemoryPointView, PhiPointView } from '../../src/protocol/tradeOff';
import type { PlanView } from '../../src/protocol/views';
import { bytesText, countText, millisecondsText, percent } from '../format';
import { t } from '../l10n';
import { joinStages } from '../stages';

/** What picking a point does: a change of the plan, or taking over a point of a sweep. */
export type Pick =
  | { readonly kind: 'change'; readonly change: PlanChange }
  | { readonly kind: 'sweep'; readonly parameter: SweepView['parameter']; readonly value: number };

export interface TradeOffRow {
  readonly id: string;
  readonly key: number;
  readonly name: string;
  readonly bitOps: number | null;
  readonly latencyMs: number | null;
  readonly arenaBytes: number | null;
  readonly macs: number | null;
  /** Top-1 accuracy, or agreement with float where there are no labels; 0…1. */
  readonly quality: number | null;
  /** The same with patches of outlier class at random positions. */
  readonly random: number | null;
  readonly outliers: number | null;
  /** Why there is no plan at this point. */
  readonly problem: string | null;
  readonly current: boolean;
  readonly pick: Pick | null;
  readonly series: string;
}

export function parameterName(parameter: SweepView['parameter']): string {
  return { phi: t('φ of the patch classes'), lambda: t('λ of the search'), 'bitops-target': t('BitOPs target') }[
    parameter
  ];
}

/** What the points of all sweeps have in common to be compared by. */
export type Quality = 'top1' | 'agreement' | 'map50' | 'boxAgreement';

/** Known labels or boxes where all sweeps were measured on such images; otherwise agreement with float. */
export function qualityOf(sweeps: readonly SweepView[], plan: PlanView | null): Quality {
  const measured = sweeps
    .flatMap(({ points }) => points)
    .flatMap(({ accuracy }) => (accuracy === null ? [] : [accuracy]));
  const own = plan?.figures.accuracy ?? null;
  const all = (known: (accuracy: (typeof measured)[number]) => boolean): boolean =>
    measured.length > 0 && measured.every(known);
  if (own?.detection !== undefined || measured.some(({ boxAgreement }) => boxAgreement != null)) {
    if (measured.length === 0) return own?.detection?.map50 ? 'map50' : 'boxAgreement';
    return all(({ map50 }) => map50 != null) ? 'map50' : 'boxAgreement';
  }
  return all(({ top1 }) => top1 !== null) ? 'top1' : 'agreement';
}

export function qualityName(quality: Quality): string {
  return {
    top1: t('Top-1 accuracy'),
    agreement: t('Agreement with float'),
    map50: t('mAP@0.5'),
    boxAgreement: t('Box agreement'),
  }[quality];
}

export function sweepRows(sweeps: readonly SweepView[], plan: PlanView): TradeOffRow[] {
  const compared = qualityOf(sweeps, plan);
  const quality = (accuracy: SweepPointView['accuracy']): number | null => accuracy?.[compared] ?? null;
  const rows = sweeps.flatMap(({ parameter, points, current }) =>
    points.map(({ value, figures, accuracy, randomAccuracy, outliers, problem, isPlan }): Omit<TradeOffRow, 'key'> => ({
      id: `${parameter} ${value}`,
      name:
        parameter === 'bitops-target'
          ? t('BitOPs ÷ {0}', plainValue(value))
          : `${parameter === 'phi' ? 'φ' : 'λ'} ${plainValue(value)}`,
      bitOps: figures?.bitOps ?? null,
      latencyMs: figures?.latencyMs ?? null,
      arenaBytes: figures?.arenaBytes ?? null,
      macs: figures?.macs ?? null,
      quality: quality(accuracy),
      random: quality(randomAccuracy),
      outliers: outliers?.share ?? null,
      problem,
      current: isPlan,
      pick: current && problem === null ? { kind: 'sweep', parameter, value } : null,
      series: parameter,
    })),
  );
  const { accuracy, bitOps, latencyMs, arenaBytes, macs } = plan.figures;
  const own =
    accuracy === null
      ? null
      : accuracy.detection !== undefined
        ? compared === 'map50'
          ? (accuracy.detection.map50?.quantized ?? null)
          : accuracy.detection.boxAgreement
        : compared === 'top1' || sweeps.length === 0
          ? (accuracy.quantizedTop1 ?? accuracy.agreement)
          : accuracy.agreement;
  if (!rows.some((row) => row.current)) {
    rows.push({
      id: 'plan',
      name: t('This plan'),
      bitOps,
      latencyMs,
      arenaBytes,
      macs,
      quality: own,
      random: null,
      outliers: null,
      problem: null,
      current: true,
      pick: null,
      series: 'plan',
    });
  }
  return rows.map((row, key) => ({ ...row, key }));
}

export function memoryRows(points: readonly MemoryPointView[]): TradeOffRow[] {
  return points.map(({ stage, tailStages, layers, strategy, arenaBytes, macs, latencyMs, isPlan }, key) => ({
    id: `stage ${key}`,
    key,
    name: stageName(stage, layers, strategy, tailStages),
    bitOps: null,
    latencyMs,
    arenaBytes,
    macs,
    quality: null,
    random: null,
    outliers: null,
    problem: null,
    current: isPlan,
    pick: { kind: 'change', change: { kind: 'stage', stage, tailStages } },
    series: 'memory',
  }));
}

export function phiRows(points: readonly PhiPointView[], plan: PlanView): TradeOffRow[] {
  return points.map(({ phi, share, positions, covered }, key) => ({
    id: `phi ${phi}`,
    key,
    name: String(phi),
    bitOps: null,
    latencyMs: null,
    arenaBytes: null,
    macs: null,
    quality: covered,
    random: covered === null ? null : positions,
    outliers: share,
    problem: null,
    current: plan.search.phi === phi,
    pick: plan.stage?.classMode === 'static' ? { kind: 'change', change: { kind: 'phi', phi } } : null,
    series: 'outliers',
  }));
}

/** A row in one line, for the bar below the plot and for screen readers. */
export function rowText(row: TradeOffRow): string {
  if (row.problem !== null) return `${row.name}: ${row.problem}`;
  if (row.series === 'outliers') {
    return [
      `φ ${row.name}`,
      t('{0} of the patches are outlier patches', percent(row.outliers ?? 0)),
      row.quality !== null && t('{0} of them at the chosen positions', percent(row.quality)),
      row.current && t('this is the plan'),
    ]
      .filter((part) => part !== false)
      .join(', ');
  }
  return [
    row.name,
    row.quality !== null && percent(row.quality),
    row.bitOps !== null && t('{0} BitOPs', countText(row.bitOps)),
    row.latencyMs !== null && millisecondsText(row.latencyMs),
    row.arenaBytes !== null && t('{0} SRAM', bytesText(row.arenaBytes)),
    row.current && t('this is the plan'),
  ]
    .filter((part) => part !== false)
    .join(', ');
}

function strategyText(strategy: MemoryPointView['strategy']): string {
  return { recompute: t('halos recomputed'), keep: t('halos kept'), hybrid: t('some halos kept') }[strategy];
}

const plainValue = (value: number): string => String(Number(value.toPrecision(6)));

function stageName(
  stage: MemoryPointView['stage'],
  layers: number,
  strategy: MemoryPointView['strategy'],
  tailStages: MemoryPointView['tailStages'],
): string {
  const first =
    stage === null
      ? ''
      : layers === 1
        ? t('{0}×{1} over 1 layer, {2}', stage.rows, stage.cols, strategyText(strategy))
        : t('{0}×{1} over {2} layers, {3}', stage.rows, stage.cols, layers, strategyText(strategy));
  return joinStages(stage, first, tailStages);
}
