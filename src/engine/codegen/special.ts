import { regionHeight, regionWidth, type Region } from '../graph/region';
import { maxCode, minCode } from '../program/arithmetic';
import type { Access, KernelOf, Program, Requantization, Step } from '../program/types';
import type { MadeKernel } from '../cost/madeKernels';
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
/** Outputs in a row with which polynomials pay: each row begins with two columns of which nothing is written. */
const LEAST_POLYNOMIAL = 8;

/** A kernel made for one shape of layer: a macro of qmcu_layer_kernels.h and its arguments after the name. */
export interface SpecialKernel {
  readonly macro:
    | 'QMCU_SPECIAL_CONV2D'
    | 'QMCU_SPECIAL_LONG_CONV2D'
    | 'QMCU_SPECIAL_PACKED'
    | 'QMCU_SPECIAL_LONG_PACKED'
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
 */
export function specialKernel(program: Program, step: Step, packs = false): SpecialKernel | undefined {
  switch (step.kernel.op) {
    case 'conv2d':
      return (packs ? packed(program, step, step.kernel) : undefined) ?? conv2d(program, step, step.kernel);
    case 'depthwise2d':
      return depthwise2d(program, step, step.kernel);
    default:
      return undefined;
  }
}

function conv2d(program: Program, step: Step, kernel: KernelOf<'conv2d'>): SpecialKernel | undefined {
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
      program.buffers[output.buffer].pixelBytes,
    ],
    paramsType: 'qmcu_conv2d_params',
    needed: ['qmcu_conv2d', 'qmcu_convolve_by'],
    scratch,
  };
}

function packed(program: Program, step: Step, kernel: KernelOf<'conv2d'>): SpecialKernel | undefined {
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
    macro: scratch === undefined ? 'QMCU_SPECIAL_PACKED' : 'QMCU_SPECIAL_LONG_PACKED',
    args: [
      `QMCU_PACK_${pack.kind.toUpperCase()}`,
      `${pack.length}u`,
      `${pack.padded}u`,
      `${pack.unit}u`,
      `${pack.unroll}u`,
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
  const written = [
    `${rowsOfGroups(output.region, kernelH, strideH)}u`,
    formatOf(program, output),
    `${bounded}u`,
    `${requant.preShift}u`,
    `${requant.shift}u`,
    requant.biasShift,
    program.buffers[output.buffer].pixelBytes,
  ];
  const polynomial = regionWidth(output.region) >= LEAST_POLYNOMIAL && fitsPolynomial(program, input, output, kernel);
  return {
    macro: polynomial ? 'QMCU_SPECIAL_POLYNOMIAL' : 'QMCU_SPECIAL_DEPTHWISE2D',
    args: polynomial ? written : [`${kernelH}u`, `${strideH}u`, ...written],
    paramsType: 'qmcu_depthwise2d_params',
    needed: ['qmcu_depthwise2d', 'qmcu_depthwise_by'],
  };
}

/** As codes of a column are stored: in pairs. */
function evenUp(n: number): number {
  return n + (n % 2);
}

/**
 * Rows of the input that a depthwise kernel unpacks at a time, a constant of its loops: as many as all outputs are
 * under, or as fit the stack; one more only when another is done where that is fewer than 8.
 */
function rowsOfGroups(region: Region, kernel: number, stride: number): number {
  const most = Math.floor(COLUMN_BYTES / ROW_BYTES / (Math.ceil(regionWidth(region) / 4) * stride + 1));
  const needed = (regionHeight(region) - 1) * stride + kernel;
  const fitting = [8, 12, 16].filter((rows) => rows <= most);
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

/**
 * The kernels that a program gets for itself: functions of the runtime (qmcu_layer_kernels.h) whose loops have the
 * layers' lengths, bits and shifts as constants. Layers of one shape share one. They compute what the kernels for all
 * layers compute.
 */
export class SpecialKernels {
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
    return this.forms?.bytes.has(step) && 'weightBits' in kernel
      ? { ...step, kernel: { ...kernel, weightBits: 8 } }
      : step;
  }

  /** Whether a fully connected layer takes its weights in twins, see twins.ts. */
  inTwins(step: Step): boolean {
    return this.forms?.twins.has(step) ?? false;
  }

  /** The function for a step; undefined where it has none of its own. */
  kernel(step: Step): (Pick<SpecialKernel, 'macro' | 'pack' | 'scratch'> & { readonly symbol: string }) | undefined {
    if (!this.pays || (this.forms && !this.forms.made.has(step))) return undefined;
    const kernel = specialKernel(this.program, this.generated(step), this.forms?.packed.has(step));
    if (kernel === undefined) return undefined;
    const shape = `${kernel.macro} ${kernel.args.join(' ')}`;
    let special = this.byShape.get(shape);
    if (!special) {
      special = { ...kernel, symbol: `${this.name}_kernel_${this.byShape.size}_layer_${step.layer}` };
      this.byShape.set(shape, special);
      kernel.needed.forEach((fn) => this.needed.add(fn));
    }
    return { symbol: special.symbol, macro: kernel.macro, pack: kernel.pack, scratch: kernel.scratch };
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
