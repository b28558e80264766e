import type { OnnxBuilder } from '../onnxBuilder';
import * as blocks from './blocks';
import type { Block } from './blocks';
import { Draft, product, type Value } from './draft';
import * as norms from './norms';
import * as quantized from './quantized';

const ALL: Readonly<Record<string, Block>> = { ...blocks, ...norms, ...quantized };
const OPSETS = [11, 13, 13, 15, 17, 18, 20, 21];
/** Names that languages, shells and file systems have their own ideas about. */
const NAMES = [
  'model',
  'features',
  'int',
  'while',
  'NULL',
  'main',
  'größe',
  '模型',
  '2fast',
  'a b',
  'a-b',
  'a_b',
  'quantmcu',
  'weights',
  'x'.repeat(150),
  "it's",
  'stdint',
  'arena',
];

/** A network in forms that exporters write, and what it consists of. */
export interface ExportedNetwork {
  readonly model: OnnxBuilder;
  /** Of the file, without its ending. */
  readonly name: string;
  readonly story: string;
}

/** The same network for the same seed. */
export function exportedNetwork(seed: number): ExportedNetwork {
  const d = new Draft(seed, OPSETS[seed % OPSETS.length]);
  const name = NAMES[seed % NAMES.length];
  let value = begin(d);
  const count = 1 + d.upTo(4);
  const names = Object.keys(ALL);
  for (let done = 0; done < count;) {
    // Kinds in turn, so that a few networks have them all; what comes with them is chance.
    const kind = done === 0 ? names[seed % names.length] : d.pick(...names);
    const next = product(value.dims) <= 16_384 ? ALL[kind](d, value) : null;
    if (next) {
      value = next;
      d.story.push(kind);
    } else if (done === 0) {
      value = blocks.conv(d, value) ?? value;
      d.story.push(`conv instead of ${kind}`);
    }
    done++;
  }
  end(d, value);
  return { model: d.m, name, story: `seed ${seed}, opset ${d.opset}, ${name}: ${d.story.join(', ')}` };
}

function begin(d: Draft): Value {
  const { m } = d;
  const c = d.pick(1, 3, 4, 6);
  const batch = d.pick<number | string>(1, 1, 'N', 'batch size');
  const kind = d.pick('image', 'image', 'image', 'last', 'sound', 'thin');
  d.story.push(`${kind} of ${c}${batch === 1 ? '' : ', dynamic batch'}`);
  const input = (...rest: number[]): Value => {
    const name = d.pick('input', 'x', 'serving_default_input:0', 'int', 'data/1');
    return { name: m.input(name, [batch, ...rest]), dims: [1, ...rest] };
  };
  const [h, w] = [d.pick(8, 12, 16, 11), d.pick(8, 12, 16, 9)];
  switch (kind) {
    case 'image':
      return input(c, h, w);
    case 'last':
      return d.transpose(input(h, w, c), [0, 3, 1, 2]);
    case 'sound':
      return input(c, d.pick(24, 40, 65));
    default:
      return d.pick(true, false) ? input(c, 1, d.pick(30, 48)) : input(c, d.pick(30, 48), 1);
  }
}

function end(d: Draft, x: Value): void {
  const { m } = d;
  const [, c, ...extents] = x.dims;
  const all = c * product(extents);
  const kind = d.pick('map', 'turned', 'dense', 'dense', 'pooled', 'pooled', 'mean', 'two', 'flat', 'mask');
  d.story.push(kind);
  const output = (v: Value): OnnxBuilder => {
    if (d.chance(0.6)) return m.output(v.name);
    const name = d.pick('output', 'StatefulPartitionedCall:0', 'float', 'a-b', 'ausgäng');
    m.node('Identity', [v.name], {}, { outputs: [name], name: d.pick('', 'same', 'x;y"z\\') });
    return m.output(name);
  };
  const axes = extents.map((_, i) => i + 2);
  switch (kind) {
    case 'map':
      return void output(x);
    case 'turned':
      return void output(d.transpose(x, extents.length === 2 ? d.pick([0, 2, 3, 1], [0, 1, 3, 2]) : [0, 2, 1]));
    case 'flat':
      return void output(d.reshape(x, d.pick([1, all], [1, -1], [-1, all])));
    case 'mask':
      return void output(d.same(x, d.pick('Sigmoid', 'Softmax'), {}));
    case 'mean':
      return void output(d.reduce(x, d.pick('ReduceMean', 'ReduceMax'), axes, d.pick(0, 1)));
    case 'two':
      m.output(d.same(x, 'Relu').name);
      return void output({ name: d.node('Flatten', [d.node('GlobalMaxPool', [x.name])]), dims: [1, c] });
    case 'dense': {
      const flat = d.chance(0.5) ? { name: d.node('Flatten', [x.name]), dims: [1, all] } : d.reshape(x, [1, all]);
      const sum = d.chance(0.5)
        ? d.node('Gemm', [flat.name, d.weights([5, all], all), d.bias(5)], { transB: 1 })
        : d.node('Add', [d.node('MatMul', [flat.name, d.weights([all, 5], all)]), d.bias(5)]);
      return void output({ name: sum, dims: [1, 5] });
    }
    default: {
      const pooled = d.node('Flatten', [d.node('GlobalAveragePool', [x.name])]);
      const sum: Value = { name: d.node('Gemm', [pooled, d.weights([c, 7], c), d.bias(7)]), dims: [1, 7] };
      return void output(d.chance(0.5) ? d.same(sum, 'Softmax', { axis: d.pick(1, -1) }) : sum);
    }
  }
}
