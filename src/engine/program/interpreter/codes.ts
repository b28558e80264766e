import type { Bits } from '../../plan/types';

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

/** Reads the codes of a block into dense H×W×C order, from index 0 on. */
export function unpackCodes(arena: Uint8Array, block: CodeBlock, codes: Int16Array): void {
  const { h, w, channels, pixelBytes, rowBytes, bits, signed } = block;
  let i = 0;
  for (let y = 0; y < h; y++) {
    let p = block.offset + y * rowBytes;
    for (let x = 0; x < w; x++, p += pixelBytes) {
      if (bits === 8) {
        if (signed) for (let c = 0; c < channels; c++) codes[i++] = (arena[p + c] << 24) >> 24;
        else for (let c = 0; c < channels; c++) codes[i++] = arena[p + c];
      } else {
        const unused = 32 - bits;
        const mask = (1 << bits) - 1;
        for (let bit = 0, end = channels * bits; bit < end; bit += bits) {
          const pattern = (arena[p + (bit >> 3)] >> (bit & 7)) & mask;
          codes[i++] = signed ? (pattern << unused) >> unused : pattern;
        }
      }
    }
  }
}

/** Writes dense codes into a block. Bits that follow the last code in its byte become 0; no other byte changes. */
export function packCodes(codes: Int16Array, arena: Uint8Array, block: CodeBlock): void {
  const { h, w, channels, pixelBytes, rowBytes, bits } = block;
  const mask = (1 << bits) - 1;
  let i = 0;
  for (let y = 0; y < h; y++) {
    let p = block.offset + y * rowBytes;
    for (let x = 0; x < w; x++, p += pixelBytes) {
      if (bits === 8) {
        for (let c = 0; c < channels; c++) arena[p + c] = codes[i++];
        continue;
      }
      let byte = 0;
      let filled = 0;
      let q = p;
      for (let c = 0; c < channels; c++) {
        byte |= (codes[i++] & mask) << filled;
        filled += bits;
        if (filled === 8) {
          arena[q++] = byte;
          byte = 0;
          filled = 0;
        }
      }
      if (filled > 0) arena[q] = byte;
    }
  }
}
