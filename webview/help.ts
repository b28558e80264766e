/**
 * What the keys do, for people who do not see the views or do not use a pointer: Alt+F1, as in VS Code's own editors.
 */
import { h } from './dom';
import { t } from './l10n';
import { iconButton } from './ui';

/** Opens the help over the page; Escape closes it and gives the focus back. */
export function openHelp(): void {
  if (document.querySelector('.help') !== null) return;
  const before = document.activeElement;
  const close = (): void => {
    dialog.close();
    dialog.remove();
    if (before instanceof HTMLElement) before.focus();
  };
  const keys = ([name, about]: readonly [string, string]): HTMLElement[] => [
    h('dt', {}, h('kbd', {}, name)),
    h('dd', {}, about),
  ];
  const section = (title: string, rows: readonly (readonly [string, string])[]): HTMLElement =>
    h('section', {}, h('h3', {}, title), h('dl', { class: 'help-keys' }, ...rows.flatMap(keys)));
  const dialog = h(
    'dialog',
    { class: 'help', aria: { label: t('Accessibility help') } },
    h('div', { class: 'help-head' }, h('h2', {}, t('Accessibility help')), iconButton('close', t('Close'), close)),
    h(
      'p',
      {},
      t(
        'The page has a header with the plan’s figures and commands, tabs with one view each, details of the ' +
          'selected layer, and the memory over one inference. Everything the graph draws is also in the table of ' +
          'layers; the memory chart has a table, too.',
      ),
    ),
    section(t('Everywhere'), [
      [t('Tab'), t('moves from part to part')],
      [t('Arrow keys'), t('move within a part: tabs, rows and columns, layers of the graph, patches, steps')],
      [t('Ctrl+F'), t('finds layers by name, operation or bits')],
      [t('Ctrl+Z, Ctrl+Y'), t('undo and redo a change of the plan')],
    ]),
    section(t('Graph'), [
      [t('Arrow keys'), t('follow the edges; Home and End go to the first and the last layer')],
      ['I, W, O', t('open the bits of the input, the weights and the output')],
      [t('Enter'), t('opens the details of a layer, or unfolds a block')],
      ['F', t('folds the block around the layer')],
      ['+, −, 0', t('zoom in, out, and to the whole graph')],
    ]),
    section(t('Layers'), [
      [t('Enter'), t('opens the details of a row, or sorts by a column in the header')],
      [t('Page keys'), t('move by a screen')],
    ]),
  );
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    close();
  });
  document.body.append(dialog);
  dialog.showModal();
}
