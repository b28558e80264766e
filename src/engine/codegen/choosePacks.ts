import { CODE_BYTES } from '../targets/capacity';
import type { Core } from '../targets/types';
import type { ConstantId, Program, Step } from '../program/types';
import { packedBytes, type Pack } from './packs';
import { specialKernel } from './special';

/** Cores whose DSP extension the packed kernels are for. */
const DSP_CORES: readonly Core[] = ['cortex-m4', 'cortex-m7', 'cortex-m33'];
/** Code of one kernel made for a layer at -O3, about. */
const KERNEL_BYTES = 2048;

/**
 * The convolutions that get packed weights (packs.ts) on a target: those that spend the most multiply-accumulates on a byte of additional flash first,
 * as long as there is room beside the code and all constants as every core takes them.
 *
 * @param plainBytes of the constants without packed weights
 */
export function choosePacks(program: Program, target: { readonly core: Core; readonly flashBytes: number }, plainBytes: number): Set<Step> {
  const chosen = new Set<Step>();
  if (!DSP_CORES.includes(target.core)) return chosen;
  let room = target.flashBytes - CODE_BYTES - plainBytes;
  for (const { steps, bytes } of candidates(program).sort((a, b) => b.macs / b.bytes - a.macs / a.bytes)) {
    if (bytes > room) continue;
    room -= bytes;
    steps.forEach((step) => chosen.add(step));
  }
  return chosen;
}

interface Candidate {
  readonly steps: readonly Step[];
  readonly macs: number;
  /** Additional flash. */
  readonly bytes: number;
}

/** Layers all of whose steps can be packed in the same way: a second copy of the weights would be needed otherwise. */
function candidates(program: Program): Candidate[] {
  const readers = new Map<ConstantId, Step[]>();
  for (const step of program.steps) {
    if (step.kernel.op !== 'conv2d') continue;
    const others = readers.get(step.kernel.weights);
    if (others) others.push(step);
    else readers.set(step.kernel.weights, [step]);
  }
  const result: Candidate[] = [];
  for (const steps of readers.values()) {
    const packs = steps.map((step) => specialKernel(program, step, true)?.pack);
    const [pack] = packs;
    const [{ kernel }] = steps;
    if (pack === undefined || kernel.op !== 'conv2d' || packs.some((p) => !sameWeights(p, pack))) continue;
    const plain = (program.constants[kernel.weights].values.length * kernel.weightBits) / 8;
    result.push({ steps, macs: steps.reduce((sum, { macs }) => sum + macs, 0), bytes: packedBytes(program, kernel, pack) - plain + KERNEL_BYTES });
  }
  return result;
}

function sameWeights(a: Pack | undefined, b: Pack): boolean {
  return a !== undefined && a.kind === b.kind && a.padded === b.padded;
}
