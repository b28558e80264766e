import { createHash } from 'node:crypto';
import { createReadStream, promises as fs } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../common/errors';
import { MAX_PLAN_BYTES, parsePlan } from './sidecar';
import type { Plan } from './types';

export { writeFilesWhole } from './writeWhole';

/** Largest parameter file that is read: more weights than any microcontroller's flash holds. */
const MAX_PARAMETERS_BYTES = 256 << 20;

/** SHA-256 of a file, hexadecimal, read in pieces. Devices and pipes, which may never end, are refused. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    if (!(await fs.stat(file)).isFile()) throw new Error('it is not a file');
    for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
  return hash.digest('hex');
}

/** SHA-256 of bytes or text, hexadecimal. */
export function hashBytes(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Reads and checks a sidecar. */
export async function readPlan(planPath: string): Promise<Plan> {
  let text: string;
  try {
    const stat = await fs.stat(planPath);
    if (!stat.isFile()) throw new Error('it is not a file');
    const { size } = stat;
    if (size > MAX_PLAN_BYTES) throw new Error(`it has ${size} bytes, more than any plan`);
    text = await fs.readFile(planPath, 'utf8');
  } catch (error) {
    throw new UserError(`${planPath} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
  return parsePlan(text, planPath);
}

/** The bytes of a plan's parameter file; null when it is missing, no regular file or larger than any. */
export async function readParameters(file: string): Promise<Uint8Array | null> {
  const stat = await fs.stat(file).catch(() => null);
  if (!stat?.isFile() || stat.size > MAX_PARAMETERS_BYTES) return null;
  return fs.readFile(file).catch(() => null);
}

/**
 * Resolves a file that a sidecar names relative to itself; only a file beside the sidecar is allowed for parameters.
 */
export function besidePlan(planPath: string, name: string): string {
  if (name !== path.basename(name))
    throw new UserError(`${planPath}: "${name}" must be the name of a file beside the plan.`);
  return path.join(path.dirname(planPath), name);
}

/** The model file that a sidecar belongs to. */
export function modelPathOf(planPath: string, plan: Plan): string {
  // On Windows a name such as //server/share would make this computer log in to a server that the sidecar chose.
  if (/^[/\\\\]{2}/.test(plan.model.file))
    throw new UserError(
      `${planPath}: the model "${plan.model.file}" lies on a server. Copy it to this computer and name its file.`,
    );
  return path.resolve(path.dirname(planPath), plan.model.file);
}
