import { renderSources, selfContained } from '../../../src/engine/codegen';
import type { GeneratedFile, GeneratedSources, RenderOptions } from '../../../src/engine/codegen';
import { Executor } from '../../../src/engine/program/interpreter';
import type { Program } from '../../../src/engine/program/types';
import { randomInputs } from '../../support/randomProgram';

export const provenance: RenderOptions['provenance'] = {
  generator: 'QuantMCU test',
  planHash: '0123abcd',
  modelFile: 'net.onnx',
};

export interface Reference {
  readonly program: Program;
  readonly inputs: Uint8Array[][];
  readonly outputs: Uint8Array[][];
  /** With the first `goldenCount` sets as golden vectors. */
  readonly files: GeneratedFile[];
  /** The same for a runtime that a project has once. */
  readonly sources: GeneratedSources;
}

/** Inputs, the outputs that the reference interpreter computes from them, and the sources. */
export function reference(
  program: Program,
  count: number,
  goldenCount = 2,
  makeInputs = (i: number): Uint8Array[] => randomInputs(program, 1000 + i),
  options: Pick<RenderOptions, 'optimize' | 'target' | 'cores'> = {},
): Reference {
  const executor = new Executor(program);
  const inputs = Array.from({ length: count }, (_, i) => makeInputs(i));
  const outputs = inputs.map((set) => executor.run(set).outputs);
  const golden = inputs.slice(0, goldenCount).map((set, i) => ({ inputs: set, outputs: outputs[i] }));
  const sources = renderSources(program, { ...options, name: program.name, golden, provenance });
  return { program, inputs, outputs, files: selfContained(sources, program.name), sources };
}

/** Output bytes as text, for messages that show the difference. */
export function toHex(outputs: readonly (readonly Uint8Array[])[]): string[][] {
  return outputs.map((set) => set.map((bytes) => Buffer.from(bytes).toString('hex')));
}
