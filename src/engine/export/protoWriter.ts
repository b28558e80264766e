/** Writes protobuf messages (encoding specification); only what ONNX needs. */
export class ProtoWriter {
  private readonly chunks: Uint8Array[] = [];

  varint(field: number, value: number | bigint): this {
    return this.push(varintBytes(field * 8), varintBytes(value));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.push(varintBytes(field * 8 + 5), bytes);
  }

  bytes(field: number, content: Uint8Array): this {
    return this.push(varintBytes(field * 8 + 2), varintBytes(content.length), content);
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, message: ProtoWriter): this {
    return this.bytes(field, message.finish());
  }

  finish(): Buffer {
    return Buffer.concat(this.chunks);
  }

  private push(...chunks: Uint8Array[]): this {
    this.chunks.push(...chunks);
    return this;
  }
}

/** A 64-bit integer, seven bits per byte, low bits first; negative ones in two's complement. */
export function varintBytes(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}
