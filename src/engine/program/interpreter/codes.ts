import type { Bits } from '../../graph/bits';

/** Where the codes of one access lie in the arena, and their format. */
export interface CodeBlock {
  /** Byte offset in the arena of the first accessed channel of the first pixel. */
  readonly offset: number;
  readonly h: number;
  readonly w: number;
  readonly channels: number;
  readonly pixelBytes: number;
  readonly rowBytes: number;
  readonly bits: Bits;
  readonly signed: boolean;
}

/** Bytes beside each other, all of whose bits are codes but for the last ones of a run. */
interface Runs {
  readonly rows: number;
  readonly rowBytes: number;
  /** In each row, `count` runs of `codes` codes, `bytes` from one to the next. */
  readonly count: number;
  readonly codes: number;
  readonly bytes: number;
}

/**
 * The longest runs: pixels whose channels fill their bytes are one with the next, and rows that follow one another,
 * too.
 */
function runsOf({ h, w, channels, pixelBytes, rowBytes, bits }: CodeBlock): Runs {
  if (channels * bits !== pixelBytes * 8) return { rows: h, rowBytes, count: w, codes: channels, bytes: pixelBytes };
  if (rowBytes === w * pixelBytes) return { rows: 1, rowBytes: 0, count: 1, codes: h * w * channels, bytes: 0 };
  return { rows: h, rowBytes, count: 1, codes: w * channels, bytes: 0 };
}

/** Reads the codes of a block into dense H×W×C order, starting at index 0. */
export function unpackCodes(arena: Uint8Array, block: CodeBlock, codes: Int16Array): void {
  const { rows, rowBytes, count, codes: length, bytes } = runsOf(block);
  const { bits, signed } = block;
  if (bits === 16) {
    unpackWords(arena, runsOf(block), block.offset, codes);
    return;
  }
  const whole = bits === 8 && count === 1;
  const source = whole && signed ? new Int8Array(arena.buffer, arena.byteOffset, arena.length) : arena;
  const unused = 32 - bits;
  const mask = (1 << bits) - 1;
  for (let y = 0, i = 0; y < rows; y++) {
    let p = block.offset + y * rowBytes;
    if (whole) {
      // Engines convert whole arrays several codes at a time.
      codes.set(source.subarray(p, p + length), i);
      i += length;
      continue;
    }
    for (let run = 0; run < count; run++, p += bytes) {
      if (bits === 8) {
        if (signed) for (let q = p, end = p + length; q < end; q++) codes[i++] = (arena[q] << 24) >> 24;
        else for (let q = p, end = p + length; q < end; q++) codes[i++] = arena[q];
      } else if (bits === 4) {
        let q = p;
        if (signed) {
          for (const end = p + (length >> 1); q < end; q++, i += 2) {
            codes[i] = (arena[q] << 28) >> 28;
            codes[i + 1] = (arena[q] << 24) >> 28;
          }
        } else {
          for (const end = p + (length >> 1); q < end; q++, i += 2) {
            codes[i] = arena[q] & 15;
            codes[i + 1] = arena[q] >> 4;
          }
        }
        if (length & 1) codes[i++] = signed ? (arena[q] << 28) >> 28 : arena[q] & 15;
      } else {
        for (let bit = 0, end = length * bits; bit < end; bit += bits) {
          const pattern = (arena[p + (bit >> 3)] >> (bit & 7)) & mask;
          codes[i++] = signed ? (pattern << unused) >> unused : pattern;
        }
      }
    }
  }
}

/** Writes dense codes into a block. Bits that follow the last code in its byte become 0; no other byte changes. */
export function packCodes(codes: Int16Array, arena: Uint8Array, block: CodeBlock): void {
  const { rows, rowBytes, count, codes: length, bytes } = runsOf(block);
  const { bits } = block;
  if (bits === 16) {
    packWords(codes, arena, runsOf(block), block.offset);
    return;
  }
  const mask = (1 << bits) - 1;
  for (let y = 0, i = 0; y < rows; y++) {
    let p = block.offset + y * rowBytes;
    if (bits === 8 && count === 1) {
      arena.set(codes.subarray(i, i + length), p);
      i += length;
      continue;
    }
    for (let run = 0; run < count; run++, p += bytes) {
      if (bits === 8) {
        for (let q = p, end = p + length; q < end; q++) arena[q] = codes[i++];
        continue;
      }
      let q = p;
      if (bits === 4)
        for (const end = p + (length >> 1); q < end; q++, i += 2) arena[q] = (codes[i] & 15) | (codes[i + 1] << 4);
      else
        for (const end = p + (length >> 2); q < end; q++, i += 4)
          arena[q] = (codes[i] & 3) | ((codes[i + 1] & 3) << 2) | ((codes[i + 2] & 3) << 4) | (codes[i + 3] << 6);
      const left = length % (8 / bits);
      if (left > 0) {
        let byte = 0;
        for (let k = 0; k < left; k++) byte |= (codes[i++] & mask) << (k * bits);
        arena[q] = byte;
      }
    }
  }
}

/** Codes of 16 bits: two's complement, the low byte first. */
function unpackWords(
  arena: Uint8Array,
  { rows, rowBytes, count, codes: length, bytes }: Runs,
  offset: number,
  codes: Int16Array,
): void {
  for (let y = 0, i = 0; y < rows; y++) {
    for (let run = 0; run < count; run++) {
      let p = offset + y * rowBytes + run * bytes;
      for (const end = i + length; i < end; i++, p += 2) codes[i] = arena[p] | (arena[p + 1] << 8);
    }
  }
}

function packWords(
  codes: Int16Array,
  arena: Uint8Array,
  { rows, rowBytes, count, codes: length, bytes }: Runs,
  offset: number,
): void {
  for (let y = 0, i = 0; y < rows; y++) {
    for (let run = 0; run < count; run++) {
      let p = offset + y * rowBytes + run * bytes;
      for (const end = i + length; i < end; i++, p += 2) {
        arena[p] = codes[i];
        arena[p + 1] = codes[i] >> 8;
      }
    }
  }
}
