/** The views that the page is tried with. */
import type { EditorView, LayerView } from '../../../src/protocol/views';
import { mobilenetLayers, modelOf } from './mobilenet';
import { plannedView } from './planned';

/** A model that nobody has quantized yet. */
export function unquantizedView(): EditorView {
  return { model: modelOf('mobilenetv2_1.0_224_tv', mobilenetLayers()), plan: null, planProblem: null };
}

/** A detector with operators that are not supported, and a sidecar that cannot be read. */
export function problemView(): EditorView {
  const layers = mobilenetLayers().slice(0, 30);
  const trouble: [string, string, string, string][] = [
    [
      '/head/NonMaxSuppression',
      'NonMaxSuppression',
      'Selecting boxes is not part of a feature map network.',
      'Export the model without post-processing and select the boxes in your application.',
    ],
    ['/head/Loop_1', 'Loop', 'Loops have no fixed schedule.', 'Unroll the loop when exporting.'],
    ['/head/Loop_2', 'Loop', 'Loops have no fixed schedule.', 'Unroll the loop when exporting.'],
    [
      '/neck/GroupNorm',
      'GroupNormalization',
      'Its mean and variance depend on the input.',
      'Train with batch normalization, which is folded into the convolution before it.',
    ],
  ];
  for (const [name, operator, message, remedy] of trouble) {
    layers.push({
      id: layers.length,
      name,
      kind: operator,
      operators: operator,
      inputs: [layers.length - 1],
      output: null,
      outputName: `${name}_out`,
      detail: '',
      macs: 0,
      parameters: 0,
      problem: { message, remedy },
      plan: null,
    });
  }
  const problems = trouble.map(([node, operator, message, remedy]) => ({ node, operator, message, remedy }));
  return {
    model: modelOf('yolo_nano_export', layers, problems),
    plan: null,
    planProblem: 'yolo_nano_export.quantmcu.json, line 12: "bits" must be 8, 4 or 2.',
  };
}

/** Names that would do harm as HTML, confuse as text or do not end. */
export const hostileNames = [
  '<img src=x onerror="window.harmed=1">',
  '"><script>window.harmed=1</script>',
  '\u202Egnp.exe',
  `long_${'x'.repeat(20_000)}`,
  '',
  '${window.harmed=1}',
  'javascript:window.harmed=1',
];

export function hostileView(): EditorView {
  const view = plannedView();
  const rename = (layer: LayerView): LayerView => {
    const name = hostileNames[layer.id % hostileNames.length];
    return {
      ...layer,
      name,
      outputName: name,
      operators: name,
      kind: layer.id % 5 === 0 ? name : layer.kind,
      detail: layer.id % 3 === 0 ? name : layer.detail,
    };
  };
  const [first, second] = hostileNames as [string, string];
  return {
    ...view,
    model: {
      ...view.model,
      name: first,
      file: second,
      producer: first,
      layers: view.model.layers.map(rename),
      inputs: [{ name: first, type: second, shape: first }],
      problems: [{ node: first, operator: second, message: first, remedy: second }],
    },
    plan: {
      ...view.plan!,
      stale: true,
      target: { ...view.plan!.target, name: first, core: second },
      buffers: view.plan!.buffers.map((b) => ({ ...b, name: first, role: second })),
    },
    planProblem: first,
  };
}

/** A long chain, with a skip connection now and then. */
export function chainView(length = 3000): EditorView {
  const layers = Array.from({ length }, (_, id): LayerView => {
    const add = id % 7 === 6;
    return {
      id,
      name: `/stage${Math.floor(id / 100)}/block${id}/${add ? 'Add' : 'Conv'}`,
      kind: add ? 'add' : 'conv',
      operators: add ? 'Add' : 'Conv + Relu',
      inputs: id === 0 ? [] : add ? [id - 4, id - 1] : [id - 1],
      output: { h: 32, w: 32, c: 64 },
      outputName: `t${id}`,
      detail: add ? '' : '3×3',
      macs: add ? 0 : 32 * 32 * 64 * 9 * 64,
      parameters: add ? 0 : 36_928,
      problem: null,
      plan: null,
    };
  });
  return { model: modelOf('chain', layers), plan: null, planProblem: null };
}

/** Inception-like branches with dense concatenations: what makes a drawing hard. */
export function branchedView(blockCount = 9): EditorView {
  const layers: LayerView[] = [];
  const add = (name: string, kind: string, inputs: readonly number[], detail = ''): number => {
    layers.push({
      id: layers.length,
      name,
      kind,
      operators: kind,
      inputs,
      output: { h: 28, w: 28, c: 128 },
      outputName: `${name}_out`,
      detail,
      macs: kind === 'conv' ? 1e7 : 0,
      parameters: kind === 'conv' ? 1e4 : 0,
      problem: null,
      plan: null,
    });
    return layers.length - 1;
  };
  let last = add('stem', 'conv', [], '7×7 s2');
  const history = [last];
  for (let block = 0; block < blockCount; block++) {
    const b1 = add(`b${block}/1x1`, 'conv', [last], '1×1');
    const b2 = add(`b${block}/3x3`, 'conv', [add(`b${block}/3x3_reduce`, 'conv', [last], '1×1')], '3×3');
    const b3 = add(
      `b${block}/5x5b`,
      'conv',
      [add(`b${block}/5x5a`, 'conv', [add(`b${block}/5x5_reduce`, 'conv', [last], '1×1')], '3×3')],
      '3×3',
    );
    const b4 = add(`b${block}/pool_proj`, 'conv', [add(`b${block}/pool`, 'maxPool', [last], '3×3')], '1×1');
    const skip = block % 3 === 2 ? [history[history.length - 3] ?? 0] : [];
    last = add(`b${block}/concat`, 'concat', [b1, b2, b3, b4, ...skip]);
    history.push(last);
  }
  add('classifier', 'fullyConnected', [last]);
  return { model: modelOf('inception_like', layers), plan: null, planProblem: null };
}

export { plannedView };
