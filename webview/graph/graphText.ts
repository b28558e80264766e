import type { LayerView } from '../../src/protocol/views';
import { countText, shapeText } from '../format';
import { t } from '../l10n';
import { kindText } from '../layers/layerText';

/** Rows of a node's tooltip. */
export function tooltipFacts(layer: LayerView): [string, string][] {
  const rows: [string, string][] = [
    [t('Operators'), layer.operators],
    [t('Shape'), shapeText(layer.output)],
  ];
  if (layer.macs > 0) rows.push([t('MACs'), countText(layer.plan?.macs ?? layer.macs)]);
  if (layer.plan !== null)
    rows.push([t('Bits'), `${layer.plan.inputBits} × ${layer.plan.weightBits ?? '–'} → ${layer.plan.bits}`]);
  if (layer.problem !== null) rows.push([t('Problem'), layer.problem.message]);
  return rows;
}

/** What is announced of a node that is selected. */
export function spoken(layer: LayerView, consumers: number): string {
  const bits =
    layer.plan === null
      ? ''
      : `, ${t('{0} bits', layer.plan.bits)}${layer.plan.inPatchStage ? `, ${t('patch stage')}` : ''}`;
  return (
    `${kindText(layer.kind)} ${layer.detail} ${layer.name}, ${shapeText(layer.output)}${bits}, ` +
    `${t('{0} inputs, {1} readers', layer.inputs.length, consumers)}`
  );
}
