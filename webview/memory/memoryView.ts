import type { EditorView } from '../../src/protocol/views';
import type { Context } from '../context';
import { fill, h, setAria } from '../dom';
import type { Picture } from '../export/pictures';
import { bytesText } from '../format';
import { t } from '../l10n';
import { iconButton } from '../ui';
import { MemoryChart } from './chart';
import { MemoryTable } from './memoryTable';
import { timelineOf } from './timeline';

/** The memory panel under the other views: title with the peak, ranges, chart or table. */
export class MemoryView {
  readonly element: HTMLElement;
  private readonly chart: MemoryChart;
  private readonly table: MemoryTable;
  private readonly summary = h('span', { class: 'muted toolbar-note' });
  private readonly legend = h(
    'span',
    { class: 'muted toolbar-note memory-legend' },
    t('Blocks are buffers, the line is what is in use, red is the limit.'),
  );
  private readonly ranges = h('div', { class: 'button-group', role: 'group', aria: { label: t('Steps shown') } });
  private readonly scaleToggle: HTMLButtonElement;
  private readonly tableToggle: HTMLButtonElement;
  private readonly openToggle: HTMLButtonElement;
  private dock: 'dockOpen' | 'dockOpenElsewhere' = 'dockOpen';

  constructor(private readonly context: Context) {
    const { store } = context;
    this.chart = new MemoryChart(context);
    this.table = new MemoryTable(context);
    this.scaleToggle = iconButton(
      'fit',
      t('Scale up to 8-bit layer by layer'),
      () => {
        this.chart.fullScale = !this.chart.fullScale;
        setAria(this.scaleToggle, 'pressed', this.chart.fullScale);
        this.chart.redraw();
      },
      { aria: { pressed: false } },
    );
    this.tableToggle = iconButton('table', t('Show as table'), () =>
      store.update({ memoryMode: store.ui.memoryMode === 'chart' ? 'table' : 'chart' }),
    );
    this.openToggle = iconButton('chevronDown', t('Memory panel'), () =>
      store.update({ [this.dock]: !store.ui[this.dock] }),
    );
    this.element = h(
      'section',
      { class: 'memory-view', aria: { label: t('Memory') } },
      h(
        'div',
        { class: 'toolbar dock-bar' },
        h('h2', {}, t('Memory')),
        this.summary,
        this.legend,
        h('span', { class: 'spacer' }),
        this.ranges,
        this.scaleToggle,
        this.tableToggle,
        this.openToggle,
      ),
      this.chart.element,
      this.table.element,
    );
    store.onChange((changed) => {
      if (changed.has('memoryMode') || changed.has(this.dock) || changed.has('memoryRange')) this.arrange();
    });
  }

  render(view: EditorView): void {
    const { plan } = view;
    this.element.hidden = plan === null;
    if (plan === null) return;
    const { store } = this.context;
    const { peakStep } = timelineOf(plan);
    const step = plan.steps[peakStep];
    fill(
      this.summary,
      t('peak {0}', bytesText(plan.figures.arenaBytes)),
      step === undefined ? '' : ` · ${store.shortName(step.layer)}`,
      step === undefined || plan.stage === null
        ? ''
        : ` · ${step.branch < 0 ? t('in the tail') : t('in branch {0}', step.branch + 1)}`,
      plan.target.regions.filter(({ kind }) => kind === 'sram').length > 1
        ? ` · ${t('arena in {0}', plan.target.arenaRegion)}`
        : '',
    );
    this.chart.render(plan);
    this.table.render(view);
    this.arrange();
  }

  /** Whether the panel is open where it is now. */
  get isOpen(): boolean {
    return this.context.store.ui[this.dock];
  }

  /** Which of the two states counts: under the graph and the layers with room for both, or elsewhere. */
  place(beside: boolean): void {
    const dock = beside ? 'dockOpen' : 'dockOpenElsewhere';
    if (dock === this.dock) return;
    this.dock = dock;
    this.arrange();
  }

  /** The whole chart, for a file. */
  picture(): Picture {
    return this.chart.picture(1200, 420);
  }

  private arrange(): void {
    const { store } = this.context;
    const { memoryMode } = store.ui;
    const dockOpen = store.ui[this.dock];
    const plan = store.view?.plan;
    const table = memoryMode === 'table';
    this.chart.element.hidden = !dockOpen || table;
    this.table.element.hidden = !dockOpen || !table;
    setAria(this.tableToggle, 'pressed', table);
    this.tableToggle.hidden = !dockOpen;
    this.scaleToggle.hidden = !dockOpen || table;
    this.ranges.hidden = !dockOpen || table;
    this.legend.hidden = !dockOpen || table;
    setAria(this.openToggle, 'expanded', dockOpen);
    this.openToggle.classList.toggle('turned', !dockOpen);
    if (plan == null) return;
    const { stageEnd, segments, steps, used } = timelineOf(plan);
    const choices: [string, readonly [number, number] | null][] = [[t('All'), null]];
    if (stageEnd >= 0 && stageEnd < steps.length - 1) {
      const peakBranch = segments.filter((s) => s.branch >= 0).reduce((a, b) => (top(b, used) > top(a, used) ? b : a));
      choices.push(
        [t('Patch stage'), [0, stageEnd]],
        [t('Branch {0}', peakBranch.branch + 1), [peakBranch.first, peakBranch.last]],
        [t('Tail'), [stageEnd + 1, steps.length - 1]],
      );
    }
    const focused = Array.from(this.ranges.children).indexOf(document.activeElement!);
    fill(
      this.ranges,
      ...(choices.length < 2
        ? []
        : choices.map(([label, range]) => {
            const current = String(range) === String(store.ui.memoryRange);
            const element = h(
              'button',
              {
                class: 'segment-button',
                aria: { pressed: current },
                on: { click: () => store.update({ memoryRange: range }) },
              },
              label,
            );
            element.type = 'button';
            return element;
          })),
    );
    (this.ranges.children[focused] as HTMLElement | undefined)?.focus();
  }
}

function top(segment: { readonly first: number; readonly last: number }, used: Float64Array): number {
  return used.subarray(segment.first, segment.last + 1).reduce((a, b) => Math.max(a, b), 0);
}
