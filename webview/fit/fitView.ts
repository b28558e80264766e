import { coreName } from '../../src/protocol/boards';
import type { FirstBoardFitView, FirstFitView, FitView as Fit, FitWayView } from '../../src/protocol/fit';
import type { EditorView } from '../../src/protocol/views';
import type { Context } from '../context';
import { fill, h, type Child } from '../dom';
import { bytesText, millisecondsText } from '../format';
import { icon, type IconName } from '../icons';
import { t } from '../l10n';
import { button, progressRing } from '../ui';

/** Null: patches decide, and are being planned. */
type Verdict = FirstBoardFitView['verdict'];
/** The whole answer, or what of it is there at once. */
type Answer = FirstFitView & Partial<Pick<Fit, 'least'>>;

/**
 * Boards that a model fits, asked for when the tab is first shown. What is known layer by layer is there at once; the
 * whole answer takes a second or two on a large network.
 */
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
    let isWhole = false;
    this.context.host.firstFit().then(
      (first) => {
        if (this.asked === model && !isWhole) fill(this.element, ...this.content(first));
      },
      // The whole answer will say why.
      () => undefined,
    );
    this.context.host.fit().then(
      (fit) => {
        if (this.asked !== model) return;
        isWhole = true;
        this.fillWhole(fit);
      },
      (error: Error) => {
        isWhole = true;
        if (this.asked === model) fill(this.element, h('p', { class: 'fit-problem', role: 'alert' }, error.message));
      },
    );
  }

  /** Whoever is at a board's button already stays there. */
  private fillWhole(fit: Fit): void {
    const { activeElement } = document;
    const label = this.element.contains(activeElement) ? (activeElement?.getAttribute('aria-label') ?? null) : null;
    fill(this.element, ...this.content(fit));
    for (const one of this.element.querySelectorAll<HTMLElement>('[aria-label]'))
      if (one.getAttribute('aria-label') === label) one.focus();
    const fitting = fit.boards.filter(({ verdict }) => verdict !== 'no').length;
    this.context.announce(t('Fits {0} of {1} boards', fitting, fit.boards.length));
  }

  private content(fit: Answer): Child[] {
    const order = (verdict: Verdict): number => (verdict === null ? 1 : { fits: 0, tight: 1, no: 2 }[verdict]);
    // Buttons may move under a pointer only among boards that were open.
    const boards = [...fit.boards].sort((a, b) => order(a.verdict) - order(b.verdict));
    return [
      title(boards),
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
        h('tbody', {}, ...boards.map((board) => this.row(board, fit.flashBytes))),
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

  private row(fit: FirstBoardFitView, flashBytes: Fit['flashBytes']): HTMLElement {
    const { board, verdict, way } = fit;
    const quantize = button(
      t('Quantize…'),
      'secondary',
      () => void this.context.host.quantizeFor({ id: board.id, name: board.name }),
    );
    quantize.setAttribute('aria-label', t('Quantize for {0}…', board.name));
    return h(
      'tr',
      { class: `fit-${verdict ?? 'open'}` },
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
      ...(way === null ? openCells(fit, flashBytes) : cells(fit, way)),
      h('td', {}, verdict === 'no' ? null : quantize),
    );
  }
}

function title(boards: FirstFitView['boards']): HTMLElement {
  if (boards.some(({ way }) => way === null))
    return h(
      'h2',
      { class: 'fit-title fit-waiting', role: 'status' },
      progressRing(t('Working')),
      t('Checking which boards it fits…'),
    );
  const fitting = boards.filter(({ verdict }) => verdict !== 'no').length;
  return h(
    'h2',
    { class: 'fit-title' },
    fitting === 0
      ? t('Fits none of the {0} boards', boards.length)
      : t('Fits {0} of {1} boards', fitting, boards.length),
  );
}

/** What is known of a board of which patches are still being planned. */
function openCells({ board, verdict }: FirstBoardFitView, flashBytes: Fit['flashBytes']): HTMLElement[] {
  const flash = flashBytes[flashBytes[8] <= board.flashBytes ? 8 : 4];
  const open = (): HTMLElement => h('td', { class: 'fit-number muted' }, '…');
  const how = verdict === 'no' ? t('needs at least {0}', t('{0} flash', bytesText(flash))) : t('Checking patches…');
  return [
    h('td', { class: verdict === 'no' ? '' : 'muted' }, how),
    open(),
    h('td', { class: 'fit-number' }, share(t('Flash'), flash, board.flashBytes)),
    open(),
  ];
}

function cells({ board, verdict, layerwise }: FirstBoardFitView, way: FitWayView): HTMLElement[] {
  return [
    h('td', {}, verdict === 'no' ? h('span', {}, needsText(way, board)) : wayText(way)),
    h('td', { class: 'fit-number' }, share(t('SRAM'), way.arenaBytes, board.sramBytes)),
    h('td', { class: 'fit-number' }, share(t('Flash'), way.flashBytes, board.flashBytes)),
    h('td', { class: 'fit-number' }, timeText(verdict, way, layerwise)),
  ];
}

const marks: Record<NonNullable<Verdict>, IconName> = { fits: 'check', tight: 'warning', no: 'close' };

function mark(verdict: Verdict): HTMLElement {
  if (verdict === null) return h('span', { class: 'fit-mark' });
  const text = { fits: t('fits'), tight: t('tight'), no: t('does not fit') }[verdict];
  return h(
    'span',
    { class: 'fit-mark', title: text },
    icon(marks[verdict]),
    h('span', { class: 'fit-mark-text' }, text),
  );
}

/** What the model needs, whatever the board. */
function needs({ layerwise, least, flashBytes }: Answer): HTMLElement {
  const entry = (title: string, sram: number | undefined, flash: number, grid: FitWayView['grid']): HTMLElement =>
    h(
      'div',
      { class: 'fit-need' },
      h('div', { class: 'figure-label' }, title),
      h(
        'div',
        { class: 'fit-need-value' },
        sram === undefined ? '…' : bytesText(sram),
        h('span', { class: 'muted' }, ` ${t('SRAM')}`),
      ),
      h(
        'div',
        { class: 'figure-note' },
        [t('{0} flash', bytesText(flash)), ...(grid === null ? [] : [`${grid.rows}×${grid.cols}`])].join(' · '),
      ),
    );
  return h(
    'div',
    { class: 'fit-needs' },
    entry(t('8 bits, layer by layer'), layerwise.arenaBytes, flashBytes[8], null),
    entry(t('8 bits, in patches'), least?.[8].arenaBytes, flashBytes[8], least?.[8].grid ?? null),
    entry(t('4 bits, in patches'), least?.[4].arenaBytes, flashBytes[4], least?.[4].grid ?? null),
  );
}

function wayText(way: FitWayView): string {
  const { mapBits, weightBits } = way;
  const how = howText(way);
  const bits =
    mapBits === weightBits
      ? t('{0} bits', mapBits)
      : mapBits === 8
        ? t('8 bits, weights at 4')
        : t('maps at 4 bits, weights at 8');
  return `${how}, ${bits}`;
}

function howText({ grid, tailStages, streamed }: FitWayView): string {
  if (streamed) return t('streamed');
  if (grid !== null) return t('{0}×{1} patches', grid.rows, grid.cols);
  return tailStages > 0 ? t('in patches') : t('layer by layer');
}

function needsText(way: FitWayView, board: FirstBoardFitView['board']): string {
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
