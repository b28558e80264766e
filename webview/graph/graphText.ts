import type { LayerView } from '../../src/protocol/views';
import { countText, shapeText } from '../format';
import { t } from '../l10n';
import { kindText } from '../layers/layerText';
import type { FoldedGraph, GraphNode } from './folding';
import { stripsOf, stripText } from './strips';

/** What a folded node is: `3 × Conv · Depthwise · Add`. */
export function groupTitle({ layers, repeats }: GraphNode): string {
  const block = layers.slice(0, layers.length / repeats).map(({ kind }) => kindText(kind));
  const words = block.filter((word, i) => word !== block[i - 1]).slice(0, 12);
  return repeats > 1 ? `${repeats} × ${words.join(' · ')}` : words.join(' · ');
}

/** How many layers, and where they begin. */
export function groupName({ layers }: GraphNode, name: (layer: number) => string): string {
  return t('{0} layers from {1}', layers.length, name(layers[0].id));
}

function groupFacts({ layers }: GraphNode): [string, string][] {
  const macs = layers.reduce((sum, layer) => sum + (layer.plan?.macs ?? layer.macs), 0);
  const rows: [string, string][] = [
    [t('Layers'), `${layers[0].id}…${layers[layers.length - 1].id}`],
    [t('Shape'), shapeText(layers[layers.length - 1].output)],
  ];
  if (macs > 0) rows.push([t('MACs'), countText(macs)]);
  if (layers.some(({ plan }) => plan !== null)) rows.push([t('Bits'), groupBits(layers)]);
  return rows;
}

function groupBits(layers: readonly LayerView[]): string {
  const [input, weights, output] = stripsOf(layers).map(stripText);
  return `${input} × ${weights} → ${output}`;
}

function spokenGroup(node: GraphNode, name: (layer: number) => string): string {
  const bits = node.layers.some(({ plan }) => plan !== null)
    ? `, ${t('bits of input, weights and output {0}', groupBits(node.layers))}`
    : '';
  return `${groupTitle(node)}, ${groupName(node, name)}${bits}, ${t('folded: Enter unfolds it')}`;
}

/** Title and rows of a node's tooltip. */
export function nodeFacts(node: GraphNode): [string, [string, string][]] {
  return node.layers.length > 1
    ? [groupTitle(node), groupFacts(node)]
    : [node.layers[0].name, layerFacts(node.layers[0])];
}

function layerFacts(layer: LayerView): [string, string][] {
  const rows: [string, string][] = [
    [t('Operators'), layer.operators],
    [t('Shape'), shapeText(layer.output)],
  ];
  if (layer.macs > 0) rows.push([t('MACs'), countText(layer.plan?.macs ?? layer.macs)]);
  if (layer.plan !== null)
    rows.push([t('Bits'), `${layer.plan.inputBits} × ${layer.plan.weightBits ?? '–'} → ${layer.plan.bits}`]);
  if (layer.problem !== null) rows.push([t('Problem'), layer.problem.message]);
  return rows;
}

/** What is announced of a node that is selected. */
export function spoken({ nodes, readers }: FoldedGraph, node: number, name: (layer: number) => string): string {
  const { layers } = nodes[node];
  return layers.length > 1 ? spokenGroup(nodes[node], name) : spokenLayer(layers[0], readers[node].length);
}

function spokenLayer(layer: LayerView, consumers: number): string {
  const bits =
    layer.plan === null
      ? ''
      : `, ${t('{0} bits', layer.plan.bits)}${layer.plan.inPatchStage ? `, ${t('patch stage')}` : ''}`;
  return (
    `${kindText(layer.kind)} ${layer.detail} ${layer.name}, ${shapeText(layer.output)}${bits}, ` +
    `${t('{0} inputs, {1} readers', layer.inputs.length, consumers)}`
  );
}
