import { promises as fs } from 'node:fs';
import { UserError, reasonOf } from '../common/errors';
import { readPlan } from '../plan/files';
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
