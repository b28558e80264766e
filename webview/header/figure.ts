/** One figure of the header: a label, a large number, a bar against its limit, and what it is compared with. */
import { h, setAria, type Child } from '../dom';
import type { Quantity } from '../format';
import { icon } from '../icons';

export interface Figure {
  readonly label: string;
  readonly value: Quantity;
  /** Short, after the number: `of 256 KiB`. */
  readonly limit?: string;
  /** Part of the limit in use; above 1 the figure is shown as an error. */
  readonly fraction?: number;
  /** The change against the reference, e.g. `5.94×`, and what it means. */
  readonly change?: { readonly text: string; readonly caption: string };
  readonly caption?: string;
  readonly description: string;
}

export function figureElement(figure: Figure): HTMLElement {
  const over = figure.fraction !== undefined && figure.fraction > 1;
  return h(
    'div',
    { class: `figure${over ? ' over' : ''}`, title: figure.description, role: 'listitem' },
    h('div', { class: 'figure-label' }, over && icon('warning'), figure.label),
    h(
      'div',
      { class: 'figure-value' },
      h('span', { class: 'figure-number' }, figure.value.number),
      figure.value.unit !== '' && h('span', { class: 'figure-unit' }, figure.value.unit),
      figure.limit !== undefined && h('span', { class: 'figure-limit' }, figure.limit),
    ),
    figure.fraction === undefined ? null : meter(figure.fraction, figure.label),
    note(figure),
  );
}

function note(figure: Figure): Child {
  if (figure.change === undefined)
    return figure.caption !== undefined && h('div', { class: 'figure-note' }, figure.caption);
  return h(
    'div',
    { class: 'figure-note' },
    h('span', { class: 'figure-change' }, figure.change.text),
    ` ${figure.change.caption}`,
  );
}

function meter(fraction: number, label: string): HTMLElement {
  const bar = h('div', { class: 'meter-fill' });
  bar.style.width = `${Math.min(1, fraction) * 100}%`;
  const element = h('div', { class: 'meter', role: 'meter', aria: { label, valuemin: 0, valuemax: 100 } }, bar);
  setAria(element, 'valuenow', Math.min(100, Math.round(fraction * 100)));
  return element;
}
