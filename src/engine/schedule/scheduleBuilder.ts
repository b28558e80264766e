import type { Graph, Layer, LayerId, MapId } from '../graph/types';
import {
  containsRegion,
  fullRegion,
  intersectRegions,
  regionHeight,
  regionPixels,
  regionWidth,
  sameRegion,
  type Region,
} from '../graph/region';
import type { Bits, PatchClass } from '../graph/bits';
import { stageBranches, type BranchPart, type StageBranch } from './branches';
import { findPlaces, type Place } from './places';
import { receptiveField } from './receptiveField';
import type {
  BitsOf,
  Schedule,
  ScheduleAccess,
  ScheduleBuffer,
  ScheduledStage,
  ScheduleOptions,
  ScheduleStep,
  Scope,
  TailStageChoice,
} from './schedule';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Where maps can be found at one moment of the schedule: buffer and first channel. */
type Located = Map<MapId, { readonly buffer: number; readonly channel: number }>;

/** A stage of the schedule with its branches. */
interface Part {
  /** In the order of the stages. */
  readonly index: number;
  readonly scheduled: ScheduledStage & Pick<TailStageChoice, 'channels'>;
  readonly branches: readonly StageBranch[];
  readonly layers: ReadonlySet<LayerId>;
}

/** The circumstances under which a run of layers is emitted. */
interface Run {
  /** Null between stages. */
  readonly part: Part | null;
  readonly branch: StageBranch | null;
  readonly scope: Scope;
  readonly guard: PatchClass | null;
  readonly located: Located;
}

/** Builds one {@link Schedule}; used once. */
export class ScheduleBuilder {
  private readonly buffers: Mutable<ScheduleBuffer>[] = [];
  private readonly steps: ScheduleStep[] = [];
  private readonly whole: Located = new Map();
  /** Where graph inputs are that come into the arena in tiles. */
  private readonly sources: Located = new Map();
  private readonly outputs: ReadonlySet<MapId>;
  private readonly places = new Map<string, ReadonlyMap<MapId, Place>>();
  /** Halo caches that the next branches read, by map and branch index. */
  private readonly caches = new Map<string, number>();
  private readonly parts: readonly Part[];
  /** The patch stage's part, whose branches have classes; null when the network begins without one. */
  private readonly patchStage: Part | null;

  constructor(
    private readonly graph: Graph,
    stage: ScheduledStage | null,
    private readonly bits: BitsOf,
    private readonly options: ScheduleOptions,
  ) {
    this.outputs = new Set(graph.outputs.map((o) => o.map));
    const tail = options.tailStages ?? [];
    this.parts = [...(stage ? [stage] : []), ...tail.map((t) => ({ ...t, classes: [] }))].map((given, index) => {
      const kept = [...given.keep].filter((map) => graph.maps[map].producer !== null || this.isTiled(map));
      const scheduled = { ...given, keep: new Set(kept) };
      const branches = stageBranches(graph, scheduled.stage, scheduled.grid, scheduled.keep);
      if (!branches)
        throw new Error(`A grid of ${scheduled.grid.rows}×${scheduled.grid.cols} patches does not suit the stage.`);
      return { index, scheduled, branches, layers: new Set(scheduled.stage.layers) };
    });
    this.patchStage = stage ? this.parts[0] : null;
  }

  build(): Schedule {
    this.addInputs();
    const partOf = new Map(this.parts.flatMap((part) => part.scheduled.stage.layers.map((id) => [id, part])));
    if (partOf.size < this.parts.reduce((sum, part) => sum + part.layers.size, 0))
      throw new Error('Stages share a layer.');
    const between: Run = { part: null, branch: null, scope: null, guard: null, located: this.whole };
    // A stage runs as soon as all that it reads is there.
    const after = (part: Part): number =>
      part.scheduled.stage.inputs.reduce((last, map) => Math.max(last, this.graph.maps[map].producer ?? -1), -1);
    const emitStages = (at: number): void => {
      for (const part of this.parts) {
        if (after(part) !== at) continue;
        this.caches.clear();
        for (const branch of part.branches) this.emitBranch(part, branch);
      }
    };
    emitStages(-1);
    for (const layer of this.graph.layers) {
      if (!partOf.has(layer.id)) this.emitLayer(layer, between);
      emitStages(layer.id);
    }
    const outputs = this.graph.outputs.map(({ map }) => this.whole.get(map)!.buffer);
    for (const output of outputs) this.touch(output, this.steps.length);
    return this.finish(outputs);
  }

  /**
   * Only the given branches, without the tail, for a look at their memory. Halos that branches left out would have
   * kept, for these or for others, take their bytes all the same. The first and the last branch must be among those
   * given: they begin the split map's life and end the inputs'.
   */
  buildBranches(indexes: readonly number[]): Schedule {
    const [part] = this.parts;
    const { stage, keep } = part.scheduled;
    if (part === this.patchStage) this.addInputs();
    else
      for (const map of stage.inputs)
        if (this.graph.maps[map].producer !== null) this.addWhole('map', map);
        else this.addInput(map);
    for (const index of indexes) {
      const branch = part.branches[index];
      const begin = this.steps.length;
      this.caches.clear();
      const others = [...keep].flatMap((map) => this.standInCaches(part, map, branch, begin));
      const before = this.buffers.length;
      this.emitBranch(part, branch);
      const kept = this.buffers.slice(before).filter((b) => b.role === 'cache');
      for (const id of [...others, ...kept.map((b) => b.id)]) this.touch(id, this.steps.length - 1);
    }
    // What is read or handed back later stays.
    for (const map of stage.inputs) {
      const isLate = this.outputs.has(map) || this.graph.maps[map].consumers.some((id) => !part.layers.has(id));
      if (isLate && this.whole.has(map)) this.touch(this.whole.get(map)!.buffer, this.steps.length - 1);
    }
    return this.finish([]);
  }

  private addInputs(): void {
    for (const { map } of this.graph.inputs) this.addInput(map);
  }

  private addInput(map: MapId): void {
    this.addWhole('input', map, this.isTiled(map) ? this.sources : this.whole);
  }

  private isTiled(map: MapId): boolean {
    return this.options.inputTiles === true && this.graph.maps[map].producer === null && !this.outputs.has(map);
  }

  /** A whole map that is there before the first step. */
  private addWhole(role: 'input' | 'map', map: MapId, located = this.whole): void {
    const buffer = this.addBuffer(
      role,
      map,
      fullRegion(this.graph.maps[map].shape),
      this.bits.stored(map, null),
      null,
      null,
    );
    this.touch(buffer, -1);
    located.set(map, { buffer, channel: 0 });
  }

  /**
   * Loads what the branch (without one: the layer) reads of the graph inputs that come in tiles, unless it is there as
   * a whole.
   */
  private loadTiles(maps: readonly MapId[], layers: readonly Layer[], run: Run): void {
    for (const map of maps) {
      const source = this.sources.get(map);
      if (!source || run.located.has(map)) continue;
      const part = this.partOf(map, run);
      if (regionPixels(part.need) === 0) continue;
      const load: Run = { ...run, scope: null };
      const buffer = this.addBuffer(
        run.branch ? 'branch' : 'map',
        map,
        part.need,
        this.bits.stored(map, null),
        run.branch ? load : null,
        null,
      );
      run.located.set(map, { buffer, channel: 0 });
      const { id } = layers.find((layer) => layer.inputs.includes(map))!;
      if (this.isKept(map, run)) this.restore(id, map, part, load);
      if (regionPixels(part.fresh) > 0) {
        const output = this.access(map, part.fresh, run.located);
        this.emit({ kind: 'load', layer: id, part: 0, run: load, inputs: [{ ...output, ...source }], output });
      }
      if (this.isKept(map, run)) this.keep(id, map, part, load);
    }
  }

  /**
   * Makes the caches that the branch finds, and returns others of the same map that are alive beside it: of columns to
   * the right from above, to the left for below.
   */
  private standInCaches({ scheduled, branches }: Part, map: MapId, branch: StageBranch, step: number): number[] {
    const { row, col } = branch;
    const { cols } = scheduled.grid;
    const part = branch.parts.get(map)!;
    const below = branches[branch.index + cols]?.parts.get(map);
    const bits = this.bits.stored(map, 'regular');
    const width = this.graph.maps[map].shape.w;
    const add = (region: Region): number[] => {
      if (regionPixels(region) === 0) return [];
      const id = this.addBuffer('cache', map, region, bits, null, null);
      this.touch(id, step);
      return [id];
    };
    const above = aboveFresh(part);
    const left = leftOfFresh(part);
    for (const id of row > 0 ? add(above) : []) this.caches.set(this.cacheKey(map, row - 1, col, 'rows'), id);
    for (const id of col > 0 ? add(left) : []) this.caches.set(this.cacheKey(map, row, col - 1, 'cols'), id);
    return [
      ...(row > 0 ? add({ ...above, x0: part.fresh.x1, x1: width }) : []),
      ...(below ? add({ ...intersectRegions(part.need, aboveFresh(below)), x0: 0, x1: part.fresh.x0 }) : []),
    ];
  }

  private finish(outputs: readonly number[]): Schedule {
    for (const buffer of this.buffers) {
      if (buffer.aliasOf === null) continue;
      buffer.first = this.buffers[buffer.aliasOf].first;
      buffer.last = this.buffers[buffer.aliasOf].last;
    }
    return {
      buffers: this.buffers,
      steps: this.steps,
      inputs: this.graph.inputs.flatMap(({ map }) => (this.sources.get(map) ?? this.whole.get(map))?.buffer ?? []),
      outputs,
    };
  }

  private emitBranch(part: Part, branch: StageBranch): void {
    const { stage, classes, channels } = part.scheduled;
    const located: Located = new Map(this.whole);
    const layers = stage.layers.map((id) => this.graph.layers[id]);
    this.loadTiles(stage.inputs, layers, { part, branch, scope: null, guard: null, located });
    if (channels !== undefined) {
      this.emitSlices(part, channels, { part, branch, scope: null, guard: null, located });
      return;
    }
    if (!('decidedBy' in classes)) {
      const run: Run = {
        part,
        branch,
        scope: part === this.patchStage ? classes[branch.index] : null,
        guard: null,
        located,
      };
      for (const layer of layers) this.emitLayer(layer, run);
      return;
    }
    const decidedAfter = layers.findIndex((layer) => layer.output === classes.decidedBy) + 1;
    const common: Run = { part, branch, scope: 'outlier', guard: null, located };
    for (const layer of layers.slice(0, decidedAfter)) this.emitLayer(layer, common);
    const region = branch.parts.get(classes.decidedBy)!.need;
    this.emit({
      kind: 'classify',
      layer: this.graph.maps[classes.decidedBy].producer!,
      part: 0,
      run: common,
      inputs: [this.access(classes.decidedBy, region, located)],
      output: null,
    });
    for (const scope of ['regular', 'outlier'] as const) {
      const run: Run = { part, branch, scope, guard: scope, located: new Map(located) };
      for (const layer of layers.slice(decidedAfter)) this.emitLayer(layer, run);
    }
  }

  /** A convolution and its global average, some channels after the other. */
  private emitSlices({ scheduled }: Part, width: number, run: Run): void {
    const [conv, pool] = scheduled.stage.layers.map((id) => this.graph.layers[id]);
    const { h, w, c } = this.graph.maps[conv.output].shape;
    const { inputs, padTop, padLeft } = receptiveField(this.graph, conv, fullRegion({ h, w }));
    const input = this.viewed(conv, 0, this.access(inputs[0].map, inputs[0].region, run.located), run);
    run.located.set(pool.output, this.homeOf(pool.output, run));
    const average = this.access(pool.output, fullRegion({ h: 1, w: 1 }), run.located);
    for (let begin = 0; begin < c; begin += width) {
      const slice = { begin, end: Math.min(c, begin + width) };
      const channels = slice.end - begin;
      const buffer = this.addBuffer(
        'branch',
        conv.output,
        fullRegion({ h, w }),
        this.bits.stored(conv.output, null),
        run,
        null,
        channels,
      );
      const part: ScheduleAccess = { buffer, map: conv.output, region: fullRegion({ h, w }), channel: 0, channels };
      this.emit({ kind: 'layer', layer: conv.id, part: 0, run, slice, inputs: [input], output: part, padTop, padLeft });
      this.emit({
        kind: 'layer',
        layer: pool.id,
        part: 0,
        run,
        slice,
        inputs: [part],
        output: { ...average, channel: average.channel + begin, channels },
      });
    }
  }

  private emitLayer(layer: Layer, run: Run): void {
    if (run.part === null) this.loadTiles(layer.inputs, [layer], run);
    const part = this.partOf(layer.output, run);
    if (regionPixels(part.need) === 0) return;
    const place = this.placesOf(run).get(layer.output);
    if (layer.kind === 'slice' && place) {
      const source = run.located.get(layer.inputs[0])!;
      run.located.set(layer.output, { buffer: source.buffer, channel: source.channel + layer.begin });
      return;
    }
    if (layer.kind === 'reshape' && this.alias(layer, run)) return;
    const home = this.homeOf(layer.output, run);
    run.located.set(layer.output, home);
    if (this.isKept(layer.output, run)) this.restore(layer.id, layer.output, part, run);
    if (regionPixels(part.fresh) > 0) {
      if (layer.kind === 'concat') this.emitConcat(layer, part.fresh, run);
      else this.emitKernel(layer, part.fresh, run);
    }
    if (this.isKept(layer.output, run)) this.keep(layer.id, layer.output, part, run);
  }

  private emitKernel(layer: Layer, region: Region, run: Run): void {
    const field = receptiveField(this.graph, layer, region);
    const inputs = field.inputs.map((need, i) => {
      const access = this.access(need.map, need.region, run.located);
      return layer.kind === 'slice'
        ? { ...access, channel: access.channel + layer.begin, channels: layer.end - layer.begin }
        : this.viewed(layer, i, access, run);
    });
    this.emit({
      kind: 'layer',
      layer: layer.id,
      part: 0,
      run,
      inputs,
      output: this.access(layer.output, region, run.located),
      padTop: field.padTop,
      padLeft: field.padLeft,
    });
  }

  private emitConcat(layer: Layer & { readonly kind: 'concat' }, region: Region, run: Run): void {
    const target = this.access(layer.output, region, run.located);
    let at = 0;
    layer.inputs.forEach((map, part) => {
      const { h, w, c } = this.graph.maps[map].shape;
      const begin = at;
      at += layer.axis === 'c' ? c : layer.axis === 'h' ? h : w;
      const here = run.located.get(map)!;
      if (layer.axis === 'c' && here.buffer === target.buffer && here.channel === target.channel + begin) return;
      const from: Region = layer.axis === 'c' ? region : fullRegion({ h, w });
      const output: ScheduleAccess =
        layer.axis === 'c'
          ? { ...target, channel: target.channel + begin, channels: c }
          : { ...target, region: layer.axis === 'h' ? { ...from, y0: begin, y1: at } : { ...from, x0: begin, x1: at } };
      this.emit({
        kind: 'layer',
        layer: layer.id,
        part,
        run,
        inputs: [this.viewed(layer, part, this.access(map, from, run.located), run)],
        output,
      });
    });
  }

  /** The access itself, or one to a new requantized copy when the layer reads fewer bits than are stored. */
  private viewed(layer: Layer, part: number, access: ScheduleAccess, run: Run): ScheduleAccess {
    const wanted = this.bits.read(layer.id, run.scope) ?? this.storedBits(access.map, run);
    const forced = this.options.alwaysView?.(layer.id, run.scope) ?? false;
    if ((wanted >= this.buffers[access.buffer].bits && !forced) || regionPixels(access.region) === 0) return access;
    const buffer = this.addBuffer('view', access.map, access.region, wanted, run, layer.id);
    const view: ScheduleAccess = { ...access, buffer, channel: 0 };
    this.emit({ kind: 'view', layer: layer.id, part, run, inputs: [access], output: view });
    return view;
  }

  /**
   * Copies what earlier branches kept of a map into the branch's buffer: the rows above and the columns left of the
   * fresh part.
   */
  private restore(layer: LayerId, map: MapId, part: BranchPart, run: Run): void {
    for (const [key, region] of [
      [this.cacheKey(map, run.branch!.row - 1, run.branch!.col, 'rows'), aboveFresh(part)],
      [this.cacheKey(map, run.branch!.row, run.branch!.col - 1, 'cols'), leftOfFresh(part)],
    ] as const) {
      const buffer = this.caches.get(key);
      if (buffer === undefined || regionPixels(region) === 0) continue;
      const output = this.access(map, region, run.located);
      this.emit({ kind: 'restore', layer, part: 0, run, inputs: [{ ...output, buffer, channel: 0 }], output });
    }
  }

  /** Copies what the branch below and the branch to the right will need of a map into caches of its size. */
  private keep(layer: LayerId, map: MapId, part: BranchPart, run: Run): void {
    const { row, col } = run.branch!;
    const { scheduled, branches } = run.part!;
    const { cols } = scheduled.grid;
    const below = branches[(row + 1) * cols + col]?.parts.get(map);
    const right = col + 1 < cols ? branches[row * cols + col + 1].parts.get(map) : undefined;
    for (const [key, region] of [
      [this.cacheKey(map, row, col, 'rows'), below && intersectRegions(part.need, aboveFresh(below))],
      [this.cacheKey(map, row, col, 'cols'), right && intersectRegions(part.need, leftOfFresh(right))],
    ] as const) {
      if (!region || regionPixels(region) === 0) continue;
      const input = this.access(map, region, run.located);
      // Both ways on which a branch can go on at run time fill the same cache.
      // All branches, whatever their class, share what is kept: with the widths of the regular class.
      const kept: Run = run.scope === null ? run : { ...run, scope: 'regular' };
      const buffer =
        this.caches.get(key) ??
        this.addBuffer(
          'cache',
          map,
          region,
          run.scope === null ? this.buffers[input.buffer].bits : this.storedBits(map, kept),
          kept,
          null,
        );
      this.caches.set(key, buffer);
      this.emit({ kind: 'keep', layer, part: 0, run, inputs: [input], output: { ...input, buffer, channel: 0 } });
    }
  }

  private cacheKey(map: MapId, row: number, col: number, axis: 'rows' | 'cols'): string {
    return `${map} ${row} ${col} ${axis}`;
  }

  /** Gives a reshape's output the same memory as its input where the bytes are the same. */
  private alias(layer: Layer, run: Run): boolean {
    const input = this.graph.maps[layer.inputs[0]];
    const output = this.graph.maps[layer.output];
    const source = run.located.get(input.id)!;
    const buffer = this.buffers[source.buffer];
    const dense = (channels: number) => (channels * buffer.bits) % 8 === 0;
    if (
      source.channel !== 0 ||
      buffer.channels !== input.shape.c ||
      !sameRegion(buffer.window, fullRegion(input.shape))
    )
      return false;
    if (!dense(input.shape.c) || !dense(output.shape.c) || this.storedBits(output.id, run) !== buffer.bits)
      return false;
    if (this.placesOf(run).has(output.id) || this.bits.read(layer.id, run.scope) !== null) return false;
    const id = this.addBuffer(
      this.outputs.has(output.id) ? 'output' : 'map',
      output.id,
      fullRegion(output.shape),
      buffer.bits,
      null,
      null,
    );
    this.buffers[id].aliasOf = buffer.aliasOf ?? buffer.id;
    run.located.set(output.id, { buffer: id, channel: 0 });
    return true;
  }

  /** Where a layer's output is to be written; makes the buffer when it does not exist yet. */
  private homeOf(map: MapId, run: Run): { buffer: number; channel: number } {
    const known = run.located.get(map);
    if (known) return known;
    const place = this.placesOf(run).get(map);
    if (place) {
      const owner = this.homeOf(place.owner, run);
      run.located.set(place.owner, owner);
      return { buffer: owner.buffer, channel: owner.channel + place.channel };
    }
    const whole = run.part === null || map === run.part.scheduled.stage.splitMap;
    const shared = whole ? this.whole.get(map) : undefined;
    if (shared) return shared;
    const role = this.outputs.has(map) ? 'output' : whole ? 'map' : 'branch';
    const window = whole ? fullRegion(this.graph.maps[map].shape) : run.branch!.parts.get(map)!.need;
    const home = {
      buffer: this.addBuffer(role, map, window, this.storedBits(map, run), whole ? null : run, null),
      channel: 0,
    };
    if (whole) this.whole.set(map, home);
    return home;
  }

  private storedBits(map: MapId, run: Run): Bits {
    return this.bits.stored(map, this.isShared(map, run.part) ? null : run.scope);
  }

  private partOf(map: MapId, run: Run): BranchPart {
    if (run.branch) return run.branch.parts.get(map)!;
    const need = fullRegion(this.graph.maps[map].shape);
    return { need, fresh: need };
  }

  private isKept(map: MapId, run: Run): boolean {
    return run.part !== null && run.part.scheduled.keep.has(map);
  }

  /**
   * Whether all branches of a stage have one buffer of the map: what they read from outside, and what they write
   * together.
   */
  private isShared(map: MapId, part: Part | null): boolean {
    return (
      part === null ||
      map === part.scheduled.stage.splitMap ||
      this.graph.maps[map].producer === null ||
      !part.layers.has(this.graph.maps[map].producer)
    );
  }

  private placesOf({ part, scope }: Run): ReadonlyMap<MapId, Place> {
    const key = `${part?.index} ${scope}`;
    let places = this.places.get(key);
    if (!places) {
      const layers = part?.layers ?? this.layersBetween();
      const stored = (map: MapId) => this.bits.stored(map, this.isShared(map, part) ? null : scope);
      places = findPlaces(this.graph, {
        stage: part?.scheduled ?? null,
        layers,
        branches: part?.branches ?? [],
        stored,
        options: this.options,
      });
      this.places.set(key, places);
    }
    return places;
  }

  private layersBetween(): ReadonlySet<LayerId> {
    return new Set(this.graph.layers.map((l) => l.id).filter((id) => !this.parts.some((part) => part.layers.has(id))));
  }

  private access(map: MapId, region: Region, located: Located): ScheduleAccess {
    const { buffer, channel } = located.get(map)!;
    if (regionPixels(region) > 0 && !containsRegion(this.buffers[buffer].window, region)) {
      throw new Error(`Region of map ${map} lies outside of its buffer.`);
    }
    return { buffer, map, region, channel, channels: this.graph.maps[map].shape.c };
  }

  private addBuffer(
    role: ScheduleBuffer['role'],
    map: MapId,
    window: Region,
    bits: Bits,
    run: Run | null,
    reader: LayerId | null,
    channels = this.graph.maps[map].shape.c,
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
      branch: role === 'cache' ? null : this.branchOf(run),
      scope: run?.scope ?? null,
      reader,
      aliasOf: null,
      first: Infinity,
      last: -Infinity,
    });
    return id;
  }

  private emit(step: {
    kind: ScheduleStep['kind'];
    layer: LayerId;
    part: number;
    run: Run;
    inputs: readonly ScheduleAccess[];
    output: ScheduleAccess | null;
    padTop?: number;
    padLeft?: number;
    slice?: ScheduleStep['slice'];
  }): void {
    const at = this.steps.length;
    for (const access of step.inputs) this.touch(access.buffer, at);
    if (step.output) this.touch(step.output.buffer, at);
    this.steps.push({
      kind: step.kind,
      layer: step.layer,
      part: step.part,
      branch: this.branchOf(step.run),
      tailStage: this.tailBranchOf(step.run),
      scope: step.run.scope,
      guard: step.run.guard,
      slice: step.slice ?? null,
      inputs: step.inputs,
      output: step.output,
      padTop: step.padTop ?? 0,
      padLeft: step.padLeft ?? 0,
    });
  }

  private branchOf(run: Run | null): number | null {
    return run?.part && run.part === this.patchStage ? run.branch!.index : null;
  }

  private tailBranchOf({ part, branch }: Run): ScheduleStep['tailStage'] {
    return part === null || part === this.patchStage
      ? null
      : { index: part.index - (this.patchStage ? 1 : 0), branch: branch!.index };
  }

  private touch(id: number, step: number): void {
    const buffer = this.buffers[this.buffers[id].aliasOf ?? id];
    buffer.first = Math.min(buffer.first, step);
    buffer.last = Math.max(buffer.last, step);
  }
}

/**
 * The rows of a branch's part that the branch above has computed, in the columns that are fresh here: columns left of
 * them come with {@link leftOfFresh}.
 */
function aboveFresh({ need, fresh }: BranchPart): Region {
  return { y0: need.y0, x0: fresh.x0, y1: fresh.y0, x1: fresh.x1 };
}

/** The columns of a branch's part that the branch to the left has in its buffer, over all rows. */
function leftOfFresh({ need, fresh }: BranchPart): Region {
  return { y0: need.y0, x0: need.x0, y1: need.y1, x1: fresh.x0 };
}
