import type { Bits } from '../graph/bits';
import { containsRegion, regionHeight, regionPixels, regionWidth, type Region } from '../graph/region';
import type { Graph, LayerId, MapId } from '../graph/types';
import { branchOf, tailBranchOf, type Located, type Run } from './runs';
import type { Schedule, ScheduleAccess, ScheduleBuffer, ScheduleStep } from './schedule';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface BufferOf {
  readonly run?: Run | null;
  readonly reader?: LayerId | null;
  readonly channels?: number;
}

interface NewStep {
  kind: ScheduleStep['kind'];
  layer: LayerId;
  part: number;
  run: Run;
  inputs: readonly ScheduleAccess[];
  output: ScheduleAccess | null;
  padTop?: number;
  padLeft?: number;
  slice?: ScheduleStep['slice'];
}

/** The buffers and steps of a schedule while it is written. */
export class ScheduleRecord {
  readonly buffers: Mutable<ScheduleBuffer>[] = [];
  readonly steps: ScheduleStep[] = [];

  constructor(private readonly graph: Graph) {}

  /**
   * A buffer for a window of a map; any access makes it live.
   * @param of `run`: where it is made, null for buffers that outlive branches; `reader`: the layer that a view is for;
   *   `channels`: fewer than the map has
   * @returns its id
   */
  addBuffer(
    role: ScheduleBuffer['role'],
    map: MapId,
    window: Region,
    bits: Bits,
    { run = null, reader = null, channels = this.graph.maps[map].shape.c }: BufferOf = {},
  ): number {
    const id = this.buffers.length;
    const pixelBytes = Math.ceil((channels * bits) / 8);
    const rowBytes = pixelBytes * regionWidth(window);
    const bytes = rowBytes * regionHeight(window);
    this.buffers.push({
      id,
      role,
      map,
      window,
      channels,
      bits,
      pixelBytes,
      rowBytes,
      bytes,
      branch: role === 'cache' ? null : branchOf(run),
      scope: run?.scope ?? null,
      reader,
      aliasOf: null,
      first: Infinity,
      last: -Infinity,
    });
    return id;
  }

  /** Appends a step and extends the life of the buffers that it reads and writes. */
  emit(step: NewStep): void {
    const at = this.steps.length;
    for (const access of step.inputs) this.touch(access.buffer, at);
    if (step.output) this.touch(step.output.buffer, at);
    this.steps.push({
      kind: step.kind,
      layer: step.layer,
      part: step.part,
      branch: branchOf(step.run),
      tailStage: tailBranchOf(step.run),
      scope: step.run.scope,
      guard: step.run.guard,
      slice: step.slice ?? null,
      inputs: step.inputs,
      output: step.output,
      padTop: step.padTop ?? 0,
      padLeft: step.padLeft ?? 0,
    });
  }

  /** The part of a buffer that a region of a map occupies. */
  access(map: MapId, region: Region, located: Located): ScheduleAccess {
    const { buffer, channel } = located.get(map)!;
    if (regionPixels(region) > 0 && !containsRegion(this.buffers[buffer].window, region)) {
      throw new Error(`Region of map ${map} lies outside of its buffer.`);
    }
    return { buffer, map, region, channel, channels: this.graph.maps[map].shape.c };
  }

  /** Keeps a buffer alive at a step. */
  touch(id: number, step: number): void {
    const buffer = this.buffers[this.buffers[id].aliasOf ?? id];
    buffer.first = Math.min(buffer.first, step);
    buffer.last = Math.max(buffer.last, step);
  }

  /** The schedule; second names of buffers get their lifetimes from these. */
  finish(inputs: readonly number[], outputs: readonly number[]): Schedule {
    for (const buffer of this.buffers) {
      if (buffer.aliasOf === null) continue;
      buffer.first = this.buffers[buffer.aliasOf].first;
      buffer.last = this.buffers[buffer.aliasOf].last;
    }
    return {
      buffers: this.buffers,
      steps: this.steps,
      inputs,
      outputs,
    };
  }
}
