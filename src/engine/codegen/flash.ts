import { codeTable, madeKernelsBytes, runtimeBytes, TOLD_LEVEL } from '../cost/codeBytes';
import type { Flash } from '../cost/flash';
import type { Forms } from '../cost/layerForm';
import type { RuntimeUses } from '../cost/runtimeUses';
import type { Layer } from '../graph/types';
import type { Program } from '../program/types';
import type { Core, Optimize } from '../targets/types';
import { MOST_CHECKS } from './checks';
import { ConstantArrays } from './constants';
import { detectFlash } from './detection/detectFlash';
import { comesInTiles } from './inputs';
import { coreKinds } from './runtime';
import { runtimeUses } from './runtimeUses';
import { SpecialKernels } from './special';
import { renderSteps, type StepCode, type StepCounts } from './steps';
import type { RenderOptions } from './types';
import { storageForms } from './weights/storageForms';

/** What generated sources are made for. */
export interface FlashOptions {
  /** Default: `balanced`. */
  readonly optimize?: Optimize;
  /** The core that the sources are for and the flash that they may take. Missing: any core, without limit. */
  readonly target?: { readonly core: Core; readonly flashBytes: number };
}

/** A Program's constants, kernels and steps as they are rendered. */
export interface Assembly {
  readonly constants: ConstantArrays;
  readonly special: SpecialKernels | null;
  readonly code: StepCode;
  readonly flash: Flash;
  /** Forms of layers. */
  readonly forms: Forms;
}

/**
 * Assembles what is rendered, and adds up its flash.
 * @param cores kinds of cores that the runtime has kernels for; missing: only for the target's
 */
export function assemble(
  program: Program,
  name: string,
  {
    optimize = 'balanced',
    target,
    cores = coreKinds(target?.core),
    golden,
  }: FlashOptions & Pick<RenderOptions, 'cores' | 'golden'>,
  layers: readonly Pick<Layer, 'name' | 'onnx'>[] = [],
): Assembly {
  const core = target?.core ?? 'cortex-m4';
  const boxes = detectFlash(program, core);
  // What boxes take is not there for weights.
  const room = Math.max(0, (target?.flashBytes ?? 0) - boxes.code - boxes.tables);
  const stored = target && storageForms(program, { core, optimize, flashBytes: room });
  const forms: Forms = stored?.forms ?? new Map();
  const assembleWith = (special: SpecialKernels | null): Assembly => {
    const constants = new ConstantArrays(program, name);
    const code = renderSteps(program, constants, layers, special);
    const weights = constants.weightBytes;
    const tables = constants.bytes - weights + boxes.tables;
    const isUsedAlone = cores.length === 1 && cores[0] === 'dsp';
    const uses = isUsedAlone ? runtimeUses(program, special) : undefined;
    const codeBytes = codeBytesOf(program, core, code, special, uses) + boxes.code;
    const total = weights + tables + codeBytes;
    const selfTest = selfTestBytes(program, golden?.length ?? 0);
    const flash = { weights, tables, code: codeBytes, total, selfTest, core, optimize, level: TOLD_LEVEL };
    return { constants, special, code, flash, forms: special ? forms : new Map() };
  };
  if (optimize === 'size' && forms.size === 0) return assembleWith(null);
  const made = assembleWith(new SpecialKernels(program, name, stored, cores.includes('dsp')));
  // Values of weights may forbid forms that were chosen by shape, so that code for both is linked; and what is not made
  // for size has faster sums, too.
  const isLarge = optimize === 'size' || (target !== undefined && made.flash.total > target.flashBytes);
  if (!isLarge) return made;
  const plain = assembleWith(null);
  return plain.flash.total < made.flash.total ? plain : made;
}

type Told = Pick<Assembly, 'flash' | 'forms'>;

const told = new WeakMap<Program, Map<string, Told>>();

/** Flash and forms of a Program's sources: the same for everybody who tells them, computed once. */
export function assembled(program: Program, options: FlashOptions): Told {
  const known = told.get(program) ?? new Map<string, Told>();
  told.set(program, known);
  const key = JSON.stringify([options.optimize, options.target?.core, options.target?.flashBytes]);
  let found = known.get(key);
  if (!found) {
    const { flash, forms } = assemble(program, program.name, options);
    known.set(key, (found = { flash, forms }));
  }
  return found;
}

function codeBytesOf(
  program: Program,
  core: Core,
  code: StepCode,
  special: SpecialKernels | null,
  uses?: RuntimeUses,
): number {
  const { structs, kernelCalls, steps } = codeTable(core);
  const kernels = special?.kernels ?? [];
  const functions = new Set(code.kernels);
  for (const { macro } of kernels)
    (kernelCalls[macro] ?? kernelCalls[macro.replace('LONG_', '')] ?? []).forEach((fn) => functions.add(fn));
  // An input in memory may be handed over in tiles by a function that copies.
  if (comesInTiles(program)) functions.add('memcpy');
  const counts = Object.entries(code.counts) as [keyof StepCounts, number][];
  const text = counts.reduce((sum, [part, n]) => sum + n * steps[part], steps.network);
  return (
    Math.ceil(text) +
    code.tableBytes +
    code.structs.reduce((sum, type) => sum + (structs[type] ?? 0), 0) +
    runtimeBytes(core, functions, uses) +
    madeKernelsBytes(core, kernels)
  );
}

/** Inputs that the self-test compares; only one where they are large, since they take flash when it is linked. */
const GOLDEN_VECTORS = 2;
const LARGE_INPUT_BYTES = 32 * 1024;
/** Code of the self-test. */
const SELF_TEST_CODE = 640;

/** How many inputs the self-test of a Program stores. */
export function goldenCount({ inputs, buffers }: Program): number {
  return inputs.reduce((sum, port) => sum + buffers[port.buffer].bytes, 0) > LARGE_INPUT_BYTES ? 1 : GOLDEN_VECTORS;
}

/** Of its code and a checksum for each step, or its stored inputs and outputs. @param stored how many of them */
function selfTestBytes(program: Program, stored: number): number {
  if (stored === 0) return SELF_TEST_CODE + 4 * Math.min(MOST_CHECKS, program.steps.length);
  const bytes = [...program.inputs, ...program.outputs].reduce((sum, p) => sum + program.buffers[p.buffer].bytes, 0);
  return SELF_TEST_CODE + stored * bytes;
}
