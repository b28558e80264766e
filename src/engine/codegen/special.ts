import { regionHeight, regionWidth, type Region } from '../graph/region';
import { maxCode, minCode } from '../program/arithmetic';
import { isWide, type Access, type KernelOf, type Program, type Requantization, type Step } from '../program/types';
import { sharedUnroll, type MadeKernel } from '../cost/madeKernels';
import { banner } from './header';
import { COLUMN_BYTES, LARGEST_SHIFT, ROW_BYTES } from './runtimeLimits';
import { layerKernelsHeader } from './runtimeParts';
import { comment } from './text';
import type { StorageForms } from './weights/storageForms';
import { packOf, type Pack } from './weights/packs';
import { scratchIn, type Scratch } from './scratch';
import { fitsPolynomial } from './weights/polynomial';
import type { RenderOptions } from './types';

/**
 * Longest column of which four find room on the stack (quantmcu_port.h, QMCU_COLUMN_BYTES). Longer ones take a part of
 * the arena that is free meanwhile; without one they come in parts.
 */
const LONGEST_COLUMN = 256;
/** Shifts before the multiplication that depthwise kernels do to the weights (qmcu_depthwise2d_dsp_channels.h). */
const FOLDED_SHIFT = 8;
/** The shift after the multiplication of kernels that layers share, where theirs can become this one. */
const COMMON_SHIFT = 5;
/** Outputs in a row with which polynomials pay: each row begins with two columns of which nothing is written. */
const LEAST_POLYNOMIAL = 8;

/** A kernel made for one shape of layer: a macro of qmcu_layer_kernels.h and its arguments after the name. */
export interface SpecialKernel {
  readonly macro:
    | 'QMCU_SPECIAL_CONV2D'
    | 'QMCU_SPECIAL_LONG_CONV2D'
    | 'QMCU_SPECIAL_PACKED'
    | 'QMCU_SPECIAL_LONG_PACKED'
    | 'QMCU_SPECIAL_SHARED_PACKED'
    | 'QMCU_SPECIAL_SHARED_LONG_PACKED'
    | 'QMCU_SPECIAL_DEPTHWISE2D'
    | 'QMCU_SPECIAL_POLYNOMIAL';
  readonly args: readonly (string | number)[];
  /** Type of the parameters, and the functions of the runtime that the macro's definition calls. */
  readonly paramsType: string;
  readonly needed: readonly string[];
  /** How it takes its weights, where not as the kernel for all layers does. */
  readonly pack?: Pack;
  /** The scratch memory in the arena that calls bring. */
  readonly scratch?: Scratch;
}

/**
 * The kernel that may be made for a step; undefined where the kernel for all layers serves it as well.
 * @param packs whether it may take weights in a form of its own (packs.ts)
 * @param shared whether it is made for what layers have in common, not for one
 */
export function specialKernel(
  program: Program,
  step: Step,
  { packs = false, shared = false } = {},
): SpecialKernel | undefined {
  if (isWide(program, step)) return undefined;
  switch (step.kernel.op) {
    case 'conv2d':
      return (
        (packs ? packed(program, step, step.kernel, shared) : undefined) ?? conv2d(program, step, step.kernel, shared)
      );
    case 'depthwise2d':
      return depthwise2d(program, step, step.kernel, shared);
    default:
      return undefined;
  }
}

function conv2d(program: Program, step: Step, kernel: KernelOf<'conv2d'>, shared: boolean): SpecialKernel | undefined {
  const {
    inputs: [input],
    output,
  } = step;
  const { window, weightBits, requant } = kernel;
  const length = window.kernelH * window.kernelW * input.channels;
  const bounded = boundsOf(program, requant, output);
  if (kernel.group !== 1 || output.channels % 2 !== 0 || bounded === undefined) return undefined;
  const scratch = length > LONGEST_COLUMN ? scratchIn(program, step, 4 * 2 * evenUp(length)) : undefined;
  // In parts it spends its time in loops that know no shape.
  if (scratch === null) return undefined;
  // As in qmcu_conv2d_dsp_blocks.c: a column's codes are shifted once, the sums of its products for every output
  // channel.
  const scaled = weightBits === 4 ? 4 : 0;
  const { bits, signed } = program.buffers[input.buffer];
  const limit = 15 - bits + (signed ? 1 : 0);
  const folded =
    length < output.channels && kernel.padCodes === null ? Math.min(limit, Math.max(0, requant.preShift - scaled)) : 0;
  return {
    macro: scratch === undefined ? 'QMCU_SPECIAL_CONV2D' : 'QMCU_SPECIAL_LONG_CONV2D',
    args: [
      `${length}u`,
      `${weightBits}u`,
      formatOf(program, output),
      `${bounded}u`,
      `${folded}u`,
      `${requant.preShift}u`,
      `${requant.shift}u`,
      requant.biasShift,
      shared ? 0 : program.buffers[output.buffer].pixelBytes,
    ],
    paramsType: 'qmcu_conv2d_params',
    needed: ['qmcu_conv2d', 'qmcu_convolve_by'],
    scratch,
  };
}

function packed(program: Program, step: Step, kernel: KernelOf<'conv2d'>, shared: boolean): SpecialKernel | undefined {
  const { requant } = kernel;
  const { output } = step;
  const bounded = boundsOf(program, requant, output);
  const pack = bounded === undefined ? undefined : packOf(program, step, kernel);
  if (bounded === undefined || pack === undefined) return undefined;
  const scratch =
    pack.padded > LONGEST_COLUMN
      ? (scratchIn(program, step, 4 * 2 * pack.padded + pack.padded / pack.unit + 1) ?? undefined)
      : undefined;
  return {
    macro: `QMCU_SPECIAL_${shared ? 'SHARED_' : ''}${scratch === undefined ? '' : 'LONG_'}PACKED`,
    args: [
      `QMCU_PACK_${pack.kind.toUpperCase()}`,
      `${pack.length}u`,
      `${pack.padded}u`,
      `${pack.unit}u`,
      `${shared ? sharedUnroll(pack.padded) : pack.unroll}u`,
      `${pack.always ? 1 : 0}u`,
      formatOf(program, output),
      `${bounded}u`,
      `${requant.preShift}u`,
      `${requant.shift}u`,
      program.buffers[output.buffer].pixelBytes,
      `(${pack.limits.length === 0 ? '0u' : pack.limits.map((limit) => `${limit}u`).join(', ')})`,
    ],
    paramsType: 'qmcu_conv2d_params',
    needed: ['qmcu_conv2d', 'qmcu_convolve_by', 'qmcu_convolve_packed', 'qmcu_convolve_packed_plain'],
    pack,
    scratch,
  };
}

function depthwise2d(
  program: Program,
  { inputs: [input], output }: Step,
  kernel: KernelOf<'depthwise2d'>,
  shared: boolean,
): SpecialKernel | undefined {
  const { window, requant } = kernel;
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW } = window;
  const bounded = boundsOf(program, requant, output);
  const square =
    kernelH === kernelW &&
    (kernelH === 3 || kernelH === 5) &&
    strideH === strideW &&
    strideH <= 2 &&
    dilationH === 1 &&
    dilationW === 1;
  if (!square || output.channels % 2 !== 0 || bounded === undefined) return undefined;
  const polynomial = regionWidth(output.region) >= LEAST_POLYNOMIAL && fitsPolynomial(program, input, output, kernel);
  const shifts = shared ? sharedShifts(requant, polynomial) : [requant.preShift, requant.shift];
  const written = [
    `${rowsOfGroups(output.region, kernelH, strideH, shared)}u`,
    formatOf(program, output),
    `${bounded}u`,
    ...shifts.map((shift) => `${shift}u`),
    shared ? 0 : program.buffers[output.buffer].pixelBytes,
  ];
  return {
    macro: polynomial ? 'QMCU_SPECIAL_POLYNOMIAL' : 'QMCU_SPECIAL_DEPTHWISE2D',
    args: polynomial ? written : [`${kernelH}u`, `${strideH}u`, ...written],
    paramsType: 'qmcu_depthwise2d_params',
    needed: ['qmcu_depthwise2d', 'qmcu_depthwise_by'],
  };
}

/**
 * The same arithmetic with a shift that more layers have, in kernels that they share:
 * floor(floor(a · 2^p · m / 2^32) / 2^s + 1/2) depends on p - s alone.
 */
export function withCommonShift(requant: Requantization): Requantization {
  const less = Math.max(0, Math.min(requant.preShift, requant.shift - COMMON_SHIFT));
  return { ...requant, preShift: requant.preShift - less, shift: requant.shift - less };
}

/** What depthwise kernels know of the shifts before and after the multiplication where layers share them. */
function sharedShifts({ preShift, shift }: Requantization, polynomial: boolean): [number, number] {
  // Polynomials know the difference alone.
  if (polynomial) return preShift < shift ? [0, shift - preShift] : [preShift - shift + 1, 1];
  return [preShift <= FOLDED_SHIFT ? 0 : preShift, shift];
}

/** As codes of a column are stored: in pairs. */
function evenUp(n: number): number {
  return n + (n % 2);
}

/**
 * Rows of the input that a depthwise kernel unpacks at a time, a constant of its loops: as many as all outputs are
 * under, or as fit the stack; one more only when another is done where that is fewer than 8. Where layers share it, 8
 * if they fit.
 */
export function rowsOfGroups(region: Region, kernel: number, stride: number, shared: boolean): number {
  const most = Math.floor(COLUMN_BYTES / ROW_BYTES / (Math.ceil(regionWidth(region) / 4) * stride + 1));
  const needed = (regionHeight(region) - 1) * stride + kernel;
  const fitting = (shared ? [8] : [8, 12, 16]).filter((rows) => rows <= most);
  return fitting.find((rows) => rows >= needed) ?? fitting[fitting.length - 1] ?? kernel;
}

/**
 * 1 where upper bounds lie below the format's largest code, 0 where they do not; undefined where codes cannot be
 * saturated by instructions.
 */
function boundsOf(
  { buffers, constants }: Program,
  { min, max, shift }: Requantization,
  output: Access,
): 0 | 1 | undefined {
  const { bits, signed } = buffers[output.buffer];
  if (shift > LARGEST_SHIFT || min !== minCode(bits, signed)) return undefined;
  const largest = maxCode(bits, signed);
  if (max === largest) return 0;
  if (signed) return undefined;
  const bounds = typeof max === 'number' ? [max] : Array.from(constants[max.constant].values);
  return bounds.every((bound) => bound >= 0 && bound <= largest) ? 1 : undefined;
}

function formatOf({ buffers }: Program, { buffer }: Access): string {
  const { bits, signed } = buffers[buffer];
  return `QMCU_${signed ? 'S' : 'U'}${bits}`;
}

/** Place among the arguments of depthwise kernels of whether they have bounds. */
const BOUNDED_ARG: Partial<Record<SpecialKernel['macro'], number>> = {
  QMCU_SPECIAL_DEPTHWISE2D: 4,
  QMCU_SPECIAL_POLYNOMIAL: 2,
};

/** What kernels that are the same have in common. */
function shapeOf({ macro, args }: MadeKernel): string {
  return `${macro} ${args.join(' ')}`;
}

/**
 * The kernels that a program gets for itself: functions of the runtime (qmcu_layer_kernels.h) whose loops have the
 * layers' lengths, bits and shifts as constants. Layers of one shape share one. They compute what the kernels for all
 * layers compute.
 */
export class SpecialKernels {
  /** Shapes of depthwise kernels that layers share. */
  private sharedRows: Set<string> | undefined;
  private readonly byShape = new Map<string, SpecialKernel & { readonly symbol: string }>();
  /** Functions of the runtime that they need. */
  readonly needed = new Set<string>();

  constructor(
    private readonly program: Program,
    private readonly name: string,
    private readonly forms?: StorageForms,
    /** Whether it may run on a core on which they differ from the kernels for all layers. */
    private readonly pays = true,
  ) {}

  /** A step as it is generated. */
  generated(step: Step): Step {
    const { kernel } = step;
    if (!('weightBits' in kernel)) return step;
    const weightBits = this.forms?.bytes.has(step) ? 8 : kernel.weightBits;
    const requant = this.isShared(step) ? withCommonShift(kernel.requant) : kernel.requant;
    return { ...step, kernel: { ...kernel, weightBits, requant } };
  }

  /** Whether a step's kernel is made for what layers have in common. */
  private isShared(step: Step): boolean {
    return this.pays && this.forms?.forms.get(step.layer)?.made === 'shared' && this.forms.made.has(step);
  }

  /** Whether a fully connected layer takes its weights in twins, see twins.ts. */
  inTwins(step: Step): boolean {
    return this.forms?.twins.has(step) ?? false;
  }

  /** The function for a step; undefined where it has none of its own. */
  kernel(step: Step): (Pick<SpecialKernel, 'macro' | 'pack' | 'scratch'> & { readonly symbol: string }) | undefined {
    if (!this.pays || (this.forms && !this.forms.made.has(step))) return undefined;
    const own = this.madeFor(step);
    if (own === undefined) return undefined;
    const kernel = this.isShared(step) ? this.withBounds(own) : own;
    const shape = shapeOf(kernel);
    let special = this.byShape.get(shape);
    if (!special) {
      special = { ...kernel, symbol: `${this.name}_kernel_${this.byShape.size}_layer_${step.layer}` };
      this.byShape.set(shape, special);
      kernel.needed.forEach((fn) => this.needed.add(fn));
    }
    return { symbol: special.symbol, macro: kernel.macro, pack: kernel.pack, scratch: kernel.scratch };
  }

  private madeFor(step: Step): SpecialKernel | undefined {
    return specialKernel(this.program, this.generated(step), {
      packs: this.forms?.packed.has(step),
      shared: this.isShared(step),
    });
  }

  /** A depthwise kernel that layers share; with bounds where one has some: those of others are the largest code. */
  private withBounds(kernel: SpecialKernel): SpecialKernel {
    const at = BOUNDED_ARG[kernel.macro];
    if (at === undefined) return kernel;
    this.sharedRows ??= new Set(
      this.program.steps
        .filter((step) => step.kernel.op === 'depthwise2d' && this.isShared(step))
        .flatMap((step) => this.madeFor(step) ?? [])
        .map(shapeOf),
    );
    const bounded = { ...kernel, args: kernel.args.map((arg, i) => (i === at ? '1u' : arg)) };
    return this.sharedRows.has(shapeOf(bounded)) ? bounded : kernel;
  }

  /** The kernels that were asked for, as the macros define them. */
  get kernels(): readonly MadeKernel[] {
    return [...this.byShape.values()];
  }

  /** Declarations of the kernels. */
  declarations(): string {
    return [...this.byShape.values()]
      .map(
        (s) =>
          `void ${s.symbol}(const ${s.paramsType} *params, const qmcu_map *in, const qmcu_map ` +
          `*out${s.scratch === undefined ? '' : ', int16_t *scratch'});\n`,
      )
      .join('');
  }

  /** `<name>_kernels.c`; null without special kernels. */
  source({ provenance }: RenderOptions): string | null {
    if (this.byShape.size === 0) return null;
    const { name } = this;
    const definitions = [...this.byShape.values()]
      .map((s) => `${s.macro}(${s.symbol}, ${s.args.join(', ')})\n`)
      .join('');
    return (
      `${banner(`${name}: kernels made for its layers.`, provenance)}#include "${layerKernelsHeader}"\n` +
      `#include "${name}_internal.h"\n\n` +
      comment(['Named after the first layer that uses each. The numbers are explained where the macros are defined.']) +
      definitions
    );
  }
}
