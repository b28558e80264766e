import type { Layer } from '../graph/types';
import type { Access, Program, Step } from '../program/types';
import type { ConstantArrays } from './constants';
import { macroPrefix } from './identifier';
import { guardKey, partKey, stepNumbers } from './checkpoints';
import { comesInTiles, externalInputs } from './inputs';
import { ParameterWriter } from './parameters';
import type { SpecialKernels } from './special';
import { comment, commentText } from './text';
import { ViewTable } from './views';

/** The C of a program's steps. */
export interface StepCode {
  /** Constant parameters of the kernels. */
  readonly parameters: string;
  /** Table of windows and the function that reads it. */
  readonly views: string;
  /** One static function per dataflow branch and per run of layers between them. */
  readonly functions: string;
  /** Statements that call these functions in order. */
  readonly calls: string;
  /** Kernels of the runtime that are called. */
  readonly kernels: ReadonlySet<string>;
  /** Types of the constant parameters, and bytes of the table of windows. */
  readonly structs: readonly string[];
  readonly windowBytes: number;
}

/**
 * Renders all steps; constants that they need are requested from `constants`, kernels made for their layers from
 * `special`.
 */
export function renderSteps(
  program: Program,
  constants: ConstantArrays,
  layers: readonly Pick<Layer, 'name' | 'onnx'>[],
  special: SpecialKernels | null = null,
): StepCode {
  const parameters = new ParameterTable();
  const views = new ViewTable(program);
  const writer = new ParameterWriter(constants, program);
  const kernels = new Set<string>();

  const tiled = comesInTiles(program);
  const pointers = new Map(externalInputs(program).map(({ buffer, parameter }) => [buffer, parameter]));
  const pointerOf = (access: Access): string | undefined =>
    pointers.get(program.buffers[access.buffer].aliasOf ?? access.buffer);
  const inputView = (access: Access, i: number): string => {
    const pointer = pointerOf(access);
    // A qmcu_map is for reading and writing; what kernels get as an input they only read.
    return `view(&in${i}, ${pointer ? `(uint8_t *)${pointer}` : 'arena'}, &views[${views.index(access)}])`;
  };

  const renderCall = (step: Step): string => {
    if (step.kernel.op === 'load') {
      const { y0, x0 } = step.output.region;
      const input = pointerOf(step.inputs[0])!;
      return (
        `if (load(${input}, view(&out, arena, &views[${views.index(step.output)}]), ${y0}, ${x0}) != 0) {\n` +
        `    return ${macroPrefix(program.name)}_ERROR_INPUT;\n}`
      );
    }
    const made = special?.kernel(step);
    const call = writer.call(special?.generated(step) ?? step, made?.pack, special?.inTwins(step));
    if (made === undefined) kernels.add(call.fn);
    const args = [...call.args];
    if (call.params) args.push(`&${parameters.symbol(step, call.fn, call.params)}`);
    step.inputs.forEach((access, i) => args.push(inputView(access, i)));
    if (step.kernel.op === 'classify')
      args.push(`&arena[${program.buffers[step.output.buffer].offset + step.kernel.index}]`);
    else args.push(`view(&out, arena, &views[${views.index(step.output)}])`);
    if (made?.scratch !== undefined) args.push(`(int16_t *)(void *)&arena[${made.scratch.offset}]`);
    return `${made?.symbol ?? call.fn}(${args.join(', ')});`;
  };

  const numberOf = stepNumbers(program);
  const numbers = new Map(program.steps.map((step, i) => [step, numberOf[i]]));
  const functions: string[] = [];
  const calls: string[] = [];
  const names = new Set<string>();
  for (const part of runs(program.steps, partKey)) {
    const { branch, tailStage } = part[0];
    const base = tailStage
      ? `tail_${tailStage.index}_branch_${tailStage.branch}`
      : branch === null
        ? `layers_${part[0].layer}_to_${part[part.length - 1].layer}`
        : `branch_${branch}`;
    let name = base;
    for (let n = 2; names.has(name); n++) name = `${base}_part_${n}`;
    names.add(name);
    const maps = [0, 1].filter((i) => part.some((step) => step.inputs.length > i)).map((i) => `in${i}`);
    if (part.some((step) => step.kernel.op !== 'classify')) maps.push('out');
    const reads = new Set(part.flatMap((step) => step.inputs.map(pointerOf)));
    const used = [...pointers.values()].filter((p) => reads.has(p));
    const parameters = used.map((p) => (tiled ? `, const ${program.name}_source *${p}` : `, const uint8_t *${p}`));
    functions.push(
      `${branch === null ? '' : comment([branchTitle(program, branch)])}static int ` +
        `${name}(uint8_t *arena, const qmcu_watch *watch${parameters.join('')})\n{\n    qmcu_map ` +
        `${maps.join(', ')};\n` +
        runs(part, (step) => step.layer)
          .map((group) => renderLayer(program, group, layers, renderCall, numbers.get(group[0])!))
          .join('') +
        '    return 0;\n}\n',
    );
    const args = used.map((p) => (tiled ? `, ${p}` : `, (const uint8_t *)${p}`)).join('');
    calls.push(`    if (error == 0) {\n        error = ${name}(base, watch${args});\n    }\n`);
  }
  return {
    parameters: parameters.render(),
    views: views.render(),
    functions: functions.join('\n'),
    calls: calls.join(''),
    kernels,
    structs: parameters.types,
    windowBytes: views.bytes,
  };
}

/** Consecutive steps of one layer, between the timing hooks, under the guards of run-time classes. */
function renderLayer(
  program: Program,
  steps: readonly Step[],
  layers: readonly Pick<Layer, 'name' | 'onnx'>[],
  renderCall: (step: Step) => string,
  number: number,
): string {
  const { layer } = steps[0];
  const body = runs(steps, guardKey).map((group) => {
    const { guard } = group[0];
    const written = group[group.length - 1].kernel.op === 'classify' ? 'NULL' : '&out';
    const lines = [
      ...group.map(renderCall),
      `if (ended(watch, ${number}, ${written})) {\n    return ${macroPrefix(program.name)}_ERROR_ENDED;\n}`,
    ].map((line) => line.replace(/\n/g, guard ? '\n        ' : '\n    '));
    if (!guard) return lines.map((line) => `    ${line}\n`).join('');
    const flag = `arena[${program.buffers[guard.buffer].offset + guard.index}]`;
    return `    if (${flag} == ${guard.value}) {\n${lines.map((line) => `        ${line}\n`).join('')}    }\n`;
  });
  return (
    `\n    ${comment([layerTitle(layer, layers)])}    QMCU_LAYER_BEGIN(${layer});\n${body.join('')}    ` +
    `QMCU_LAYER_END(${layer});\n`
  );
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

/** Constant parameter structs, equal ones once: branches that differ in their windows alone share them. */
class ParameterTable {
  readonly types: string[] = [];
  private readonly byContent = new Map<string, string>();
  private readonly names = new Set<string>();
  private readonly lines: string[] = [];

  symbol(step: Step, fn: string, params: { readonly type: string; readonly initializer: string }): string {
    const content = `${params.type} ${params.initializer}`;
    const known = this.byContent.get(content);
    if (known) return known;
    const base = `${fn.replace(/^qmcu_/, '')}_${step.layer}`;
    let name = base;
    for (let n = 2; this.names.has(name); n++) name = `${base}_variant_${n}`;
    this.names.add(name);
    this.byContent.set(content, name);
    this.types.push(params.type);
    this.lines.push(`static const ${params.type} ${name} = ${params.initializer};\n`);
    return name;
  }

  render(): string {
    return this.lines.join('');
  }
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
