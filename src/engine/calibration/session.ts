import { UserError } from '../common/errors';
import { evaluateLayer } from '../graph/evaluate';
import { elements, type Graph, type Layer, type MapId, type MapTap, type Shape } from '../graph/types';
import type { ObservedOutput } from '../inference/frames';
import { RuntimeRefusal, RuntimeSession, type RuntimeOptions, type RuntimeValues } from './runtime';
import type { MapStatistics } from './types';

/** Values of one feature map of one run. They are overwritten by the end of the next run. */
export interface Observed {
  readonly values: Float32Array;
  /** `CHW`: channel planes one after the other, as onnxruntime gives most maps; `HWC`: as the Graph has them. */
  readonly layout: 'CHW' | 'HWC';
}

export interface ObservationRequest {
  /** Maps whose values are wanted besides the outputs. */
  readonly maps: readonly MapId[];
  /** Outputs of linear layers whose values before the fused clamp are wanted. */
  readonly preClamp: readonly MapId[];
  /** Maps whose statistics are wanted. */
  readonly statistics?: readonly MapId[];
}

/** All maps of a graph would take 4 bytes per value; a larger network is not one for a microcontroller. */
const MAX_OBSERVED_VALUES = 200e6;

/**
 * The float network, executed by onnxruntime on the original file, with feature maps observable. Maps that no value of
 * the file carries (inside a folded pattern) are computed by the Graph's float evaluation from their layer's inputs. A
 * file that onnxruntime refuses although the importer could read it (an opset of its future or past, equal node names)
 * is evaluated by the Graph only: slower, with the same values.
 */
export class FloatSession {
  private readonly maps = new Map<MapId, Observed>();
  private readonly preClamps = new Map<MapId, Observed>();
  private readonly scratch = new Map<string, Float32Array>();

  private constructor(
    private readonly graph: Graph,
    private readonly runtime: RuntimeSession | null,
    private readonly request: ObservationRequest,
    /** Maps wanted by the caller or needed to compute one. */
    private readonly wanted: ReadonlySet<MapId>,
    /** Layers to evaluate after onnxruntime's run, in topological order. */
    private readonly evaluated: readonly Layer[],
    /** Why onnxruntime is not used; null when it is. */
    readonly note: string | null,
    /** Maps whose statistics are kept where onnxruntime runs; those of others can be made from {@link map}. */
    readonly observed: ReadonlySet<MapId>,
  ) {}

  /**
   * @param modelPath the ONNX file that the graph was imported from
   * @throws UserError when the file cannot be read or the maps do not fit into memory
   */
  static async open(
    graph: Graph,
    modelPath: string,
    request: ObservationRequest,
    options: RuntimeOptions = {},
  ): Promise<FloatSession> {
    const outputs = graph.outputs.map((o) => o.map);
    const unclamped = request.preClamp
      .filter((m) => graph.taps.get(m)?.preClamp == null)
      .map((m) => graph.layers[graph.maps[m].producer!]);
    const observed = (request.statistics ?? []).flatMap((map) => observable(graph, map));
    const there = new Set(observed.map(({ map }) => map));
    const maps = [...request.maps, ...(request.statistics ?? []).filter((map) => !there.has(map))];
    const { wanted, evaluated } = closure(graph, [...maps, ...outputs, ...unclamped.flatMap((l) => l.inputs)]);
    const values = [...new Set([...wanted, ...there])].reduce((sum, m) => sum + elements(graph.maps[m].shape), 0);
    if (values > MAX_OBSERVED_VALUES) {
      throw new UserError(
        `The feature maps of ${graph.name} hold ${values} values, more than the ${MAX_OBSERVED_VALUES} that ` +
          'calibration keeps; use a smaller input.',
      );
    }
    const taps = new Set<string>();
    for (const map of wanted) {
      const tap = graph.taps.get(map);
      if (tap !== undefined && graph.maps[map].producer !== null) taps.add(tap.value);
    }
    for (const map of request.preClamp) {
      const name = graph.taps.get(map)?.preClamp;
      if (name != null) taps.add(name);
    }
    try {
      const runtime = await RuntimeSession.open(modelPath, graph, { values: [...taps], observed }, options);
      return new FloatSession(graph, runtime, request, wanted, evaluated, null, there);
    } catch (error) {
      if (!(error instanceof RuntimeRefusal)) throw error;
      const note =
        `onnxruntime does not load this file (${error.message}); QuantMCU computes its float values itself, ` +
        'which takes longer.';
      const all = new Set(graph.maps.map((m) => m.id));
      return new FloatSession(graph, null, request, all, graph.layers, note, new Set());
    }
  }

  /**
   * Runs the network on one sample; {@link map}, {@link preClamp} and {@link outputs} then answer for it.
   *
   * @param inputs one array per graph input, HWC, real values
   */
  async run(inputs: readonly Float32Array[]): Promise<void> {
    const end = await this.begin(inputs);
    await end();
  }

  /**
   * Begins a run on one sample, as {@link run} does; where statistics are wanted, even before the one before is ended.
   * Until it is ended, {@link map}, {@link preClamp} and
   * {@link outputs} answer for the run before.
   *
   * @returns when onnxruntime has the inputs and works on them: what ends the run
   */
  async begin(inputs: readonly Float32Array[]): Promise<() => Promise<void>> {
    const end = await this.runtime?.begin(inputs);
    return async () => this.finish(inputs, end === undefined ? null : await end());
  }

  /** Makes the values of a run, those of onnxruntime (null: without it) and evaluated ones, those that are reported. */
  private finish(inputs: readonly Float32Array[], values: RuntimeValues | null): void {
    this.maps.clear();
    this.preClamps.clear();
    this.graph.inputs.forEach((binding, i) => this.maps.set(binding.map, { values: inputs[i], layout: 'HWC' }));
    const problem = this.runtime?.problem;
    if (problem?.kind === 'length') throw this.wrongLength(problem.map, problem.length);
    if (values !== null) {
      const take = (map: MapId, tap: MapTap, name: string): Observed => {
        const data = values.get(name);
        const { shape } = this.graph.maps[map];
        if (data?.length !== elements(shape)) throw this.wrongLength(map, data?.length ?? null);
        return this.arrange(name, data, shape, tap.order);
      };
      for (const map of this.wanted) {
        const tap = this.graph.taps.get(map);
        if (tap !== undefined && !this.maps.has(map)) this.maps.set(map, take(map, tap, tap.value));
      }
      for (const map of this.request.preClamp) {
        const tap = this.graph.taps.get(map);
        if (tap?.preClamp != null) this.preClamps.set(map, take(map, tap, tap.preClamp));
      }
    }
    for (const layer of this.evaluated) {
      this.maps.set(layer.output, this.evaluate(layer));
    }
    for (const map of this.request.preClamp) {
      if (this.preClamps.has(map)) continue;
      const layer = withoutClamp(this.graph.layers[this.graph.maps[map].producer!]);
      this.preClamps.set(map, this.evaluate(layer));
    }
  }

  private wrongLength(map: MapId, length: number | null): UserError {
    const { shape, name } = this.graph.maps[map];
    return new UserError(
      `onnxruntime gives ${length ?? 'no'} values for '${name}', but the imported network has ` +
        `${shape.h}×${shape.w}×${shape.c}; the model may need other sizes.`,
    );
  }

  /** Of those in {@link observed}, the first that took values that are not finite in the run ended last. */
  get infinite(): MapId | null {
    const { problem = null } = this.runtime ?? {};
    return problem?.kind === 'infinite' ? problem.map : null;
  }

  /** Statistics of {@link observed} over all runs. @throws ObservationsLost */
  async statistics(): Promise<ReadonlyMap<MapId, MapStatistics>> {
    return (await this.runtime?.statistics()) ?? new Map<MapId, MapStatistics>();
  }

  /** Values of a requested map. */
  map(id: MapId): Observed {
    const observed = this.maps.get(id);
    if (observed === undefined) throw new Error(`map ${id} was not requested`);
    return observed;
  }

  /** Values of a requested map before its clamp. */
  preClamp(id: MapId): Observed {
    const observed = this.preClamps.get(id);
    if (observed === undefined) throw new Error(`map ${id} before its clamp was not requested`);
    return observed;
  }

  /** Values of a requested map in HWC order. */
  hwc(id: MapId): Float32Array {
    const { values, layout } = this.map(id);
    return layout === 'HWC' ? values : chwToHwc(values, this.graph.maps[id].shape);
  }

  /** The graph's outputs in HWC order; the caller's to keep. */
  outputs(): Float32Array[] {
    return this.graph.outputs.map((o) => this.hwc(o.map).slice());
  }

  /** Frees the native session. */
  async dispose(): Promise<void> {
    await this.runtime?.dispose();
  }

  private evaluate(layer: Layer): Observed {
    const { maps } = this.graph;
    const values = evaluateLayer(
      layer,
      layer.inputs.map((m) => this.hwc(m)),
      layer.inputs.map((m) => maps[m].shape),
      maps[layer.output].shape,
    );
    return { values, layout: 'HWC' };
  }

  private arrange(name: string, data: Float32Array, shape: Shape, order: MapTap['order']): Observed {
    const layout = layoutOf(shape, order);
    if (layout !== null || order === null || order === 'NCHW') return { values: data, layout: layout ?? 'HWC' };
    let out = this.scratch.get(name);
    if (out === undefined) this.scratch.set(name, (out = new Float32Array(data.length)));
    for (let i = 0; i < data.length; i++) out[order[i]] = data[i];
    return { values: out, layout: 'HWC' };
  }
}

/** How a map is observed where onnxruntime runs; nothing where only its values here have the order of the Graph. */
function observable(graph: Graph, map: MapId): ObservedOutput[] {
  const tap = graph.taps.get(map);
  const { producer, name, shape } = graph.maps[map];
  if (tap === undefined || producer === null) return [];
  const layout = layoutOf(shape, tap.order);
  return layout === null ? [] : [{ map, name, shape, layout, value: tap.value }];
}

/** The layout in which a tap's values are; null where they must be put in order. */
function layoutOf(shape: Shape, order: MapTap['order']): Observed['layout'] | null {
  if (order === null || (order === 'NCHW' && (shape.c === 1 || shape.h * shape.w === 1))) return 'HWC';
  return order === 'NCHW' ? 'CHW' : null;
}

/** The maps to take from taps, and the layers that must be evaluated because their output has none. */
function closure(graph: Graph, roots: readonly MapId[]): { wanted: Set<MapId>; evaluated: Layer[] } {
  const wanted = new Set<MapId>(roots);
  const evaluated = new Set<Layer>();
  const pending = [...wanted];
  for (let map = pending.pop(); map !== undefined; map = pending.pop()) {
    const producer = graph.maps[map].producer;
    if (producer === null || graph.taps.has(map)) continue;
    const layer = graph.layers[producer];
    evaluated.add(layer);
    for (const input of layer.inputs) {
      if (!wanted.has(input)) {
        wanted.add(input);
        pending.push(input);
      }
    }
  }
  return { wanted, evaluated: [...evaluated].sort((a, b) => a.id - b.id) };
}

function withoutClamp(layer: Layer): Layer {
  return 'clamp' in layer ? { ...layer, clamp: { min: null, max: null } } : layer;
}

function chwToHwc(values: Float32Array, shape: Shape): Float32Array {
  const pixels = shape.h * shape.w;
  const out = new Float32Array(values.length);
  for (let c = 0; c < shape.c; c++) {
    for (let p = 0, o = c, i = c * pixels; p < pixels; p++, o += shape.c, i++) out[o] = values[i];
  }
  return out;
}
