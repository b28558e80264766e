import { createHash } from 'node:crypto';
import { createReadStream, promises as fs } from 'node:fs';
import * as path from 'node:path';
import { UserError } from '../errors';
import { MAX_PLAN_BYTES, parsePlan } from './sidecar';
import type { Plan } from './types';

/** SHA-256 of a file, hexadecimal, read in pieces. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
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
    const { size } = await fs.stat(planPath);
    if (size > MAX_PLAN_BYTES) throw new Error(`it has ${size} bytes, more than any plan`);
    text = await fs.readFile(planPath, 'utf8');
  } catch (error) {
    throw new UserError(`${planPath} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
  return parsePlan(text, planPath);
}

/**
 * Writes files so that each is there whole or not at all: all go to temporary names first, and are renamed only when every one of them is on the disk.
 * @throws UserError if the disk is full or the folder read-only; nothing has changed then
 */
export async function writeFilesWhole(files: readonly { readonly path: string; readonly data: Uint8Array | string }[]): Promise<void> {
  const temporary: string[] = [];
  try {
    for (const [i, file] of files.entries()) {
      const name = path.join(path.dirname(file.path), `.${path.basename(file.path).slice(0, 100)}.${process.pid}.${i}.tmp`);
      temporary.push(name);
      const handle = await fs.open(name, 'w');
      try {
        await handle.writeFile(file.data);
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
    for (const [i, file] of files.entries()) await fs.rename(temporary[i], file.path);
  } catch (error) {
    await Promise.all(temporary.map((t) => fs.rm(t, { force: true }).catch(() => undefined)));
    throw new UserError(`${files[0].path} cannot be written: ${(error as Error).message}. Nothing was changed.`, { cause: error });
  }
}

/** Resolves a file that a sidecar names relative to itself; only files below the sidecar's folder or its siblings are allowed for parameters. */
export function besidePlan(planPath: string, name: string): string {
  if (name !== path.basename(name)) throw new UserError(`${planPath}: "${name}" must be the name of a file beside the plan.`);
  return path.join(path.dirname(planPath), name);
}

/** The model file that a sidecar belongs to. */
export function modelPathOf(planPath: string, plan: Plan): string {
  return path.resolve(path.dirname(planPath), plan.model.file);
}
