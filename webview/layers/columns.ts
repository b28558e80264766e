/** The columns of the layer table, before and after a plan exists. */
import type { LayerView, ModelView, PlanView } from '../../src/protocol/views';
import { bitsBadge, middleEllipsis, microBar } from '../badges';
import { bitsChoices, bitsKindText, type BitsKind } from '../bitsChoices';
import { fill, h } from '../dom';
import type { Edits } from '../edits';
import { bytesText, countText, millisecondsText, percent, plain, shapeText } from '../format';
import { icon } from '../icons';
import { t } from '../l10n';
import type { Column } from '../virtualGrid';
import { kindText } from './layerText';

type LayerColumn = Column<LayerView>;

/** Columns for a model; those of the plan only when there is one. */
export function layerColumns(
  model: ModelView,
  plan: PlanView | null,
  shortName: (layer: number) => string,
  edits: Edits,
): LayerColumn[] {
  return [
    number(),
    name(shortName),
    kind(),
    ...(plan !== null ? bitColumns(edits) : []),
    shape(),
    macs(model, plan !== null),
    ...(plan !== null ? planColumns(model, plan) : [parameters(model)]),
  ];
}

const number = (): LayerColumn => ({
  id: 'id',
  title: '#',
  description: t('Position in the order of execution'),
  width: 42,
  align: 'end',
  render: (cell, layer) => fill(cell, h('span', { class: 'muted' }, String(layer.id))),
  sortBy: (layer) => layer.id,
});

const name = (shortName: (layer: number) => string): LayerColumn => ({
  id: 'name',
  title: t('Layer'),
  width: 128,
  grow: 1,
  render: (cell, layer) => {
    cell.title = layer.name;
    fill(
      cell,
      layer.problem &&
        h(
          'span',
          { class: 'problem-mark', title: layer.problem.message, role: 'img', aria: { label: t('Problem') } },
          icon('error'),
        ),
      middleEllipsis(shortName(layer.id)),
      layer.plan?.locked === true &&
        h(
          'span',
          { class: 'lock-mark', title: t('Bits are locked'), role: 'img', aria: { label: t('Locked') } },
          icon('lock'),
        ),
    );
  },
  sortBy: (layer) => layer.name,
});

const kind = (): LayerColumn => ({
  id: 'kind',
  title: t('Operation'),
  width: 142,
  grow: 0.6,
  render: (cell, layer) => {
    cell.title = layer.operators;
    fill(
      cell,
      h(
        'span',
        { class: 'ellipsis' },
        kindText(layer.kind),
        layer.detail !== '' && h('span', { class: 'muted' }, ` ${layer.detail}`),
      ),
    );
  },
  sortBy: (layer) => `${layer.kind} ${layer.detail}`,
});

const shape = (): LayerColumn => ({
  id: 'shape',
  title: t('Output'),
  description: t('Shape of the output: height × width × channels'),
  width: 100,
  drop: 2,
  align: 'end',
  render: (cell, layer) => fill(cell, shapeText(layer.output)),
  sortBy: (layer) => (layer.output === null ? null : layer.output.h * layer.output.w * layer.output.c),
});

const macs = (model: ModelView, planned: boolean): LayerColumn => {
  const largest = maximum(model.layers, (layer) => layer.macs);
  return {
    id: 'macs',
    title: t('MACs'),
    description: t('Multiply-accumulates'),
    width: planned ? 86 : 108,
    align: 'end',
    ...(planned ? { drop: 7 } : {}),
    render: (cell, layer) => amount(cell, layer.macs, planned ? 0 : largest, countText),
    sortBy: (layer) => layer.macs,
  };
};

const parameters = (model: ModelView): LayerColumn => {
  const largest = maximum(model.layers, (layer) => layer.parameters);
  return {
    id: 'parameters',
    title: t('Parameters'),
    width: 108,
    align: 'end',
    render: (cell, layer) => amount(cell, layer.parameters, largest, countText),
    sortBy: (layer) => layer.parameters,
  };
};

function bitColumns(edits: Edits): LayerColumn[] {
  const bits = (id: BitsKind, title: string, read: (layer: LayerView) => number | null): LayerColumn => ({
    id,
    title,
    description: bitsKindText(id),
    width: 44,
    align: 'center',
    edit: (layer) => bitsChoices(layer, id, edits),
    render: (cell, layer) => {
      const value = layer.plan === null ? null : read(layer);
      cell.classList.toggle('editable', bitsChoices(layer, id, edits) !== null);
      fill(cell, value === null ? h('span', { class: 'muted' }, '–') : bitsBadge(value));
    },
    sortBy: (layer) => (layer.plan === null ? null : read(layer)),
  });
  return [
    bits('inputBits', t('In'), (layer) => layer.plan!.inputBits),
    bits('weightBits', t('W'), (layer) => layer.plan!.weightBits),
    bits('bits', t('Out'), (layer) => layer.plan!.bits),
  ];
}

function planColumns(model: ModelView, plan: PlanView): LayerColumn[] {
  const largest = maximum(model.layers, (layer) => layer.plan?.bitOps ?? 0);
  const timed = model.layers.some(({ plan }) => plan?.latencyMs != null);
  return [
    {
      id: 'bitOps',
      title: t('BitOPs'),
      description: t('MACs × bits of the weights × bits of the input, over all branches'),
      width: 104,
      align: 'end',
      render: (cell, layer) => amount(cell, layer.plan?.bitOps ?? 0, largest, countText),
      sortBy: (layer) => layer.plan?.bitOps ?? null,
    },
    timed ? timeColumn() : instructionsColumn(),
    ...(plan.countedCore === null
      ? []
      : [...(timed ? [instructionsColumn()] : []), countedColumn(plan.countedCore, plan.target.core)]),
    sizeColumn(
      'mapBytes',
      t('Map'),
      t('Bytes of the whole output feature map at its bits'),
      5,
      (layer) => layer.plan!.mapBytes,
    ),
    sizeColumn('weightBytes', t('Weights'), t('Bytes of the weights in flash'), 6, (layer) => layer.plan!.weightBytes),
    ...(model.layers.some(({ plan }) => plan?.entropy != null)
      ? [
          decimalColumn(
            'entropy',
            t('H'),
            t('Entropy of the output’s codes, bits'),
            50,
            4,
            2,
            (layer) => layer.plan!.entropy,
          ),
        ]
      : []),
    ...(model.layers.some(({ plan }) => plan?.snr != null)
      ? [
          decimalColumn(
            'snr',
            t('SNR'),
            t('Signal-to-noise ratio of the output against float in the last evaluation, dB'),
            60,
            3,
            1,
            (layer) => layer.plan!.snr,
          ),
        ]
      : []),
  ];
}

/** Bytes of a layer. */
function sizeColumn(
  id: string,
  title: string,
  description: string,
  drop: number,
  read: (layer: LayerView) => number,
): LayerColumn {
  return {
    id,
    title,
    description,
    width: 78,
    drop,
    align: 'end',
    render: (cell, layer) =>
      fill(
        cell,
        layer.plan === null || read(layer) === 0 ? h('span', { class: 'muted' }, '–') : bytesText(read(layer)),
      ),
    sortBy: (layer) => (layer.plan === null ? null : read(layer)),
  };
}

/** A measured number with some decimals. */
function decimalColumn(
  id: string,
  title: string,
  description: string,
  width: number,
  drop: number,
  decimals: number,
  read: (layer: LayerView) => number | null,
): LayerColumn {
  return {
    id,
    title,
    description,
    width,
    drop,
    align: 'end',
    render: (cell, layer) => {
      const value = layer.plan === null ? null : read(layer);
      fill(cell, value === null ? h('span', { class: 'muted' }, '–') : plain(value, decimals));
    },
    sortBy: (layer) => (layer.plan === null ? null : read(layer)),
  };
}

/** Time, where the board has estimates. */
function timeColumn(): LayerColumn {
  return {
    id: 'time',
    title: t('Time'),
    description: t('Estimated time in one inference'),
    width: 84,
    drop: 1,
    align: 'end',
    render: (cell, layer) =>
      fill(
        cell,
        layer.plan?.latencyMs == null ? h('span', { class: 'muted' }, '–') : millisecondsText(layer.plan.latencyMs),
      ),
    sortBy: (layer) => layer.plan?.latencyMs ?? null,
  };
}

/** Instructions, where it has none. */
function instructionsColumn(): LayerColumn {
  return {
    id: 'instructions',
    title: t('Instr.'),
    description: t('Estimated instructions in one inference'),
    width: 84,
    drop: 1,
    align: 'end',
    render: (cell, layer) =>
      fill(cell, layer.plan === null ? h('span', { class: 'muted' }, '–') : countText(layer.plan.instructions)),
    sortBy: (layer) => layer.plan?.instructions ?? null,
  };
}

/** What the emulator counted, and where it has the board's core, by how much the estimate is off. */
function countedColumn(core: string, boardCore: string): LayerColumn {
  const comparable = boardCore === `cortex-${core}`;
  return {
    id: 'counted',
    title: t('Counted'),
    description: comparable
      ? t('Instructions in one inference, counted on the emulated board, and how far off the estimate is')
      : t('Instructions in one inference, counted on an emulated board with another core: {0}', core),
    width: comparable ? 124 : 84,
    drop: 1,
    align: 'end',
    render: (cell, { plan }) => {
      const counted = plan?.counted ?? 0;
      if (counted === 0) fill(cell, h('span', { class: 'muted' }, '–'));
      else fill(cell, countText(counted), comparable && errorOf(plan!.instructions, counted));
    },
    sortBy: (layer) => layer.plan?.counted ?? null,
  };
}

function errorOf(estimate: number, counted: number): HTMLElement {
  const error = estimate / counted - 1;
  return h('span', { class: 'muted counted-error' }, `${error < 0 ? '−' : '+'}${percent(Math.abs(error), 0)}`);
}

function amount(cell: HTMLElement, value: number, largest: number, write: (value: number) => string): void {
  if (value === 0) fill(cell, h('span', { class: 'muted' }, '–'));
  else fill(cell, largest > 0 && microBar(value / largest), h('span', { class: 'amount' }, write(value)));
}

/** Not Math.max(...): a model may have more layers than a call may have arguments. */
function maximum(layers: readonly LayerView[], read: (layer: LayerView) => number): number {
  return layers.reduce((most, layer) => Math.max(most, read(layer)), 0);
}
