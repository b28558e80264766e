import { closeSync, constants, fstatSync, openSync, realpathSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { readFully } from './byteReader';
import type { TensorInfo } from './model';
import { ProblemError } from './problems';

/** A checked piece of an external data file. */
export interface ExternalPiece {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

const REMEDY = 'Keep the data file next to the model, or save the model with its weights inside.';

/**
 * Finds where a tensor's external data lies (ONNX "External Data" specification) without reading it. The file must be
 * inside the folder of the model, also after symbolic links are followed: a model must not be able to name any other
 * file of the user.
 *
 * @param expectedBytes what type and dims ask for
 * @throws ProblemError when the location, the file or its size does not fit
 */
export function locateExternalData(modelPath: string, tensor: TensorInfo, expectedBytes: number): ExternalPiece {
  const location = tensor.external?.get('location') ?? '';
  const parts = location.split(/[/\\]/);
  if (location === '' || location.includes('\0')) throw new ProblemError('names no external data file', REMEDY);
  if (/^([/\\]|[a-z]:|[a-z][a-z0-9+.-]*:\/\/)/i.test(location) || parts.includes('..')) {
    throw new ProblemError(`has external data outside the model's folder (${location}), which is not read`, REMEDY);
  }
  let path: string;
  let folder: string;
  try {
    folder = realpathSync(dirname(resolve(modelPath)));
    path = realpathSync(resolve(folder, ...parts));
  } catch {
    throw new ProblemError(`has its data in ${location}, which does not exist next to the model`, REMEDY);
  }
  const prefix = folder.endsWith(sep) ? folder : folder + sep;
  if (!path.startsWith(prefix)) {
    throw new ProblemError(
      `has external data that leads outside the model's folder (${location}), which is not read`,
      REMEDY,
    );
  }
  const offset = integerEntry(tensor, 'offset') ?? 0;
  const size = withFile(path, location, (fd) => fstatSync(fd).size);
  const length = integerEntry(tensor, 'length') ?? expectedBytes;
  if (length !== expectedBytes) {
    throw new ProblemError(
      `declares ${expectedBytes} bytes of external data but stores ${length}`,
      'Export the model again.',
    );
  }
  if (offset + length > size) {
    throw new ProblemError(
      `needs bytes ${offset} to ${offset + length} of ${location}, which has only ${size}`,
      'Download or export the data file again.',
    );
  }
  return { path, offset, length };
}

/** Reads a piece found by {@link locateExternalData}. */
export function readExternalData(piece: ExternalPiece): Uint8Array {
  const bytes = new Uint8Array(piece.length);
  withFile(piece.path, piece.path, (fd) => readFully(fd, bytes, piece.offset));
  return bytes;
}

function integerEntry(tensor: TensorInfo, key: string): number | null {
  const text = tensor.external?.get(key);
  if (text === undefined) return null;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value))
    throw new ProblemError(`has an external data ${key} that is not a number`, 'Export the model again.');
  return value;
}

function withFile<T>(path: string, shown: string, use: (fd: number) => T): T {
  let fd: number;
  try {
    // Non-blocking, so that a pipe of that name does not hang; it is refused as "not a file" below.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch {
    throw new ProblemError(`has its data in ${shown}, which cannot be opened`, REMEDY);
  }
  try {
    if (!fstatSync(fd).isFile()) throw new ProblemError(`has its data in ${shown}, which is not a file`, REMEDY);
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
