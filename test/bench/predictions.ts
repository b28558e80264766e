import * as path from 'node:path';
import { loadSamples } from '../../src/engine/calibration/inputs';
import { listSamples } from '../../src/engine/calibration/samples';
import { topIndices } from '../../src/engine/evaluation/compareOutputs';
import { generateSources } from '../../src/engine/run/generate';
import { openPlan } from '../../src/engine/planned/open';
import { Executor } from '../../src/engine/program/interpreter';
import { decodePort, inputCodes } from '../../src/engine/program/ports';
import { silentProgress } from '../../src/engine/common/progress';
import { buildForHost, removeFolder, scratchFolder } from '../firmware/support/hostBuild';

/** What the generated C chose for each image, and on how many of them its output bytes are the interpreter's. */
export interface FirmwarePredictions {
  readonly classes: ReadonlyMap<string, number>;
  readonly sameBytes: number;
}

/** Generates the C of a plan, compiles it for this computer and runs it on `limit` images, evenly spread. */
export async function firmwarePredictions(
  planPath: string,
  images: string,
  limit: number,
): Promise<FirmwarePredictions> {
  const opened = await openPlan(planPath);
  const { graph, program, plan } = opened;
  const set = await listSamples(images, graph, limit);
  const names: string[] = [];
  const inputs: Uint8Array[][] = [];
  for await (const { sample, inputs: loaded } of loadSamples(set, graph, plan.preprocess, '', silentProgress, [])) {
    names.push(sample.name);
    inputs.push(loaded.map((input, i) => inputCodes(program, i, input)));
  }
  const folder = scratchFolder(path.basename(planPath, '.json'));
  try {
    const { outputs, selftest, guardsWhole } = buildForHost(folder, program, generateSources(opened).files, {
      flags: ['-O2'],
    }).run(inputs);
    if (selftest !== 0 || !guardsWhole)
      throw new Error(
        `${planPath}: the self-test gives ${selftest}, guard bytes ${guardsWhole ? 'whole' : 'overwritten'}.`,
      );
    const executor = new Executor(program, { reference: true });
    const classes = new Map(
      outputs.map((bytes, i) => [names[i], topIndices(decodePort(program, program.outputs[0], bytes[0]), 1)[0]]),
    );
    const same = outputs.filter((bytes, i) =>
      executor.run(inputs[i]).outputs.every((o, k) => Buffer.compare(o, bytes[k]) === 0),
    );
    return { classes, sameBytes: same.length };
  } finally {
    removeFolder(folder);
  }
}
