import { coreName } from '../../src/protocol/boards';
import type { HeadView } from '../../src/protocol/detections';
import type { EditorView } from '../../src/protocol/views';
import { boardText } from '../boardText';
import { h, type Child } from '../dom';
import { bytesText, countText, percent, plain } from '../format';
import { t } from '../l10n';
import { kindText } from '../layers/layerText';
import { facts } from './facts';

/**
 * What the details show while no layer is selected: where the bits are, the plan's settings, and what the model is made
 * of.
 */
export function modelSummary(view: EditorView): Child[] {
  const { model, plan } = view;
  return [
    ...(plan === null ? [] : [bitsShare(view), planFacts(view)]),
    ...(plan?.head == null ? [] : [headFacts(plan.head)]),
    h(
      'section',
      {},
      h('h3', {}, t('Model')),
      facts([
        [t('File'), model.file.split(/[\\/]/).pop() ?? model.file],
        [t('Size'), bytesText(model.fileBytes)],
        [t('Graph'), model.name],
        [t('Producer'), model.producer || '–'],
        [t('Opset'), plain(model.opset, 0)],
        ...portFacts(model.inputs, (name) => t('Input {0}', name)),
        ...portFacts(model.outputs, (name) => t('Output {0}', name)),
      ]),
    ),
    operations(view),
  ];
}

/** Ports listed at most: a model may claim thousands. */
const listedPorts = 8;

function portFacts(ports: EditorView['model']['inputs'], label: (name: string) => string): [string, string][] {
  const rows = ports
    .slice(0, listedPorts)
    .map((port): [string, string] => [label(port.name), `${port.type} ${port.shape}`]);
  return ports.length > listedPorts ? [...rows, ['…', t('and {0} more', plain(ports.length - listedPorts, 0))]] : rows;
}

/** One bar: which part of the BitOPs runs at which bits of the input map. */
function bitsShare({ model }: EditorView): HTMLElement {
  const shares = ([16, 8, 4, 2] as const)
    .map((bits) => {
      const layers = model.layers.filter((layer) => layer.plan?.bits === bits);
      const work = model.layers
        .filter((layer) => layer.plan?.inputBits === bits)
        .reduce((sum, layer) => sum + (layer.plan?.macs ?? 0), 0);
      return { bits, maps: layers.length, work };
    })
    .filter(({ maps, work }) => maps > 0 || work > 0);
  const total = shares.reduce((sum, share) => sum + share.work, 0);
  return h(
    'section',
    {},
    h('h3', {}, t('MACs by bits of the input map')),
    h(
      'div',
      { class: 'share-bar', aria: { hidden: true } },
      ...shares.map(({ bits, work }) => {
        const part = h('span', { class: `share-part bits-${bits}` });
        part.style.flexGrow = String(total > 0 ? work / total : 0);
        return part;
      }),
    ),
    h(
      'ul',
      { class: 'share-legend' },
      ...shares.map(({ bits, maps, work }) =>
        h(
          'li',
          {},
          h('span', { class: `share-dot bits-${bits}`, aria: { hidden: true } }),
          h('strong', {}, t('{0} bits', bits)),
          ` ${percent(total > 0 ? work / total : 0, 0)}`,
          h('span', { class: 'muted' }, ` · ${maps === 1 ? t('1 map') : t('{0} maps', plain(maps, 0))}`),
        ),
      ),
    ),
  );
}

function planFacts({ plan }: EditorView): Child {
  if (plan === null) return null;
  const { target, stage, search } = plan;
  return h(
    'section',
    {},
    h('h3', {}, t('Plan')),
    facts([
      [t('Board'), boardText(target)],
      [t('Core'), `${coreName(target.core)}${target.clockMHz > 0 ? ` · ${plain(target.clockMHz, 0)} MHz` : ''}`],
      [t('SRAM'), bytesText(target.sramBytes)],
      [t('Flash'), bytesText(target.flashBytes)],
      ...(stage === null
        ? []
        : ([
            [t('Patches'), `${stage.rows}×${stage.cols}`],
            [t('Stage'), stage.layers === 1 ? t('1 layer') : t('{0} layers', stage.layers)],
            [t('Classes'), stage.classMode === 'static' ? t('static') : t('at run time')],
          ] as [string, string][])),
      [t('Search'), search.method],
      ['φ', String(search.phi)],
      ...(search.method === 'entropy' ? [['λ', String(search.lambda)] as [string, string]] : measured(search)),
      [t('Images'), plain(search.images, 0)],
    ]),
  );
}

/** How a detector's outputs become boxes. */
function headFacts(head: HeadView): HTMLElement {
  const suppressed = { class: t('within a class'), all: t('between all classes'), none: t('none') };
  return h(
    'section',
    {},
    h('h3', {}, t('Detection head')),
    facts([
      [t('Preset'), head.preset],
      ...(head.cutAt ? [[t('Cut before decoding at'), head.cutAt.join(', ')] as [string, string]] : []),
      [t('Labels'), labelsText(head.labels)],
      [t('Score threshold'), plain(head.score, 2)],
      [t('NMS IoU'), `${suppressed[head.suppress]} · IoU ${plain(head.iou, 2)}`],
      [t('Candidates'), plain(head.candidates, 0)],
      [t('Maximum boxes'), plain(head.detections, 0)],
      ...head.levels.map(({ rows, cols, stride, anchors, form, outputs }, i): [string, string] => [
        t('Level {0}', i + 1),
        t('{0}×{1} cells of {2} pixels, {3} anchors, {4}: {5}', rows, cols, stride, anchors, form, outputs.join(', ')),
      ]),
    ]),
  );
}

/** Labels listed by name at most. */
const listedLabels = 6;

function labelsText(labels: readonly string[]): string {
  const named = labels.slice(0, listedLabels).join(', ');
  return labels.length > listedLabels
    ? t('{0}: {1} and {2} more', labels.length, named, labels.length - listedLabels)
    : `${labels.length}: ${named}`;
}

/** The limits of measured bits. */
function measured({ bitOpsTarget, accuracyBudget }: NonNullable<EditorView['plan']>['search']): [string, string][] {
  return [
    ...(bitOpsTarget === undefined ? [] : [[t('BitOPs target'), `${String(bitOpsTarget)}×`] as [string, string]]),
    ...(accuracyBudget === undefined ? [] : [[t('Accuracy budget'), String(accuracyBudget)] as [string, string]]),
  ];
}

/** The kinds of layers by their work. */
function operations({ model }: EditorView): HTMLElement {
  const kinds = new Map<string, { count: number; macs: number }>();
  for (const layer of model.layers) {
    const entry = kinds.get(layer.kind) ?? { count: 0, macs: 0 };
    kinds.set(layer.kind, { count: entry.count + 1, macs: entry.macs + layer.macs });
  }
  const sorted = [...kinds].sort((a, b) => b[1].macs - a[1].macs || b[1].count - a[1].count).slice(0, 16);
  return h(
    'section',
    {},
    h('h3', {}, t('Operations')),
    facts(
      sorted.map(([kind, { count, macs }]) => [
        `${kindText(kind)} × ${plain(count, 0)}`,
        macs === 0 ? '–' : countText(macs, 'MACs'),
      ]),
    ),
  );
}
