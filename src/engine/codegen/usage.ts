import type { Program } from '../program/types';
import { macroPrefix } from './identifier';
import { comesInTiles, externalInputs, invokeName, portSuffix } from './inputs';
import { hasScores } from './header';
import type { Usage } from './usageTypes';

/**
 * The arena and a function for one inference: inputs are its parameters, the class or an error code comes back.
 *
 * @param name prefix of the network's identifiers
 */
export function usageOf(program: Program, name: string): Usage {
  const prefix = macroPrefix(name);
  const arena = `${name}_arena`;
  const outside = externalInputs(program);
  const tiles = comesInTiles(program);
  const copied = program.inputs.flatMap(({ buffer }, i) => (program.buffers[buffer].external ? [] : [portSuffix(i)]));
  const scores = hasScores(program, 0);
  const parameters = program.inputs.map(({ buffer }, i) => {
    const kind = program.buffers[buffer].external && tiles ? `const ${name}_source *` : 'const void *';
    return `${kind}input${portSuffix(i)}`;
  });
  const copies = copied.map(
    (suffix) => `    memcpy(${name}_input${suffix}(${arena}), input${suffix}, ${prefix}_INPUT${suffix}_BYTES);\n`,
  );
  const call = `${invokeName(program, name)}(${[arena, ...outside.map(({ parameter }) => parameter)].join(', ')})`;
  const run = scores
    ? `    if (${call} != ${prefix}_OK) {\n        return -1;\n    }\n    return ${name}_top(${arena});\n`
    : `    return ${call};\n`;
  const result = scores
    ? `the class, or -1 on an error; ${name}_score(${arena}, i) is a score`
    : `${prefix}_OK or an error code; ${name}_output(${arena}) is the result`;
  return {
    includes: [...(copied.length > 0 ? ['<string.h>'] : []), `"${name}.h"`],
    code:
      `static ${prefix}_ARENA(${arena});\n\n` +
      `/* Runs one inference. Returns ${result}. */\n` +
      `${scores ? 'int32_t' : 'int'} ${name}_run(${parameters.join(', ')})\n{\n${copies.join('')}${run}}\n`,
  };
}
