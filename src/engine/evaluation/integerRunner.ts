import type { GraphInputs } from '../calibration/arrayFile';
import { loadSample, type SampleInput } from '../calibration/inputs';
import type { Sample } from '../calibration/samples';
import type { Preprocess } from '../calibration/types';
import { UserError } from '../common/errors';
import { Executor, type RunHooks } from '../program/interpreter';
import { inputCodes } from '../program/ports';
import type { Program } from '../program/types';

/** What a runner needs; structured-cloneable. */
export interface RunnerSetup {
  readonly program: Program;
  readonly network: GraphInputs;
  readonly preprocess: Preprocess;
}

/** A sample to run: one to be loaded, or one that was loaded already, for readers that cannot go to another thread. */
export type RunnerJob = { readonly index: number } & (
  { readonly sample: Sample } | { readonly inputs: readonly SampleInput[] }
);

/** What became of a job. */
export type RunnerResult =
  /** The sample is damaged or does not fit the network; one line for the user. */
  | { readonly index: number; readonly problem: string }
  | {
      readonly index: number;
      readonly problem: null;
      /** Real inputs for the float network, HWC. */
      readonly reals: readonly Float32Array[];
      /** Packed bytes of each output port. */
      readonly outputs: readonly Uint8Array[];
      /** Size of the image; null for arrays. */
      readonly image: SampleInput['image'] | null;
    };

/** Loads samples and runs the integer network on them, here or in a thread of its own. */
export class IntegerRunner {
  private readonly executor: Executor;

  constructor(private readonly setup: RunnerSetup) {
    this.executor = new Executor(setup.program);
  }

  async run(job: RunnerJob, hooks?: RunHooks): Promise<RunnerResult> {
    const { program, network, preprocess } = this.setup;
    let inputs: readonly SampleInput[];
    try {
      inputs = 'inputs' in job ? job.inputs : await loadSample(job.sample, network, preprocess);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { index: job.index, problem: error.message };
    }
    const { outputs } = this.executor.run(
      inputs.map((input, i) => inputCodes(program, i, input)),
      hooks,
    );
    return {
      index: job.index,
      problem: null,
      reals: inputs.map((i) => i.real),
      outputs,
      image: inputs[0]?.image ?? null,
    };
  }
}
