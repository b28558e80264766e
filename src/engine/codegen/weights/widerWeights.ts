import { regionPixels } from '../../graph/region';
import { codeBytes } from '../../targets/capacity';
import type { Core } from '../../targets/types';
import type { ConstantId, Program, Step } from '../../program/types';
import { packedBytes, type Pack } from './packs';
import { specialKernel } from '../special';
import { fitsTwins, twinBytes } from './twins';

/** Cores whose DSP extension the packed kernels are for. */
const DSP_CORES: readonly Core[] = ['cortex-m4', 'cortex-m7', 'cortex-m33'];
/** Others on which 4-bit weights are read faster as bytes (test/bench/kernels.md). */
const BYTE_CORES: readonly Core[] = ['cortex-m0plus', 'cortex-m3', 'cortex-m55', 'riscv32'];
/** Code that a packed kernel takes beyond another one that is made for a layer, at -O3 (test/bench/flash.md). */
export const PACKED_KERNEL_BYTES = 1536;

/** Steps whose weights are stored in the way that is read fastest, though it takes more flash. */
export interface WiderWeights {
  /** Convolutions with packed weights, see packs.ts. */
  readonly packed: ReadonlySet<Step>;
  /** Layers with their weights as bytes, as if they were 8-bit ones. */
  readonly bytes: ReadonlySet<Step>;
  /** Fully connected layers of 8 bits, or of these bytes, with two rows in the same numbers, see twins.ts. */
  readonly twins: ReadonlySet<Step>;
}

/**
 * Which weights to widen on a target. Of the 4-bit ones those that spend the most multiply-accumulates on a byte of
 * additional flash first, as long as there is room beside the code and all constants as they are.
 *
 * @param plainBytes of the constants without wider weights
 */
export function chooseWiderWeights(
  program: Program,
  target: { readonly core: Core; readonly flashBytes: number },
  plainBytes: number,
): WiderWeights {
  const packed = new Set<Step>();
  const bytes = new Set<Step>();
  const twins = new Set<Step>();
  let room = target.flashBytes - programCodeBytes(program) - plainBytes;
  if (!DSP_CORES.includes(target.core)) {
    if (!BYTE_CORES.includes(target.core)) return { packed, bytes, twins };
    for (const { packable, others, byteBytes } of candidates(program).sort(
      (a, b) => b.macs / b.byteBytes - a.macs / a.byteBytes,
    )) {
      const steps = [...packable, ...others];
      if (byteBytes > room || steps.every((step) => readsNibbles(target.core, step))) continue;
      room -= byteBytes;
      steps.forEach((step) => bytes.add(step));
    }
    return { packed, bytes, twins };
  }
  for (const { packable, others, packedBytes: whenPacked, byteBytes } of candidates(program).sort(
    (a, b) => b.macs / least(b) - a.macs / least(a),
  )) {
    const pack = whenPacked !== null && whenPacked <= room;
    const more = pack ? whenPacked : byteBytes;
    if (more > room) continue;
    room -= more;
    packable.forEach((step) => (pack ? packed : bytes).add(step));
    others.forEach((step) => bytes.add(step));
  }
  const connected = program.steps.flatMap(({ kernel }) => (kernel.op === 'fullyConnected' ? [kernel.weights] : []));
  for (const step of program.steps) {
    const { kernel, output } = step;
    if (kernel.op !== 'fullyConnected' || (kernel.weightBits === 4 && !bytes.has(step)) || !fitsTwins(program, step))
      continue;
    // Another reader could need them in the other form too.
    if (connected.filter((weights) => weights === kernel.weights).length > 1) continue;
    const { length } = program.constants[kernel.weights].values;
    const more = twinBytes(output.channels, length / output.channels) - length;
    if (more > room) continue;
    room -= more;
    twins.add(step);
  }
  return { packed, bytes, twins };
}

/**
 * Whether the kernel of eight pixels (qmcu_conv2d_plain_eights.h) takes nibbles apart as fast as it reads bytes: on the
 * M0+ where rows stand on words.
 */
function readsNibbles(core: Core, { kernel, inputs: [input], output }: Step): boolean {
  if (kernel.op !== 'conv2d' || kernel.group !== 1 || regionPixels(output.region) < 4) return false;
  const length = kernel.window.kernelH * kernel.window.kernelW * input.channels;
  return core === 'cortex-m3' || (core === 'cortex-m0plus' && length % 4 === 0);
}

/** Code that a program needs before any weights are widened. */
export function programCodeBytes(program: Program): number {
  return codeBytes(
    new Set(
      program.steps.flatMap(({ kernel, layer }) =>
        kernel.op === 'conv2d' || kernel.op === 'depthwise2d' ? [layer] : [],
      ),
    ).size,
  );
}

interface Candidate {
  /** Those that can be packed, and others that read the same weights. */
  readonly packable: readonly Step[];
  readonly others: readonly Step[];
  readonly macs: number;
  /** Additional flash when packed, null where no step can be, and as bytes. */
  readonly packedBytes: number | null;
  readonly byteBytes: number;
}

function least({ packedBytes: whenPacked, byteBytes }: Candidate): number {
  return whenPacked ?? byteBytes;
}

/**
 * Convolutions and fully connected layers of 4-bit weights. Steps of one layer may need its weights packed in different
 * ways, e.g. where patches of one class have 4-bit maps and those of the other 8-bit ones, or not packed, e.g. for
 * narrow patches: then each way is stored, the latter's as bytes.
 */
function candidates(program: Program): Candidate[] {
  const readers = new Map<ConstantId, Step[]>();
  for (const step of program.steps) {
    if ((step.kernel.op !== 'conv2d' && step.kernel.op !== 'fullyConnected') || step.kernel.weightBits !== 4) continue;
    const others = readers.get(step.kernel.weights);
    if (others) others.push(step);
    else readers.set(step.kernel.weights, [step]);
  }
  return [...readers].map(([weights, steps]) => {
    const packs = steps.map((step) => specialKernel(program, step, true)?.pack);
    const packable = steps.filter((_, i) => packs[i] !== undefined);
    const others = steps.filter((_, i) => packs[i] === undefined);
    const ways = new Map(packs.flatMap((pack) => (pack ? [[`${pack.kind} ${pack.padded}`, pack] as const] : [])));
    const plain = program.constants[weights].values.length / 2;
    const tables = scaleBytes(
      packable,
      packs.filter((pack) => pack !== undefined),
      others.length > 0,
    );
    const whenPacked = [...ways.values()].reduce(
      (sum, pack) => sum + packedBytes(program, weights, pack) + PACKED_KERNEL_BYTES,
      tables + (others.length > 0 ? plain : -plain),
    );
    return {
      packable,
      others,
      macs: steps.reduce((sum, { macs }) => sum + macs, 0),
      packedBytes: ways.size > 0 ? whenPacked : null,
      byteBytes: plain,
    };
  });
}

/**
 * Flash that tables of biases and multipliers of packed kernels take beyond the tables that they replace, if other
 * steps do not need those.
 */
function scaleBytes(steps: readonly Step[], packs: readonly Pack[], others: boolean): number {
  const tables = new Set<string>();
  const replaced = new Set<ConstantId>();
  steps.forEach(({ kernel }, i) => {
    if (kernel.op !== 'conv2d') return;
    const { bias, multiplier, biasShift, preShift } = kernel.requant;
    tables.add(`${bias} ${multiplier} ${biasShift} ${preShift} ${packs[i].kind}`);
    if (!others) replaced.add(bias).add(multiplier);
  });
  return steps.length === 0 ? 0 : 4 * steps[0].output.channels * (2 * tables.size - replaced.size);
}
