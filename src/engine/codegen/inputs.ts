import type { Region } from '../graph/region';
import type { BufferId, Program } from '../program/types';
import type { GeneratedFile } from './types';

/** Suffix of the names that belong to an input or output: none for the first, `_1` for the second. */
export function portSuffix(index: number): string {
  return index === 0 ? '' : `_${index}`;
}

/** An input that the application keeps in its own memory. */
export interface ExternalInput {
  /** Index of the port. */
  readonly port: number;
  readonly buffer: BufferId;
  /** Name of its C parameter. */
  readonly parameter: string;
  /**
   * The regions that the application hands over when the network asks for them, in order; null: the network reads the
   * input where it is.
   */
  readonly tiles: readonly Region[] | null;
}

/**
 * The inputs for which `<name>_invoke_from` takes pointers, or `<name>_invoke_tiles` functions that read them, in order
 * of the ports; empty when all inputs are in the arena.
 */
export function externalInputs(program: Program): ExternalInput[] {
  const tiled = comesInTiles(program);
  return program.inputs.flatMap(({ buffer }, port) => {
    if (!program.buffers[buffer].external) return [];
    const tiles = program.steps.flatMap(({ kernel, output }) =>
      kernel.op === 'load' && kernel.port === port ? [output.region] : [],
    );
    return [{ port, buffer, parameter: `input${portSuffix(port)}`, tiles: tiled ? tiles : null }];
  });
}

/** The inputs that the application keeps whole: it lends the self-test by checksums memory for them. */
export function lentInputs(program: Program): ExternalInput[] {
  return comesInTiles(program) ? [] : externalInputs(program);
}

/** Whether the application hands over its inputs in tiles. */
export function comesInTiles(program: Program): boolean {
  return program.steps.some(({ kernel }) => kernel.op === 'load');
}

/** Name of the function that runs the network. */
export function invokeName(program: Program, name: string): string {
  if (externalInputs(program).length === 0) return `${name}_invoke`;
  return comesInTiles(program) ? `${name}_invoke_tiles` : `${name}_invoke_from`;
}

/**
 * Declaration of a function that tests the network by checksums, without a semicolon.
 * @param suffix of its name: `_selftest`, `_selftest_steps`
 * @param last parameters after the memory for inputs
 */
export function selftestSignature(
  program: Program,
  name: string,
  suffix: string,
  last: readonly string[] = [],
): string {
  const lent = lentInputs(program).map(({ parameter }) => `void *${parameter}`);
  return `int ${name}${suffix}(${['void *arena', ...lent, ...last].join(', ')})`;
}

/** Names of the inputs that a generated self-test takes memory for: the parameters that its header declares. */
export function lentBy(name: string, files: readonly GeneratedFile[]): string[] {
  const header = files.find((f) => f.path === `${name}.h` || f.path.endsWith(`/${name}.h`))?.text ?? '';
  const [, parameters] = new RegExp(`^int ${name}_selftest\\(void \\*arena(.*)\\);$`, 'm').exec(header) ?? [];
  return [...(parameters ?? '').matchAll(/void \*(\w+)/g)].map(([, parameter]) => parameter);
}

/**
 * Declaration of the function that runs the network, without a semicolon.
 * @param watched of the one that calls a watcher after every step
 */
export function invokeSignature(program: Program, name: string, watched = false): string {
  const inputs = externalInputs(program).map(({ parameter }) =>
    comesInTiles(program) ? `const ${name}_source *${parameter}` : `const void *${parameter}`,
  );
  const parameters = ['void *arena', ...inputs, ...(watched ? ['const qmcu_watch *watch'] : [])];
  return `int ${invokeName(program, name)}${watched ? '_watched' : ''}(${parameters.join(', ')})`;
}

/** A call of the function that runs the network with a watcher. */
export function watchedCall(
  program: Program,
  name: string,
  arena: string,
  inputs: readonly string[],
  watch = '&watch',
): string {
  return `${invokeName(program, name)}_watched(${[arena, ...inputs, watch].join(', ')})`;
}
