import fc from 'fast-check';
import assert from 'node:assert/strict';
import { layoutArena } from '../../../../src/engine/arena/layoutArena';
import type { Bits, PatchClass } from '../../../../src/engine/graph/bits';
import type { Graph, MapId } from '../../../../src/engine/graph/types';
import type { BitsOf, Schedule, ScheduleOptions } from '../../../../src/engine/schedule/schedule';
import { scheduleArena } from '../../../../src/engine/schedule/scheduleArena';
import { mulberry32 } from '../../../support/graphBuilder';
import { graphArbitrary } from '../../../support/randomGraph';
import { SymbolicMachine } from '../../../support/symbolicMachine';

/** All maps at 8 bits. */
export const bits8: BitsOf = { stored: () => 8, read: () => null };

/** Bits by a seed: maps tied by nothing here, so any combination is a valid schedule. */
export function randomBits(graph: Graph, seed: number, fixed: ReadonlySet<MapId>): BitsOf {
  const random = mulberry32(seed);
  const pick = (): Bits => ([8, 4, 2] as const)[Math.floor(((random() + 1) / 2) * 3)];
  const maps = graph.maps.map(() => pick());
  const reads = graph.layers.map(() => (random() > 0.5 ? pick() : null));
  return {
    stored: (map, scope) => (scope === 'outlier' && !fixed.has(map) ? 8 : maps[map]),
    read: (layer, scope) => (scope === 'outlier' ? null : reads[layer]),
  };
}

/** Runs a schedule symbolically on the arena that it is laid out in: every value is what it should be. */
export function checkOnArena(
  graph: Graph,
  schedule: Schedule,
  decide: (branch: number) => PatchClass = () => 'regular',
  outside = false,
): void {
  const { requests, overlaps, buffers } = scheduleArena(graph, schedule, { align: 1, externalInputs: outside });
  const layout = layoutArena(requests, overlaps, { effort: 'quick' });
  const offsets: number[] = [];
  buffers.forEach((id, i) => (offsets[id] = layout.offsets[i]));
  // Inputs outside of the arena lie behind it.
  let end = layout.bytes;
  for (const b of schedule.buffers) {
    if (b.aliasOf !== null || offsets[b.id] !== undefined) continue;
    offsets[b.id] = end;
    end += b.bytes;
  }
  for (const b of schedule.buffers) if (b.aliasOf !== null) offsets[b.id] = offsets[b.aliasOf];
  assert.ok(layout.bytes >= layout.lowerBound);
  new SymbolicMachine(graph, schedule, offsets, end, decide).run();
}

export const inPlace: ScheduleOptions = { concatInPlace: () => true, sliceInPlace: () => true };

/** A graph and the choices of a schedule for it. */
export interface Case {
  readonly graph: Graph;
  readonly pick: number;
  readonly rows: number;
  readonly cols: number;
  readonly keepSeed: number;
  readonly bitsSeed: number;
  readonly share: boolean;
}

export const cases: fc.Arbitrary<Case> = fc.record({
  graph: graphArbitrary({ size: 12, channels: 6 }),
  pick: fc.nat(),
  rows: fc.integer({ min: 1, max: 4 }),
  cols: fc.integer({ min: 1, max: 4 }),
  keepSeed: fc.nat({ max: 1000 }),
  bitsSeed: fc.nat({ max: 100_000 }),
  share: fc.boolean(),
});
