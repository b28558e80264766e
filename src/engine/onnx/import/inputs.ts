import { counted } from '../../common/wording';
import type { Shape, TensorBinding } from '../../graph/types';
import { contiguousLayout } from '../layout';
import type { NodeInfo, OnnxModel, ValueInfo } from '../model';
import { DataType, elementsOfType } from '../model';
import { ProblemError } from '../problems';
import { elementCount } from '../tensorData';
import { MAX_MAP_ELEMENTS, productOf } from './nodeContext';
import type { ImportState } from './nodeContext';
import type { MapValue } from './values';

/** Sizes for symbolic dimensions: by the symbol's name, or `h` and `w` for height and width. */
export type SizeOptions = Readonly<Record<string, number>>;

/** How the dimensions of an input form its map: three lists of dimensions, outermost first. */
export interface InputArrangement {
  readonly h: readonly number[];
  readonly w: readonly number[];
  readonly c: readonly number[];
}

/** Inputs that the user feeds: declared inputs that are not initializers (which old files list too). */
export function fedInputs(model: OnnxModel): ValueInfo[] {
  return model.inputs.filter(
    (input) => !model.initializers.has(input.name) && !model.sparseInitializers.has(input.name),
  );
}

/** Element types that a graph may be fed with or return. */
export function bindingType(elementType: number): TensorBinding['elementType'] | null {
  switch (elementType) {
    case DataType.Float:
      return 'float32';
    case DataType.Float16:
      return 'float16';
    case DataType.Uint8:
      return 'uint8';
    case DataType.Int8:
      return 'int8';
    default:
      return null;
  }
}

/**
 * Concrete dimensions of an input: batch 1, symbols from the options.
 *
 * @param nodes readers of the input; where they give it a batch dimension, it has none
 * @throws ProblemError naming the symbol and how to set it
 */
export function resolveInputDims(input: ValueInfo, sizes: SizeOptions, nodes: readonly NodeInfo[] = []): number[] {
  const { dims } = input;
  if (dims === null) throw new ProblemError('has no declared shape', 'Export the model with fixed input sizes.');
  if (dims.length === 0) throw new ProblemError('is a scalar', 'Only images and vectors are supported.');
  if (dims.length > 4)
    throw new ProblemError(`has ${counted(dims.length, 'dimension')}`, 'Only images and vectors are supported.');
  const batched = !gainsBatch(input, nodes);
  const names = namesOfOpen(dims, batched);
  const open: { shown: string; key: string }[] = [];
  const resolved = dims.map((dim, i) => {
    if (typeof dim === 'number') return dim;
    const keys = names[i];
    if (keys === null) return 1;
    const set = keys
      .map((key) => (Object.hasOwn(sizes, key) ? sizes[key] : undefined))
      .find((size) => size !== undefined);
    if (set === undefined) open.push({ shown: dim ?? `dimension ${i + 1}`, key: keys[keys.length - 1] ?? '' });
    return set ?? 1;
  });
  if (open.length > 0) {
    const shown = open.map((dim) => `"${dim.shown}"`).join(' and ');
    const settable = open.every(({ key }) => key !== '');
    throw new ProblemError(
      `leaves its size open (${shown})`,
      settable
        ? `Set it, e.g. --sizes ${open.map(({ key }) => `${key}=${likelySize(key)}`).join(',')} or the setting ` +
            '"quantmcu.inputSizes", or export the model with a fixed size.'
        : 'Export the model with a fixed size.',
    );
  }
  if (resolved.some((d) => !(Number.isInteger(d) && d > 0))) {
    throw new ProblemError(
      `has the shape ${resolved.join('×')}, which holds no elements`,
      'Export the model with the size of real images.',
    );
  }
  if (batched && resolved.length > 1 && resolved[0] !== 1) {
    const whole = ['1', ...resolved].join('×');
    throw new ProblemError(
      `has a fixed batch of ${resolved[0]} (its first dimension)`,
      'The firmware runs one image at a time: export the model with batch 1 or a symbolic batch' +
        (resolved.length === 3 ? `, or as ${whole} where the ${resolved[0]} are channels or rows.` : '.'),
    );
  }
  if (elementCount(resolved) > MAX_MAP_ELEMENTS)
    throw new ProblemError(
      `has the shape ${resolved.join('×')}`,
      'Use a smaller input; no microcontroller can hold such a map.',
    );
  return resolved;
}

/** What the open dimensions of a model's inputs are called in {@link SizeOptions}. */
export function openSizesOf(model: OnnxModel): string[] {
  const names = fedInputs(model).flatMap((input) =>
    input.dims === null ? [] : namesOfOpen(input.dims, !gainsBatch(input, model.nodes)).flatMap((keys) => keys ?? []),
  );
  return [...new Set(names)];
}

/** For each dimension, what it may be set by, the symbol's own name first; null for the batch, none for a fixed one. */
function namesOfOpen(dims: readonly (number | string | null)[], batched: boolean): (readonly string[] | null)[] {
  const extents = namesOfExtents(batched ? dims : [1, ...dims]).slice(batched ? 0 : 1);
  return dims.map((dim, i) => {
    if (typeof dim === 'number') return [];
    if (i === 0 && dims.length > 1 && batched) return null;
    return [dim, extents[i]].filter((key): key is string => key !== null && key !== undefined && key !== '');
  });
}

/** What the sizes of an input's dimensions are called, batch first. */
function namesOfExtents(dims: readonly (number | string | null)[]): string[] {
  if (dims.length === 4) return isChannelsLast(dims) ? ['', 'h', 'w', ''] : ['', '', 'h', 'w'];
  return dims.length === 3 ? ['', '', 'w'] : [];
}

function isChannelsLast(dims: readonly (number | string | null)[]): boolean {
  const few = (d: number | string | null): boolean => d === 1 || d === 3 || d === 4;
  return few(dims[3]) && !few(dims[1]);
}

/** A size to begin with for an open dimension: by its name one image, the channels of a color image, or pixels. */
function likelySize(name: string): number {
  if (/batch|^n$/i.test(name)) return 1;
  return /chan|^c$/i.test(name) ? 3 : 224;
}

/** Adds the input's map; `arrangement` null means to guess from the shape and the nodes that read it. */
export function addInput(
  state: ImportState,
  input: ValueInfo,
  dims: readonly number[],
  arrangement: InputArrangement | null,
  nodes: readonly NodeInfo[],
): void {
  if (bindingType(input.elementType) === null) {
    throw new ProblemError(
      `has ${elementsOfType(input.elementType)}`,
      'Only float32, float16, uint8 and int8 inputs are supported.',
    );
  }
  const { h, w, c } = arrangement ?? guessArrangement(input, dims, nodes);
  const shape: Shape = { h: productOf(dims, h), w: productOf(dims, w), c: productOf(dims, c) };
  const map = state.draft.addInput(input.name, shape);
  const layout = contiguousLayout(dims, [...h, ...w, ...c]);
  map.tap = { value: input.name, layout, preClamp: null };
  const integral = input.elementType === DataType.Uint8 || input.elementType === DataType.Int8;
  const value: MapValue = { kind: 'map', map, dims, layout, name: input.name, via: [], quantization: null, integral };
  state.values.set(input.name, value);
}

/** Channels first unless a Transpose to channels first follows or the shape says otherwise. */
function guessArrangement(input: ValueInfo, dims: readonly number[], nodes: readonly NodeInfo[]): InputArrangement {
  const path = leadingPath(input.name, nodes);
  if (!gainsBatch(input, nodes)) return arrangementOf(dims, path[0]?.opType === 'Transpose' ? path[0] : undefined);
  const { h, w, c } = arrangementOf(
    [1, ...dims],
    path.find((node) => node.opType === 'Transpose'),
  );
  const own = (list: readonly number[]): number[] => list.filter((dim) => dim > 0).map((dim) => dim - 1);
  return { h: own(h), w: own(w), c: own(c) };
}

/** @param transpose what brings the channels first, with the batch dimension or without */
function arrangementOf(dims: readonly number[], transpose: NodeInfo | undefined): InputArrangement {
  if (dims.length === 4) {
    const perm = transpose?.attributes.get('perm')?.ints.join() ?? '';
    const nhwc = transpose ? ['0,3,1,2', '2,0,1'].includes(perm) : isChannelsLast(dims);
    return nhwc ? { h: [0, 1], w: [2], c: [3] } : { h: [0, 2], w: [3], c: [1] };
  }
  if (dims.length === 3) return { h: [0], w: [2], c: [1] };
  return { h: [], w: [], c: dims.map((_, dim) => dim) };
}

const ELEMENTWISE = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Cast',
  'Identity',
  'QuantizeLinear',
  'DequantizeLinear',
  'Clip',
  'Relu',
]);
/** Nodes that say where an input's dimensions are, and look at no element. */
const SHAPING = new Set(['Transpose', 'Unsqueeze', 'Reshape']);

/** The nodes that give the input another shape before the first one that computes with its arrangement. */
function leadingPath(name: string, nodes: readonly NodeInfo[]): NodeInfo[] {
  const path: NodeInfo[] = [];
  let current = name;
  for (const node of nodes) {
    if (!node.inputs.includes(current)) continue;
    if (SHAPING.has(node.opType)) path.push(node);
    else if (!ELEMENTWISE.has(node.opType)) break;
    current = node.outputs[0] ?? '';
  }
  return path;
}

/**
 * Whether an input is one image or signal without a batch dimension, which the graph gives it itself. Readers that do
 * something else with their Unsqueeze or Reshape fail where they find the batch.
 */
function gainsBatch({ dims, name }: ValueInfo, nodes: readonly NodeInfo[]): boolean {
  if (dims === null || (dims.length !== 2 && dims.length !== 3) || dims[0] === 1) return false;
  if (typeof dims[0] !== 'number') return false;
  return leadingPath(name, nodes).some((node) => node.opType !== 'Transpose');
}
