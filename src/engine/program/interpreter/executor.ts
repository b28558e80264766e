import type { Program, ProgramBuffer, Step } from '../types';
import { checkBuffer, resolveAccess } from './access';
import { packCodes, unpackCodes, type CodeBlock } from './codes';
import { ConstantTables, Scratch, type PreparedKernel } from './context';
import { inputCount, prepareKernel } from './kernels';

/** What an observer learns after a step has run. */
export interface StepResult {
  readonly step: Step;
  /**
   * Codes of the step's output region, dense H×W×C from index 0; valid only during the call. For classify, only the
   * flag.
   */
  readonly codes: Int16Array;
  /** Number of codes. */
  readonly length: number;
  readonly arena: Uint8Array;
}

export interface RunHooks {
  /** Called after every step that ran; steps whose guard does not hold are left out. */
  afterStep?(result: StepResult): void;
  /** Byte that the arena is filled with before the inputs are written; 0 without. No output may depend on it. */
  readonly fill?: number;
}

export interface RunResult {
  /** Packed bytes of each output port, in the Program's order. */
  readonly outputs: Uint8Array[];
  /** The arena after the last step, external buffers behind it. Reused by the next run of the same executor. */
  readonly arena: Uint8Array;
}

interface PreparedStep {
  readonly step: Step;
  readonly kernel: PreparedKernel;
  readonly inputs: readonly CodeBlock[];
  readonly output: CodeBlock;
  readonly outputLength: number;
  /** Arena offset of the flag that guards the step; −1 without guard. */
  readonly guardOffset: number;
}

/**
 * The reference execution of a Program: integers in an arena of exactly its size (and external buffers behind it), step
 * by step as the formulas of types.ts say. A step reads all its inputs before it writes, so the firmware's order of
 * reads and writes within a step is not exercised here; the tests that compare the two see to it.
 *
 * Preparing checks every access, table and shape once, so that a run cannot leave a buffer.
 */
export class Executor {
  private readonly arena: Uint8Array;
  private readonly steps: readonly PreparedStep[];
  private readonly inputCodes: Int16Array[];
  private readonly outputCodes: Int16Array;

  /**
   * @param options.reference compute in plain TypeScript, as the formulas are written, even where the same bits come
   * faster
   * @throws RangeError that names the step if the Program contradicts itself
   */
  constructor(
    private readonly program: Program,
    private readonly options: { readonly reference?: boolean } = {},
  ) {
    for (const buffer of program.buffers) checkBuffer(program, buffer);
    for (const port of [...program.inputs, ...program.outputs]) this.portBuffer(port.buffer);
    const constants = new ConstantTables(program.constants);
    const scratch = new Scratch();
    this.steps = program.steps.map((step) => this.prepare(step, constants, scratch));
    const external = program.buffers.filter((b) => b.external);
    this.arena = new Uint8Array(Math.max(program.arenaBytes, ...external.map((b) => b.offset + b.bytes)));
    const longest = (lengths: number[]): Int16Array => new Int16Array(Math.max(0, ...lengths));
    this.inputCodes = [0, 1].map((i) =>
      longest(this.steps.map((s) => (s.inputs.length > i ? codesOf(s.inputs[i]) : 0))),
    );
    this.outputCodes = longest(this.steps.map((s) => s.outputLength));
  }

  /**
   * @param inputs packed bytes of each input port, in the Program's order, as long as the port's buffer
   * @throws RangeError if an input has another length
   */
  run(inputs: readonly Uint8Array[], hooks: RunHooks = {}): RunResult {
    const { program, arena, inputCodes, outputCodes: codes } = this;
    if (inputs.length !== program.inputs.length)
      throw new RangeError(`${program.name} takes ${program.inputs.length} inputs, not ${inputs.length}.`);
    arena.fill(hooks.fill ?? 0);
    program.inputs.forEach((port, i) => {
      const buffer = this.portBuffer(port.buffer);
      if (inputs[i].length !== buffer.bytes)
        throw new RangeError(`Input ${i} has ${inputs[i].length} bytes instead of ${buffer.bytes}.`);
      arena.set(inputs[i], buffer.offset);
    });
    for (const prepared of this.steps) {
      const { step, guardOffset } = prepared;
      if (guardOffset >= 0 && arena[guardOffset] !== step.guard!.value) continue;
      prepared.inputs.forEach((block, i) => unpackCodes(arena, block, inputCodes[i]));
      prepared.kernel(inputCodes, codes);
      packCodes(codes, arena, prepared.output);
      hooks.afterStep?.({ step, codes, length: prepared.outputLength, arena });
    }
    const outputs = program.outputs.map((port) => {
      const buffer = this.portBuffer(port.buffer);
      return arena.slice(buffer.offset, buffer.offset + buffer.bytes);
    });
    return { outputs, arena };
  }

  private portBuffer(id: number): ProgramBuffer {
    const buffer = this.program.buffers[id];
    if (buffer === undefined) throw new RangeError(`A port names buffer ${id}, which does not exist.`);
    return buffer;
  }

  private prepare(step: Step, constants: ConstantTables, scratch: Scratch): PreparedStep {
    try {
      if (step.inputs.length !== inputCount(step.kernel)) throw new RangeError(`It has ${step.inputs.length} inputs.`);
      const inputs = step.inputs.map((access) => resolveAccess(this.program, access, false));
      const output =
        step.kernel.op === 'classify'
          ? this.flagBlock(step, step.kernel.index)
          : resolveAccess(this.program, step.output, true);
      const kernel = prepareKernel(step.kernel, {
        inputs,
        output,
        constants,
        scratch,
        reference: this.options.reference,
      });
      const guard = step.guard;
      const guardOffset = guard === null ? -1 : this.flagOffset(guard.buffer, guard.index);
      return { step, kernel, inputs, output, outputLength: codesOf(output), guardOffset };
    } catch (error) {
      throw new RangeError(
        `Step ${step.id} (${step.kernel.op}): ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  }

  /**
   * The byte that a classification writes. Its index counts the bytes of the flags buffer, as a guard's does, and lies
   * inside the accessed channels; no other byte of the access changes.
   */
  private flagBlock(step: Step, index: number): CodeBlock {
    const whole = resolveAccess(this.program, step.output, true);
    const channel = index - step.output.channel;
    if (whole.bits !== 8 || whole.h !== 1 || whole.w !== 1 || channel < 0 || channel >= whole.channels)
      throw new RangeError(`Flag ${index} is not in the step's output.`);
    return { ...whole, offset: whole.offset + channel, channels: 1 };
  }

  private flagOffset(buffer: number, index: number): number {
    const flags = this.program.buffers[buffer];
    if (flags === undefined || !(index >= 0 && index < flags.bytes))
      throw new RangeError(`Its guard reads flag ${index} outside buffer ${buffer}.`);
    return flags.offset + index;
  }
}

function codesOf(block: CodeBlock): number {
  return block.h * block.w * block.channels;
}

/** Runs a Program once; for several inputs prepare an {@link Executor}. */
export function runProgram(program: Program, inputs: readonly Uint8Array[], hooks?: RunHooks): RunResult {
  return new Executor(program).run(inputs, hooks);
}
