import type { Port, Program } from '../program/types';
import { banner } from './header';
import { macroPrefix } from './identifier';
import { comesInTiles, externalInputs, portSuffix } from './inputs';
import { wrapItems } from './text';
import type { GoldenVector, RenderOptions } from './types';

/**
 * `<name>_golden.c`: the stored vectors and the self-test, in a file of their own so that linkers leave both out where
 * nobody calls it.
 */
export function renderGolden(program: Program, { name, golden = [], provenance }: RenderOptions): string {
  const prefix = macroPrefix(name);
  const head = `${banner(`${name}: self-test.`, provenance)}#include "${name}.h"\n\n`;
  if (golden.length === 0) {
    return (
      `${head}#include <stddef.h>\n\nint ${name}_selftest(void *arena)\n{\n    return arena == NULL ? ` +
      `${prefix}_ERROR_NO_ARENA : ${prefix}_ERROR_NO_GOLDEN;\n}\n`
    );
  }
  golden.forEach((vector, i) => checkVector(program, vector, i));
  const tables = (
    kind: 'input' | 'output',
    ports: readonly Port[],
    bytes: (v: GoldenVector) => readonly Uint8Array[],
  ): string =>
    ports
      .map((_, p) => {
        const rows = golden
          .map((v) => `    {\n${wrapItems(Array.from(bytes(v)[p], String), '        ').join('\n')}\n    },\n`)
          .join('');
        return (
          'QMCU_SECTION_TABLES static const uint8_t ' +
          `${kind}${portSuffix(p)}[${golden.length}][${prefix}_${kind.toUpperCase()}${portSuffix(p)}_BYTES] ` +
          `= {\n${rows}};\n`
        );
      })
      .join('\n');
  const external = externalInputs(program);
  const tiles = comesInTiles(program);
  const sources = tiles
    ? external.map(
        ({ port, parameter }) =>
          `        const ${name}_source ${parameter}_source = {${name}_read_input${portSuffix(port)}, (void ` +
          `*)${parameter}[i]};\n`,
      )
    : [];
  const invoke = tiles
    ? `${name}_invoke_tiles(arena, ${external.map(({ parameter }) => `&${parameter}_source`).join(', ')})`
    : external.length === 0
      ? `${name}_invoke(arena)`
      : `${name}_invoke_from(arena, ${external.map(({ port }) => `input${portSuffix(port)}[i]`).join(', ')})`;
  const copies = program.inputs.map(({ buffer }, p) => {
    const s = portSuffix(p);
    return program.buffers[buffer].external
      ? ''
      : `        memcpy(${name}_input${s}(arena), input${s}[i], sizeof input${s}[i]);\n`;
  });
  const comparisons = program.outputs.map((_, p) => {
    const s = portSuffix(p);
    return (
      `        if (memcmp(${name}_output${s}(arena), output${s}[i], sizeof output${s}[i]) != 0) {\n         ` +
      `   return ${prefix}_ERROR_SELFTEST;\n        }\n`
    );
  });
  return `${head}#include <stddef.h>
#include <string.h>

${tables('input', program.inputs, (v) => v.inputs)}
${tables('output', program.outputs, (v) => v.outputs)}
int ${name}_selftest(void *arena)
{
    int i;
    if (arena == NULL) {
        return ${prefix}_ERROR_NO_ARENA;
    }
    for (i = 0; i < ${golden.length}; i++) {
${sources.join('')}        int error;
${copies.join('')}        error = ${invoke};
        if (error != ${prefix}_OK) {
            return error;
        }
${comparisons.join('')}    }
    return ${prefix}_OK;
}
`;
}

function checkVector(program: Program, vector: GoldenVector, index: number): void {
  const check = (kind: string, ports: readonly Port[], given: readonly Uint8Array[]): void => {
    if (
      given.length !== ports.length ||
      ports.some((port, i) => given[i].length !== program.buffers[port.buffer].bytes)
    ) {
      throw new Error(`Golden vector ${index} does not have the bytes of the program's ${kind}.`);
    }
  };
  check('inputs', program.inputs, vector.inputs);
  check('outputs', program.outputs, vector.outputs);
}
