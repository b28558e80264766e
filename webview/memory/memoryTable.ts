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
    this.grid.setColumns([
      numberColumn('step', t('Step'), 64, (step) => step.id, String),
      {
        ...textColumn('branch', t('Branch'), 80, (step) => (step.branch < 0 ? t('tail') : String(step.branch + 1))),
        sortBy: (step) => (step.branch < 0 ? 1e9 : step.branch),
      },
      {
        ...textColumn('layer', t('Layer'), 130, (step) => store.shortName(step.layer)),
        grow: 1,
        sortBy: (step) => step.layer,
      },
      { ...textColumn('op', t('Kernel'), 96, (step) => step.op), grow: 0.6 },
      {
        id: 'bytes',
        title: t('In use'),
        width: 160,
        align: 'end',
        sortBy: (step) => used[step.id],
        render: (cell, step) =>
          fill(cell, microBar(used[step.id] / peak), h('span', { class: 'amount' }, bytesText(used[step.id]))),
      },
      numberColumn('top', t('Highest byte'), 108, (step) => step.peakBytes, bytesText),
      numberColumn(
        'macs',
        t('MACs'),
        90,
        (step) => step.macs,
        (macs) => (macs === 0 ? '–' : countText(macs)),
      ),
    ]);
    this.grid.setRows(plan.steps);
  }
}

/** Sorted by its text. */
function textColumn(id: string, title: string, width: number, read: (step: StepView) => string): Column<StepView> {
  return {
    ...{ id, title, width, sortBy: read },
    render: (cell, step) => fill(cell, h('span', { class: 'ellipsis' }, read(step))),
  };
}

function numberColumn(
  id: string,
  title: string,
  width: number,
  read: (step: StepView) => number,
  write: (value: number) => string,
): Column<StepView> {
  return { ...textColumn(id, title, width, (step) => write(read(step))), align: 'end', sortBy: read };
}
