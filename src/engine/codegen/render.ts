import type { Program } from '../program/types';
import { chooseWiderWeights } from './weights/widerWeights';
import { ConstantArrays } from './constants';
import { renderGolden } from './golden';
import { banner, renderHeader } from './header';
import { macroPrefix } from './identifier';
import { comesInTiles, externalInputs, invokeSignature, portSuffix } from './inputs';
import { forModel, runtimeFileName, runtimeFiles } from './runtime';
import { SpecialKernels } from './special';
import { renderSteps } from './steps';
import type { StepCode } from './steps';
import { comment } from './text';
import { tilesSource } from './tiles';
import type { GeneratedFile, RenderOptions } from './types';

/**
 * Writes a program as C99: `<name>.h` (the interface), `<name>.c` (the steps), `<name>_weights.h/.c` (all constants),
 * `<name>_kernels.h/.c` (kernels made for its layers), `<name>_golden.c` (the self-test) and the files of the runtime
 * that the program needs. A pure function: equal arguments give equal bytes, nothing depends on time or place.
 *
 * @returns files sorted by path
 * @throws Error if the program breaks its contract (a step outside of its buffer, a constant that does not fit its
 *   type)
 */
export function renderC(program: Program, options: RenderOptions): GeneratedFile[] {
  const { name, provenance } = options;
  const constants = new ConstantArrays(program, name);
  const special = options.optimize === 'size' ? null : specialKernels(program, name, options.target);
  const code = renderSteps(program, constants, options.layers ?? [], special);
  const specialFiles = special?.files(options) ?? [];
  const file = (path: string, text: string): GeneratedFile => ({ path, text });
  return [
    file(`${name}.h`, renderHeader(program, name, constants.bytes, provenance)),
    file(`${name}.c`, renderSource(program, options, code, specialFiles.length > 0)),
    file(`${name}_weights.h`, renderWeightsHeader(name, constants, options)),
    file(`${name}_weights.c`, renderWeights(name, constants, options)),
    file(`${name}_golden.c`, renderGolden(program, options)),
    ...specialFiles,
    ...runtimeFiles(
      new Set([...code.kernels, ...(special?.needed ?? [])]),
      name,
      specialFiles.length > 0 ? ['qmcu_layer_kernels.h'] : [],
    ),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Flash that a program's weights and tables take as `renderC` writes them, `NAME_WEIGHT_BYTES`.
 * @param target as in {@link RenderOptions}; without one the least that they take
 */
export function constantBytes(program: Program, target?: RenderOptions['target']): number {
  const constants = new ConstantArrays(program, program.name);
  renderSteps(program, constants, [], target ? specialKernels(program, program.name, target) : null);
  return constants.bytes;
}

function specialKernels(program: Program, name: string, target: RenderOptions['target']): SpecialKernels {
  return new SpecialKernels(
    program,
    name,
    target ? chooseWiderWeights(program, target, constantBytes(program)) : undefined,
  );
}

function renderSource(
  program: Program,
  { name, provenance }: RenderOptions,
  code: StepCode,
  hasKernels: boolean,
): string {
  const prefix = macroPrefix(name);
  const address = (kind: 'input' | 'output', index: number): string => {
    const port = (kind === 'input' ? program.inputs : program.outputs)[index];
    const { offset } = program.buffers[port.buffer];
    return kind === 'input'
      ? `void *${name}_input${portSuffix(index)}(void *arena)\n{\n    return (uint8_t *)arena + ${offset};\n}\n\n`
      : `const void *${name}_output${portSuffix(index)}(const void *arena)\n{\n    return (const uint8_t *)arena ` +
          `+ ${offset};\n}\n\n`;
  };
  const external = externalInputs(program);
  const missing = ['base', ...external.map((e) => e.parameter)].map((p) => `${p} == NULL`).join(' || ');
  const inArena = program.inputs.flatMap(({ buffer }, i) =>
    program.buffers[buffer].external ? [] : [address('input', i)],
  );
  const sections = [
    `${banner(`${name}: the steps of one inference.`, provenance)}#include "${name}.h"

#include <stddef.h>
${comesInTiles(program) ? '#include <string.h>\n' : ''}
#include "${runtimeFileName('quantmcu.h', name)}"
${hasKernels ? `#include "${name}_kernels.h"\n` : ''}#include "${name}_weights.h"

${comment(['Called around every layer with its number, which the comments below give: define them to measure ' + 'time.'])}#ifndef QMCU_LAYER_BEGIN
#define QMCU_LAYER_BEGIN(layer) ((void)0)
#endif
#ifndef QMCU_LAYER_END
#define QMCU_LAYER_END(layer) ((void)0)
#endif
`,
    code.parameters,
    code.views,
    tilesSource(program, name),
    code.functions,
    `${inArena.join('')}${program.outputs.map((_, i) => address('output', i)).join('')}${invokeSignature(program, name)}
{
    uint8_t *const base = (uint8_t *)arena;
    if (${missing}) {
        return ${prefix}_ERROR_NO_ARENA;
    }
    if (((uintptr_t)arena & (uintptr_t)(${prefix}_ARENA_ALIGN - 1)) != 0) {
        return ${prefix}_ERROR_ARENA_ALIGNMENT;
    }
${code.calls}    return ${prefix}_OK;
}
`,
  ];
  return forModel(sections.filter((s) => s !== '').join('\n'), name);
}

function renderWeightsHeader(name: string, constants: ConstantArrays, { provenance }: RenderOptions): string {
  const guard = `${macroPrefix(name)}_WEIGHTS_H`;
  return (
    `${banner(`${name}: weights and tables.`, provenance)}#ifndef ${guard}\n#define ${guard}\n\n#include ` +
    '<stdint.h>\n\n#include "quantmcu_port.h"\n\n' +
    `${constants.declarations()}\n#endif /* ${guard} */\n`
  );
}

function renderWeights(name: string, constants: ConstantArrays, { provenance }: RenderOptions): string {
  return (
    `${banner(`${name}: weights and tables.`, provenance)}#include ` +
    `"${name}_weights.h"\n\n${constants.definitions()}`
  );
}
