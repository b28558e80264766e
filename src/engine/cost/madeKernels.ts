/** Columns up to this length are unrolled by the compiler: their code depends on it. */
export const UNROLLED_LENGTH = 40;

/**
 * How the length of a column decides the code of a convolution: by itself while it is unrolled, then by the unrolling
 * that divides it, where nibbles are taken apart.
 */
export function columnKind(length: number, weightBits: number, isInArena: boolean): string {
  if (isInArena) return 'arena';
  if (length <= UNROLLED_LENGTH) return String(length);
  if (weightBits === 8 || length % 32 === 16) return 'long';
  return length % 32 === 0 ? 'long32' : 'longOdd';
}

/** Codes of an iteration of packed loops that layers share: the column is a multiple of it. */
export function sharedUnroll(padded: number): number {
  return padded % 8 === 0 ? 8 : 4;
}

/** A kernel made for a layer: a macro of qmcu_layer_kernels.h and its arguments after the name. */
export interface MadeKernel {
  readonly macro: string;
  readonly args: readonly (string | number)[];
}

/** Place of the limits of sums among the arguments of packed kernels. */
const PACK_LIMITS = 11;

/**
 * Places of arguments that no block depends on: the unit of packed kernels and the limits of their sums, the shift
 * before the multiplication of depthwise ones. Compilers fold functions of the same code into one.
 */
export const UNSHARED_ARGS: Readonly<Record<string, readonly number[]>> = {
  QMCU_SPECIAL_PACKED: [3, PACK_LIMITS],
  QMCU_SPECIAL_LONG_PACKED: [3, PACK_LIMITS],
  QMCU_SPECIAL_SHARED_PACKED: [1, 2, 3, 5, 8, 10, PACK_LIMITS],
  QMCU_SPECIAL_SHARED_LONG_PACKED: [1, 2, 3, 5, 8, 10, PACK_LIMITS],
  QMCU_SPECIAL_DEPTHWISE2D: [5],
};

/** What kernels that share their block have in common. Undefined where equal kernels are one kernel already. */
export function sharedBlock({ macro, args }: MadeKernel): string | undefined {
  const unshared = UNSHARED_ARGS[macro];
  return (
    unshared && `${macro.replace('SHARED_LONG', 'SHARED')} ${args.filter((_, i) => !unshared.includes(i)).join(' ')}`
  );
}

/** What a further kernel of a shared block takes depends on, its limits aside, and the bytes of these. */
export function againOf(kernel: MadeKernel): { readonly key: string; readonly limits: number } {
  const { macro, args } = kernel;
  if (!isPacked(macro)) return { key: madeKernelKey(kernel), limits: 0 };
  const limits = 4 * String(args[PACK_LIMITS]).split(',').length;
  if (macro.includes('SHARED')) return { key: 'shared', limits };
  const [kind, always, format, bounded] = [args[0], args[5], args[6], args[7]].map((arg) =>
    String(arg)
      .replace(/^(QMCU_PACK_|QMCU_)/, '')
      .replace(/u$/, ''),
  );
  return { key: `${kind} ${always} ${format} ${bounded}`, limits };
}

/** Whether layers whose pixels have different sizes share a convolution. */
export function isSharedConv({ macro, args }: MadeKernel): boolean {
  return macro.endsWith('CONV2D') && String(args[8]) === '0';
}

function isPacked(macro: string): boolean {
  return macro.endsWith('_PACKED');
}

/**
 * What the bytes of a made kernel depend on: its arguments but for shifts and strides of maps, with long columns and
 * lists of limits taken together.
 */
export function madeKernelKey({ macro, args }: MadeKernel): string {
  const at = (i: number): string => String(args[i]).replace(/u$/, '').replace('QMCU_', '').replace('PACK_', '');
  switch (macro) {
    case 'QMCU_SPECIAL_CONV2D':
    case 'QMCU_SPECIAL_LONG_CONV2D': {
      const column = columnKind(Number(at(0)), Number(at(1)), macro.includes('LONG'));
      return `conv ${at(1)} ${column} ${at(2)} ${at(3)}`;
    }
    case 'QMCU_SPECIAL_PACKED':
    case 'QMCU_SPECIAL_LONG_PACKED':
      return `packed ${at(0)} ${at(5)} ${at(4)} ${Number(at(2)) > Number(at(4)) ? 'loop' : 'once'} ${at(6)} ${at(7)}`;
    case 'QMCU_SPECIAL_SHARED_PACKED':
    case 'QMCU_SPECIAL_SHARED_LONG_PACKED':
      return `shared ${at(0)} ${at(4)} ${at(6)} ${at(7)}`;
    case 'QMCU_SPECIAL_DEPTHWISE2D':
      return `${at(7) === '0' ? 'shared ' : ''}depthwise ${at(0)} ${at(1)} ${at(3)} ${at(4)}`;
    case 'QMCU_SPECIAL_POLYNOMIAL':
      return `${at(5) === '0' ? 'shared ' : ''}polynomial ${at(1)} ${at(2)}`;
    default:
      throw new Error(`There is no macro "${macro}".`);
  }
}
