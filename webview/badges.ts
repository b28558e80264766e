/** Bitwidths as small tinted labels: the number is always written, colour only helps. */
import { h } from './dom';
import { t } from './l10n';

export function bitsBadge(bits: number, description?: string): HTMLElement {
  return h('span', { class: `bits bits-${bits}`, title: description ?? t('{0} bits', bits) }, String(bits));
}

/** A thin bar under or beside a number: `fraction` of the largest in its column. */
export function microBar(fraction: number, className = ''): HTMLElement {
  const bar = h('span', { class: 'micro-bar-fill' });
  bar.style.width = `${Math.max(0, Math.min(1, fraction)) * 100}%`;
  return h('span', { class: `micro-bar ${className}`, aria: { hidden: true } }, bar);
}
