import { createHash } from 'node:crypto';
import * as path from 'node:path';
import { openRegular, readBounded } from '../common/boundedFile';
import { UserError, reasonOf } from '../common/errors';
import { openModel } from '../onnx/openModel';
import { MAX_PLAN_BYTES, parsePlan } from './sidecar';
import type { Plan } from './types';
import { pendingParameters } from './writeWhole';

export { writeFilesWhole, writePlanWhole } from './writeWhole';

/** Largest parameter file that is read: more weights than any microcontroller's flash holds. */
const MAX_PARAMETERS_BYTES = 256 << 20;

/** SHA-256 of a file, hexadecimal, read in pieces. Devices and pipes, which may never end, are refused. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    const handle = await openRegular(file);
    for await (const piece of handle.createReadStream()) hash.update(piece as Buffer);
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${reasonOf(error)}.`, { cause: error });
  }
  return hash.digest('hex');
}

/**
 * SHA-256 of a model's file. That it is one is seen first: hashing something of many gigabytes takes minutes.
 * @throws UserError as {@link openModel}
 */
export async function hashModel(file: string): Promise<string> {
  const model = await openModel(file);
  await model.close();
  return hashFile(file);
}

/** SHA-256 of bytes or text, hexadecimal. */
export function hashBytes(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Reads and checks a sidecar. */
export async function readPlan(planPath: string): Promise<Plan> {
  let text: string;
  try {
    text = (await readBounded(planPath, MAX_PLAN_BYTES)).toString('utf8');
  } catch (error) {
    throw new UserError(`${planPath} cannot be read: ${reasonOf(error)}.`, { cause: error });
  }
  return parsePlan(text, planPath);
}

/**
 * The bytes of a plan's parameter file; null when it is missing, no regular file or larger than any. Where a process
 * was killed before it could give them their name, those that belong to the plan.
 */
export async function readParameters(
  planPath: string,
  { file, sha256 }: Plan['parameters'],
): Promise<Uint8Array | null> {
  const named = besidePlan(planPath, file);
  const bytes = await readBounded(named, MAX_PARAMETERS_BYTES).catch(() => null);
  if (bytes && hashBytes(bytes) === sha256) return bytes;
  const pending = await readBounded(pendingParameters(named, sha256), MAX_PARAMETERS_BYTES).catch(() => null);
  return pending && hashBytes(pending) === sha256 ? pending : bytes;
}

/**
 * Resolves a file that a sidecar names relative to itself; only a file next to the sidecar is allowed for parameters.
 */
export function besidePlan(planPath: string, name: string): string {
  if (name !== path.basename(name))
    throw new UserError(`${planPath}: "${name}" must be the name of a file beside the plan.`);
  return path.join(path.dirname(planPath), name);
}

let modelsRestricted = false;

/**
 * From now on, plans may name models in their own folder tree only: they come from somebody who is not trusted, and
 * what they name is read and hashed. For this thread.
 */
export function restrictModels(restricted = true): void {
  modelsRestricted = restricted;
}

/** The model file that a sidecar belongs to. @throws UserError for one that this plan may not name */
export function modelPathOf(planPath: string, plan: Plan): string {
  // On Windows a name such as //server/share would make this computer log in to a server that the sidecar chose.
  if (/^[/\\\\]{2}/.test(plan.model.file))
    throw new UserError(
      `${planPath}: the model "${plan.model.file}" is on a server. Copy it to this computer and refer to the copy.`,
    );
  const { file } = plan.model;
  if (modelsRestricted && (path.isAbsolute(file) || path.win32.isAbsolute(file) || file.split(/[\\/]/).includes('..')))
    throw new UserError(
      `${planPath}: the model "${file}" is outside the plan's folder and is not read, because the workspace is not ` +
        'trusted. Trust the workspace, or put the model beside the plan.',
    );
  return path.resolve(path.dirname(planPath), file);
}
