import type { FileHandle } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';

/** One file inside a ZIP archive. */
export interface ZipEntry {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  /** Offset of the entry's local header. */
  readonly offset: number;
}

const END_SIGNATURE = 0x06054b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const MAX_ENTRIES = 10_000;
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;

/**
 * Reads the directory of a ZIP archive (APPNOTE.TXT 4.3); encryption, several disks and ZIP64 directories are not read,
 * ZIP64 sizes of entries, which numpy writes, are.
 *
 * @throws Error with a reason when the file is not such an archive
 */
export async function readZipDirectory(file: FileHandle): Promise<ZipEntry[]> {
  const { size } = await file.stat();
  const tailBytes = Math.min(size, 22 + 65535);
  const tail = await readExactly(file, size - tailBytes, tailBytes);
  let end = tailBytes - 22;
  while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end--;
  if (end < 0) throw new Error('it is not a ZIP archive');
  const count = tail.readUInt16LE(end + 10);
  const directoryBytes = tail.readUInt32LE(end + 12);
  const directoryOffset = tail.readUInt32LE(end + 16);
  if (directoryOffset + directoryBytes > size || count > MAX_ENTRIES || directoryBytes > MAX_DIRECTORY_BYTES)
    throw new Error('its ZIP directory is damaged');
  const directory = await readExactly(file, directoryOffset, directoryBytes);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== CENTRAL_SIGNATURE)
      throw new Error('its ZIP directory is damaged');
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30);
    const commentBytes = directory.readUInt16LE(at + 32);
    if (at + 46 + nameBytes + extraBytes + commentBytes > directory.length)
      throw new Error('its ZIP directory is damaged');
    if ((directory.readUInt16LE(at + 8) & 1) !== 0) throw new Error('it is encrypted');
    const sizes = zip64Sizes(directory.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes), [
      directory.readUInt32LE(at + 24),
      directory.readUInt32LE(at + 20),
      directory.readUInt32LE(at + 42),
    ]);
    entries.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameBytes),
      method: directory.readUInt16LE(at + 10),
      bytes: sizes[0],
      compressedBytes: sizes[1],
      offset: sizes[2],
    });
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  return entries;
}

/**
 * Replaces those of [size, compressed size, offset] that are 0xFFFFFFFF by the 64-bit values of extra field 1
 * (APPNOTE.TXT 4.5.3).
 */
function zip64Sizes(extra: Buffer, sizes: number[]): number[] {
  for (let at = 0; at + 4 <= extra.length;) {
    const id = extra.readUInt16LE(at);
    const length = extra.readUInt16LE(at + 2);
    if (id === 1) {
      let value = at + 4;
      return sizes.map((s) => {
        if (s !== 0xffffffff || value + 8 > Math.min(extra.length, at + 4 + length)) return s;
        value += 8;
        return Number(extra.readBigUInt64LE(value - 8));
      });
    }
    at += 4 + length;
  }
  return sizes;
}

/**
 * The bytes of one entry, decompressed.
 *
 * @throws Error when the data is damaged, longer than its directory says, or longer than `limit` bytes
 */
export async function readZipEntry(file: FileHandle, entry: ZipEntry, limit: number): Promise<Buffer> {
  if (entry.bytes > limit || entry.compressedBytes > limit)
    throw new Error(`'${entry.name}' has ${entry.bytes} bytes, more than the limit of ${limit}`);
  const header = await readExactly(file, entry.offset, 30);
  if (header.readUInt32LE(0) !== LOCAL_SIGNATURE) throw new Error(`'${entry.name}' is damaged`);
  const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const stored = await readExactly(file, start, entry.compressedBytes);
  if (entry.method === 0) return stored;
  if (entry.method !== 8)
    throw new Error(
      `'${entry.name}' is compressed by method ${entry.method}; only stored and deflated entries are read`,
    );
  const bytes = inflateRawSync(stored, { maxOutputLength: Math.max(1, entry.bytes) });
  if (bytes.length !== entry.bytes) throw new Error(`'${entry.name}' is damaged`);
  return bytes;
}

/** @throws Error when the file ends before `length` bytes */
export async function readExactly(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  if (offset < 0 || offset + length > (await file.stat()).size)
    throw new Error('the file is shorter than its directory says');
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, offset + done);
    if (bytesRead === 0) throw new Error('the file is shorter than its directory says');
    done += bytesRead;
  }
  return buffer;
}
