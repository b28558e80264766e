import { coreName } from '../../src/protocol/boards';
import type { BoardFitView, FitView as Fit, FitWayView } from '../../src/protocol/fit';
import type { EditorView } from '../../src/protocol/views';
import type { Context } from '../context';
import { fill, h, type Child } from '../dom';
import { bytesText, millisecondsText } from '../format';
import { icon, type IconName } from '../icons';
import { t } from '../l10n';
import { button, progressRing } from '../ui';

type Verdict = BoardFitView['verdict'];

/** Boards that a model fits, asked for when the tab is first shown: it takes a second or two on a large network. */
export class FitView {
  readonly element = h('div', { class: 'fit-view', tabIndex: 0, role: 'region', aria: { label: t('Boards') } });
  private model: EditorView['model'] | null = null;
  private isShown = false;
  /** Of which model the answer is, or is being waited for. */
  private asked: EditorView['model'] | null = null;

  constructor(private readonly context: Context) {}

  render({ model }: EditorView): void {
    const before = this.model;
    this.model = model;
    // A plan changes nothing here: the check is of the model alone.
    if (before === null || fingerprint(before) !== fingerprint(model)) this.asked = null;
    this.ask();
  }

  setShown(shown: boolean): void {
    this.isShown = shown;
    this.ask();
  }

  private ask(): void {
    const { model } = this;
    if (!this.isShown || model === null || this.asked !== null || model.problems.length > 0) return;
    this.asked = model;
    fill(
      this.element,
      h('p', { class: 'fit-waiting', role: 'status' }, progressRing(t('Working')), t('Checking which boards it fits…')),
    );
    this.context.host.fit().then(
      (fit) => {
        if (this.asked !== model) return;
        fill(this.element, ...this.content(fit));
        const fitting = fit.boards.filter(({ verdict }) => verdict !== 'no').length;
        this.context.announce(t('Fits {0} of {1} boards', fitting, fit.boards.length));
      },
      (error: Error) => {
        if (this.asked === model) fill(this.element, h('p', { class: 'fit-problem', role: 'alert' }, error.message));
      },
    );
  }

  private content(fit: Fit): Child[] {
    const order: Record<Verdict, number> = { fits: 0, tight: 1, no: 2 };
    const boards = [...fit.boards].sort((a, b) => order[a.verdict] - order[b.verdict]);
    const fitting = boards.filter(({ verdict }) => verdict !== 'no').length;
    return [
      h(
        'h2',
        { class: 'fit-title' },
        fitting === 0
          ? t('Fits none of the {0} boards', boards.length)
          : t('Fits {0} of {1} boards', fitting, boards.length),
      ),
      needs(fit),
      h(
        'table',
        { class: 'fit-table' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ...[t('Board'), t('How it runs'), t('SRAM'), t('Flash'), t('Time (estimate)'), ''].map((title) =>
              h('th', { role: 'columnheader' }, title === '' ? h('span', { class: 'sr-only' }, t('Quantize')) : title),
            ),
          ),
        ),
        h('tbody', {}, ...boards.map((board) => this.row(board))),
      ),
      h(
        'p',
        { class: 'muted fit-note' },
        t(
          'From the model’s shapes alone, without images: the arena is laid out exactly, flash and time are ' +
            'estimates. ' +
            'Quantizing chooses bits layer by layer and often needs less.',
        ),
      ),
    ];
  }

  private row({ board, verdict, way, layerwise }: BoardFitView): HTMLElement {
    const quantize = button(
      t('Quantize…'),
      'secondary',
      () => void this.context.host.quantizeFor({ id: board.id, name: board.name }),
    );
    quantize.setAttribute('aria-label', t('Quantize for {0}…', board.name));
    return h(
      'tr',
      { class: `fit-${verdict}` },
      h(
        'td',
        { class: 'fit-board' },
        h(
          'div',
          {},
          mark(verdict),
          h(
            'span',
            {},
            h('strong', {}, board.name),
            h(
              'span',
              { class: 'muted fit-core' },
              `${coreName(board.core)}${board.clockMHz > 0 ? ` · ${String(board.clockMHz)} MHz` : ''}`,
            ),
          ),
        ),
      ),
      h('td', {}, verdict === 'no' ? h('span', {}, needsText(way, board)) : wayText(way)),
      h('td', { class: 'fit-number' }, share(t('SRAM'), way.arenaBytes, board.sramBytes)),
      h('td', { class: 'fit-number' }, share(t('Flash'), way.flashBytes, board.flashBytes)),
      h('td', { class: 'fit-number' }, timeText(verdict, way, layerwise)),
      h('td', {}, verdict === 'no' ? null : quantize),
    );
  }
}

const marks: Record<Verdict, IconName> = { fits: 'check', tight: 'warning', no: 'close' };

function mark(verdict: Verdict): HTMLElement {
  const text = { fits: t('fits'), tight: t('tight'), no: t('does not fit') }[verdict];
  return h(
    'span',
    { class: 'fit-mark', title: text },
    icon(marks[verdict]),
    h('span', { class: 'fit-mark-text' }, text),
  );
}

/** What the model needs, whatever the board. */
function needs({ layerwise, least, flashBytes }: Fit): HTMLElement {
  const entry = (title: string, sram: number, flash: number | null, grid: FitWayView['grid']): HTMLElement =>
    h(
      'div',
      { class: 'fit-need' },
      h('div', { class: 'figure-label' }, title),
      h('div', { class: 'fit-need-value' }, bytesText(sram), h('span', { class: 'muted' }, ` ${t('SRAM')}`)),
      h(
        'div',
        { class: 'figure-note' },
        [flash === null ? '' : t('{0} flash', bytesText(flash)), grid === null ? '' : `${grid.rows}×${grid.cols}`]
          .filter((part) => part !== '')
          .join(' · '),
      ),
    );
  return h(
    'div',
    { class: 'fit-needs' },
    entry(t('8 bits, layer by layer'), layerwise.arenaBytes, flashBytes[8], null),
    entry(t('8 bits, in patches'), least[8].arenaBytes, flashBytes[8], least[8].grid),
    entry(t('4 bits, in patches'), least[4].arenaBytes, flashBytes[4], least[4].grid),
  );
}

function wayText({ grid, tailStages, mapBits, weightBits }: FitWayView): string {
  const how =
    grid !== null ? t('{0}×{1} patches', grid.rows, grid.cols) : tailStages > 0 ? t('in patches') : t('layer by layer');
  const bits =
    mapBits === weightBits
      ? t('{0} bits', mapBits)
      : mapBits === 8
        ? t('8 bits, weights at 4')
        : t('maps at 4 bits, weights at 8');
  return `${how}, ${bits}`;
}

function needsText(way: FitWayView, board: BoardFitView['board']): string {
  const needed = [
    way.arenaBytes > board.sramBytes ? t('{0} SRAM', bytesText(way.arenaBytes)) : '',
    way.flashBytes > board.flashBytes ? t('{0} flash', bytesText(way.flashBytes)) : '',
  ].filter((part) => part !== '');
  return t('needs at least {0}', needed.join(', '));
}

/** How much of a limit is used, as a number and a bar. */
function share(label: string, used: number, limit: number): HTMLElement {
  const bar = h('div', { class: 'meter-fill' });
  bar.style.width = `${Math.min(100, (used / limit) * 100)}%`;
  const over = used > limit;
  return h(
    'div',
    { class: `fit-share${over ? ' over' : ''}`, title: t('{0} of {1}', bytesText(used), bytesText(limit)) },
    h('span', { class: 'fit-share-label muted' }, `${label} `),
    h('span', {}, bytesText(used), h('span', { class: 'muted' }, ` / ${bytesText(limit)}`)),
    h(
      'div',
      {
        class: 'meter',
        role: 'meter',
        aria: { label, valuemin: 0, valuemax: 100, valuenow: Math.min(100, Math.round((used / limit) * 100)) },
      },
      bar,
    ),
  );
}

function timeText(verdict: Verdict, way: FitWayView, layerwise: FitWayView): string {
  if (verdict === 'no') return '–';
  const ms = way.latencyMs ?? layerwise.latencyMs;
  return ms === null ? t('no estimate') : millisecondsText(ms);
}

/** What tells one model from another that was saved in its place. */
function fingerprint({ file, fileBytes, macs, parameters, layers }: EditorView['model']): string {
  return [file, fileBytes, macs, parameters, layers.length].join();
}
