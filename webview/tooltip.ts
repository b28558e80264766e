import { fill, h, type Child } from './dom';

/**
 * One small panel next to the pointer, shared by all drawings. Its content is also spoken by those drawings, so it is
 * hidden from screen readers.
 */
export class Tooltip {
  readonly element = h('div', { class: 'tooltip', aria: { hidden: true } });

  constructor() {
    this.element.hidden = true;
  }

  /** Shows the content near a point of the window, inside the window. */
  show(clientX: number, clientY: number, ...content: Child[]): void {
    fill(this.element, ...content);
    this.element.hidden = false;
    const { offsetWidth, offsetHeight } = this.element;
    const gap = 14;
    const x = clientX + gap + offsetWidth > window.innerWidth ? clientX - gap - offsetWidth : clientX + gap;
    const y = clientY + gap + offsetHeight > window.innerHeight ? clientY - gap - offsetHeight : clientY + gap;
    this.element.style.left = `${Math.max(4, x)}px`;
    this.element.style.top = `${Math.max(4, y)}px`;
  }

  hide(): void {
    this.element.hidden = true;
  }
}

/** Name and value lines of a tooltip. */
export function tooltipRows(title: string, rows: readonly (readonly [string, string])[]): Child[] {
  return [
    h('div', { class: 'tooltip-title' }, title),
    h('dl', { class: 'facts' }, ...rows.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
  ];
}
