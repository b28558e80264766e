import type { SweepView } from '../../src/protocol/sweeps';
import type { TradeOffView as TradeOffData } from '../../src/protocol/tradeOff';
import type { EditorView, PlanView } from '../../src/protocol/views';
import { Plot, plotLegend, type PlotSpec } from '../charts/plot';
import type { Context } from '../context';
import { fill, h } from '../dom';
import { bytesText, countText, millisecondsText, percent } from '../format';
import { icon } from '../icons';
import { t } from '../l10n';
import { openMenu } from '../menu';
import type { TradeOffMode } from '../state';
import { button, progressRing, segments } from '../ui';
import { VirtualGrid, type Column } from '../virtualGrid';
import { memoryRows, parameterName, phiRows, qualityOf, rowText, sweepRows, type TradeOffRow } from './rows';
import { accuracySpec, costText, memorySpec, phiSpec, type CostAxis } from './specs';

/** Columns that give way where there is little room: what the plot shows as well goes last. */
const droppedFirst: readonly string[] = ['macs', 'sram', 'latency', 'random'];

const parameters: readonly SweepView['parameter'][] = ['bitops-target', 'phi', 'lambda'];

/**
 * Plans beside the plan: measured by sweeps, found by the planner, and what φ does. A plot and a table of the same
 * points; picking one makes it the plan.
 */
export class TradeOffView {
  readonly element: HTMLElement;
  private readonly plot: Plot;
  private readonly grid: VirtualGrid<TradeOffRow>;
  private readonly tools = h('div', { class: 'toolbar tradeoff-tools' });
  private readonly legend = h('div', { class: 'tradeoff-legend' });
  private readonly chosen = h('div', { class: 'tradeoff-chosen', role: 'status' });
  private readonly note = h('div', { class: 'tradeoff-note' });
  private readonly body: HTMLElement;
  private view: EditorView | null = null;
  private data: TradeOffData | null = null;
  private sweeps: readonly SweepView[] = [];
  private rows: readonly TradeOffRow[] = [];
  private selected: string | null = null;
  private cost: CostAxis = 'bitOps';
  private shown = false;
  private loaded: EditorView | null = null;
  private loading = 0;

  constructor(private readonly context: Context) {
    this.plot = new Plot(
      (id) => this.select(id),
      (id) => this.pick(id),
    );
    this.grid = new VirtualGrid<TradeOffRow>({
      label: t('Points'),
      rowHeight: 26,
      key: (row) => row.key,
      rowClass: (row) => `${row.current ? 'is-plan' : ''} ${row.problem !== null ? 'has-problem' : ''}`,
      onSelect: (row) => this.select(row.id),
      onActivate: (row) => this.pick(row.id),
    });
    this.body = h(
      'div',
      { class: 'tradeoff-body' },
      h('div', { class: 'tradeoff-left' }, this.plot.element, this.legend),
      h('div', { class: 'tradeoff-right' }, this.grid.element, this.chosen),
    );
    this.element = h('div', { class: 'tradeoff-view' }, this.tools, this.note, this.body);
    context.store.onChange((changed) => {
      if (changed.has('tradeOff')) this.draw();
    });
  }

  /** The plot as it is shown, with what it is called; for export. */
  get drawing(): { readonly name: string; readonly svg: SVGSVGElement } | null {
    const svg = this.body.hidden ? null : this.plot.drawing;
    return svg && { name: this.mode(), svg };
  }

  /** The points as they are listed. */
  get table(): readonly TradeOffRow[] {
    return this.rows;
  }

  render(view: EditorView): void {
    this.view = view;
    if (this.shown) void this.load();
  }

  /** What is plotted takes up to seconds to compute: only when somebody looks. */
  setShown(shown: boolean): void {
    this.shown = shown;
    if (shown && this.loaded !== this.view) void this.load();
  }

  sweepsChanged(): void {
    this.loaded = null;
    if (this.shown) void this.load();
  }

  private mode(): TradeOffMode {
    const wanted = this.context.store.ui.tradeOff;
    return wanted === 'phi' && this.data?.phi == null ? 'accuracy' : wanted;
  }

  private async load(): Promise<void> {
    const { view } = this;
    if (view?.plan == null) return;
    const loading = ++this.loading;
    const { host } = this.context;
    this.draw();
    const [sweeps, data] = await Promise.all([
      host.sweeps().then(
        (found) => found ?? [],
        () => [],
      ),
      host.tradeOff().then(
        (found) => found ?? { memory: [], phi: null },
        (): TradeOffData => ({ memory: [], phi: null }),
      ),
    ]);
    if (loading !== this.loading) return;
    this.sweeps = sweeps;
    this.data = data;
    this.loaded = view;
    this.draw();
  }

  private draw(): void {
    const plan = this.view?.plan;
    if (plan == null) return;
    const mode = this.mode();
    this.drawTools(mode, plan.figures.latencyMs !== null);
    const waiting = this.data === null;
    this.rows = waiting
      ? []
      : mode === 'accuracy'
        ? sweepRows(this.sweeps, plan)
        : mode === 'memory'
          ? memoryRows(this.data!.memory)
          : phiRows(this.data!.phi!, plan);
    if (!this.rows.some(({ id }) => id === this.selected))
      this.selected = this.rows.find(({ current }) => current)?.id ?? null;
    const spec = waiting || this.rows.length === 0 ? null : this.spec(mode, plan);
    const measured = mode !== 'accuracy' || this.rows.some(({ quality }) => quality !== null);
    this.body.hidden = spec === null || (mode === 'accuracy' && this.sweeps.length === 0);
    this.drawNote(mode, waiting, measured);
    if (spec === null) return;
    this.plot.element.hidden = this.legend.hidden = !measured;
    this.plot.render(spec);
    fill(this.legend, plotLegend(spec.series));
    this.grid.setColumns(this.columns(mode));
    this.grid.setRows(this.rows);
    this.select(this.selected);
  }

  /** @param timed there are estimates of the time */
  private drawTools(mode: TradeOffMode, timed: boolean): void {
    const { store } = this.context;
    const modes: [TradeOffMode, string][] = [
      ['accuracy', t('Accuracy')],
      ['memory', timed ? t('SRAM and latency') : t('SRAM and MACs')],
      ...(this.data?.phi == null ? [] : [['phi', t('Outlier patches')] as [TradeOffMode, string]]),
    ];
    const focused = (document.activeElement as HTMLElement | null)?.dataset['segment'];
    const sweep = button(
      t('Run sweep…'),
      'secondary',
      () =>
        openMenu(
          sweep,
          t('What to vary'),
          parameters.map((parameter) => ({
            label: parameterName(parameter),
            chosen: false,
            run: () =>
              this.context.edits.run(async () => {
                await this.context.host.runSweep(parameter);
              }),
          })),
        ),
      'play',
    );
    fill(
      this.tools,
      segments(t('Plot'), modes, mode, (chosen) => store.update({ tradeOff: chosen })),
      mode === 'accuracy' &&
        this.sweeps.length > 0 &&
        segments(
          t('Against'),
          (['bitOps', 'latencyMs', 'arenaBytes'] as const)
            .filter((axis) => timed || axis !== 'latencyMs')
            .map((axis) => [axis, costText(axis)]),
          this.cost,
          (chosen) => {
            this.cost = chosen;
            this.draw();
          },
        ),
      h('span', { class: 'spacer' }),
      mode === 'accuracy' && sweep,
    );
    if (focused !== undefined) this.tools.querySelector<HTMLElement>(`[data-segment="${focused}"]`)?.focus();
  }

  private drawNote(mode: TradeOffMode, waiting: boolean, measured: boolean): void {
    const stale = this.sweeps.some(({ current }) => !current);
    const text = waiting
      ? t('Planning…')
      : mode === 'accuracy' && this.sweeps.length === 0
        ? t(
            'A sweep makes a plan for each of several values of a parameter and measures its accuracy on your ' +
              'images. Its points can then be compared here, and any of them made the plan.',
          )
        : mode === 'accuracy' && !measured
          ? t('These points were not measured on images.')
          : mode === 'accuracy' && stale
            ? t(
                'The model or its calibration has changed since: these points can be looked at, but not picked. ' +
                  'Run the sweep again.',
              )
            : mode !== 'accuracy' && this.rows.length === 0
              ? t('The calibration is not cached on this machine: quantize the model again to plan here.')
              : mode === 'phi'
                ? t(
                    'Of the patches that hold more outliers than ε in an image, how many lie at the positions ' +
                      'that get the outlier class, and how many would at as many random positions: the difference ' +
                      'is what the rule is worth on your images.',
                  )
                : null;
    this.note.hidden = text === null;
    fill(this.note, waiting && progressRing(t('Planning')), text);
  }

  private spec(mode: TradeOffMode, plan: PlanView): PlotSpec {
    if (mode === 'memory') return memorySpec(this.rows, plan);
    if (mode === 'phi') return phiSpec(this.data!.phi!, this.rows);
    return accuracySpec(
      this.rows,
      this.sweeps,
      this.rows.some((row) => row[this.cost] !== null) ? this.cost : 'bitOps',
      qualityOf(this.sweeps, plan),
    );
  }

  private columns(mode: TradeOffMode): Column<TradeOffRow>[] {
    const name = nameColumn(mode);
    const share = (value: number): string => percent(value);
    // No column of dashes where the board or its core has no estimates.
    const latency = this.rows.some((row) => row.latencyMs !== null)
      ? [numberColumn('latency', t('Latency'), 76, (row) => row.latencyMs, millisecondsText)]
      : [];
    if (mode === 'memory')
      return [
        name,
        numberColumn('sram', t('SRAM'), 78, (row) => row.arenaBytes, bytesText),
        numberColumn('macs', t('MACs'), 70, (row) => row.macs, countText),
        ...latency,
      ];
    if (mode === 'phi') {
      return [
        name,
        numberColumn('share', t('Outlier'), 76, (row) => row.outliers, share, t('Share of outlier patches')),
        numberColumn(
          'covered',
          t('Covered'),
          76,
          (row) => row.quality,
          share,
          t('Outlier patches at the chosen positions'),
        ),
        numberColumn(
          'random',
          t('Random'),
          76,
          (row) => row.random,
          share,
          t('Outlier patches at as many random positions'),
        ),
      ];
    }
    const phi = this.sweeps.some(({ parameter }) => parameter === 'phi');
    return [
      name,
      numberColumn('quality', t('Accuracy'), 76, (row) => row.quality, share),
      ...(phi
        ? [
            numberColumn(
              'random',
              t('Random'),
              72,
              (row) => row.random,
              share,
              t('Accuracy with outlier patches at random positions'),
            ),
          ]
        : []),
      numberColumn('bitOps', t('BitOPs'), 74, (row) => row.bitOps, countText),
      ...latency,
      numberColumn('sram', t('SRAM'), 76, (row) => row.arenaBytes, bytesText),
    ];
  }

  private select(id: string | null): void {
    this.selected = id;
    const row = this.rows.find((candidate) => candidate.id === id || `${candidate.id} random` === id);
    this.plot.select(row?.id ?? null);
    this.grid.select(row?.key ?? null);
    fill(
      this.chosen,
      row === undefined
        ? h('span', { class: 'muted' }, t('Hover over a point or choose a row.'))
        : h('span', { class: 'tradeoff-text' }, rowText(row)),
      row?.pick != null && !row.current && button(t('Make it the plan'), 'primary', () => this.pick(row.id)),
    );
  }

  private pick(id: string): void {
    const row = this.rows.find((candidate) => candidate.id === id);
    if (row?.pick == null || row.current) return;
    const { edits, host } = this.context;
    const { pick } = row;
    if (pick.kind === 'change') edits.apply(pick.change);
    else {
      edits.run(async () => {
        await host.pickSweepPoint(pick.parameter, pick.value);
        this.context.announce(t('Plan changed.'));
      });
    }
  }
}

/** A column of numbers; a dash where there is none. */
function numberColumn(
  id: string,
  title: string,
  width: number,
  read: (row: TradeOffRow) => number | null,
  write: (value: number) => string,
  description?: string,
): Column<TradeOffRow> {
  return {
    id,
    title,
    width,
    grow: 1,
    align: 'end',
    sortBy: read,
    ...(droppedFirst.includes(id) ? { drop: droppedFirst.length - droppedFirst.indexOf(id) } : {}),
    ...(description === undefined ? {} : { description }),
    render: (cell, row) => {
      const value = read(row);
      fill(cell, value === null ? h('span', { class: 'muted' }, '–') : write(value));
    },
  };
}

function nameColumn(mode: TradeOffMode): Column<TradeOffRow> {
  return {
    id: 'name',
    title: mode === 'phi' ? 'φ' : t('Point'),
    width: mode === 'memory' ? 150 : mode === 'phi' ? 84 : 124,
    grow: 2,
    sortBy: (row) => row.key,
    render: (cell, row) => {
      cell.title = row.problem ?? row.name;
      fill(
        cell,
        row.problem !== null &&
          h('span', { class: 'problem-mark', role: 'img', aria: { label: t('Problem') } }, icon('warning')),
        row.current &&
          h('span', { class: 'chosen-mark', role: 'img', aria: { label: t('this is the plan') } }, icon('check')),
        h('span', { class: 'ellipsis' }, row.name),
      );
    },
  };
}
