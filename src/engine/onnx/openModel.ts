import { isUtf8 } from 'node:buffer';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { UserError } from '../common/errors';
import { ByteReader, MalformedError } from './byteReader';
import type { OnnxModel } from './model';
import { parseModel } from './parse';
import { oneLine } from './problems';

/** No protocol buffer is larger (protobuf.dev, “Proto Limits”). */
const MAX_MODEL_BYTES = 2 ** 31;

/**
 * Opens an ONNX file and reads its structure; weights stay in the file until they are asked for.
 *
 * @throws UserError naming the file and the remedy when it cannot be read or is not an ONNX model.
 */
export async function openModel(path: string): Promise<OnnxModel> {
  const file = oneLine(basename(path));
  const handle = await openFile(path, file);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new UserError(`${file} is not a file. Choose an .onnx file.`);
    // Protocol Buffers end there; larger networks have external data.
    if (stat.size >= MAX_MODEL_BYTES)
      throw new UserError(
        `${file} has ${stat.size} bytes; an ONNX file is smaller than 2 GiB. Download or export it again.`,
      );
    const reader = new ByteReader(handle.fd, stat.size);
    rejectOtherFormats(file, reader);
    const parsed = parseModel(reader);
    if (!parsed.hasGraph)
      throw new UserError(`${file} holds no graph: it is incomplete or not an ONNX model. Export it again.`);
    const { hasGraph: _, ...structure } = parsed;
    return { path, fileBytes: stat.size, ...structure, reader, close: () => handle.close() };
  } catch (error) {
    await handle.close();
    if (error instanceof MalformedError) {
      throw new UserError(
        `${file} is damaged, cut off or not an ONNX model (${error.message}). Download or export it again.`,
      );
    }
    throw error;
  }
}

async function openFile(path: string, file: string): Promise<FileHandle> {
  try {
    // Non-blocking, so that a pipe of that name does not hang; it is refused as "not a file" afterwards.
    return await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') throw new UserError(`${file} does not exist (${oneLine(path)}). Check the path.`);
    if (code === 'EACCES' || code === 'EPERM')
      throw new UserError(`${file} may not be read (${oneLine(path)}). Check its permissions.`);
    throw new UserError(`${file} cannot be opened: ${oneLine((error as Error).message)}`, { cause: error });
  }
}

/** Names the usual things that end up under the name of a model, each with what to do about it. */
function rejectOtherFormats(file: string, reader: ByteReader): void {
  if (reader.size === 0) throw new UserError(`${file} is empty (0 bytes). Download or export it again.`);
  const head = reader.bytes(0, Math.min(reader.size, 512));
  const text = head.toString('latin1');
  if (text.startsWith('version https://git-lfs')) {
    throw new UserError(
      `${file} is a Git LFS pointer, not the model itself. Run "git lfs pull" in its repository and try again.`,
    );
  }
  if (/^\s*<(!doctype|html|\?xml|head|body)/i.test(text)) {
    throw new UserError(
      `${file} is a web page saved under the name of a model, not an ONNX file. Download the raw file again.`,
    );
  }
  const magic: [string, number, string][] = [
    ['PK\x03\x04', 0, 'a zip archive or PyTorch checkpoint'],
    ['TFL3', 4, 'a TensorFlow Lite model'],
    ['\x89HDF', 0, 'a Keras/HDF5 model'],
    ['\x1f\x8b', 0, 'a gzip archive'],
  ];
  for (const [bytes, at, what] of magic) {
    if (text.startsWith(bytes, at))
      throw new UserError(`${file} is ${what}, not an ONNX file. Unpack it or export the model to ONNX.`);
  }
  // A protobuf message starts with a field tag and has control characters soon after; prose has none.
  if (reader.size >= 8 && isText(head)) {
    throw new UserError(`${file} is a text file, not an ONNX model. Download or export the model again.`);
  }
}

function isText(bytes: Buffer): boolean {
  if (bytes.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)) return false;
  // The last character may be cut off.
  for (let cut = 0; cut <= 3; cut++) if (isUtf8(bytes.subarray(0, bytes.length - cut))) return true;
  return false;
}
