import type { Layer, Shape } from '../../graph/types';
import type { Layout } from '../layout';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** What a layer computes, without its place in the graph. */
export type LayerSpec = DistributiveOmit<Layer, 'id' | 'name' | 'onnx' | 'inputs' | 'output'>;
export type SpecOf<K extends Layer['kind']> = Extract<LayerSpec, { kind: K }>;

export interface OnnxRef {
  readonly name: string;
  readonly opType: string;
}

/** Where a draft map can be observed in the ONNX file. */
export interface DraftTap {
  readonly value: string;
  readonly layout: Layout;
  readonly preClamp: string | null;
}

/** A feature map while the graph is being built and folded. */
export interface DraftMap {
  readonly shape: Shape;
  producer: DraftLayer | null;
  readonly consumers: Set<DraftLayer>;
  /** Name of the ONNX value that introduced it. */
  name: string;
  tap: DraftTap | null;
  /** Read by the user: must survive folding. */
  isOutput: boolean;
}

export interface DraftLayer {
  spec: LayerSpec;
  name: string;
  onnx: OnnxRef[];
  inputs: DraftMap[];
  output: DraftMap;
  /** Reads weights or builds tables; null once done. Kept apart so that describing a model reads no weights. */
  load: (() => LayerSpec) | null;
}

/** The graph under construction: layers in topological order. */
export class Draft {
  layers: DraftLayer[] = [];
  readonly inputs: DraftMap[] = [];

  addInput(name: string, shape: Shape): DraftMap {
    const map: DraftMap = { shape, producer: null, consumers: new Set(), name, tap: null, isOutput: false };
    this.inputs.push(map);
    return map;
  }

  addLayer(
    spec: LayerSpec,
    onnx: OnnxRef[],
    inputs: DraftMap[],
    shape: Shape,
    load: (() => LayerSpec) | null = null,
  ): DraftMap {
    const output: DraftMap = { shape, producer: null, consumers: new Set(), name: '', tap: null, isOutput: false };
    const layer: DraftLayer = { spec, name: onnx[onnx.length - 1]?.name ?? '', onnx, inputs, output, load };
    output.producer = layer;
    for (const input of inputs) input.consumers.add(layer);
    this.layers.push(layer);
    return output;
  }

  /** Replaces the inputs of a layer. */
  rewire(layer: DraftLayer, inputs: DraftMap[]): void {
    for (const map of layer.inputs) map.consumers.delete(layer);
    layer.inputs = inputs;
    for (const map of inputs) map.consumers.add(layer);
  }

  /** Takes layers out of the graph; their outputs must have no readers left. */
  remove(dead: ReadonlySet<DraftLayer>): void {
    if (dead.size === 0) return;
    for (const layer of dead) for (const map of layer.inputs) map.consumers.delete(layer);
    this.layers = this.layers.filter((layer) => !dead.has(layer));
  }
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.h === b.h && a.w === b.w && a.c === b.c;
}
