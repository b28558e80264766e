import { ByteReader, MalformedError } from './byteReader';

/** Protobuf wire types (encoding specification, "Message structure"). Groups (3, 4) do not occur in ONNX. */
export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_LENGTH = 2;
export const WIRE_FIXED32 = 5;

const scratch = new DataView(new ArrayBuffer(8));

/**
 * Steps through the fields of one message in the file without touching the bytes of fields that are not requested.
 * After `next()` returned true, `field` and `wire` tell what was found; length-delimited content is [start, end).
 */
export class FieldCursor {
  field = 0;
  wire = 0;
  /** Content of a length-delimited field, or the bytes of a fixed-size one. */
  start = 0;
  end = 0;
  /** Content of a varint field as a signed 64-bit integer; exact up to 2^53. */
  varint = 0;
  private position: number;

  constructor(
    readonly reader: ByteReader,
    messageStart: number,
    private readonly messageEnd: number,
  ) {
    this.position = messageStart;
  }

  next(): boolean {
    if (this.position >= this.messageEnd) return false;
    const tag = this.readVarint();
    this.field = Math.floor(tag / 8);
    this.wire = ((tag % 8) + 8) % 8;
    if (tag < 8 || this.field > 0x1fffffff) throw new MalformedError(`no valid field at byte ${this.position}`);
    switch (this.wire) {
      case WIRE_VARINT:
        this.varint = this.readVarint();
        break;
      case WIRE_FIXED64:
        this.take(8);
        break;
      case WIRE_FIXED32:
        this.take(4);
        break;
      case WIRE_LENGTH: {
        const length = this.readVarint();
        this.take(length);
        break;
      }
      default:
        throw new MalformedError(`unknown wire type ${this.wire} at byte ${this.position}`);
    }
    return true;
  }

  private take(length: number): void {
    if (!(length >= 0) || this.position + length > this.messageEnd) {
      throw new MalformedError(`a field of ${length} bytes at byte ${this.position} runs past the end of its message`);
    }
    this.start = this.position;
    this.end = this.position + length;
    this.position = this.end;
  }

  private readVarint(): number {
    const result = readVarint(this.reader, this.position, this.messageEnd);
    this.position = varintEnd;
    return result;
  }

  /** Text of a length-delimited field. Invalid UTF-8 becomes replacement characters; nothing is rejected here. */
  text(limit: number): string {
    this.expectLength();
    if (this.end - this.start > limit) {
      throw new MalformedError(
        `a text of ${this.end - this.start} bytes at byte ${this.start} is longer than any name in a model can be`,
      );
    }
    return this.reader.text(this.start, this.end);
  }

  float32(): number {
    const at = this.start;
    for (let i = 0; i < 4; i++) scratch.setUint8(i, this.reader.byte(at + i));
    return scratch.getFloat32(0, true);
  }

  /** A cursor over the embedded message of this field. */
  message(): FieldCursor {
    this.expectLength();
    return new FieldCursor(this.reader, this.start, this.end);
  }

  /** Appends the integer(s) of a repeated varint field, packed or not. */
  appendVarints(target: number[], spend: (count: number) => void): void {
    if (this.wire === WIRE_VARINT) {
      spend(1);
      target.push(this.varint);
    } else if (this.wire === WIRE_LENGTH) {
      let at = this.start;
      while (at < this.end) {
        spend(1);
        target.push(readVarint(this.reader, at, this.end));
        at = varintEnd;
      }
    }
  }

  /** Appends the number(s) of a repeated float field, packed or not. */
  appendFloats(target: number[], spend: (count: number) => void): void {
    if (this.wire === WIRE_FIXED32) {
      spend(1);
      target.push(this.float32());
    } else if (this.wire === WIRE_LENGTH) {
      if ((this.end - this.start) % 4 !== 0)
        throw new MalformedError(`a list of floats at byte ${this.start} has a broken length`);
      spend((this.end - this.start) / 4);
      const bytes = this.reader.bytes(this.start, this.end);
      for (let i = 0; i < bytes.length; i += 4) target.push(bytes.readFloatLE(i));
    }
  }

  private expectLength(): void {
    if (this.wire !== WIRE_LENGTH)
      throw new MalformedError(`field ${this.field} before byte ${this.position} has the wrong type`);
  }
}

/** Position after the varint that {@link readVarint} returned last. */
let varintEnd = 0;

/** Reads a varint at `position`, as a two's-complement 64-bit integer rounded to a double. */
function readVarint(reader: ByteReader, position: number, limit: number): number {
  let low = 0; // bits 0..27
  let middle = 0; // bits 28..55
  let high = 0; // bits 56..63
  for (let i = 0; i < 10; i++) {
    if (position >= limit) throw new MalformedError(`a number at byte ${position} is cut off`);
    const byte = reader.byte(position++);
    const bits = byte & 0x7f;
    if (i < 4) low |= bits << (7 * i);
    else if (i < 8) middle |= bits << (7 * (i - 4));
    else high |= bits << (7 * (i - 8));
    if (byte < 0x80) {
      varintEnd = position;
      high &= 0xff;
      if (high & 0x80) {
        // Negative: complement in pieces so that small magnitudes stay exact.
        return -((0xff - high) * 2 ** 56 + (0xfffffff - middle) * 2 ** 28 + (0xfffffff - low) + 1);
      }
      return high * 2 ** 56 + middle * 2 ** 28 + low;
    }
  }
  throw new MalformedError(`a number before byte ${position} is too long`);
}

/** Decodes exactly `count` varints of a packed field that is already in memory. */
export function decodeVarints(bytes: Uint8Array, count: number, target: Float64Array, offset: number): number {
  let at = 0;
  let written = 0;
  while (at < bytes.length && written < count) {
    let value = 0n;
    let shift = 0n;
    let small = 0;
    let digits = 0;
    for (;;) {
      if (at >= bytes.length || digits === 10) throw new MalformedError('a number in a tensor is cut off');
      const byte = bytes[at++];
      if (digits < 4) small |= (byte & 0x7f) << (7 * digits);
      else {
        if (digits === 4) {
          value = BigInt(small);
          shift = 28n;
        }
        value |= BigInt(byte & 0x7f) << shift;
        shift += 7n;
      }
      digits++;
      if (byte < 0x80) break;
    }
    target[offset + written++] = digits <= 4 ? small : Number(BigInt.asIntN(64, value));
  }
  if (at < bytes.length) return written + 1;
  return written;
}
