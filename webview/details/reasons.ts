import type { LayerPlanView, PlanView } from '../../src/protocol/views';
import { h, type Child } from '../dom';
import { digits } from '../format';
import { t } from '../l10n';
import { candidatesTable } from './candidates';

type Account = NonNullable<LayerPlanView['reasons']['output']>;
type Search = PlanView['search'];

/** Why a layer's output, weights and input have their bits; where the entropy score chose them, with its figures. */
export function reasonsSection(plan: LayerPlanView, search: Search): Child[] {
  const { output, weights, input } = plan.reasons;
  const entry = (label: string, account: Account | null): Child[] =>
    account === null ? [] : [h('dt', {}, label), h('dd', {}, reasonText(account, search.lossUnit))];
  // Ω, Φ and S say something only where they were looked at.
  const scored = search.method === 'entropy';
  return [
    h(
      'div',
      { class: 'reasons' },
      h('h3', {}, t('Why these bits')),
      h('dl', {}, ...entry(t('output'), output), ...entry(t('weights'), weights), ...entry(t('input'), input)),
    ),
    scored &&
      plan.candidates.length > 0 &&
      candidatesTable(t('Score of the output'), plan.candidates, plan.bits, isScored(output) ? search.lambda : null),
    scored &&
      plan.inputCandidates.length > 0 &&
      candidatesTable(
        t('Score of the input'),
        plan.inputCandidates,
        plan.inputBits,
        isScored(input) ? search.lambda : null,
      ),
  ];
}

const isScored = (account: Account | null): boolean => account?.by === 'score';

/** @param unit of losses; undefined for plans of earlier versions */
function reasonText({ bits, by, losses }: Account, unit: string | undefined): string {
  switch (by) {
    case 'sensitivity':
      return measuredText(bits, losses ?? {}, unit ?? '');
    case 'score':
      return t('Chosen by the entropy score.');
    case 'flash':
      return bits < 8 ? t('{0} bits, to fit all weights in flash.', bits) : t('8 bits: flash has room for them.');
    case 'sram':
      return t('Fewer bits than the search chose, to fit the arena in SRAM.');
    case 'raised':
      return raisedText(losses ?? {}, unit ?? '');
    case 'slower':
      return t('8 bits: fewer would be slower on this core.');
    case 'tie':
      return t('Fixed: the arithmetic, or a map that shares its bits, needs them.');
    case 'end':
      return t('Fixed: the application reads or writes this map.');
    case 'fewSamples':
      return t('8 bits: each image gives this layer a single sample, too few to fit fewer bits.');
    case 'unread':
      return t('No layer with weights reads this map, so fewer bits would save no work.');
    case 'asked':
      return t('The options of the run allow no other bits.');
    case 'person':
      return t('Set or locked by hand.');
  }
}

function raisedText(losses: Readonly<Record<string, number>>, unit: string): string {
  if (!Object.hasOwn(losses, 8)) return t('16 bits, because they were measured to be worth their instructions.');
  const lost = `${digits(losses[8])} ${unit}`.trim();
  return t('Measured: 8 bits here would lose {0}; 16 are worth their instructions.', lost);
}

function measuredText(bits: number, losses: Readonly<Record<string, number>>, unit: string): string {
  // What the present bits lose, or the next fewer would.
  const told = Object.keys(losses)
    .map(Number)
    .filter((at) => at === bits || (bits === 8 && at < 8))
    .sort((a, b) => b - a)[0];
  if (told === undefined) return t('Chosen by measured sensitivity.');
  const loss = `${digits(losses[told])} ${unit}`.trim();
  return bits < 8
    ? t('Measured: {0} bits here lose {1}, little for what they save.', bits, loss)
    : t('Measured: {0} bits here would lose {1}, much for what they save.', told, loss);
}
