import { t } from './l10n';

interface Stage {
  readonly rows: number;
  readonly cols: number;
  readonly streamed?: true;
}

/** How a network is cut into patches, e.g. `7×4 patches over 13 layers + 2×1 in the tail`; → is streamed into. */
export function joinStages(stage: Stage | null, first: string, tail: readonly Stage[]): string {
  const all = [
    ...(stage ? [{ text: first, streamed: stage.streamed }] : []),
    ...tail.map(({ rows, cols, streamed }) => ({ text: t('{0}×{1} in the tail', rows, cols), streamed })),
  ];
  if (all.length === 0) return t('layer by layer');
  return all.map(({ text }, i) => (i === 0 ? '' : all[i - 1].streamed ? ' → ' : ' + ') + text).join('');
}
