import type { Bits } from '../../src/engine/graph/bits';
import type { ProgramBuffer, Requantization, ScaledSum } from '../../src/engine/program/types';
import { ProgramBuilder } from './programBuilder';
import { mulberry32 } from './graphBuilder';

/** What random Programs are made of. */
export class RandomPieces {
  protected readonly p = new ProgramBuilder();
  protected readonly random: () => number;

  /** @param formats bits of maps and weights to choose from */
  constructor(
    seed: number,
    private readonly formats: readonly Bits[] = [8, 8, 4, 2],
  ) {
    this.random = mulberry32(seed);
  }

  /** One axis of a window that has a tap inside the map everywhere. */
  protected axis(size: number): { kernel: number; stride: number; dilation: number; pad: number; out: number } {
    const kernel = this.int(1, Math.min(3, size));
    const dilation = kernel > 1 && (kernel - 1) * 2 < size ? this.int(1, 2) : 1;
    const stride = this.int(1, 3);
    const pad = dilation === 1 ? this.int(0, kernel - 1) : 0;
    const padEnd = dilation === 1 ? this.int(0, kernel - 1) : 0;
    return {
      kernel,
      stride,
      dilation,
      pad,
      out: Math.floor((size + pad + padEnd - (kernel - 1) * dilation - 1) / stride) + 1,
    };
  }

  /** Accumulators of n products map to about twice the output's range. */
  protected requant(to: ProgramBuffer, n: number): Requantization {
    const { channels } = to;
    const bias = this.table('bias', 32, channels, 3000);
    const multiplier = this.p.constant(
      'multiplier',
      32,
      Int32Array.from({ length: channels }, () => this.int(2 ** 28, 2 ** 31 - 1)),
      [channels],
    );
    const [min, max] = range(to);
    const shift = Math.max(1, Math.round(Math.log2((n * 8000) / max)) - 1);
    const table =
      this.random() > 0.7 && to.bits === 8
        ? {
            constant: this.p.constant(
              'table',
              16,
              Int16Array.from({ length: channels }, () => this.int(max - 20, max)),
              [channels],
            ),
          }
        : max;
    return { bias, biasShift: this.int(-2, 2), multiplier, preShift: this.int(0, 2), shift, min, max: table };
  }

  /** A constant with a value from −limit to limit for each channel. */
  private table(name: 'bias' | 'table', bits: 16 | 32, channels: number, limit: number): number {
    const values = new (bits === 16 ? Int16Array : Int32Array)(channels).map(() => this.int(-limit, limit));
    return this.p.constant(name, bits, values, [channels]);
  }

  protected scaledSum(to: ProgramBuffer, inputs: number): ScaledSum {
    const [min, max] = range(to);
    const { channels } = to;
    const multipliers = Array.from({ length: inputs }, () =>
      this.flip() ? { constant: this.table('table', 16, channels, 3000) } : this.int(-3000, 3000),
    );
    const offset = this.flip() ? { constant: this.table('table', 32, channels, 5000) } : this.int(-5000, 5000);
    return { multipliers, offset, shift: this.int(6, 12), min, max };
  }

  protected weights(bits: 4 | 8, dims: readonly number[]): number {
    const limit = bits === 4 ? 7 : 127;
    return this.p.constant(
      'weights',
      bits,
      Int8Array.from({ length: dims.reduce((a, b) => a * b) }, () => this.int(-limit, limit)),
      dims,
    );
  }

  /** A table of codes of a buffer's format. */
  protected codes(b: ProgramBuffer, n: number): number {
    const [min, max] = range(b);
    return this.p.constant(
      'table',
      16,
      Int16Array.from({ length: n }, () => this.int(min, max)),
      [n],
    );
  }

  protected bits(): Bits {
    return this.formats[this.int(0, this.formats.length - 1)];
  }

  protected weightBits(): 8 | 4 {
    return this.formats.includes(4) && !this.flip() ? 4 : 8;
  }

  protected flip(): boolean {
    return this.random() > 0;
  }

  protected int(min: number, max: number): number {
    return min + Math.floor(((this.random() + 1) / 2) * (max - min + 1));
  }
}

export function range(b: ProgramBuffer): [number, number] {
  return b.signed ? [-(2 ** (b.bits - 1)), 2 ** (b.bits - 1) - 1] : [0, 2 ** b.bits - 1];
}
