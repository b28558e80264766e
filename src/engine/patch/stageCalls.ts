import { coreCosts } from '../cost/kernelCost';
import { CallCost, copyCall, layerCall } from '../cost/latency';
import type { CoreCosts } from '../cost/coreCosts';
import type { Bits } from '../graph/bits';
import { isWeighted, type Graph, type MapId } from '../graph/types';
import type { Core } from '../targets/types';
import type { MemoryModel } from './estimate';

/** Calls do not depend on what else is decided: successive searches on a graph share them. */
const callsOfGraphs = new WeakMap<Graph, Map<string, CallCost | null>>();

/**
 * What the layers of patch stages cost by the call, worked out once for all stages that they are part of. The same call
 * is the same object in all searches on a graph.
 */
export class StageCalls {
  readonly costs: CoreCosts;
  private readonly core: Core;
  /** By map, whether it is read from a tile or not. */
  private readonly known = new Map<string, CallCost | null>();

  /** @param memory bits that stay as they are */
  constructor(
    private readonly graph: Graph,
    private readonly memory: Pick<MemoryModel, 'bits' | 'core'>,
  ) {
    this.core = memory.core ?? 'cortex-m4';
    this.costs = coreCosts(this.core);
  }

  /**
   * The call that computes (or loads, for inputs) a map of a stage; null where it is computed in place.
   *
   * @param tiles the inputs of the stage that branches load
   */
  of(map: MapId, tiles: readonly MapId[]): CallCost | null {
    const { producer } = this.graph.maps[map];
    const readsTile = producer !== null && tiles.includes(this.graph.layers[producer].inputs[0]);
    const key = `${map} ${readsTile}`;
    let cost = this.known.get(key);
    if (cost === undefined) this.known.set(key, (cost = this.cost(map, readsTile)));
    return cost;
  }

  /** Bytes of a pixel of a map in a branch of the regular class. */
  pixelBytes(map: MapId): number {
    const { shape, producer } = this.graph.maps[map];
    return Math.ceil((shape.c * this.memory.bits.stored(map, producer === null ? null : 'regular')) / 8);
  }

  private cost(map: MapId, readsTile: boolean): CallCost | null {
    const { graph, costs } = this;
    const { bits } = this.memory;
    const { producer } = graph.maps[map];
    // Loading a tile is a copy.
    if (producer === null) {
      const bytes = this.pixelBytes(map);
      return this.shared(`copy ${bytes}`, () => new CallCost(costs, copyCall(bytes)));
    }
    const layer = graph.layers[producer];
    const [from] = layer.inputs;
    const view = bits.read(producer, 'regular');
    const readsImage = graph.maps[from].producer === null && view === null && !readsTile;
    const weightBits = isWeighted(layer) ? (bits.weights?.(producer) ?? 8) : 8;
    const stored = layer.kind === 'add' ? [...layer.inputs, map] : [from];
    const inputBits = view ?? (Math.min(...stored.map((m) => bits.stored(m, 'regular'))) as Bits);
    const isWide = [...layer.inputs, map].some((m) => bits.stored(m, 'regular') === 16 && (m === map || view === null));
    return this.shared(`${producer} ${inputBits} ${weightBits} ${readsImage} ${isWide}`, () => {
      const call = layerCall(graph, layer, inputBits, weightBits, readsImage, isWide ? 16 : 8);
      return call && new CallCost(costs, call);
    });
  }

  private shared(call: string, make: () => CallCost | null): CallCost | null {
    let calls = callsOfGraphs.get(this.graph);
    if (!calls) callsOfGraphs.set(this.graph, (calls = new Map<string, CallCost | null>()));
    const key = `${this.core} ${call}`;
    let cost = calls.get(key);
    if (cost === undefined) calls.set(key, (cost = make()));
    return cost;
  }
}
