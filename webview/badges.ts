/** Bitwidths as small tinted labels: the number is always written, colour only helps. */
import { h } from './dom';
import { t } from './l10n';

export function bitsBadge(bits: number, description?: string): HTMLElement {
  return h('span', { class: `bits bits-${bits}`, title: description ?? t('{0} bits', bits) }, String(bits));
}

/** How many characters of a long name stay at its end, where names of one model differ. */
const keptEnd = 16;

/** A text that loses its middle when there is no room: names of layers share their beginnings. */
export function middleEllipsis(text: string): HTMLElement {
  if (text.length <= keptEnd + 4) return h('span', { class: 'ellipsis' }, text);
  return h(
    'span',
    { class: 'middle-ellipsis' },
    h('span', { class: 'ellipsis' }, text.slice(0, -keptEnd)),
    h('span', { class: 'middle-end' }, text.slice(-keptEnd)),
  );
}

/** A thin bar under or beside a number: `fraction` of the largest in its column. */
export function microBar(fraction: number, className = ''): HTMLElement {
  const bar = h('span', { class: 'micro-bar-fill' });
  bar.style.width = `${Math.max(0, Math.min(1, fraction)) * 100}%`;
  return h('span', { class: `micro-bar ${className}`, aria: { hidden: true } }, bar);
}
