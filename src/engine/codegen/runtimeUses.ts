import {
  noUses,
  formatBit as bitOf,
  pixelBlocks,
  COLUMN_CODES,
  type RuntimeUses,
  type UseMacro,
} from '../cost/runtimeUses';
import { regionHeight, regionWidth } from '../graph/region';
import { maxCode, minCode } from '../program/arithmetic';
import { isWide, type Access, type KernelOf, type Program, type Requantization, type Step } from '../program/types';
import type { SpecialKernels } from './special';
import { COLUMN_BYTES, LARGEST_SHIFT, ROW_BYTES } from './runtimeLimits';

/*
 * What programs use of the runtime's kernels, as the macros of src/firmware/common/qmcu_core.h say it: with them the
 * compiler leaves out formats of maps, bits of weights and ways to compute a layer that no layer has.
 */

/** What a program's steps use; `special` has the kernels made for them. */
export function runtimeUses(program: Program, special: SpecialKernels | null): RuntimeUses {
  const uses = noUses();
  const format = ({ buffer }: Access): number => formatBit(program, buffer);
  for (const { bits, signed } of program.buffers) uses.QMCU_USED_FORMATS |= bitOf(bits, signed);
  for (const planned of program.steps) {
    // Kernels for 16 bits are compiled whole.
    if (isWide(program, planned)) continue;
    const step = special?.generated(planned) ?? planned;
    const made = special?.kernel(planned);
    const { kernel, inputs, output } = step;
    if ('weightBits' in kernel) uses.QMCU_USED_FORMATS |= bitOf(kernel.weightBits, true);
    switch (kernel.op) {
      case 'conv2d':
      case 'fullyConnected':
        uses.QMCU_CONV2D_INPUTS |= format(inputs[0]);
        if (!special?.inTwins(planned)) addConvolution(uses, program, step, kernel, made);
        break;
      case 'depthwise2d':
        uses.QMCU_DEPTHWISE2D_INPUTS |= format(inputs[0]);
        uses.QMCU_DEPTHWISE2D_WEIGHTS |= weightBit(kernel);
        addRows(uses, program, step, kernel, made?.macro);
        break;
      case 'add':
        for (const input of inputs) uses.QMCU_ADD_INPUTS |= signBit(program, input);
        uses.QMCU_ADD_OUTPUTS |= signBit(program, output);
        if ([...inputs, output].some((access) => program.buffers[access.buffer].bits === 4))
          uses.QMCU_ADD_NARROW |= (program.buffers[output.buffer].bits === 4 ? 1 : 2) | (special ? 4 : 0);
        break;
      default:
    }
  }
  return uses;
}

function formatBit({ buffers }: Program, buffer: number): number {
  return bitOf(buffers[buffer].bits, buffers[buffer].signed);
}

function signBit({ buffers }: Program, { buffer }: Access): number {
  return buffers[buffer].signed ? 2 : 1;
}

function weightBit({ weightBits }: { readonly weightBits: 4 | 8 }): number {
  return weightBits === 8 ? 2 : 1;
}

/** How a convolution or fully connected layer runs; `made`: by its own kernel. */
function addConvolution(
  uses: Record<UseMacro, number>,
  program: Program,
  step: Step,
  kernel: KernelOf<'conv2d' | 'fullyConnected'>,
  made: ReturnType<SpecialKernels['kernel']>,
): void {
  const { inputs, output } = step;
  const isConv = kernel.op === 'conv2d';
  if (made?.pack) {
    const isPoint = isConv && kernel.window.kernelH === 1 && kernel.window.kernelW === 1;
    const joined = isPoint ? 4 * signBit(program, inputs[0]) : 0;
    uses.QMCU_CONV2D_PACKED |= made.pack.kind === 'halves' ? 1 : 2 | joined;
    return;
  }
  const column = columnOf(step, kernel);
  const byBlocks = made !== undefined || goesByBlocks(program, step, kernel);
  const pixels = pixelBlocks(regionHeight(output.region), regionWidth(output.region), byBlocks);
  uses[kernel.weightBits === 8 ? 'QMCU_CONV2D_PIXELS' : 'QMCU_CONV2D_PIXELS_4'] |= pixels;
  if (pixels !== 0 && column > COLUMN_CODES) uses.QMCU_CONV2D_LONG = 1;
  if (byBlocks && !made?.scratch && column > COLUMN_CODES / 4) uses.QMCU_CONV2D_PARTS = 1;
  if (isConv && !byBlocks) uses.QMCU_CONV2D_ANY = 1;
  if (made || !byBlocks) return;
  uses.QMCU_CONV2D_BLOCKS |= weightBit(kernel);
  if (isBounded(program, output, kernel.requant)) uses.QMCU_CONV2D_BOUNDED = 1;
  if (kernel.requant.biasShift !== 0) uses.QMCU_CONV2D_BIAS_SHIFTS = 1;
}

/** Codes of a column. */
function columnOf({ inputs: [input] }: Step, kernel: KernelOf<'conv2d' | 'fullyConnected'>): number {
  return kernel.op === 'conv2d'
    ? (kernel.window.kernelH * kernel.window.kernelW * input.channels) / kernel.group
    : regionHeight(input.region) * regionWidth(input.region) * input.channels;
}

/** As qmcu_convolve_blocks decides. */
function goesByBlocks(program: Program, { output }: Step, kernel: KernelOf<'conv2d' | 'fullyConnected'>): boolean {
  return (
    kernel.op === 'conv2d' &&
    kernel.group === 1 &&
    output.channels % 2 === 0 &&
    saturates(program, output, kernel.requant)
  );
}

/** As qmcu_convolve_blocks and qmcu_depthwise_rows decide by the bounds. */
function saturates(program: Program, output: Access, requant: Requantization): boolean {
  const { min, max, shift } = requant;
  const { bits, signed } = program.buffers[output.buffer];
  const highest = maxCode(bits, signed);
  return (
    bits >= 4 &&
    min === minCode(bits, signed) &&
    shift <= LARGEST_SHIFT &&
    !(signed && isBounded(program, output, requant)) &&
    (typeof max !== 'number' || (max >= 0 && max <= highest))
  );
}

/** Whether upper bounds lie below the output's largest code. */
function isBounded({ buffers }: Program, { buffer }: Access, { max }: Requantization): boolean {
  return typeof max !== 'number' || max < maxCode(buffers[buffer].bits, buffers[buffer].signed);
}

/** How a depthwise layer runs: as qmcu_depthwise_rows and qmcu_depthwise_by decide. */
function addRows(
  uses: Record<UseMacro, number>,
  program: Program,
  { inputs: [input], output }: Step,
  { window, requant }: KernelOf<'depthwise2d'>,
  made: string | undefined,
): void {
  const { kernelH, kernelW, strideH, strideW, dilationH, dilationW } = window;
  const { bits } = program.buffers[input.buffer];
  const groups = Math.ceil(regionWidth(output.region) / 4) * strideH + 1;
  const fits = Math.floor(COLUMN_BYTES / ROW_BYTES / groups) >= kernelH;
  const isSquare = kernelH === kernelW && (kernelH === 3 || kernelH === 5) && strideH === strideW && strideH <= 2;
  const byRows =
    isSquare &&
    dilationH === 1 &&
    dilationW === 1 &&
    input.channels % 2 === 0 &&
    bits >= 4 &&
    fits &&
    saturates(program, output, requant);
  if (made !== undefined || byRows) {
    uses.QMCU_DEPTHWISE2D_PLANES |= made === 'QMCU_SPECIAL_POLYNOMIAL' ? 4 : kernelH === 5 ? 2 : 1;
  }
  if (made !== undefined && fits) return;
  if (byRows) uses.QMCU_DEPTHWISE2D_ROWS |= (kernelH === 5 ? 4 : 1) * strideH;
  else uses.QMCU_DEPTHWISE2D_TAPS = 1;
}
