import { arenaGroup } from '../schedule/scheduleArena';
import { layoutWithin } from '../arena/layoutArena';
import { kernelOrder, overlapDistance, type GeometricAccess, type KernelOrder } from '../arena/overlap';
import type { Access, Constant, Kernel, KernelOf, ProgramBuffer, Step } from './types';

/**
 * Places all buffers in one arena, external ones behind it; outputs may lie over inputs that die in the same step as
 * far as the kernel's order of work allows.
 */
export function assignOffsets(
  buffers: readonly ProgramBuffer[],
  steps: readonly Step[],
  constants: readonly Constant[],
  readerOf: (buffer: number) => number | null = () => null,
  mostBytes = Infinity,
): { placed: ProgramBuffer[]; arenaBytes: number } {
  const root = (id: number): number => buffers[id].aliasOf ?? id;
  const owners = buffers.filter((b) => b.aliasOf === null && !b.external);
  const index = new Map(owners.map((b, i) => [b.id, i]));
  const distances = new Map<string, { over: number; output: number; distance: number } | null>();
  for (const step of steps) {
    const output = buffers[root(step.output.buffer)];
    if (output.firstStep !== step.id || output.external) continue;
    const order = orderOf(step.kernel, constants);
    for (const access of step.inputs) {
      const input = buffers[root(access.buffer)];
      if (input.lastStep !== step.id || input.id === output.id || input.external) continue;
      const key = `${input.id}/${output.id}`;
      const known = distances.get(key);
      const distance = overlapDistance(order, geometry(buffers, access), geometry(buffers, step.output));
      if (distance === null || known === null) distances.set(key, null);
      else
        distances.set(key, {
          over: index.get(input.id)!,
          output: index.get(output.id)!,
          distance: Math.max(distance, known?.distance ?? 0),
        });
    }
  }
  const layout = layoutWithin(
    owners.map((b) => ({
      bytes: b.bytes,
      align: b.align,
      first: b.firstStep,
      last: b.lastStep,
      group: arenaGroup(b.role, b.map, readerOf(b.id)),
    })),
    [...distances.values()].filter((d) => d !== null),
    mostBytes,
  );
  const offsets = new Map(owners.map((b, i) => [b.id, layout.offsets[i]]));
  let end = layout.bytes;
  for (const b of buffers) {
    if (b.aliasOf !== null || !b.external) continue;
    const offset = Math.ceil(end / b.align) * b.align;
    offsets.set(b.id, offset);
    end = offset + b.bytes;
  }
  const placed = buffers.map((b) => ({ ...b, offset: offsets.get(root(b.id))! }));
  return { placed, arenaBytes: layout.bytes };
}

/** The order in which a kernel reads and writes. */
export function orderOf(kernel: Kernel, constants: readonly Constant[]): KernelOrder {
  let rows: Int32Array | null = null;
  return kernelOrder(kernel.op, {
    window: () => (kernel as Extract<Kernel, { window: unknown }>).window,
    firstRow: (oy) => {
      rows ??= leastBehind(constants[(kernel as KernelOf<'resize'>).rows].values);
      return rows[oy];
    },
  });
}

/** The smallest source row that a resize reads for each output row and all after it. */
function leastBehind(table: ArrayLike<number>): Int32Array {
  const rows = new Int32Array(table.length / 2);
  for (let oy = rows.length - 1, least = Infinity; oy >= 0; oy--) rows[oy] = least = Math.min(least, table[2 * oy]);
  return rows;
}

function geometry(buffers: readonly ProgramBuffer[], access: Access): GeometricAccess {
  return {
    geometry: buffers[access.buffer],
    region: access.region,
    channel: access.channel,
    channels: access.channels,
  };
}
