import { fill, h, setAria, uniqueId } from './dom';
import { icon, type IconName } from './icons';
import type { Tab } from './state';

export interface TabSpec {
  readonly id: Tab;
  readonly title: string;
  readonly icon: IconName;
  readonly count?: number;
  readonly panel: HTMLElement;
}

/** A row of tabs after the ARIA pattern: one tab stop, arrow keys move and choose. */
export class TabBar {
  readonly element = h('div', { class: 'tab-bar', role: 'tablist' });
  private tabs: readonly TabSpec[] = [];

  constructor(
    label: string,
    private readonly onChoose: (tab: Tab) => void,
  ) {
    setAria(this.element, 'label', label);
    this.element.addEventListener('keydown', (event) => {
      const current = this.tabs.findIndex((tab) => !tab.panel.hidden);
      const next = { ArrowLeft: current - 1, ArrowRight: current + 1, Home: 0, End: this.tabs.length - 1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      const tab = this.tabs[(next + this.tabs.length) % this.tabs.length];
      this.onChoose(tab.id);
      (this.element.children[this.tabs.indexOf(tab)] as HTMLElement).focus();
    });
  }

  setTabs(tabs: readonly TabSpec[]): void {
    const key = (list: readonly TabSpec[]): string => list.map((tab) => `${tab.id} ${tab.count ?? ''}`).join();
    if (key(tabs) === key(this.tabs)) return; // The tab that has the focus keeps it.
    this.tabs = tabs;
    fill(
      this.element,
      ...tabs.map((tab) => {
        const id = uniqueId('tab');
        tab.panel.id ||= uniqueId('panel');
        tab.panel.setAttribute('role', 'tabpanel');
        setAria(tab.panel, 'labelledby', id);
        const element = h(
          'button',
          {
            class: 'tab',
            id,
            role: 'tab',
            aria: { controls: tab.panel.id },
            on: { click: () => this.onChoose(tab.id) },
          },
          icon(tab.icon),
          h('span', {}, tab.title),
          tab.count !== undefined && h('span', { class: 'count-badge' }, String(tab.count)),
        );
        element.type = 'button';
        return element;
      }),
    );
  }

  show(id: Tab): void {
    this.tabs.forEach((tab, index) => {
      const current = tab.id === id;
      tab.panel.hidden = !current;
      const element = this.element.children[index] as HTMLElement;
      setAria(element, 'selected', current);
      element.tabIndex = current ? 0 : -1;
    });
  }
}
