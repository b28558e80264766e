import { createHash } from 'node:crypto';
import type { Constant, ConstantId, Program, Requantization } from '../program/types';
import { packNibbles, packPairs, pairRows, type RowShape } from './weights/packing';
import { packScale, packWeights, type Pack } from './weights/packs';
import { comment, commentText, intLiteral, wrapItems } from './text';
import { twinWeights } from './weights/twins';

/**
 * Element types of the arrays that the runtime reads. `weights4` is two 4-bit codes to a byte, rows starting on a byte;
 * `pairs8` and `pairs4` are rows of weights in pairs, see packing.ts; `packed` and `scale` are described in packs.ts,
 * `twins` in twins.ts.
 */
export type ArrayType =
  'weights8' | 'weights4' | 'pairs8' | 'pairs4' | 'packed' | 'scale' | 'twins' | 'int16' | 'uint16' | 'int32';

const cTypes: Record<
  ArrayType,
  { readonly c: string; readonly bytes: number; readonly min: number; readonly max: number }
> = {
  weights8: { c: 'int8_t', bytes: 1, min: -128, max: 127 },
  weights4: { c: 'uint8_t', bytes: 1, min: -8, max: 7 },
  pairs8: { c: 'int8_t', bytes: 1, min: -128, max: 127 },
  pairs4: { c: 'uint8_t', bytes: 1, min: -8, max: 7 },
  packed: { c: 'int32_t', bytes: 4, min: -128, max: 127 },
  scale: { c: 'int32_t', bytes: 4, min: -2147483648, max: 2147483647 },
  twins: { c: 'int16_t', bytes: 2, min: -128, max: 127 },
  int16: { c: 'int16_t', bytes: 2, min: -32768, max: 32767 },
  uint16: { c: 'uint16_t', bytes: 2, min: 0, max: 65535 },
  int32: { c: 'int32_t', bytes: 4, min: -2147483648, max: 2147483647 },
};

/** What a comment says of how a type arranges weights. */
const arrangements: Partial<Record<ArrayType, string>> = {
  weights4: ', 4 bits',
  pairs8: ', rows in pairs',
  pairs4: ', 4 bits, rows in pairs',
  packed: ', two in each word or half of it',
  scale: ' and multipliers, of two channels in turn',
  twins: ', two rows in each number',
};

interface CArray {
  readonly symbol: string;
  readonly type: ArrayType;
  readonly constant: Constant;
  readonly stored: ArrayLike<number>;
}

/** Bytes of an array, up to the next, which begins on a word. */
function arrayBytes({ stored, type }: CArray): number {
  return Math.ceil((stored.length * cTypes[type].bytes) / 4) * 4;
}

/**
 * The constants of a program as C arrays. Steps ask for the arrays they need, in the type in which the runtime reads
 * them; equal arrays become one.
 */
export class ConstantArrays {
  private readonly byRequest = new Map<string, CArray>();
  private readonly byContent = new Map<string, CArray>();
  private readonly arrays: CArray[] = [];

  constructor(
    private readonly program: Program,
    private readonly name: string,
  ) {}

  /**
   * Symbol of a constant.
   * @param shape only for `weights4`, `pairs8`, `pairs4` and `twins`
   * @param pack only for `packed`
   */
  symbol(id: ConstantId, type: ArrayType, shape: RowShape = { rowLength: 0, rowsPerGroup: 0 }, pack?: Pack): string {
    const request =
      `${id} ${type} ${shape.rowLength} ${shape.rowsPerGroup} ` + `${pack ? `${pack.kind} ${pack.padded}` : ''}`;
    const known = this.byRequest.get(request);
    if (known) return known.symbol;
    const constant = this.program.constants[id];
    if (constant?.id !== id) throw new Error(`Constant ${id} is not at its index.`);
    const array = this.share(constant, type, shape, pack);
    this.byRequest.set(request, array);
    return array.symbol;
  }

  /** Symbol of a layer's biases and multipliers in one table, as packed kernels take them. */
  packedScale(requant: Requantization, { kind }: Pack): string {
    const { bias, multiplier, biasShift, preShift } = requant;
    const request = `${bias} scale ${multiplier} ${biasShift} ${preShift} ${kind}`;
    const array =
      this.byRequest.get(request) ??
      this.add(this.program.constants[bias], 'scale', packScale(this.program, requant, kind));
    this.byRequest.set(request, array);
    return array.symbol;
  }

  /** Values of a constant. */
  values(id: ConstantId): Constant['values'] {
    return this.program.constants[id].values;
  }

  /** Bytes of flash that weights take, in all their storage forms. */
  get weightBytes(): number {
    return this.arrays.reduce((sum, a) => sum + (a.constant.kind === 'weights' ? arrayBytes(a) : 0), 0);
  }

  /** Bytes of flash that all arrays take. */
  get bytes(): number {
    return this.arrays.reduce((sum, a) => sum + arrayBytes(a), 0);
  }

  /** `extern` declarations. */
  declarations(): string {
    return this.arrays.map((a) => `extern const ${cTypes[a.type].c} ${a.symbol}[${a.stored.length}];\n`).join('');
  }

  /** Definitions with their values. */
  definitions(): string {
    return this.arrays
      .map((a) => {
        const { constant } = a;
        const section = constant.kind === 'weights' ? 'QMCU_SECTION_WEIGHTS' : 'QMCU_SECTION_TABLES';
        const shape = constant.dims.length > 0 ? `, ${constant.dims.join(' x ')}` : '';
        return (
          comment([`${commentText(constant.name)}${shape}${arrangements[a.type] ?? ''}`]) +
          `${section} QMCU_ALIGN(4) const ${cTypes[a.type].c} ${a.symbol}[${a.stored.length}] = ` +
          `{\n${wrapItems(literals(a.stored), '    ').join('\n')}\n};\n`
        );
      })
      .join('\n');
  }

  private share(constant: Constant, type: ArrayType, shape: RowShape, pack: Pack | undefined): CArray {
    const { min, max } = cTypes[type];
    const { values } = constant;
    if (values.length === 0) throw new Error(`Constant '${constant.name}' has no values.`);
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (value < min || value > max)
        throw new Error(`Constant '${constant.name}' has the value ${value}, which does not fit ${type}.`);
    }
    return this.add(constant, type, pack ? packWeights(values, pack) : arranged(values, type, shape));
  }

  private add(constant: Constant, type: ArrayType, stored: ArrayLike<number>): CArray {
    const content = `${type} ${createHash('sha256').update(bytesOf(stored)).digest('hex')}`;
    const known = this.byContent.get(content);
    if (known) return known;
    const others = this.arrays.filter((a) => a.constant.id === constant.id).length;
    const suffix = `${others > 0 ? `_${type}` : ''}${others > 1 ? `_${others}` : ''}`;
    const symbol = `${this.name}_${constant.kind}_${constant.id}${suffix}`;
    const array: CArray = { symbol, type, constant, stored };
    this.byContent.set(content, array);
    this.arrays.push(array);
    return array;
  }
}

function arranged(values: Constant['values'], type: ArrayType, shape: RowShape): Constant['values'] {
  switch (type) {
    case 'weights4':
      return packNibbles(values, shape.rowLength);
    case 'pairs8':
      return pairRows(values, shape);
    case 'pairs4':
      return packPairs(values, shape);
    case 'twins':
      return twinWeights(values, shape.rowLength);
    default:
      return values;
  }
}

function bytesOf(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

function* literals(values: ArrayLike<number>): Iterable<string> {
  for (let i = 0; i < values.length; i++) yield intLiteral(values[i]);
}
