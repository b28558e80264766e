/** How layers are named to people. */
import type { LayerView } from '../../src/protocol/views';
import { t } from '../l10n';

/** `Depthwise`, `Fully connected` … from the kinds of the graph; other kinds stay as they are. */
export function kindText(kind: string): string {
  const known = new Map([
    ['conv', t('Conv')],
    ['depthwise', t('Depthwise')],
    ['fullyConnected', t('Fully connected')],
    ['globalAveragePool', t('Global average')],
  ]).get(kind);
  if (known !== undefined) return known;
  const words = kind.replace(/([a-z])([A-Z])/g, '$1 $2');
  if (words === '') return '?';
  return words[0].toUpperCase() + (kind === words ? words.slice(1) : words.slice(1).toLowerCase());
}

/** The same where there is room for a few letters only. */
export function shortKindText(kind: string): string {
  const known = new Map([
    ['depthwise', t('DW')],
    ['fullyConnected', t('FC')],
    ['globalAveragePool', t('GAP')],
  ]).get(kind);
  return known ?? kindText(kind);
}

/**
 * What the filter box searches: `4 bit` style words match the bits, everything else names, kinds, operators and shapes.
 */
export function searchText(layer: LayerView): string {
  const { plan } = layer;
  const bits =
    plan === null
      ? ''
      : ` ${plan.bits}bit ${plan.bits}-bit a${plan.bits} ` +
        `w${plan.weightBits ?? ''}${plan.inPatchStage ? ' patch stage' : ' tail'}`;
  return (
    `${layer.id} ${layer.name} ${kindText(layer.kind)} ${layer.kind} ${layer.operators} ${layer.detail} ` +
    `${layer.outputName}${layer.problem ? ' problem' : ''}${bits}`
  ).toLowerCase();
}

/** All words must occur, in any order. */
export function matcher(filter: string): (text: string) => boolean {
  const words = filter
    .toLowerCase()
    .replace(/\b([842])\s+bits?\b/g, '$1-bit')
    .split(/\s+/)
    .filter((word) => word !== '');
  return (text) => words.every((word) => text.includes(word));
}
