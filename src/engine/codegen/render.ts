import type { Program } from '../program/types';
import { cameraKernel, renderCamera } from './camera';
import type { ConstantArrays } from './constants';
import { assemble } from './flash';
import { renderDetect } from './detection/renderDetect';
import { renderGolden } from './golden';
import { banner, codeType, renderHeader } from './header';
import { macroPrefix } from './identifier';
import { comesInTiles, externalInputs, invokeSignature, lentInputs, portSuffix, watchedCall } from './inputs';
import { renderSelftest } from './selftest';
import { filesOf, forModel, RUNTIME_INTERFACE, runtimeFiles, type RuntimeNeeds } from './runtime';
import { CORE_KINDS, layerKernelsHeader } from './runtimeParts';
import { lacksUses, type RuntimeUses } from '../cost/runtimeUses';
import { runtimeUses } from './runtimeUses';
import type { SpecialKernels } from './special';
import type { StepCode } from './steps';
import { comment } from './text';
import { tilesSource } from './tiles';
import type { GeneratedFile, GeneratedSources, RenderOptions } from './types';

/**
 * Writes a program as C99: `<name>.h` (the interface), `<name>.c` (the steps), `<name>_weights.c` (all constants),
 * `<name>_kernels.c` (kernels made for its layers), `<name>_internal.h` (what these share) and `<name>_golden.c` (the
 * self-test), for a runtime that a project has once. A pure function: equal arguments give equal bytes, nothing depends
 * on time or place.
 *
 * @returns files sorted by path, and what they need of the runtime
 * @throws Error if the program breaks its contract (a step outside of its buffer, a constant that does not fit its
 *   type)
 */
export function renderSources(program: Program, options: RenderOptions): GeneratedSources {
  const { name, camera, cores = CORE_KINDS } = options;
  const { constants, special, code, flash } = assemble(program, name, { ...options, cores }, options.layers);
  const uses = runtimeUses(program, special);
  const kernels = special?.source(options) ?? null;
  const file = (path: string, text: string): GeneratedFile => ({ path, text });
  const files = [
    file(`${name}.h`, renderHeader(program, flash, options)),
    file(`${name}.c`, renderSource(program, options, code, uses)),
    file(`${name}_internal.h`, renderInternal(name, constants, special, options)),
    file(`${name}_weights.c`, renderWeights(name, constants, options)),
    options.checks && options.golden === undefined
      ? file(`${name}_selftest.c`, renderSelftest(program, options.checks, options))
      : file(`${name}_golden.c`, renderGolden(program, options)),
    ...(options.detection
      ? renderDetect(program, options.detection.head, {
          name,
          provenance: options.provenance,
          golden: options.detection.golden,
          lent: options.golden === undefined && options.checks ? lentInputs(program) : [],
        })
      : []),
    ...(kernels === null ? [] : [file(`${name}_kernels.c`, kernels)]),
    ...(camera === undefined ? [] : renderCamera(program, camera, options)),
  ].sort(byPath);
  const runtime: RuntimeNeeds = {
    cores: CORE_KINDS.filter((kind) => cores.includes(kind)),
    files: [
      ...filesOf([
        ...code.kernels,
        ...(special?.needed ?? []),
        ...(camera === undefined ? [] : [cameraKernel(camera)]),
      ]),
      ...(kernels === null ? [] : [layerKernelsHeader]),
    ].sort(),
    uses,
  };
  return { files, runtime };
}

/** The same with a runtime of the model's own in the same folder: nothing else is needed, and no other model's. */
export function selfContained({ files, runtime }: GeneratedSources, name: string): GeneratedFile[] {
  return forModel([...files, ...runtimeFiles(runtime)], name).sort(byPath);
}

/** {@link renderSources}, {@link selfContained}. */
export function renderC(program: Program, options: RenderOptions): GeneratedFile[] {
  return selfContained(renderSources(program, options), options.name);
}

function byPath(a: GeneratedFile, b: GeneratedFile): number {
  return a.path < b.path ? -1 : 1;
}

/** Function that tells where an input or output lies in the arena. */
function addressFunction(program: Program, name: string, kind: 'input' | 'output', index: number): string {
  const port = (kind === 'input' ? program.inputs : program.outputs)[index];
  const { offset } = program.buffers[port.buffer];
  const type = codeType(port, program.buffers[port.buffer]);
  const body = (qualifier: string): string => {
    const at = `(${qualifier}uint8_t *)arena + ${offset}`;
    if (type === 'uint8_t') return at;
    // Maps of 16 bits begin at words.
    const any = type === 'int16_t' ? `(${qualifier}void *)` : '';
    return `(${qualifier}${type} *)${any}((${qualifier}uint8_t *)arena + ${offset})`;
  };
  return kind === 'input'
    ? `${type} *${name}_input${portSuffix(index)}(void *arena)\n{\n    return ${body('')};\n}\n\n`
    : `const ${type} *${name}_output${portSuffix(index)}(const void *arena)\n{\n    return ${body('const ')};\n}\n\n`;
}

/** Refuses another version of the runtime, and one without what the model uses. */
function runtimeChecks(name: string, uses: RuntimeUses): string {
  return `#if QMCU_INTERFACE != ${RUNTIME_INTERFACE}
#error "${name} was generated for another version of the runtime, quantmcu.h: generate it again"
#endif

/* What this model uses, if the runtime is compiled only for what a firmware's models use. */
#if ${lacksUses(uses)}
#error "quantmcu.h belongs to a runtime that lacks parts ${name} uses: generate ${name} for this project again"
#endif
`;
}

function renderSource(
  program: Program,
  { name, provenance }: RenderOptions,
  code: StepCode,
  uses: RuntimeUses,
): string {
  const prefix = macroPrefix(name);
  const external = externalInputs(program);
  const missing = ['base', ...external.map((e) => e.parameter)].map((p) => `${p} == NULL`).join(' || ');
  const inArena = program.inputs.flatMap(({ buffer }, i) =>
    program.buffers[buffer].external ? [] : [addressFunction(program, name, 'input', i)],
  );
  const hooksComment = comment([
    'Called around every layer with its number, given in the comments below: define them to measure time.',
  ]);
  const places = [...inArena, ...program.outputs.map((_, i) => addressFunction(program, name, 'output', i))];
  const sections = [
    `${banner(`${name}: the steps of one inference.`, provenance)}#include "${name}.h"

#include <stddef.h>
${comesInTiles(program) ? '#include <string.h>\n' : ''}
#include "quantmcu.h"
#include "${name}_internal.h"

${runtimeChecks(name, uses)}
/* Every step runs once, and the time is in the kernels: small code costs nothing. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("Os")
#endif

${hooksComment}#ifndef QMCU_LAYER_BEGIN
#define QMCU_LAYER_BEGIN(layer) ((void)(layer))
#endif
#ifndef QMCU_LAYER_END
#define QMCU_LAYER_END(layer) ((void)(layer))
#endif
`,
    code.parameters,
    code.views,
    tilesSource(program, name),
    `/* Calls the watcher, if there is one, after a step; not 0: the inference ends. */
static QMCU_NOINLINE int ended(const qmcu_watch *watch, int32_t step, const qmcu_map *output)
{
    return watch != NULL && watch->after(watch->context, step, output) != 0;
}
`,
    code.table,
    code.functions,
    `${places.join('')}${invokeSignature(program, name, true)}
{
    uint8_t *const base = (uint8_t *)arena;
    int error = 0;
    if (${missing}) {
        return ${prefix}_ERROR_NO_ARENA;
    }
    if (((uintptr_t)arena & (uintptr_t)(${program.arenaAlign} - 1)) != 0) {
        return ${prefix}_ERROR_ARENA_ALIGNMENT;
    }
${code.calls}    return error;
}

${invokeSignature(program, name)}
{
    return ${watchedCall(
      program,
      name,
      'arena',
      external.map((e) => e.parameter),
      'NULL',
    )};
}
`,
  ];
  return sections.filter((s) => s !== '').join('\n');
}

function renderInternal(
  name: string,
  constants: ConstantArrays,
  special: SpecialKernels | null,
  { provenance }: RenderOptions,
): string {
  const guard = `${macroPrefix(name)}_INTERNAL_H`;
  const kernels = special?.declarations() ?? '';
  return (
    `${banner(`${name}: what its sources share. Not part of the interface.`, provenance)}#ifndef ${guard}\n` +
    `#define ${guard}\n\n#include <stdint.h>\n\n#include "quantmcu.h"\n\n${constants.declarations()}\n` +
    `${kernels === '' ? '' : `${kernels}\n`}#endif /* ${guard} */\n`
  );
}

function renderWeights(name: string, constants: ConstantArrays, { provenance }: RenderOptions): string {
  return (
    `${banner(`${name}: weights and tables.`, provenance)}#include ` +
    `"${name}_internal.h"\n\n${constants.definitions()}`
  );
}
