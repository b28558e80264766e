import { elements, type Graph, type LayerId, type MapId } from '../graph/types';
import { runsOnPatches } from './receptiveField';
import type { Stage } from './stages';
import { stageUpTo } from './stages';

/** Layers [first, end) in graph order that can run patch by patch between maps that are there as a whole. */
export interface Segment {
  readonly first: LayerId;
  readonly end: LayerId;
  readonly stage: Stage;
  /** Maps that it neither reads nor writes but that are needed after it (or handed back). */
  readonly through: readonly MapId[];
}

/** Layers of the longest segment that is looked at. */
const LONGEST = 16;

/** A graph cut between layers, in graph order: "position p" is before layer p. */
export class Cuts {
  private readonly alive: readonly (readonly MapId[])[];
  private readonly segments = new Map<LayerId, readonly Segment[]>();

  constructor(private readonly graph: Graph) {
    const outputs = new Set(graph.outputs.map((o) => o.map));
    const alive: MapId[][] = Array.from({ length: graph.layers.length + 1 }, () => []);
    for (const { id, producer, consumers } of graph.maps) {
      const last = outputs.has(id) ? graph.layers.length : consumers.reduce((a, b) => Math.max(a, b), -1);
      for (let p = (producer ?? -1) + 1; p <= last; p++) alive[p].push(id);
    }
    this.alive = alive;
  }

  /** Maps that exist at a position and are needed after it, graph inputs included. */
  aliveAt(position: LayerId): readonly MapId[] {
    return this.alive[position];
  }

  /** Whether the layers before a position are exactly those of a stage from the graph's inputs. */
  isPrefix(stage: Stage): boolean {
    return stage.layers[stage.layers.length - 1] === stage.layers.length - 1;
  }

  /**
   * The segments that begin at a position, shortest first; only those that begin and end where fewer elements are alive
   * than one layer before and after: others hold more for nothing.
   */
  from(first: LayerId): readonly Segment[] {
    let found = this.segments.get(first);
    if (!found) this.segments.set(first, (found = this.isNarrow(first) ? this.find(first) : []));
    return found;
  }

  private find(first: LayerId): Segment[] {
    const { graph } = this;
    const segments: Segment[] = [];
    const before = new Set(this.alive[first]);
    for (let end = first + 1; end <= Math.min(graph.layers.length, first + LONGEST); end++) {
      const layer = graph.layers[end - 1];
      if (!runsOnPatches(graph, layer)) break;
      const { h, w } = graph.maps[layer.output].shape;
      const made = this.alive[end].filter((map) => !before.has(map));
      if (end - first < 2 || h * w < 2 || made.length !== 1 || made[0] !== layer.output || !this.isNarrow(end))
        continue;
      const stage = stageUpTo(graph, layer.output, before);
      // Layers that do not lead to the end would be left out.
      if (
        !stage ||
        stage.layers.length !== end - first ||
        stage.inputs.some((map) => graph.maps[map].producer === null)
      )
        continue;
      segments.push({
        first,
        end,
        stage,
        through: this.alive[end].filter((map) => before.has(map) && !stage.inputs.includes(map)),
      });
    }
    return segments;
  }

  private isNarrow(position: LayerId): boolean {
    const size = (p: LayerId): number =>
      (this.alive[p] ?? []).reduce((sum, map) => sum + elements(this.graph.maps[map].shape), 0);
    const here = size(position);
    // What cannot run on patches, or has no patches, cannot be taken in instead.
    const isOpen = (layer: LayerId): boolean => {
      if (layer < 0 || layer >= this.graph.layers.length) return false;
      const { h, w } = this.graph.maps[this.graph.layers[layer].output].shape;
      return h * w > 1 && runsOnPatches(this.graph, this.graph.layers[layer]);
    };
    return (!isOpen(position - 1) || here <= size(position - 1)) && (!isOpen(position) || here <= size(position + 1));
  }
}
