import type { EditorView, StepView } from '../../src/protocol/views';
import { microBar } from '../badges';
import type { Context } from '../context';
import { fill, h } from '../dom';
import { bytesText, countText } from '../format';
import { t } from '../l10n';
import { VirtualGrid, type Column } from '../virtualGrid';
import { timelineOf } from './timeline';

/** The memory chart as a table: one row per step, for screen readers and for exact numbers. */
export class MemoryTable {
  readonly element: HTMLElement;
  private readonly grid: VirtualGrid<StepView>;

  constructor(private readonly context: Context) {
    this.grid = new VirtualGrid<StepView>({
      label: t('Memory over the steps'),
      rowHeight: 24,
      key: (step) => step.id,
      rowClass: (step) => (step.branch >= 0 ? 'in-stage' : ''),
      onSelect: (step) => {
        this.grid.select(step.id);
        context.store.update({ selected: step.layer });
      },
    });
    this.element = this.grid.element;
  }

  render(view: EditorView): void {
    const { plan } = view;
    const { store } = this.context;
    if (plan === null) return;
    const peak = plan.figures.arenaBytes;
    const { used } = timelineOf(plan);
    const text = (
      id: string,
      title: string,
      size: { readonly width: number; readonly grow?: number },
      read: (step: StepView) => string,
      sortBy: (step: StepView) => number | string,
      align: 'start' | 'end' = 'start',
    ): Column<StepView> => ({
      id,
      title,
      ...size,
      align,
      sortBy,
      render: (cell, step) => fill(cell, h('span', { class: 'ellipsis' }, read(step))),
    });
    this.grid.setColumns([
      text(
        'step',
        t('Step'),
        { width: 64 },
        (step) => String(step.id),
        (step) => step.id,
        'end',
      ),
      text(
        'branch',
        t('Branch'),
        { width: 80 },
        (step) => (step.branch < 0 ? t('tail') : String(step.branch + 1)),
        (step) => (step.branch < 0 ? 1e9 : step.branch),
      ),
      text(
        'layer',
        t('Layer'),
        { width: 130, grow: 1 },
        (step) => store.shortName(step.layer),
        (step) => step.layer,
      ),
      text(
        'op',
        t('Kernel'),
        { width: 96, grow: 0.6 },
        (step) => step.op,
        (step) => step.op,
      ),
      {
        id: 'bytes',
        title: t('In use'),
        width: 160,
        align: 'end',
        sortBy: (step) => used[step.id],
        render: (cell, step) =>
          fill(cell, microBar(used[step.id] / peak), h('span', { class: 'amount' }, bytesText(used[step.id]))),
      },
      text(
        'top',
        t('Highest byte'),
        { width: 108 },
        (step) => bytesText(step.peakBytes),
        (step) => step.peakBytes,
        'end',
      ),
      text(
        'macs',
        t('MACs'),
        { width: 90 },
        (step) => (step.macs === 0 ? '–' : countText(step.macs)),
        (step) => step.macs,
        'end',
      ),
    ]);
    this.grid.setRows(plan.steps);
  }
}
