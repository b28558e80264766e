/**
 * A small menu of choices at an element, after the ARIA pattern: arrow keys, Home, End, Enter, Escape, and the first
 * character of a choice.
 */
import { h } from './dom';
import { icon } from './icons';

export interface MenuChoice {
  readonly label: string;
  /** Muted, after the label. */
  readonly detail?: string;
  /** What it would lead to, shown next to it as soon as it is known; asked for while the menu is open. */
  readonly figures?: () => Promise<string>;
  readonly chosen: boolean;
  readonly run: () => void;
}

/** Opens the menu below `anchor`; closing gives the focus back to it, or to what has it by `giveBack`. */
export function openMenu(
  anchor: HTMLElement,
  label: string,
  choices: readonly MenuChoice[],
  giveBack: () => void = () => anchor.focus(),
): void {
  // Removing an element that has the focus moves the focus, which would remove it again.
  let closing = false;
  const close = (): void => {
    closing = true;
    if (menu.contains(document.activeElement)) giveBack();
    menu.remove();
  };
  const pick = (choice: MenuChoice): void => {
    close();
    if (!choice.chosen) choice.run();
  };
  const items = choices.map((choice) =>
    h(
      'div',
      {
        class: 'menu-item',
        role: 'menuitemradio',
        tabIndex: -1,
        aria: { checked: choice.chosen },
        on: { click: () => pick(choice) },
      },
      h('span', { class: 'menu-mark', aria: { hidden: true } }, choice.chosen && icon('check')),
      choice.label,
      choice.detail !== undefined && h('span', { class: 'menu-detail' }, choice.detail),
      choice.figures !== undefined && h('span', { class: 'menu-detail menu-figures' }),
    ),
  );
  const menu = h(
    'div',
    {
      class: 'menu',
      role: 'menu',
      aria: { label },
      on: {
        keydown: (event) => {
          event.stopPropagation();
          const at = items.indexOf(document.activeElement as HTMLDivElement);
          const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
          if (next !== undefined) items[(next + items.length) % items.length].focus();
          else if (event.key === 'Enter' || event.key === ' ') pick(choices[at]);
          else if (event.key === 'Escape' || event.key === 'Tab') close();
          else {
            const typed = choices.find((choice) => choice.label.toLowerCase().startsWith(event.key.toLowerCase()));
            if (typed === undefined) return;
            pick(typed);
          }
          event.preventDefault();
        },
        focusout: (event) => {
          if (!closing && !menu.contains(event.relatedTarget as Node | null)) close();
        },
      },
    },
    ...items,
  );
  document.body.append(menu);
  void tellFigures(menu, choices, items);
  const box = anchor.getBoundingClientRect();
  menu.style.left = `${Math.max(4, Math.min(box.left, window.innerWidth - menu.offsetWidth - 4))}px`;
  const isTooLow = box.bottom + menu.offsetHeight > window.innerHeight;
  menu.style.top = `${isTooLow ? Math.max(4, box.top - menu.offsetHeight) : box.bottom}px`;
  items[
    Math.max(
      0,
      choices.findIndex((choice) => choice.chosen),
    )
  ]?.focus();
}

/** One after the other, so that a change that is picked waits for one of them at most. */
async function tellFigures(
  menu: HTMLElement,
  choices: readonly MenuChoice[],
  items: readonly HTMLElement[],
): Promise<void> {
  for (const [i, { figures }] of choices.entries()) {
    if (!menu.isConnected) return;
    const text = await figures?.().catch(() => '');
    const place = items[i].querySelector('.menu-figures');
    if (place && text !== undefined) place.textContent = text;
  }
}
