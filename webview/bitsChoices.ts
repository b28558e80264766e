/** Which bits may be chosen for a layer, as choices that change the plan. */
import type { PlanChange } from '../src/engine/run/whatIf/changes';
import type { LayerView } from '../src/protocol/views';
import type { Edits } from './edits';
import { t } from './l10n';
import type { MenuChoice } from './menu';

export type BitsKind = 'inputBits' | 'weightBits' | 'bits';

/** Null where the layer leaves no choice. */
export function bitsChoices(layer: LayerView, kind: BitsKind, edits: Edits): readonly MenuChoice[] | null {
  const { plan } = layer;
  if (plan === null) return null;
  const choice = (bits: number, current: number, change: PlanChange): MenuChoice => ({
    label: t('{0} bits', bits),
    chosen: bits === current,
    figures: () => edits.figuresOf(change),
    run: () => edits.apply(change),
  });
  switch (kind) {
    case 'bits':
      return plan.allowedBits.length < 2
        ? null
        : plan.allowedBits.map((bits) => choice(bits, plan.bits, { kind: 'mapBits', layer: layer.id, bits }));
    case 'weightBits':
      return plan.weightBits === null
        ? null
        : ([8, 4] as const).map((bits) =>
            choice(bits, plan.weightBits!, { kind: 'weightBits', layer: layer.id, bits }),
          );
    case 'inputBits':
      return plan.inputCandidates.length < 2
        ? null
        : plan.inputCandidates.map(({ bits }) =>
            choice(bits, plan.inputBits, { kind: 'inputBits', layer: layer.id, bits }),
          );
  }
}

export function bitsKindText(kind: BitsKind): string {
  return {
    bits: t('Bits of the output feature map'),
    weightBits: t('Bits of the weights'),
    inputBits: t('Bits of the input feature map'),
  }[kind];
}
