import { readSync } from 'node:fs';

/**
 * Signals bytes that are not the protobuf they should be; turned into a UserError that names the file by a caller that
 * knows it.
 */
export class MalformedError extends Error {}

const WINDOW_BYTES = 32 * 1024;

/**
 * Random access to an open file through one small window, so that the structure of a model of any size can be read
 * without holding its weights. Positions are byte offsets in the file; everything outside [0, size) is an error.
 */
export class ByteReader {
  private readonly window = Buffer.allocUnsafe(WINDOW_BYTES);
  private windowStart = 0;
  private windowEnd = 0;
  /** Bytes fetched from the file so far. */
  bytesRead = 0;

  /** @param size length of the file when it was opened; a file that shrinks while it is read is reported as cut off. */
  constructor(
    readonly fd: number,
    readonly size: number,
  ) {}

  byte(position: number): number {
    if (position < this.windowStart || position >= this.windowEnd) this.load(position);
    return this.window[position - this.windowStart];
  }

  /** A copy of [start, end). The caller has checked the length against what it is ready to allocate. */
  bytes(start: number, end: number): Buffer {
    if (start < 0 || end > this.size || end < start)
      throw new MalformedError(`bytes ${start} to ${end} lie outside the file`);
    const result = Buffer.allocUnsafeSlow(end - start);
    if (start >= this.windowStart && end <= this.windowEnd) {
      this.window.copy(result, 0, start - this.windowStart, end - this.windowStart);
      return result;
    }
    readFully(this.fd, result, start);
    this.bytesRead += result.length;
    return result;
  }

  /** The bytes [start, end) as text; invalid UTF-8 becomes replacement characters. */
  text(start: number, end: number): string {
    if (end - start > WINDOW_BYTES) return this.bytes(start, end).toString('utf8');
    if (end === start) return '';
    if (start < this.windowStart || end > this.windowEnd) this.load(start);
    if (end > this.windowEnd) return this.bytes(start, end).toString('utf8');
    return this.window.toString('utf8', start - this.windowStart, end - this.windowStart);
  }

  private load(position: number): void {
    if (!(position >= 0 && position < this.size)) throw new MalformedError(`byte ${position} lies outside the file`);
    const got = readSync(this.fd, this.window, 0, Math.min(WINDOW_BYTES, this.size - position), position);
    if (got <= 0) throw new MalformedError('the file became shorter while it was read');
    this.bytesRead += got;
    this.windowStart = position;
    this.windowEnd = position + got;
  }
}

/** Fills `target` from byte `position` of the file on; short reads are continued, the end of the file is an error. */
export function readFully(fd: number, target: Uint8Array, position: number): void {
  let done = 0;
  while (done < target.length) {
    const got = readSync(fd, target, done, target.length - done, position + done);
    if (got <= 0) throw new MalformedError('the file became shorter while it was read');
    done += got;
  }
}
