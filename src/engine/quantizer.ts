import { floatOutputs, type FloatResult } from './calibration/float';
import { spread, type SampleSet } from './calibration/samples';
import type { Calibration, Preprocess } from './calibration/types';
import { decide, type DecideOptions, type Decision } from './decide';
import { UserError } from './errors';
import type { Graph } from './graph/types';
import { COMPENSATION_IMAGES, ModelQuantizer } from './modelQuantizer';
import { Executor } from './program/interpreter';
import { decodePort, inputCodes } from './program/ports';
import type { Program } from './program/types';
import { checkCancelled, type Progress } from './progress';
import type { QuantizedParameters } from './quantize/types';
import { expectedPointsLost, isClassifier, searchWithinBudget } from './vdqs/accuracyBudget';

/** Images that an accuracy budget is checked on, where there are so many that nothing was fitted to. */
const BUDGET_IMAGES = 64;
/** With fewer images kept back than this, all are used to check a budget. */
const LEAST_HELD_OUT = 16;
/** No plan of 4-bit maps and weights does more; 2-bit maps may, and are then not all used. */
const MOST_REDUCTION = 4;

/** What is quantized, and what the search has to respect. */
export interface QuantizerJob {
  readonly graph: Graph;
  readonly modelPath: string;
  /** Named in errors. */
  readonly planPath: string;
  readonly samples: SampleSet;
  readonly preprocess: Preprocess;
  readonly calibration: Calibration;
  readonly search: Omit<DecideOptions, 'measured'>;
  /** Undefined: when anything has fewer than 8 bits. */
  readonly compensate?: boolean;
}

/** Decisions with everything that follows from them. */
export interface Quantized {
  readonly decision: Decision;
  readonly parameters: QuantizedParameters;
  readonly program: Program;
}

/** Decides and quantizes, once or for several reductions of BitOPs: what does not depend on the reduction is computed once. */
export class Quantizer {
  private readonly model: ModelQuantizer;
  /** Time spent on decisions, in seconds. */
  searchSeconds = 0;

  constructor(private readonly job: QuantizerJob, private readonly progress: Progress) {
    this.model = new ModelQuantizer({ ...job, file: job.planPath });
  }

  /**
   * @param reduction of BitOPs, by measured sensitivities; undefined: bits by the entropy score
   * @throws UserError when nothing fits; CancelledError
   */
  async quantize(reduction?: number): Promise<Quantized> {
    const { graph, calibration, search } = this.job;
    const begin = performance.now();
    const measured = reduction === undefined ? undefined : { ...(await this.model.sensitivities(search.bits, this.progress)), target: reduction };
    const decision = decide(graph, calibration, { ...search, measured }, this.progress);
    this.searchSeconds += (performance.now() - begin) / 1000;
    const parameters = await this.model.parameters(decision, this.job.compensate, this.progress);
    const program = this.model.lower(decision, parameters, search.target);
    return { decision, parameters, program };
  }

  /**
   * The largest reduction that is expected to lose no more than `points` of top-1, by images that nothing was fitted to.
   *
   * @param notes gets what was found
   * @throws UserError for networks that are no classifiers
   */
  async quantizeWithin(points: number, notes: string[]): Promise<Quantized & { readonly reduction: number }> {
    const { graph } = this.job;
    if (!isClassifier(graph)) throw new UserError(`An accuracy budget counts right answers, and ${graph.name} does not give one vector of class scores. Give a reduction of BitOPs instead (--bitops-target).`);
    const images = await this.heldOut(notes);
    const { best, kept } = await searchWithinBudget(points, MOST_REDUCTION, async (reduction) => {
      const quantized = await this.quantize(reduction);
      return { ...quantized, reduction, pointsLost: this.pointsLost(quantized.program, images) };
    });
    const expected = `${best.pointsLost.toFixed(2)} points of top-1 by ${images.length} images`;
    notes.push(kept ? `Expected loss ${expected}, of ${points} allowed.` : `Even at 8 bits the expected loss is ${expected}, more than the ${points} allowed.`);
    return best;
  }

  private pointsLost(program: Program, images: readonly FloatResult[]): number {
    const executor = new Executor(program);
    const quantized = images.map(({ inputs }, i) => {
      checkCancelled(this.progress);
      this.progress.report('Checking the accuracy budget', i, images.length);
      return executor.run(inputs.map((input, k) => inputCodes(program, k, input))).outputs.map((bytes, k) => decodePort(program, program.outputs[k], bytes));
    });
    return expectedPointsLost(this.job.graph, images.map((i) => i.outputs), quantized);
  }

  /** Images that compensation does not look at, with the float network's outputs. */
  private async heldOut(notes: string[]): Promise<FloatResult[]> {
    const { graph, modelPath, samples, preprocess } = this.job;
    const fitted = new Set(spread(samples.samples.length, COMPENSATION_IMAGES));
    let others = samples.samples.filter((_, i) => !fitted.has(i));
    if (others.length < LEAST_HELD_OUT) {
      notes.push(`The accuracy budget was checked on images that weights were fitted to, which is too kind: ${COMPENSATION_IMAGES + BUDGET_IMAGES} or more images would leave some for checking.`);
      others = [...samples.samples];
    }
    const chosen = { ...samples, samples: spread(others.length, BUDGET_IMAGES).map((i) => others[i]) };
    const results: FloatResult[] = [];
    for await (const result of floatOutputs(graph, modelPath, chosen, preprocess, this.progress, [])) results.push(result);
    return results;
  }
}
