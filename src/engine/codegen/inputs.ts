import type { BufferId, Program } from '../program/types';

/** Suffix of the names that belong to an input or output: none for the first, `_1` for the second. */
export function portSuffix(index: number): string {
  return index === 0 ? '' : `_${index}`;
}

/** An input that the application keeps in memory of its own. */
export interface ExternalInput {
  /** Index of the port. */
  readonly port: number;
  readonly buffer: BufferId;
  /** Name of the C parameter that points to it. */
  readonly parameter: string;
}

/** The inputs for which `<name>_invoke_from` takes pointers, in order of the ports; empty when all inputs are in the arena. */
export function externalInputs(program: Program): ExternalInput[] {
  return program.inputs.flatMap(({ buffer }, port) => (program.buffers[buffer].external ? [{ port, buffer, parameter: `input${portSuffix(port)}` }] : []));
}

/** Declaration of the function that runs the network, without a semicolon. */
export function invokeSignature(program: Program, name: string): string {
  const external = externalInputs(program);
  if (external.length === 0) return `int ${name}_invoke(void *arena)`;
  return `int ${name}_invoke_from(void *arena, ${external.map(({ parameter }) => `const void *${parameter}`).join(', ')})`;
}
