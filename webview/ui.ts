/**
 * The only file that knows the UI toolkit: the page's controls are made here and are plain elements to everybody else.
 */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeProgressRing,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import { applyProps, h, type Child, type Props } from './dom';
import { icon, type IconName } from './icons';

provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeTextField(), vsCodeProgressRing());

/** A push button with text. */
export function button(
  label: string,
  appearance: 'primary' | 'secondary',
  onClick: () => void,
  iconName?: IconName,
): HTMLElement {
  const element = document.createElement('vscode-button');
  element.setAttribute('appearance', appearance);
  const glyph = iconName === undefined ? null : icon(iconName);
  glyph?.setAttribute('slot', 'start');
  // A label can be left to screen readers where there is little room. No span: the toolkit takes those for icons.
  element.append(...(glyph === null ? [] : [glyph]), h('bdi', { class: 'button-label' }, label));
  if (glyph !== null) element.title = label;
  element.addEventListener('click', onClick);
  return element;
}

/** A button that shows only an icon; `label` is its name and tooltip. Toggles carry `pressed`. */
export function iconButton(name: IconName, label: string, onClick: () => void, props: Props = {}): HTMLButtonElement {
  const element = h(
    'button',
    { class: 'icon-button', title: label, aria: { label }, on: { click: onClick } },
    icon(name),
  );
  element.type = 'button';
  applyProps(element, props);
  return element;
}

/**
 * A value that can be changed from a menu, written like text with a small arrow. `name` identifies it when it is
 * recreated.
 */
export function menuButton(
  name: string,
  label: string,
  content: Child,
  onOpen: (anchor: HTMLElement) => void,
  title: string,
): HTMLButtonElement {
  const text = h('span', { class: 'menu-button-text' }, content);
  const element = h(
    'button',
    {
      class: 'menu-button',
      title,
      aria: { haspopup: 'menu', label: `${label}: ${text.textContent}` },
      on: { click: () => onOpen(element) },
    },
    text,
    icon('chevronDown'),
  );
  element.type = 'button';
  element.dataset['name'] = name;
  return element;
}

/** A one-line field for searching. `onInput` gets each change. */
export function searchField(
  label: string,
  value: string,
  onInput: (value: string) => void,
): HTMLElement & { value: string } {
  const element = document.createElement('vscode-text-field') as HTMLElement & { value: string };
  element.setAttribute('placeholder', label);
  element.setAttribute('aria-label', label);
  element.className = 'search-field';
  const glyph = icon('search');
  glyph.setAttribute('slot', 'start');
  element.append(glyph);
  element.value = value;
  element.addEventListener('input', () => onInput(element.value));
  return element;
}

/** A row of small buttons of which one is pressed. */
export function segments<T extends string>(
  label: string,
  choices: readonly (readonly [T, string])[],
  current: T,
  onChoose: (choice: T) => void,
): HTMLElement {
  return h(
    'div',
    { class: 'button-group', role: 'group', aria: { label } },
    ...choices.map(([id, title]) => {
      const element = h(
        'button',
        { class: 'segment-button', aria: { pressed: id === current }, on: { click: () => onChoose(id) } },
        title,
      );
      element.type = 'button';
      element.dataset['segment'] = id;
      return element;
    }),
  );
}

export function progressRing(label: string): HTMLElement {
  const element = document.createElement('vscode-progress-ring');
  element.setAttribute('aria-label', label);
  return element;
}

/** A link-like button inside text. */
export function linkButton(label: Child, onClick: () => void, props: Props = {}): HTMLButtonElement {
  const element = h('button', { class: 'link-button', on: { click: onClick } }, label);
  element.type = 'button';
  applyProps(element, props);
  return element;
}
