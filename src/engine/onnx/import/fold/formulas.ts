import type { Formula } from '../../../graph/types';
import type { Draft, DraftLayer, DraftMap, OnnxRef } from '../draft';
import { affineOf, isOpen } from './affine';
import { absorbConsumer, removeUnread, soleProducer } from './rewrite';

/**
 * Operations that one formula may have; it is evaluated as a tree, in which a shared part counts as often as it is
 * used.
 */
const MAX_SIZE = 48;

const X: Formula = { op: 'x' };

/** A value as a function of another one above it. */
interface Derived {
  readonly formula: () => Formula;
  readonly size: number;
  /** Whether it takes more than scaling and shifting. */
  readonly bends: boolean;
  /** Layers on the way, nearest first. */
  readonly layers: () => readonly DraftLayer[];
}

/**
 * Joins element-wise layers over one map into a single activation, since a table can hold any function of one value:
 * products and sums of functions of the same map (GELU by Erf or Tanh, Mish, x·sigmoid(1.702·x), squares) and chains of
 * functions. So nothing between them is rounded, and the maps between them take no memory.
 */
export function mergeFormulas(draft: Draft): void {
  const dead = new Set<DraftLayer>();
  for (const layer of draft.layers) {
    if (dead.has(layer)) continue;
    const { spec } = layer;
    if ((spec.kind === 'mul' || spec.kind === 'add') && layer.inputs.length === 2) joinOperands(draft, layer);
    if (affineOf(layer)) joinScale(layer, dead);
    else joinChain(draft, layer, dead);
  }
  draft.remove(dead);
  removeUnread(draft);
}

/** A sum or product whose operands both come, element by element, from the nearest map above both. */
function joinOperands(draft: Draft, layer: DraftLayer): void {
  const { spec } = layer;
  if (spec.kind !== 'mul' && spec.kind !== 'add') return;
  const [a, b] = layer.inputs;
  const above = new Map(ancestors(b));
  const found = ancestors(a).find(([map]) => above.has(map));
  if (!found) return;
  const [source, left] = found;
  const right = a === b ? left : above.get(source)!;
  const size = left.size + right.size + 1;
  if (size > MAX_SIZE || !(left.bends || right.bends || (spec.kind === 'mul' && a === b))) return;
  const inside = new Set([...left.layers(), ...right.layers()]);
  const readHere = (map: DraftMap): boolean =>
    !map.isOutput && [...map.consumers].every((reader) => reader === layer || inside.has(reader));
  if (![...inside].every((other) => readHere(other.output))) return;
  const x = left.formula();
  const y = a === b ? x : right.formula();
  const joined: Formula =
    spec.kind === 'mul'
      ? { op: 'product', a: x, b: y }
      : { op: 'sum', a: x, b: y, signs: [spec.signs[0], spec.signs[1]] };
  const { clamp } = spec;
  const formula: Formula = isOpen(clamp) ? joined : { op: 'apply', fn: { name: 'clamp', ...clamp }, of: joined };
  layer.onnx = [...nodesOf([...inside]), ...layer.onnx];
  layer.spec = { kind: 'activation', fn: { name: 'formula', label: labelOf(layer.onnx), formula } };
  draft.rewire(layer, [source]);
}

/** A function of a function: of a scaled one too. */
function joinChain(draft: Draft, layer: DraftLayer, dead: Set<DraftLayer>): void {
  if (layer.spec.kind !== 'activation' || layer.spec.fn.name === 'clamp') return;
  const scale = soleProducer(layer);
  const before = scale && affineOf(scale) ? soleProducer(scale) : scale;
  if (!before || before.spec.kind !== 'activation' || before.spec.fn.name === 'clamp' || dead.has(before)) return;
  const chain = ancestors(layer.output).find(([map]) => map === before.inputs[0])?.[1];
  if (!chain || chain.size > MAX_SIZE) return;
  layer.onnx = nodesOf(chain.layers());
  layer.spec = { kind: 'activation', fn: { name: 'formula', label: labelOf(layer.onnx), formula: chain.formula() } };
  draft.rewire(layer, [before.inputs[0]]);
}

/** A scale behind a formula. */
function joinScale(layer: DraftLayer, dead: Set<DraftLayer>): void {
  const before = soleProducer(layer);
  const line = step(layer);
  if (!before || !line || before.spec.kind !== 'activation' || before.spec.fn.name !== 'formula') return;
  const { formula } = before.spec.fn;
  if (sizeOf(formula) + line.size > MAX_SIZE) return;
  const joined = line.of(formula);
  absorbConsumer(before, layer, dead);
  before.spec = { kind: 'activation', fn: { name: 'formula', label: labelOf(before.onnx), formula: joined } };
}

/** The maps that this one is a function of, nearest first, beginning with itself. */
function ancestors(map: DraftMap): [DraftMap, Derived][] {
  const found: [DraftMap, Derived][] = [[map, { formula: () => X, size: 0, bends: false, layers: () => [] }]];
  const steps: { layer: DraftLayer; of: (x: Formula) => Formula }[] = [];
  let size = 0;
  let bends = false;
  let at = map;
  while (at.producer) {
    const layer: DraftLayer = at.producer;
    const own = step(layer);
    if (!own || size + own.size > MAX_SIZE) break;
    steps.push({ layer, of: own.of });
    size += own.size;
    bends ||= own.bends;
    const count = steps.length;
    // The last step found is applied first.
    const formula = (): Formula => steps.slice(0, count).reduceRight((x, { of }) => of(x), X);
    at = layer.inputs[0];
    found.push([at, { formula, size, bends, layers: () => steps.slice(0, count).map((s) => s.layer) }]);
  }
  return found;
}

/** What a layer with one input does to each element; null where it is not the same for all. */
function step(layer: DraftLayer): { of: (x: Formula) => Formula; size: number; bends: boolean } | null {
  const { spec } = layer;
  if (spec.kind === 'activation') {
    const { fn } = spec;
    return fn.name === 'formula'
      ? { of: (x) => substitute(fn.formula, x), size: sizeOf(fn.formula), bends: true }
      : { of: (x) => ({ op: 'apply', fn, of: x }), size: 1, bends: true };
  }
  const affine = affineOf(layer);
  if (!affine) return null;
  const { weights, bias, clamp } = affine;
  const [scale, offset] = [weights[0], bias[0]];
  if (weights.some((s) => s !== scale) || bias.some((o) => o !== offset)) return null;
  const line = (x: Formula): Formula => ({ op: 'line', scale, offset, of: x });
  return isOpen(clamp)
    ? { of: line, size: 1, bends: false }
    : { of: (x) => ({ op: 'apply', fn: { name: 'clamp', ...clamp }, of: line(x) }), size: 2, bends: true };
}

/** The formula of another argument. */
function substitute(formula: Formula, x: Formula): Formula {
  switch (formula.op) {
    case 'x':
      return x;
    case 'line':
    case 'apply':
      return { ...formula, of: substitute(formula.of, x) };
    case 'product':
    case 'sum': {
      const a = substitute(formula.a, x);
      return { ...formula, a, b: formula.b === formula.a ? a : substitute(formula.b, x) };
    }
  }
}

function sizeOf(formula: Formula): number {
  switch (formula.op) {
    case 'x':
      return 0;
    case 'line':
    case 'apply':
      return 1 + sizeOf(formula.of);
    case 'product':
    case 'sum':
      return 1 + sizeOf(formula.a) + sizeOf(formula.b);
  }
}

function nodesOf(layers: readonly DraftLayer[]): OnnxRef[] {
  return [...layers].reverse().flatMap((layer) => layer.onnx);
}

/** The operators that give the function its name. */
function labelOf(nodes: readonly OnnxRef[]): string {
  const plain = new Set(['Mul', 'Div', 'Add', 'Sub', 'Identity', 'Cast', 'Constant']);
  const named = [...new Set(nodes.map((node) => node.opType).filter((op) => !plain.has(op)))];
  return named.slice(0, 3).join('·') || 'Mul';
}
