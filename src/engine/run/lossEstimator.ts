import { floatOutputs, type FloatResult } from '../calibration/float';
import { spread } from '../calibration/samples';
import { checkCancelled, type Progress } from '../common/progress';
import { integerInputs } from '../compensate/targets';
import { hasClasses } from '../graph/task';
import { isWeighted } from '../graph/types';
import type { ExpectedLoss } from '../plan/types';
import type { Program } from '../program/types';
import type { ImageOutputs } from '../vdqs/divergence';
import type { OutputLoss } from '../vdqs/loss';
import { programOutputs } from '../vdqs/programOutputs';
import { withKnownBoxes } from './knownBoxes';
import { lossBeyond } from './lossBeyond';
import { MOST_CHECKED } from './lossNotes';
import type { ModelQuantizer } from './modelQuantizer';
import type { QuantizerJob } from './quantizerJob';

/** Images that a loss is estimated on, and what they give. */
interface Checked {
  readonly images: readonly FloatResult[];
  /** Whether nothing is fitted to them. */
  readonly heldOut: boolean;
  /** Of the 8-bit network. */
  readonly wide: ImageOutputs;
  readonly loss: OutputLoss;
}

/** What a loss is estimated of. */
export type LossJob = Pick<QuantizerJob, 'graph' | 'modelPath' | 'samples' | 'preprocess' | 'head'> & {
  /** This many images, evenly spread, are used for fitting. */
  readonly fitImages: number;
  /** Whether weights are fitted at all. */
  readonly fits: boolean;
};

/** What Programs of a model lose against the float network beyond what its 8-bit network loses. */
export class LossEstimator {
  private known: Checked | null = null;
  /** What a detector's loss is estimated from, as a line for the user; null before it was, and for other networks. */
  basis: string | null = null;

  constructor(
    private readonly job: LossJob,
    private readonly model: ModelQuantizer,
  ) {}

  /** Whether losses are counted in right answers. */
  get hasClasses(): boolean {
    return hasClasses(this.model.task);
  }

  /** The reported loss per unit of sensitivity, see {@link OutputLoss}. */
  async perDivergence(progress: Progress): Promise<number> {
    return (await this.checked(progress)).loss.perDivergence;
  }

  /** What a Program is expected to lose. @param budget what was allowed, for the record; null: nothing was said */
  async lossOf(program: Program, budget: number | null, progress: Progress): Promise<ExpectedLoss> {
    const { images, heldOut, wide, loss } = await this.checked(progress);
    return { ...lossBeyond(loss, images, wide, outputsOf(program, images, progress)), heldOut, budget };
  }

  /** How far a Program's outputs are from the float network's, image by image. */
  async divergences(program: Program, progress: Progress): Promise<number[]> {
    const { images, loss } = await this.checked(progress);
    const outputs = outputsOf(program, images, progress);
    return images.map((image, i) => loss.divergence([image.outputs], [outputs[i]]));
  }

  /** Whether there is anything to lose by quantizing. */
  get hasWeights(): boolean {
    return this.job.graph.layers.some(isWeighted);
  }

  /** The images that losses are estimated on, with the 8-bit network's outputs, on first use. */
  private async checked(progress: Progress): Promise<Checked> {
    if (this.known) return this.known;
    const { graph, modelPath, samples, preprocess, fitImages, fits, head } = this.job;
    const fitted = new Set(spread(samples.samples.length, fitImages));
    const others = samples.samples.filter((_, i) => !fitted.has(i));
    const heldOut = others.length > 0;
    const from = heldOut ? others : samples.samples;
    const chosen = { ...samples, samples: spread(from.length, MOST_CHECKED).map((i) => from[i]) };
    const images: FloatResult[] = [];
    for await (const result of floatOutputs(graph, modelPath, chosen, preprocess, progress, []))
      images.push({ ...result, inputs: integerInputs(result.inputs) });
    const wide = outputsOf(await this.model.plainProgram(fits, progress), images, progress);
    const { loss, note } = head
      ? await withKnownBoxes(this.model.loss, head, preprocess, samples, images)
      : { loss: this.model.loss, note: null };
    this.basis = note;
    this.known = { images, heldOut, wide, loss };
    return this.known;
  }
}

function outputsOf(program: Program, images: readonly FloatResult[], progress: Progress): ImageOutputs {
  return programOutputs(
    program,
    images.map(({ inputs }) => inputs),
    (done) => {
      checkCancelled(progress);
      progress.report('Estimating the loss', done, images.length);
    },
  );
}
