import type { Shape } from '../../graph/types';
import type { Constant } from '../constant';
import type { AttributeInfo, NodeInfo, OnnxModel } from '../model';
import { DataType } from '../model';
import { Constant as ConstantValue, KEEP_ELEMENTS } from '../constant';
import type { Layout } from '../layout';
import { elementCount } from '../tensorData';
import { ProblemError } from '../problems';
import type { Draft, DraftMap, LayerSpec, OnnxRef } from './draft';
import type { MapValue, Value } from './values';

export const RESHAPE_EXPORT = 'Export the model again for one image of a fixed size.';
const CUT_OR_REPLACE = 'Replace it before export, or cut the model before this node.';

/** Elements of one feature map; far beyond any microcontroller, and small enough for every table built from it. */
export const MAX_MAP_ELEMENTS = 2 ** 26;

const MAX_CONSTANT_DEPTH = 500;

/** Elements that all constants computed during one import may have together. */
const CONSTANT_WORK = 2 ** 28;

/** What is shared by all nodes of one import. */
export class ImportState {
  readonly values = new Map<string, Value>();
  /** MACs by node index, as far as known. */
  readonly macs = new Map<number, number>();
  /** Materialized copies of values, so that two readers of a rearranged value share the rearrangement. */
  readonly materialized = new Map<DraftMap, { from: Layout; layout: Layout; to: DraftMap }[]>();
  private constantWork = 0;

  constructor(
    readonly model: OnnxModel,
    readonly draft: Draft,
  ) {}

  spendConstantWork(elements: number): void {
    this.constantWork += elements;
    if (!(this.constantWork <= CONSTANT_WORK))
      throw new ProblemError('computes too large a constant', 'Simplify the model before export.');
  }
}

/** One node during import: its operands and attributes, and what its operator produces. */
export class NodeContext {
  constructor(
    readonly state: ImportState,
    readonly node: NodeInfo,
    readonly opset: number,
  ) {}

  get ref(): OnnxRef {
    return { name: this.node.name, opType: this.node.opType };
  }

  fail(message: string, remedy: string = CUT_OR_REPLACE): never {
    throw new ProblemError(message, remedy);
  }

  has(index: number): boolean {
    return (this.node.inputs[index] ?? '') !== '';
  }

  value(index: number): Value {
    const value = this.has(index) ? this.state.values.get(this.node.inputs[index]) : undefined;
    return value ?? this.fail(`has no input ${index + 1}`, 'Export the model again.');
  }

  map(index: number): MapValue {
    const value = this.value(index);
    if (value.kind !== 'map')
      this.fail(
        `computes with a constant where a feature map is expected (input ${index + 1})`,
        'Simplify the model (constant folding) and export it again.',
      );
    return value;
  }

  /** @param what for the message, e.g. `its weights` */
  constant(index: number, what: string): Constant {
    const value = this.value(index);
    if (value.kind !== 'constant')
      this.fail(`computes ${what} at run time`, `Only constants are supported there. ${CUT_OR_REPLACE}`);
    return value.constant;
  }

  optionalConstant(index: number, what: string): Constant | null {
    return this.has(index) ? this.constant(index, what) : null;
  }

  attribute(name: string): AttributeInfo | undefined {
    return this.node.attributes.get(name);
  }

  int(name: string, fallback: number): number {
    return this.attribute(name)?.i ?? fallback;
  }

  float(name: string, fallback: number): number {
    return this.attribute(name)?.f ?? fallback;
  }

  text(name: string, fallback: string): string {
    return this.attribute(name)?.s ?? fallback;
  }

  ints(name: string): readonly number[] | null {
    const attribute = this.attribute(name);
    return attribute && attribute.ints.length > 0 ? attribute.ints : null;
  }

  /** A list given as an attribute in old opsets and as an input in newer ones. */
  intsOrInput(name: string, index: number): readonly number[] | null {
    return this.has(index) ? this.constant(index, `its ${name}`).small() : this.ints(name);
  }

  /** An axis in [0, rank). */
  axis(axis: number, rank: number): number {
    const resolved = axis < 0 ? axis + rank : axis;
    if (!(Number.isInteger(resolved) && resolved >= 0 && resolved < rank))
      this.fail(`has axis ${axis} for a value of ${rank} dimensions`, 'Export the model again.');
    return resolved;
  }

  setMap(value: MapValue, index = 0): void {
    const name = this.node.outputs[index] ?? '';
    if (name === '') return;
    if (value.map.name === '') value.map.name = name;
    // A value under codes of the file is not the map's real values; what dequantizes it is.
    if (value.quantization === null) value.map.tap ??= { value: name, layout: value.layout, preClamp: null };
    this.state.values.set(name, { ...value, name });
  }

  setConstant(constant: Constant, index = 0): void {
    const name = this.node.outputs[index] ?? '';
    if (name === '') return;
    for (const input of this.node.inputs) {
      const operand = this.state.values.get(input);
      if (operand?.kind === 'constant') constant.depth = Math.max(constant.depth, operand.constant.depth + 1);
    }
    if (constant.depth > MAX_CONSTANT_DEPTH) {
      // Elements are computed recursively: settle small ones now, refuse what no exporter writes.
      if (constant.elements > KEEP_ELEMENTS)
        this.fail(
          `computes a constant in ${constant.depth} steps`,
          'Simplify the model (constant folding) and export it again.',
        );
      constant.read();
      constant.depth = 0;
    }
    this.state.values.set(name, { kind: 'constant', constant });
  }

  setNumbers(values: readonly number[], dims: readonly number[], dataType: number = DataType.Int64): void {
    this.setConstant(ConstantValue.ofNumbers(values, dims, dataType));
  }

  /** Adds a layer for this node and returns its map. */
  layer(spec: LayerSpec, inputs: readonly MapValue[], shape: Shape, load: (() => LayerSpec) | null = null): DraftMap {
    return this.layerOn(
      spec,
      inputs.map((input) => input.map),
      shape,
      load,
      inputs.flatMap((input) => input.via),
    );
  }

  layerOn(
    spec: LayerSpec,
    inputs: DraftMap[],
    shape: Shape,
    load: (() => LayerSpec) | null = null,
    via: readonly OnnxRef[] = [],
  ): DraftMap {
    checkShape(this, shape);
    // A node that only renames memory may be the one whose output has to be rearranged after all.
    const { name, opType } = this.ref;
    const known = via.some((ref) => ref.name === name && ref.opType === opType);
    return this.state.draft.addLayer(spec, known ? [...via] : [...via, this.ref], inputs, shape, load);
  }

  /** A value over a freshly made map. */
  over(map: DraftMap, dims: readonly number[], layout: Layout): MapValue {
    return { kind: 'map', map, dims, layout, name: null, via: [], quantization: null, integral: false };
  }

  /** The same map seen under other dimensions; remembers this node as one that only renames memory. */
  renamed(value: MapValue, dims: readonly number[], layout: Layout): MapValue {
    return { ...value, dims, layout, name: null, via: value.via.length < 16 ? [...value.via, this.ref] : value.via };
  }
}

function checkShape(context: NodeContext, shape: Shape): void {
  const { h, w, c } = shape;
  if (![h, w, c].every((extent) => Number.isInteger(extent) && extent > 0)) {
    context.fail(
      `would produce an empty map (${h}×${w}×${c})`,
      'Use a larger input, or correct its window, padding or stride.',
    );
  }
  if (h * w * c > MAX_MAP_ELEMENTS)
    context.fail(
      `would produce a map of ${h}×${w}×${c} elements`,
      'Use a smaller input; no microcontroller can hold such a map.',
    );
}

/**
 * Fails where a value of these dimensions is more than any map may hold: asked before anything of that size is made.
 */
export function checkSize(context: NodeContext, dims: readonly number[]): void {
  if (!(elementCount(dims) <= MAX_MAP_ELEMENTS))
    context.fail(
      `would produce a map of ${dims.join('×')} elements`,
      'Use a smaller input; no microcontroller can hold such a map.',
    );
}

/** Product of the named dimensions. */
export function productOf(dims: readonly number[], which: readonly number[]): number {
  return elementCount(which.map((dim) => dims[dim]));
}
