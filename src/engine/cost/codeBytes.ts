import type { Core } from '../targets/types';
import { CODE_TABLES, type CodeTable, type UsedCode } from './codeSizes';
import { againOf, isSharedConv, madeKernelKey, sharedBlock, type MadeKernel } from './madeKernels';
import { wideBytes } from './wideSizes';
import { hasFewBits, type RuntimeUses, type UseMacro } from './runtimeUses';

/** The level of GCC that sizes and latencies are reported for; lower levels take less flash. */
export const TOLD_LEVEL = '-O3';

/** Cores whose DSP extension kernels are made for layers with, and weights packed. */
export const DSP_CORES: readonly Core[] = ['cortex-m4', 'cortex-m7', 'cortex-m33'];

/** Sizes of a core's code; those of the largest other core without kernels of its own where nothing was measured. */
export function codeTable(core: Core): CodeTable {
  return CODE_TABLES[core] ?? CODE_TABLES.riscv32 ?? CODE_TABLES['cortex-m4'];
}

/**
 * Bytes of all that a linker keeps of the runtime for these functions.
 * @param uses what is used of the kernels, if the runtime is compiled only for that
 */
export function runtimeBytes(core: Core, functions: Iterable<string>, uses?: RuntimeUses): number {
  const all = [...functions];
  return wideBytes(core, all) + narrowBytes(core, all, uses);
}

function narrowBytes(core: Core, functions: readonly string[], uses?: RuntimeUses): number {
  const table = codeTable(core);
  const used = usedCode(core, uses);
  if (uses && used) return usedBytes(used, functions, uses);
  const linked = new Set<number>();
  for (const fn of functions) for (const atom of table.functions[fn] ?? []) linked.add(atom);
  let bytes = 0;
  for (const atom of linked) bytes += table.atoms[atom];
  return bytes;
}

/** The table of code that is compiled for what is used; undefined where the runtime is compiled whole. */
function usedCode(core: Core, uses: RuntimeUses | undefined): UsedCode | undefined {
  if (!uses) return undefined;
  const { used, few } = CODE_TABLES['cortex-m4'];
  const own = codeTable(core);
  return hasFewBits(uses) ? (own.few ?? few) : (own.used ?? used);
}

/** The same from what single uses add to the code. */
function usedBytes({ nodes, sizes, refs, more }: UsedCode, functions: Iterable<string>, uses: RuntimeUses): number {
  const added = new Map<number, number>();
  const edges = new Map<number, number[]>();
  for (const [use, { bytes, refs: further }] of Object.entries(more)) {
    if (!isUsed(uses, use)) continue;
    for (const [node, n] of bytes) added.set(node, (added.get(node) ?? 0) + n);
    for (const [from, to] of further) edges.set(from, [...(edges.get(from) ?? []), to]);
  }
  const linked = new Set<number>();
  const queue = [...functions].flatMap((fn) => nodes[fn] ?? []);
  let total = 0;
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (linked.has(node)) continue;
    linked.add(node);
    total += Math.max(0, sizes[node] + (added.get(node) ?? 0));
    queue.push(...refs[node], ...(edges.get(node) ?? []));
  }
  return total;
}

/** Whether all of these are used: `MACRO:bit`, some separated by spaces. */
function isUsed(uses: RuntimeUses, key: string): boolean {
  return key.split(' ').every((use) => {
    const [macro, bit] = use.split(':');
    return (uses[macro as UseMacro] & Number(bit)) !== 0;
  });
}

/** What a convolution takes more that reads from its call how far pixels are apart. */
const SHARED_CONV_BYTES = 40;

/** Bytes of kernels made for layers; where none of a kind was measured, those of the largest. */
export function madeKernelsBytes(core: Core, kernels: readonly MadeKernel[]): number {
  const { again } = codeTable(core);
  const blocks = new Set<string>();
  let bytes = 0;
  for (const kernel of kernels) {
    const whole = keyBytes(core, madeKernelKey(kernel)) + (isSharedConv(kernel) ? SHARED_CONV_BYTES : 0);
    const block = sharedBlock(kernel);
    if (block !== undefined && blocks.has(block)) {
      const { key, limits } = againOf(kernel);
      bytes += Math.min(whole, (again?.[key] ?? whole) + limits);
    } else bytes += whole;
    if (block !== undefined) blocks.add(block);
  }
  return bytes;
}

const known = new WeakMap<CodeTable, Map<string, number>>();

/** Bytes of kernels with a key, whose missing parts (`*`) may be anything. */
export function keyBytes(core: Core, key: string): number {
  const table = codeTable(core);
  let cache = known.get(table);
  if (!cache) known.set(table, (cache = new Map<string, number>()));
  let bytes = cache.get(key);
  if (bytes === undefined) cache.set(key, (bytes = table.kernels[key] ?? nearest(table, key)));
  return bytes;
}

/**
 * What kernels that were not measured take: formats and bounds add what they add to a kernel that was measured, lengths
 * take what the next larger one takes.
 */
function nearest({ kernels }: CodeTable, key: string): number {
  const parts = key.split(' ');
  const alike = (other: string[], from: readonly number[]): boolean =>
    other.length === parts.length && from.every((i) => parts[i] === '*' || parts[i] === other[i]);
  const all = Object.entries(kernels).map(([k, bytes]) => ({ parts: k.split(' '), bytes }));
  const most = (from: readonly number[], where: (other: string[]) => boolean = () => true): number =>
    all.reduce((max, k) => (alike(k.parts, from) && where(k.parts) ? Math.max(max, k.bytes) : max), 0);
  const wild = most(parts.map((_, i) => i));
  if (wild > 0) return wild;
  switch (parts[0]) {
    case 'conv': {
      const at = (length: string, format: string, bounded: string): number =>
        kernels[`conv ${parts[1]} ${length} ${format} ${bounded}`] ?? 0;
      const formats = parts[3] === '*' ? ['U8', 'S8', 'U4', 'S4', 'U2', 'S2'] : [parts[3]];
      const more = formats.reduce(
        (max, format) =>
          Math.max(max, at('27', format, '0') - at('27', 'U8', '0'), at('27', format, '1') - at('27', 'U8', '0')),
        0,
      );
      return at(parts[2], 'U8', '0') + more;
    }
    case 'packed': {
      const [, kind, always, unroll, times, format, bounded] = parts;
      const next = all
        .filter((k) => k.parts[0] === 'packed' && Number(k.parts[3]) >= Number(unroll))
        .reduce((least, k) => Math.min(least, Number(k.parts[3])), 32);
      const of = (n: number | string, f: string, b: string): number =>
        kernels[`packed ${kind} ${always} ${n} ${times} ${f} ${b}`] ?? 0;
      const more = of(32, format, bounded) - of(32, 'U8', '0');
      return of(next, 'U8', '0') + Math.max(0, more);
    }
    default:
      return most([0]);
  }
}
