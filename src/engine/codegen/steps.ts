import type { Layer } from '../graph/types';
import type { Access, BufferId, Program, Step } from '../program/types';
import type { ConstantArrays } from './constants';
import { macroPrefix } from './identifier';
import { guardKey, partKey, stepNumbers } from './checkpoints';
import { comesInTiles, externalInputs } from './inputs';
import { ParameterTable, ParameterWriter } from './parameters';
import type { Scratch } from './scratch';
import type { SpecialKernels } from './special';
import { StepTable } from './stepTable';
import { comment, commentText } from './text';
import { ViewTable } from './views';

/** The C of a program's steps. */
export interface StepCode {
  /** Constant parameters of the kernels. */
  readonly parameters: string;
  /** Table of windows and the function that reads it. */
  readonly views: string;
  /** Table of steps and the function that runs it. Empty where all steps are statements. */
  readonly table: string;
  /** Static functions of the steps that are statements, one per dataflow branch and per run of layers between them. */
  readonly functions: string;
  /** Statements that run the table and call these functions in order. */
  readonly calls: string;
  /** Kernels of the runtime that are called. */
  readonly kernels: ReadonlySet<string>;
  /** What the code consists of. */
  readonly counts: StepCounts;
  /** Types of the constant parameters. */
  readonly structs: readonly string[];
  /** Bytes of the tables of windows and of steps. */
  readonly tableBytes: number;
}

/** What the code of the steps consists of: its bytes are a sum over these (cost/codeSizes.ts). */
export interface StepCounts {
  /** Functions that run the table of steps: 1 or 0. */
  readonly runners: number;
  /** Kernels that the table names. */
  readonly named: number;
  /** Runs of steps in the table. */
  readonly runs: number;
  /** Functions of steps. */
  readonly parts: number;
  /** Windows that are made for calls in these functions. */
  readonly views: number;
  /** Calls of the watcher in them. */
  readonly watched: number;
  /** Conditions for classes that are found at run time. */
  readonly guards: number;
}

/**
 * Renders all steps: in a table, and as statements where they take more than parameters and windows into the arena
 * (conditions, inputs outside of the arena). Constants that they need are requested from `constants`, kernels made for
 * their layers from `special`.
 */
export function renderSteps(
  program: Program,
  constants: ConstantArrays,
  layers: readonly Pick<Layer, 'name' | 'onnx'>[],
  special: SpecialKernels | null = null,
): StepCode {
  return new StepWriter(program, constants, layers, special).render();
}

class StepWriter {
  private readonly parameters = new ParameterTable();
  private readonly views: ViewTable;
  private readonly table = new StepTable();
  private readonly writer: ParameterWriter;
  private readonly kernels = new Set<string>();
  private readonly counts = { parts: 0, views: 0, watched: 0, guards: 0 };
  private readonly tiled: boolean;
  /** Buffer of an input that the application hands over → the function's parameter. */
  private readonly pointers: ReadonlyMap<BufferId, string>;
  private readonly numbers: ReadonlyMap<Step, number>;
  private readonly names = new Set<string>();

  constructor(
    private readonly program: Program,
    constants: ConstantArrays,
    private readonly layers: readonly Pick<Layer, 'name' | 'onnx'>[],
    private readonly special: SpecialKernels | null,
  ) {
    this.views = new ViewTable(program);
    this.writer = new ParameterWriter(constants, program);
    this.tiled = comesInTiles(program);
    this.pointers = new Map(externalInputs(program).map(({ buffer, parameter }) => [buffer, parameter]));
    const numberOf = stepNumbers(program);
    this.numbers = new Map(program.steps.map((step, i) => [step, numberOf[i]]));
  }

  render(): StepCode {
    const functions: string[] = [];
    const calls: string[] = [];
    for (const part of runs(this.program.steps, partKey)) {
      const groups = runs(part, (step) => step.layer);
      runs(groups, (group) => group.every((step) => this.isTabled(step))).forEach((some, i) => {
        if (some[0].every((step) => this.isTabled(step))) this.addRows(some, i === 0);
        else {
          const { definition, call } = this.part(some.flat());
          calls.push(...this.table.endRun(), call);
          functions.push(definition);
        }
      });
    }
    calls.push(...this.table.endRun());
    return {
      parameters: this.parameters.render(),
      views: this.views.render(),
      table: this.table.render(`${macroPrefix(this.program.name)}_ERROR_ENDED`, this.views.length),
      functions: functions.join('\n'),
      calls: calls.map((call) => `    if (error == 0) {\n        error = ${call};\n    }\n`).join(''),
      kernels: this.kernels,
      counts: { ...this.table.counts, ...this.counts },
      structs: this.parameters.types,
      tableBytes: this.views.bytes + this.table.bytes(this.views.length),
    };
  }

  /** Whether a step takes no more than the table holds. */
  private isTabled({ kernel, guard, inputs }: Step): boolean {
    return (
      guard === null &&
      kernel.op !== 'load' &&
      kernel.op !== 'classify' &&
      inputs.every((access) => this.pointerOf(access) === undefined)
    );
  }

  /** Adds runs of layers to the table; `first`: those that begin a dataflow branch. */
  private addRows(groups: readonly (readonly Step[])[], first: boolean): void {
    const { branch } = groups[0][0];
    if (first && branch !== null) this.table.comment(branchTitle(this.program, branch));
    for (const group of groups) {
      this.table.comment(layerTitle(group[0].layer, this.layers));
      group.forEach((step, i) => this.addRow(step, i + 1 < group.length));
    }
  }

  private addRow(step: Step, isFollowed: boolean): void {
    const { fn, params, values, scratch } = this.kernelCall(step);
    const views = step.inputs.map((access) => this.views.index(access));
    if (scratch !== undefined) views[1] = this.views.scratch(scratch);
    const args = [
      ...(params === null ? [] : ['s->params']),
      ...values,
      ...step.inputs.map((_, i) => `&in${i}`),
      '&out',
      ...(scratch === undefined ? [] : ['(int16_t *)(void *)in1.data']),
    ];
    this.table.add({
      params: params ?? 'NULL',
      call: `${fn}(${args.join(', ')});`,
      fn,
      in: views,
      out: this.views.index(step.output),
      layer: step.layer,
      number: this.numbers.get(step)!,
      isFollowed,
    });
  }

  /** A kernel, the address of its parameters, its arguments after that, and its scratch memory. */
  private kernelCall(step: Step): { fn: string; params: string | null; values: readonly string[]; scratch?: Scratch } {
    const { special } = this;
    const made = special?.kernel(step);
    const { fn, params, args } = this.writer.call(special?.generated(step) ?? step, made?.pack, special?.inTwins(step));
    if (made === undefined) this.kernels.add(fn);
    const named = { fn: made?.symbol ?? fn, scratch: made?.scratch };
    if (params) return { ...named, params: `&${this.parameters.symbol(step, fn, params)}`, values: args };
    // Where there is no struct, a table comes first.
    if (args.length === 0 || step.kernel.op === 'classify') return { ...named, params: null, values: args };
    return { ...named, params: args[0], values: args.slice(1) };
  }

  /** The function of a dataflow branch or of a run of layers whose steps are statements, and the call of it. */
  private part(part: readonly Step[]): { definition: string; call: string } {
    const { branch } = part[0];
    const name = this.nameOf(part);
    this.counts.parts++;
    const maps = [0, 1].filter((i) => part.some((step) => step.inputs.length > i)).map((i) => `in${i}`);
    if (part.some((step) => step.kernel.op !== 'classify')) maps.push('out');
    const reads = new Set(part.flatMap((step) => step.inputs.map((access) => this.pointerOf(access))));
    const used = [...this.pointers.values()].filter((p) => reads.has(p));
    const type = this.tiled ? `${this.program.name}_source` : 'uint8_t';
    const parameters = used.map((p) => `, const ${type} *${p}`).join('');
    const args = used.map((p) => (this.tiled ? `, ${p}` : `, (const uint8_t *)${p}`)).join('');
    return {
      definition:
        `${branch === null ? '' : comment([branchTitle(this.program, branch)])}static QMCU_NOINLINE int ` +
        `${name}(uint8_t *arena, const qmcu_watch *watch${parameters})\n{\n    qmcu_map ${maps.join(', ')};\n` +
        runs(part, (step) => step.layer)
          .map((group) => this.layer(group))
          .join('') +
        '    return 0;\n}\n',
      call: `${name}(base, watch${args})`,
    };
  }

  private nameOf(part: readonly Step[]): string {
    const { branch, tailStage, layer } = part[0];
    const base = tailStage
      ? `tail_${tailStage.index}_branch_${tailStage.branch}`
      : branch === null
        ? `layers_${layer}_to_${part[part.length - 1].layer}`
        : `branch_${branch}`;
    let name = base;
    for (let n = 2; this.names.has(name); n++) name = `${base}_part_${n}`;
    this.names.add(name);
    return name;
  }

  /** Consecutive steps of one layer, between the timing hooks, under the guards of run-time classes. */
  private layer(steps: readonly Step[]): string {
    const { layer } = steps[0];
    const number = this.numbers.get(steps[0])!;
    const body = runs(steps, guardKey).map((group) => {
      const { guard } = group[0];
      this.counts.watched++;
      if (guard) this.counts.guards++;
      const written = group[group.length - 1].kernel.op === 'classify' ? 'NULL' : '&out';
      const error = `${macroPrefix(this.program.name)}_ERROR_ENDED`;
      const lines = [
        ...group.map((step) => this.call(step)),
        `if (ended(watch, ${number}, ${written})) {\n    return ${error};\n}`,
      ].map((line) => line.replace(/\n/g, guard ? '\n        ' : '\n    '));
      if (!guard) return lines.map((line) => `    ${line}\n`).join('');
      const flag = `arena[${this.program.buffers[guard.buffer].offset + guard.index}]`;
      return `    if (${flag} == ${guard.value}) {\n${lines.map((line) => `        ${line}\n`).join('')}    }\n`;
    });
    return (
      `\n    ${comment([layerTitle(layer, this.layers)])}    QMCU_LAYER_BEGIN(${layer});\n${body.join('')}    ` +
      `QMCU_LAYER_END(${layer});\n`
    );
  }

  private call(step: Step): string {
    const { program } = this;
    const { kernel, output } = step;
    if (kernel.op === 'load') return this.load(step);
    const { fn, params, values, scratch } = this.kernelCall(step);
    const args = [...(params === null ? [] : [params]), ...values];
    step.inputs.forEach((access, i) => args.push(this.inputView(access, i)));
    if (kernel.op === 'classify') args.push(`&arena[${program.buffers[output.buffer].offset + kernel.index}]`);
    else args.push(this.outputView(output));
    if (scratch !== undefined) args.push(`(int16_t *)(void *)&arena[${scratch.offset}]`);
    return `${fn}(${args.join(', ')});`;
  }

  private load(step: Step): string {
    const { y0, x0 } = step.output.region;
    const input = this.pointerOf(step.inputs[0])!;
    return (
      `if (load(${input}, ${this.outputView(step.output)}, ${y0}, ${x0}) != 0) {\n` +
      `    return ${macroPrefix(this.program.name)}_ERROR_INPUT;\n}`
    );
  }

  private outputView(access: Access): string {
    this.counts.views++;
    return `view(&out, arena, &views[${this.views.index(access)}])`;
  }

  private inputView(access: Access, i: number): string {
    this.counts.views++;
    const pointer = this.pointerOf(access);
    // A qmcu_map is for reading and writing; what kernels get as an input they only read.
    return `view(&in${i}, ${pointer ? `(uint8_t *)${pointer}` : 'arena'}, &views[${this.views.index(access)}])`;
  }

  private pointerOf(access: Access): string | undefined {
    return this.pointers.get(this.program.buffers[access.buffer].aliasOf ?? access.buffer);
  }
}

function layerTitle(id: number, layers: readonly Pick<Layer, 'name' | 'onnx'>[]): string {
  const layer = layers[id];
  if (!layer) return `Layer ${id}`;
  const nodes = layer.onnx.map((node) => node.opType).join(' + ');
  return `Layer ${id}: ${commentText(layer.name)}${nodes ? ` (${commentText(nodes)})` : ''}`;
}

function branchTitle(program: Program, id: number): string {
  const branch = program.branches[id];
  if (!branch) return `Branch ${id}`;
  const { patch } = branch;
  return (
    `Branch ${id}: patch in row ${branch.row}, column ${branch.col}: rows ${patch.y0} to ${patch.y1 - 1}, ` +
    `columns ${patch.x0} to ${patch.x1 - 1}; ${branch.class} class`
  );
}

/** Splits a list where the key changes. */
function runs<T>(items: readonly T[], key: (item: T) => unknown): T[][] {
  const result: T[][] = [];
  items.forEach((item, i) => {
    if (i > 0 && key(items[i - 1]) === key(item)) result[result.length - 1].push(item);
    else result.push([item]);
  });
  return result;
}
