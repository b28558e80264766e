import type { Bits } from '../graph/bits';
import { fullRegion, regionPixels, sameRegion, type Region } from '../graph/region';
import type { Graph, Layer, LayerId, MapId } from '../graph/types';
import type { BranchPart, StageBranch } from './branches';
import { HaloCaches } from './halos';
import { concatParts } from './concatParts';
import { findPlaces, type Place } from './places';
import { receptiveField } from './receptiveField';
import { ScheduleRecord } from './record';
import { isShared, keptAfter, newPart, type Located, type Part, type Run } from './runs';
import { StreamedMaps } from './streams';
import type { BitsOf, Schedule, ScheduleAccess, ScheduledStage, ScheduleOptions } from './schedule';

/** Builds one {@link Schedule}; used once. */
export class ScheduleBuilder {
  private readonly record: ScheduleRecord;
  private readonly halos: HaloCaches;
  private readonly whole: Located = new Map();
  /** Where graph inputs are that come into the arena in tiles. */
  private readonly sources: Located = new Map();
  private readonly outputs: ReadonlySet<MapId>;
  private readonly places = new Map<string, ReadonlyMap<MapId, Place>>();
  private readonly parts: readonly Part[];
  private readonly streams: StreamedMaps;
  /** The patch stage's part, whose branches have classes; null when the network begins without one. */
  private readonly patchStage: Part | null;

  constructor(
    private readonly graph: Graph,
    stage: ScheduledStage | null,
    private readonly bits: BitsOf,
    private readonly options: ScheduleOptions,
  ) {
    this.record = new ScheduleRecord(graph);
    this.halos = new HaloCaches(graph, this.record, bits);
    this.outputs = new Set(graph.outputs.map((o) => o.map));
    const tail = options.tailStages ?? [];
    this.parts = [...(stage ? [stage] : []), ...tail.map((t) => ({ ...t, classes: [] }))].map((given, index) =>
      newPart(graph, given, index, stage ? (index === 0 ? null : index - 1) : index, (map) => this.isTiled(map)),
    );
    this.patchStage = stage ? this.parts[0] : null;
    this.streams = new StreamedMaps(graph, this.record, bits, this.whole, this.parts);
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
        if (after(part) !== at || part.scheduled.streamed) continue;
        for (let row = 0; row < part.scheduled.grid.rows; row++) this.emitRow(part, row);
      }
    };
    emitStages(-1);
    for (const layer of this.graph.layers) {
      if (!partOf.has(layer.id)) this.emitLayer(layer, between);
      emitStages(layer.id);
    }
    const outputs = this.graph.outputs.map(({ map }) => this.whole.get(map)!.buffer);
    for (const output of outputs) this.record.touch(output, this.record.steps.length);
    return this.record.finish(this.inputs(), outputs);
  }

  /**
   * Only the given branches, without the tail, for a look at their memory. Halos that branches left out would have
   * kept, for these or for others, take their bytes all the same. The first and the last branch must be among those
   * given: they begin the split map's life and end the inputs'.
   */
  buildBranches(indexes: readonly number[]): Schedule {
    const [part] = this.parts;
    const { stage } = part.scheduled;
    if (part === this.patchStage) this.addInputs();
    else
      for (const map of stage.inputs)
        if (this.graph.maps[map].producer !== null) this.addWhole('map', map);
        else this.addInput(map);
    for (const index of indexes) {
      const branch = part.branches[index];
      const begin = this.record.steps.length;
      this.halos.clear();
      const others = [...part.kept].flatMap((map) => this.halos.standIn(part, map, branch, begin));
      const before = this.record.buffers.length;
      this.emitBranch(part, branch);
      const kept = this.record.buffers.slice(before).filter((b) => b.role === 'cache');
      for (const id of [...others, ...kept.map((b) => b.id)]) this.record.touch(id, this.record.steps.length - 1);
    }
    // What is read or handed back later stays.
    for (const map of stage.inputs) {
      const isLate = this.outputs.has(map) || this.graph.maps[map].consumers.some((id) => !part.layers.has(id));
      if (isLate && this.whole.has(map)) this.record.touch(this.whole.get(map)!.buffer, this.record.steps.length - 1);
    }
    return this.record.finish(this.inputs(), []);
  }

  /** Buffers of the graph's inputs that are there. */
  private inputs(): number[] {
    return this.graph.inputs.flatMap(({ map }) => (this.sources.get(map) ?? this.whole.get(map))?.buffer ?? []);
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
    const buffer = this.record.addBuffer(
      role,
      map,
      fullRegion(this.graph.maps[map].shape),
      this.bits.stored(map, null),
    );
    this.record.touch(buffer, -1);
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
      const buffer = this.record.addBuffer(run.branch ? 'branch' : 'map', map, part.need, this.bits.stored(map, null), {
        run: run.branch ? load : null,
      });
      run.located.set(map, { buffer, channel: 0 });
      const { id } = layers.find((layer) => layer.inputs.includes(map))!;
      if (this.isKept(map, run)) this.halos.restore(id, map, part, load);
      if (regionPixels(part.fresh) > 0) {
        const output = this.record.access(map, part.fresh, run.located);
        this.record.emit({ kind: 'load', layer: id, part: 0, run: load, inputs: [{ ...output, ...source }], output });
      }
      if (this.isKept(map, run)) this.halos.keep(id, map, part, load);
    }
  }

  /** A row of patches, before it those of streamed stages that it needs. */
  private emitRow(part: Part, row: number): void {
    const { cols } = part.scheduled.grid;
    const branches = part.branches.slice(row * cols, (row + 1) * cols);
    const runOf = (branch: StageBranch): Run => ({ part, branch, scope: null, guard: null, located: this.whole });
    this.streams.open(part, row, runOf(branches[0]), (before, at) => this.emitRow(before, at));
    for (const branch of branches) this.emitBranch(part, branch);
    this.streams.close(part, row, runOf(branches[cols - 1]));
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
      this.emitLayers(layers, run);
      return;
    }
    const decidedAfter = layers.findIndex((layer) => layer.output === classes.decidedBy) + 1;
    const common: Run = { part, branch, scope: 'outlier', guard: null, located };
    this.emitLayers(layers.slice(0, decidedAfter), common);
    const region = branch.parts.get(classes.decidedBy)!.need;
    this.record.emit({
      kind: 'classify',
      layer: this.graph.maps[classes.decidedBy].producer!,
      part: 0,
      run: common,
      inputs: [this.record.access(classes.decidedBy, region, located)],
      output: null,
    });
    for (const scope of ['regular', 'outlier'] as const) {
      const run: Run = { part, branch, scope, guard: scope, located: new Map(located) };
      this.emitLayers(layers.slice(decidedAfter), run);
    }
  }

  private emitLayers(layers: readonly Layer[], run: Run): void {
    for (const layer of layers) {
      this.emitLayer(layer, run);
      for (const map of keptAfter(this.graph, layer, run.part!))
        this.halos.keep(this.graph.maps[map].producer!, map, this.partOf(map, run), run);
    }
  }

  /** A convolution and its global average, some channels after the other. */
  private emitSlices({ scheduled }: Part, width: number, run: Run): void {
    const [conv, pool] = scheduled.stage.layers.map((id) => this.graph.layers[id]);
    const { h, w, c } = this.graph.maps[conv.output].shape;
    const { inputs, padTop, padLeft } = receptiveField(this.graph, conv, fullRegion({ h, w }));
    const input = this.viewed(conv, 0, this.record.access(inputs[0].map, inputs[0].region, run.located), run);
    run.located.set(pool.output, this.homeOf(pool.output, run));
    const average = this.record.access(pool.output, fullRegion({ h: 1, w: 1 }), run.located);
    for (let begin = 0; begin < c; begin += width) {
      const slice = { begin, end: Math.min(c, begin + width) };
      const channels = slice.end - begin;
      const buffer = this.record.addBuffer(
        'branch',
        conv.output,
        fullRegion({ h, w }),
        this.bits.stored(conv.output, null),
        { run, channels },
      );
      const part: ScheduleAccess = { buffer, map: conv.output, region: fullRegion({ h, w }), channel: 0, channels };
      this.record.emit({
        kind: 'layer',
        layer: conv.id,
        part: 0,
        run,
        slice,
        inputs: [input],
        output: part,
        padTop,
        padLeft,
      });
      this.record.emit({
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
    if (this.isKept(layer.output, run)) this.halos.restore(layer.id, layer.output, part, run);
    if (regionPixels(part.fresh) > 0) {
      if (layer.kind === 'concat') this.emitConcat(layer, part.fresh, run);
      else this.emitKernel(layer, part.fresh, run);
    }
    if (run.part?.scheduled.keep.has(layer.output)) this.halos.keep(layer.id, layer.output, part, run);
  }

  private emitKernel(layer: Layer, region: Region, run: Run): void {
    const field = receptiveField(this.graph, layer, region);
    const inputs = field.inputs.map((need, i) => {
      const access = this.record.access(need.map, need.region, run.located);
      return layer.kind === 'slice'
        ? { ...access, channel: access.channel + layer.begin, channels: layer.end - layer.begin }
        : this.viewed(layer, i, access, run);
    });
    this.record.emit({
      kind: 'layer',
      layer: layer.id,
      part: 0,
      run,
      inputs,
      output: this.record.access(layer.output, region, run.located),
      padTop: field.padTop,
      padLeft: field.padLeft,
    });
  }

  private emitConcat(layer: Layer & { readonly kind: 'concat' }, region: Region, run: Run): void {
    const target = this.record.access(layer.output, region, run.located);
    concatParts(this.graph, layer, target).forEach(({ map, from, output }, part) => {
      const here = run.located.get(map)!;
      if (layer.axis === 'c' && here.buffer === target.buffer && here.channel === output.channel) return;
      const input = this.viewed(layer, part, this.record.access(map, from, run.located), run);
      this.record.emit({ kind: 'layer', layer: layer.id, part, run, inputs: [input], output });
    });
  }

  /** The access itself, or one to a new requantized copy when the layer reads fewer bits than are stored. */
  private viewed(layer: Layer, part: number, access: ScheduleAccess, run: Run): ScheduleAccess {
    const wanted = this.bits.read(layer.id, run.scope) ?? this.storedBits(access.map, run);
    const forced = this.options.alwaysView?.(layer.id, run.scope) ?? false;
    if ((wanted >= this.record.buffers[access.buffer].bits && !forced) || regionPixels(access.region) === 0)
      return access;
    const buffer = this.record.addBuffer('view', access.map, access.region, wanted, { run, reader: layer.id });
    const view: ScheduleAccess = { ...access, buffer, channel: 0 };
    this.record.emit({ kind: 'view', layer: layer.id, part, run, inputs: [access], output: view });
    return view;
  }

  /** Gives a reshape's output the same memory as its input where the bytes are the same. */
  private alias(layer: Layer, run: Run): boolean {
    const input = this.graph.maps[layer.inputs[0]];
    const output = this.graph.maps[layer.output];
    const source = run.located.get(input.id)!;
    const buffer = this.record.buffers[source.buffer];
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
    const id = this.record.addBuffer(
      this.outputs.has(output.id) ? 'output' : 'map',
      output.id,
      fullRegion(output.shape),
      buffer.bits,
    );
    this.record.buffers[id].aliasOf = buffer.aliasOf ?? buffer.id;
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
      buffer: this.record.addBuffer(role, map, window, this.storedBits(map, run), { run: whole ? null : run }),
      channel: 0,
    };
    if (whole) this.whole.set(map, home);
    return home;
  }

  private storedBits(map: MapId, run: Run): Bits {
    return this.bits.stored(map, isShared(this.graph, map, run.part) ? null : run.scope);
  }

  private partOf(map: MapId, run: Run): BranchPart {
    if (run.branch) return run.branch.parts.get(map)!;
    const need = fullRegion(this.graph.maps[map].shape);
    return { need, fresh: need };
  }

  private isKept(map: MapId, run: Run): boolean {
    return run.part !== null && run.part.kept.has(map);
  }

  private placesOf({ part, scope }: Run): ReadonlyMap<MapId, Place> {
    const key = `${part?.index} ${scope}`;
    let places = this.places.get(key);
    if (!places) {
      const layers = part?.layers ?? this.layersBetween();
      const stored = (map: MapId) => this.bits.stored(map, isShared(this.graph, map, part) ? null : scope);
      places = findPlaces(this.graph, {
        part,
        layers,
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
}
