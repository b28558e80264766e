import { assemble, renderC, type GeneratedFile } from '../../src/engine/codegen';
import { lower } from '../../src/engine/program/lower';
import type { Program, Step } from '../../src/engine/program/types';
import { quantizeGraph } from '../../src/engine/quantize/quantizeGraph';
import type { Core } from '../../src/engine/targets/types';
import { calibrateGraph, graphSamples, pixelInput } from '../support/quantizedGraph';
import { randomGraph } from '../support/randomGraph';
import { randomPlan } from '../support/randomPlan';
import { randomProgram } from '../support/randomProgram';

/** A network's steps in C, and what they consist of. */
interface StepSource {
  readonly files: readonly GeneratedFile[];
  readonly counts: Readonly<Record<string, number>>;
  readonly tableBytes: number;
  readonly structs: readonly string[];
}

const provenance = { generator: '', planHash: '', modelFile: '' };

/** Networks of all sizes with patches, classes and stages, and Programs of every kind of kernel. */
export function stepSources(core: Core): StepSource[] {
  const target = { core, flashBytes: 1e9 };
  return [...Array(12).keys()].flatMap((seed) =>
    [plannedProgram(seed + 1), far(randomProgram(seed + 1)), far(guarded(plannedProgram(seed + 13)))].map((program) => {
      const options = { optimize: 'speed', target } as const;
      const files = renderC(program, { name: 'net', provenance, ...options });
      const { counts, tableBytes, structs } = assemble(program, 'net', options).code;
      const own = files.filter(({ path }) => /^net(_internal)?\.[ch]$/.test(path));
      return { files: own, counts: { ...counts }, tableBytes, structs };
    }),
  );
}

/** With buffers beyond what an instruction holds as an offset. */
function far(program: Program): Program {
  return { ...program, buffers: program.buffers.map((b) => ({ ...b, offset: b.offset + 70_000 })) };
}

/** All steps under conditions, as in patches whose classes are found at run time: none of them is in the table. */
function guarded(program: Program): Program {
  const guard = ({ layer }: Step): Step['guard'] => ({ buffer: 0, index: layer % 9, value: layer % 2 === 0 ? 0 : 1 });
  return { ...program, steps: program.steps.map((step) => ({ ...step, guard: guard(step) })) };
}

function plannedProgram(seed: number): Program {
  const graph = randomGraph(seed, { blocks: 2 + (seed % 24) });
  const { decisions, stage, tailStages, input } = randomPlan(graph, seed);
  const calibration = calibrateGraph(graph, graphSamples(graph, 1, 1));
  const parameters = quantizeGraph(graph, calibration, pixelInput(graph), decisions);
  return lower(graph, stage, parameters, { name: 'net', input, tailStages });
}
