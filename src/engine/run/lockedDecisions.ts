import { promises as fs } from 'node:fs';
import { UserError, reasonOf } from '../common/errors';
import { readPlan } from '../plan/files';
import type { Graph } from '../graph/types';
import type { Plan } from '../plan/types';
import type { DecideOptions } from './decisionTypes';

/**
 * Decisions that a person locked in an earlier plan at the same place; none when there is no file. A file that is not a
 * plan is somebody's work and not overwritten.
 */
export async function lockedDecisions(planPath: string): Promise<DecideOptions['locked']> {
  const isThere = await fs.access(planPath).then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  try {
    const { maps, layers } = await readPlan(planPath);
    return { maps, layers };
  } catch (error) {
    throw new UserError(`${reasonOf(error)}. The new plan would replace it: correct it, or delete it first.`, {
      cause: error,
    });
  }
}

/** All decisions about bits, as if a person had locked them. */
export function allLocked(
  graph: Graph,
  { maps, layers }: Pick<Plan, 'maps' | 'layers'>,
): NonNullable<DecideOptions['locked']> {
  const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
    Object.hasOwn(record, name) ? record[name] : undefined;
  return {
    maps: Object.fromEntries(graph.maps.map(({ name }) => [name, { bits: own(maps, name)?.bits ?? 8, locked: true }])),
    layers: Object.fromEntries(graph.layers.map(({ name }) => [name, { ...own(layers, name), locked: true }])),
  };
}
