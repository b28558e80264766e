import type { EditorView } from '../../src/protocol/views';
import { fill, h } from '../dom';
import { t } from '../l10n';
import { openMenu } from '../menu';
import type { Store } from '../state';
import { menuButton } from '../ui';
import { COLORINGS, coloringOf, coloringText } from './coloring';

/** Chooses what the nodes' colours tell, and says what they do. */
export class ColorButton {
  readonly element = h('span', { class: 'color-button' });

  constructor(private readonly store: Store) {}

  render(view: EditorView): void {
    const known = COLORINGS.filter((by) => coloringOf(view, by) !== null);
    const by = known.includes(this.store.ui.colorBy) ? this.store.ui.colorBy : 'bits';
    const { range } = coloringOf(view, by)!;
    const focused = this.element.contains(document.activeElement);
    fill(
      this.element,
      range !== null &&
        h(
          'span',
          { class: 'color-range muted' },
          range[0],
          h('span', { class: 'color-scale', aria: { hidden: true } }),
          range[1],
        ),
      menuButton(
        'colorBy',
        t('Colours'),
        coloringText(by),
        (anchor) =>
          openMenu(
            anchor,
            t('Colours'),
            known.map((other) => ({
              label: coloringText(other),
              chosen: other === by,
              run: () => this.store.update({ colorBy: other }),
            })),
          ),
        t('What the node colours show'),
      ),
    );
    if (focused) this.element.querySelector('button')?.focus();
  }
}
