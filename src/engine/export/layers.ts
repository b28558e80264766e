import type {
  ActivationFunction,
  Clamp,
  Formula,
  Graph,
  Layer,
  NormalizeLayer,
  ResizeLayer,
  Shape,
  Window,
} from '../graph/types';
import { fromRow, reorder, toRow } from './layout';
import type { OnnxWriter } from './onnxWriter';
import { poolAttributes } from './window';

type PlainLayer = Exclude<Layer, { kind: 'conv' | 'depthwise' | 'fullyConnected' }>;

/** A layer without weights on values of [1, C, H, W]: the float operators that the graph's evaluation stands for. */
export function plainLayer(writer: OnnxWriter, graph: Graph, layer: PlainLayer, values: readonly string[]): string {
  const { name } = layer;
  const [x] = values;
  const input = graph.maps[layer.inputs[0]].shape;
  const output = graph.maps[layer.output].shape;
  switch (layer.kind) {
    case 'add':
      return sum(writer, name, values, layer.signs);
    case 'mul':
      return writer.node('Mul', `${name}/product`, values);
    case 'concat':
      return writer.node('Concat', `${name}/joined`, values, { axis: { c: 1, h: 2, w: 3 }[layer.axis] });
    case 'maxPool':
      if (isCrop(layer.window)) return crop(writer, name, x, layer.window, output);
      return writer.node('MaxPool', `${name}/pooled`, [x], poolAttributes(layer, input, output));
    case 'averagePool':
      return writer.node('AveragePool', `${name}/pooled`, [x], {
        ...poolAttributes(layer, input, output),
        count_include_pad: layer.countIncludePad ? 1 : 0,
      });
    case 'pad': {
      const { top, left, bottom, right } = layer.padding;
      return writer.node(
        'Pad',
        `${name}/padded`,
        [
          x,
          writer.int64s(`${name}/pads`, [0, 0, top, left, 0, 0, bottom, right]),
          writer.floats(`${name}/value`, [], [layer.value]),
        ],
        { mode: 'constant' },
      );
    }
    case 'resize': {
      if (layer.pick) return picked(writer, name, x, layer.pick);
      const scales = writer.floats(`${name}/scales`, [4], [1, 1, layer.scaleH, layer.scaleW]);
      return writer.node('Resize', `${name}/resized`, [x, '', scales], {
        mode: layer.mode,
        coordinate_transformation_mode: layer.coordinates,
        nearest_mode: layer.rounding,
      });
    }
    case 'activation':
      return activation(writer, name, x, layer.fn);
    case 'prelu':
      return writer.node('PRelu', `${name}/prelu`, [
        x,
        writer.floats(`${name}/slopes`, [layer.slopes.length, 1, 1], layer.slopes),
      ]);
    case 'slice': {
      const ends = [layer.begin, layer.end, 1].map((v, i) =>
        writer.int64s(`${name}/${['begin', 'end', 'axis'][i]}`, [v]),
      );
      return writer.node('Slice', `${name}/slice`, [x, ...ends]);
    }
    case 'softmax':
      return writer.node('Softmax', `${name}/softmax`, [x], { axis: 1 });
    case 'normalize':
      return normalized(writer, name, x, layer);
    case 'reshape':
      return fromRow(writer, name, toRow(writer, name, x, input), output);
    case 'permute':
      return fromRow(writer, name, reorder(writer, name, toRow(writer, name, x, input), layer.permutation), output);
  }
}

/** In parts, which all opsets and tools know. */
function normalized(writer: OnnxWriter, name: string, x: string, { centered, mean, epsilon }: NormalizeLayer): string {
  const over = { axes: [1], keepdims: 1 };
  const part = (opType: string, what: string, inputs: string[], attributes = {}): string =>
    writer.node(opType, `${name}/${what}`, inputs, attributes);
  const centre = centered ? part('Sub', 'centered', [x, part('ReduceMean', 'mean', [x], over)]) : x;
  const squares = part('Mul', 'squares', [centre, centre]);
  const size = mean
    ? part('ReduceMean', 'variance', [squares], over)
    : part('ReduceSum', 'sum', [squares, writer.int64s(`${name}/axes`, [1])], { keepdims: 1 });
  const padded = part('Add', 'padded', [size, writer.floats(`${name}/epsilon`, [], [epsilon])]);
  return part('Div', 'normalized', [centre, part('Sqrt', 'deviation', [padded])]);
}

/** Whether a window of one pixel leaves out some of the map's rows or columns. */
function isCrop({ padding: { top, left, bottom, right } }: Window): boolean {
  return Math.min(top, left, bottom, right) < 0;
}

/** Rows and columns from where a window of one pixel begins, by its strides. */
function crop(
  writer: OnnxWriter,
  name: string,
  x: string,
  { padding, strideH, strideW }: Window,
  output: Shape,
): string {
  const [top, left] = [-padding.top, -padding.left];
  const lists = {
    starts: [top, left],
    ends: [top + (output.h - 1) * strideH + 1, left + (output.w - 1) * strideW + 1],
    axes: [2, 3],
    steps: [strideH, strideW],
  };
  return writer.node('Slice', `${name}/cropped`, [
    x,
    ...Object.entries(lists).map(([list, values]) => writer.int64s(`${name}/${list}`, values)),
  ]);
}

function picked(writer: OnnxWriter, name: string, x: string, pick: NonNullable<ResizeLayer['pick']>): string {
  const along = (axis: number, list: string, at: Int32Array, value: string): string =>
    writer.node('Gather', `${name}/${list}`, [value, writer.int64s(`${name}/${list}/picked`, [...at])], { axis });
  return along(3, 'columns', pick.columns, along(2, 'rows', pick.rows, x));
}

function sum(writer: OnnxWriter, name: string, values: readonly string[], signs: readonly (1 | -1)[]): string {
  const first = signs[0] === 1 ? values[0] : writer.node('Neg', `${name}/negated`, [values[0]]);
  return values
    .slice(1)
    .reduce((total, value, i) => writer.node(signs[i + 1] === 1 ? 'Add' : 'Sub', `${name}/sum`, [total, value]), first);
}

function activation(writer: OnnxWriter, name: string, x: string, fn: ActivationFunction): string {
  switch (fn.name) {
    case 'leakyRelu':
      return writer.node('LeakyRelu', `${name}/activated`, [x], { alpha: { float: fn.alpha } });
    case 'hardSigmoid':
      return writer.node('HardSigmoid', `${name}/activated`, [x], {
        alpha: { float: fn.alpha },
        beta: { float: fn.beta },
      });
    case 'hardSwish':
      return writer.node('HardSwish', `${name}/activated`, [x]);
    case 'sigmoid':
      return writer.node('Sigmoid', `${name}/activated`, [x]);
    case 'silu':
      return writer.node('Mul', `${name}/activated`, [x, writer.node('Sigmoid', `${name}/sigmoid`, [x])]);
    case 'tanh':
      return writer.node('Tanh', `${name}/activated`, [x]);
    case 'elu':
      return elu(writer, name, x, fn);
    case 'softplus':
      return writer.node('Softplus', `${name}/activated`, [x]);
    case 'softsign':
      return writer.node('Softsign', `${name}/activated`, [x]);
    case 'thresholdedRelu':
      return writer.node('ThresholdedRelu', `${name}/activated`, [x], { alpha: { float: fn.alpha } });
    case 'shrink':
      return writer.node('Shrink', `${name}/activated`, [x], { lambd: { float: fn.lambd }, bias: { float: fn.bias } });
    case 'erf':
      return writer.node('Erf', `${name}/activated`, [x]);
    case 'exp':
      return writer.node('Exp', `${name}/activated`, [x]);
    case 'log':
      return writer.node('Log', `${name}/activated`, [x]);
    case 'abs':
      return writer.node('Abs', `${name}/activated`, [x]);
    case 'sqrt':
      return writer.node('Sqrt', `${name}/activated`, [x]);
    case 'pow':
      return writer.node('Pow', `${name}/activated`, [x, writer.floats(`${name}/exponent`, [], [fn.exponent])]);
    case 'formula':
      return formula(writer, name, x, fn.formula);
    case 'clamp':
      return clamped(writer, name, x, fn);
  }
}

/** gamma·x above 0, alpha·(e^(x/width) − 1) below, as Elu has one parameter only. */
function elu(
  writer: OnnxWriter,
  name: string,
  x: string,
  { alpha, gamma, width }: Extract<ActivationFunction, { name: 'elu' }>,
): string {
  const scaled = (value: string, suffix: string, factor: number): string =>
    factor === 1
      ? value
      : writer.node('Mul', `${name}/${suffix}`, [value, writer.floats(`${name}/${suffix}_factor`, [], [factor])]);
  if (gamma === 1 && width === 1) return writer.node('Elu', `${name}/activated`, [x], { alpha: { float: alpha } });
  const positive = scaled(writer.node('Relu', `${name}/positive`, [x]), 'above', gamma);
  const below = writer.node('Min', `${name}/below`, [x, writer.floats(`${name}/zero`, [], [0])]);
  const negative = scaled(
    writer.node('Elu', `${name}/bent`, [scaled(below, 'narrow', 1 / width)], { alpha: { float: 1 } }),
    'bend',
    alpha,
  );
  return writer.node('Add', `${name}/activated`, [positive, negative]);
}

function formula(writer: OnnxWriter, name: string, x: string, f: Formula): string {
  switch (f.op) {
    case 'x':
      return x;
    case 'line': {
      const scaled = writer.node('Mul', `${name}/scaled`, [
        formula(writer, name, x, f.of),
        writer.floats(`${name}/factor`, [], [f.scale]),
      ]);
      return writer.node('Add', `${name}/shifted`, [scaled, writer.floats(`${name}/offset`, [], [f.offset])]);
    }
    case 'apply':
      return activation(writer, name, formula(writer, name, x, f.of), f.fn);
    case 'product':
      return writer.node('Mul', `${name}/product`, [formula(writer, name, x, f.a), formula(writer, name, x, f.b)]);
    case 'sum':
      return sum(writer, name, [formula(writer, name, x, f.a), formula(writer, name, x, f.b)], f.signs);
  }
}

/** The clamp that a layer has fused. */
export function clamped(writer: OnnxWriter, name: string, value: string, { min, max }: Clamp): string {
  if (min === null && max === null) return value;
  if (min === 0 && max === null) return writer.node('Relu', `${name}/relu`, [value]);
  const bound = (suffix: string, v: number | null): string =>
    v === null ? '' : writer.floats(`${name}/${suffix}`, [], [v]);
  return writer.node('Clip', `${name}/clip`, [value, bound('min', min), ...(max === null ? [] : [bound('max', max)])]);
}
