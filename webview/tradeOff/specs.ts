/** What is plotted from the rows: accuracy against cost, SRAM against time, and what φ does. */
import type { SweepView } from '../../src/protocol/sweeps';
import type { PhiPointView } from '../../src/protocol/tradeOff';
import type { PlanView } from '../../src/protocol/views';
import type { PlotAxis, PlotPoint, PlotSeries, PlotSpec } from '../charts/plot';
import { paddedRange } from '../charts/ticks';
import { bytesText, countText, millisecondsText, percent, plain } from '../format';
import { t } from '../l10n';
import { parameterName, qualityName, rowText, type Quality, type TradeOffRow } from './rows';

export type CostAxis = 'bitOps' | 'latencyMs' | 'arenaBytes';

export function costText(axis: CostAxis): string {
  return { bitOps: t('BitOPs'), latencyMs: t('Latency'), arenaBytes: t('SRAM') }[axis];
}

const writeCost: Readonly<Record<CostAxis, (value: number) => string>> = {
  bitOps: (v) => countText(v),
  latencyMs: millisecondsText,
  arenaBytes: bytesText,
};

/** Accuracy against a cost. */
export function accuracySpec(
  rows: readonly TradeOffRow[],
  sweeps: readonly SweepView[],
  cost: CostAxis,
  measured: Quality,
): PlotSpec {
  const drawn = rows.filter((row) => row.quality !== null && row[cost] !== null);
  const point = (row: TradeOffRow, y: number, suffix = ''): PlotPoint => ({
    id: `${row.id}${suffix}`,
    x: row[cost]!,
    y,
    label: rowText(row),
    current: suffix === '' && row.current,
  });
  const series = sweeps.flatMap(({ parameter }, index): PlotSeries[] => {
    const own = drawn.filter((row) => row.series === parameter);
    const random = own.filter((row) => row.random !== null);
    return [
      {
        name: parameterName(parameter),
        style: ([1, 2, 3] as const)[index % 3],
        line: true,
        pickable: true,
        points: own.map((row) => point(row, row.quality!)),
      },
      {
        name: t('outlier patches at random'),
        style: 4,
        line: true,
        pickable: false,
        points: random.map((row) => point(row, row.random!, ' random')),
      },
    ];
  });
  series.push({
    name: t('this plan'),
    style: 4,
    line: false,
    pickable: true,
    points: drawn.filter((row) => row.series === 'plan').map((row) => point(row, row.quality!)),
  });
  const values = [
    ...drawn.map((row) => row.quality!),
    ...drawn.flatMap((row) => (row.random === null ? [] : [row.random])),
  ];
  const quality = qualityName(measured);
  return {
    label: t('{0} against {1}. Arrow keys move over the points, Enter makes one the plan.', quality, costText(cost)),
    series,
    x: {
      label: cost === 'latencyMs' ? t('Latency (estimate)') : costText(cost),
      range: paddedRange(drawn.map((row) => row[cost]!)),
      write: cost === 'latencyMs' ? timeWriter(drawn.map((row) => row.latencyMs!)) : writeCost[cost],
    },
    y: { label: quality, range: paddedRange(values, 0.12), write: (v) => percent(v) },
  };
}

/** SRAM against time, or against MACs where the core has no estimate. */
export function memorySpec(rows: readonly TradeOffRow[], plan: PlanView): PlotSpec {
  const timed = rows.every((row) => row.latencyMs !== null);
  const x: PlotAxis = timed
    ? {
        label: t('Latency (estimate)'),
        range: paddedRange(rows.map((row) => row.latencyMs!)),
        write: timeWriter(rows.map((row) => row.latencyMs!)),
      }
    : { label: t('MACs'), range: paddedRange(rows.map((row) => row.macs!)), write: (v) => countText(v) };
  return {
    label: t('SRAM against {0}. Arrow keys move over the points, Enter makes one the plan.', x.label),
    x,
    y: {
      label: t('SRAM'),
      range: paddedRange([...rows.map((row) => row.arenaBytes!), plan.target.sramBytes], 0.06, 0),
      write: bytesText,
      ticks: binaryTicks(Math.max(plan.target.sramBytes, ...rows.map((row) => row.arenaBytes!))),
    },
    limits: [{ axis: 'y', value: plan.target.sramBytes, label: t('limit {0}', bytesText(plan.target.sramBytes)) }],
    series: [
      {
        name: t('ways to run the network at these bits'),
        style: 1,
        line: true,
        pickable: true,
        points: rows.map((row) => ({
          id: row.id,
          x: timed ? row.latencyMs! : row.macs!,
          y: row.arenaBytes!,
          label: rowText(row),
          current: row.current,
        })),
      },
    ],
  };
}

/** Times that lie close together need more digits to be told apart. */
function timeWriter(values: readonly number[]): (value: number) => string {
  const [low, high] = paddedRange(values);
  return high - low < 0.02 * high ? (value) => t('{0} ms', plain(value, 1)) : millisecondsText;
}

function binaryTicks(top: number): number[] {
  let step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, top) / 4)));
  if (top / step > 7) step *= 2;
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => i * step);
}

/** Shares of patches against φ, whose values are set at equal distances: they crowd towards 1. */
export function phiSpec(points: readonly PhiPointView[], rows: readonly TradeOffRow[]): PlotSpec {
  const series = (
    name: string,
    style: PlotSeries['style'],
    pickable: boolean,
    read: (point: PhiPointView) => number | null,
  ): PlotSeries => ({
    name,
    style,
    line: true,
    pickable,
    points: points.flatMap((point, x) => {
      const y = read(point);
      return y === null
        ? []
        : [
            {
              id: pickable ? rows[x].id : `${rows[x].id} ${name}`,
              x,
              y,
              label: t('φ {0}: {1} of the patches are outlier patches', String(point.phi), percent(point.share)),
              current: pickable && rows[x].current,
            },
          ];
    }),
  });
  return {
    label: t('Outlier patches against φ. Arrow keys move over the points, Enter makes one the plan’s.'),
    x: {
      label: 'φ',
      range: [-0.5, points.length - 0.5],
      write: (x) => String(points[x]?.phi ?? ''),
      ticks: points.map((_, x) => x),
    },
    y: {
      label: t('Share of the patches'),
      range: [-0.02, 1.04],
      write: (v) => percent(v, 0),
      ticks: [0, 0.25, 0.5, 0.75, 1],
    },
    series: [
      series(t('outlier patches (more than ε of the values)'), 1, true, ({ share }) => share),
      series(t('patches with any outlier'), 2, false, ({ anyOutlier }) => anyOutlier),
      series(t('outlier patches at the chosen positions'), 3, false, ({ covered }) => covered),
      series(t('the same at random positions'), 4, false, ({ covered, positions }) =>
        covered === null ? null : positions,
      ),
    ],
  };
}
