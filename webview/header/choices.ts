/** What may be chosen for the whole plan: each choice is a change of it. */
import { coreName } from '../../src/protocol/boards';
import type { PlanChange } from '../../src/engine/run/whatIf/changes';
import type { PlanView, TargetView } from '../../src/protocol/views';
import { boardText } from '../boardText';
import type { Edits } from '../edits';
import { bytesText } from '../format';
import { t } from '../l10n';
import type { MenuChoice } from '../menu';

export function targetChoices(targets: readonly TargetView[], current: TargetView, edits: Edits): MenuChoice[] {
  // One of the user's own is in no table.
  const own = targets.some(({ id }) => id === current.id) ? [] : [current];
  return [...own, ...targets].map((target) => ({
    label: boardText(target),
    detail: t(
      '{0} · {1} SRAM, {2} flash',
      coreName(target.core),
      bytesText(target.sramBytes),
      bytesText(target.flashBytes),
    ),
    chosen: target.id === current.id,
    run: () => edits.apply({ kind: 'target', id: target.id }),
  }));
}

/** Grids that are offered by name; the sidecar takes any. */
const grids: readonly (readonly [number, number])[] = [
  [1, 2],
  [2, 1],
  [2, 2],
  [2, 3],
  [3, 2],
  [3, 3],
  [4, 4],
  [5, 5],
  [6, 6],
  [7, 7],
  [8, 8],
];

export function gridChoices(stage: PlanView['stage'], edits: Edits): MenuChoice[] {
  const own: (readonly [number, number])[] =
    stage === null || grids.some(([rows, cols]) => rows === stage.rows && cols === stage.cols)
      ? []
      : [[stage.rows, stage.cols]];
  const choice = (label: string, grid: (PlanChange & { kind: 'grid' })['grid'], chosen: boolean): MenuChoice => ({
    label,
    chosen,
    figures: () => edits.figuresOf({ kind: 'grid', grid }),
    run: () => edits.apply({ kind: 'grid', grid }),
  });
  return [
    { ...choice(t('Automatic'), 'auto', false), detail: t('the fastest that fits') },
    { ...choice(t('None'), 'none', stage === null), detail: t('layer by layer') },
    ...[...own, ...grids].map(([rows, cols]) =>
      choice(`${rows}×${cols}`, { rows, cols }, stage?.rows === rows && stage.cols === cols),
    ),
  ];
}

/** Steps of λ: Φ is taken relative to its largest value, so that the useful ones spread over the whole range. */
const lambdas: readonly number[] = [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

export function lambdaChoices(current: number, edits: Edits): MenuChoice[] {
  const all = [...new Set([...lambdas, current])].sort((a, b) => a - b);
  return all.map((lambda) => ({
    label: String(lambda),
    chosen: lambda === current,
    run: () => edits.apply({ kind: 'lambda', lambda }),
    ...(lambda === 0 ? { detail: t('fewest BitOPs') } : lambda === 1 ? { detail: t('least entropy lost') } : {}),
  }));
}
