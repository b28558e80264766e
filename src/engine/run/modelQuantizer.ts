import * as path from 'node:path';
import { labelsOf, spread, type SampleSet } from '../calibration/samples';
import type { Calibration, Preprocess } from '../calibration/types';
import { toIdentifier } from '../codegen';
import type { Compensated, Dampings } from '../compensate/compensate';
import { observeTargets } from '../compensate/observeTargets';
import type { FloatTargets } from '../compensate/targets';
import { headMaps, type ResolvedHead } from '../detection/resolve';
import type { DecideOptions } from './decisionTypes';
import { mayBeScores, taskOf, type Task } from '../graph/task';
import { isWeighted, type Graph, type MapId } from '../graph/types';
import { decisionsOf } from '../planned/decisions';
import { inputFormats } from '../planned/inputs';
import { oneScaleMaps, resolveStage, resolveTailStages } from '../planned/stage';
import type { Bits } from '../graph/bits';
import type { Plan } from '../plan/types';
import { withHead } from '../program/detection/lowerHead';
import { lower } from '../program/lower';
import type { Program } from '../program/types';
import { checkCancelled, type Progress } from '../common/progress';
import { withFinerCodes, type MapRanges } from '../quantize/finerCodes';
import { quantizeGraph, type BitDecisions } from '../quantize/quantizeGraph';
import { QuantizedParts } from '../quantize/quantizedParts';
import { formatTies } from '../quantize/ties';
import type { QuantizedParameters } from '../quantize/types';
import { measureCodeNoise } from '../vdqs/codeNoise';
import type { Fitter } from '../vdqs/fitTasks';
import { openFitter } from '../vdqs/fitThreads';
import { lossOf, type OutputLoss } from '../vdqs/loss';
import { measureSensitivities, SENSITIVITY_IMAGES } from '../vdqs/sensitivity';
import { decisionUnits, type DecisionUnit } from '../vdqs/units';

/** Images that error compensation uses: MobileNetV1 0.25 gains up to there, two others neither gain nor lose. */
export const COMPENSATION_IMAGES = 192;

/** What is quantized. */
export interface ModelToQuantize {
  readonly graph: Graph;
  readonly modelPath: string;
  readonly samples: SampleSet;
  readonly preprocess: Preprocess;
  readonly calibration: Calibration;
  /** Missing: from the last layer and the samples' labels. */
  readonly task?: Task;
  /** A detector's head; missing: its outputs are compared as values. */
  readonly head?: ResolvedHead | null;
  /** Images that weights are fitted to; undefined: {@link COMPENSATION_IMAGES}. */
  readonly fitImages?: number;
  /** Threads that fit weights at once; undefined: one for each core. The result does not depend on it. */
  readonly threads?: number;
  /** Named in errors. */
  readonly file: string;
}

/** A plan's decisions about bits and stages. */
export type Decisions = Pick<Plan, 'patchStage' | 'tailStages' | 'maps' | 'layers'>;

type Measured = Omit<NonNullable<DecideOptions['measured']>, 'target'>;

/**
 * Quantizes one model by given decisions. The float network's targets and sensitivities are made once, and
 * weights again only where bits differ.
 */
export class ModelQuantizer {
  readonly units: readonly DecisionUnit[];
  readonly task: Task;
  readonly loss: OutputLoss;
  /** The task as a plan records it: omitted if other samples, with labels, may decide better. */
  readonly sureTask: Task | undefined;
  private readonly inputs: ReturnType<typeof inputFormats>;
  private targets: FloatTargets | null = null;
  private fitter: Fitter | null = null;
  private readonly parts = new QuantizedParts();
  private measured: { readonly bits: string; readonly value: Measured } | null = null;
  private last: { readonly key: string; readonly result: Compensated } | null = null;

  constructor(private readonly model: ModelToQuantize) {
    this.inputs = inputFormats(model.graph, model.preprocess, model.calibration, model.samples.elementType);
    this.units = decisionUnits(model.graph);
    this.task = model.task ?? taskOf(model.graph, labelsOf(model.samples));
    this.loss = lossOf(model.graph, this.task, model.head ?? null);
    this.sureTask = model.task ?? (mayBeScores(model.graph, this.task) ? undefined : this.task);
  }

  /** Sensitivities of every decision, measured on first use. @throws CancelledError */
  async sensitivities(bits: readonly Bits[], progress: Progress): Promise<Measured> {
    const key = bits.join();
    if (this.measured?.bits !== key) {
      const { graph, calibration } = this.model;
      const sensitivities = await measureSensitivities(
        graph,
        calibration,
        this.inputs,
        this.units,
        bits,
        { count: (await this.floatTargets(progress)).images.length, compared: SENSITIVITY_IMAGES },
        await this.openFitter(progress),
        progress,
        this.model.head ? headMaps(graph, this.model.head) : undefined,
      );
      const { perDivergence } = this.loss;
      this.measured = { bits: key, value: { units: this.units, sensitivities, perDivergence } };
    }
    return this.measured.value;
  }

  /** See {@link measureCodeNoise}. @param groups of 8-bit maps that may have 16 @throws CancelledError */
  async codeNoise(parameters: QuantizedParameters, groups: readonly MapId[], progress: Progress): Promise<number[]> {
    const fitter = await this.openFitter(progress);
    const images = spread((await this.floatTargets(progress)).images.length, SENSITIVITY_IMAGES);
    return measureCodeNoise({ parameters, ranges: this.ranges, groups }, images, fitter, progress);
  }

  /** A quantized network with some of its 8-bit maps at 16 bits and everything else as it was. */
  withFinerCodes(parameters: QuantizedParameters, groups: ReadonlySet<MapId>): QuantizedParameters {
    return withFinerCodes(this.model.graph, this.ranges, formatTies(this.model.graph), parameters, groups);
  }

  private get ranges(): MapRanges {
    return new Map([...this.model.calibration.maps].map(([map, { min, max }]) => [map, { min, max }]));
  }

  /**
   * Quantized parameters of decisions; the last ones are reused if they are the same. Classes of patches do not change
   * them.
   *
   * @param fit whether weights are fitted to what the integer layers before them compute: most valuable with few bits,
   * and worth up to two points for thin networks at 8 bits
   * @throws CancelledError
   */
  async parameters(decisions: Decisions, fit: boolean, progress: Progress): Promise<QuantizedParameters> {
    return (await this.compensated(decisions, fit, progress)).parameters;
  }

  /** {@link parameters} and the dampings of their fits. @param dampings of an earlier fit, to be reused */
  async compensated(
    decisions: Decisions,
    fit: boolean,
    progress: Progress,
    dampings: Dampings | null = null,
  ): Promise<Compensated> {
    const { graph, calibration } = this.model;
    const oneScale = oneScaleMaps(graph, decisions.patchStage);
    const key = JSON.stringify([decisions.maps, decisions.layers, [...oneScale], fit, [...(dampings ?? [])]]);
    if (this.last?.key === key) return this.last.result;
    checkCancelled(progress);
    progress.report('Quantizing weights', 0, 0);
    const parameters = quantizeGraph(graph, calibration, this.inputs, this.bitsOf(decisions), oneScale, this.parts);
    let result: Compensated = { parameters, dampings: new Map() };
    if (fit && graph.layers.some(isWeighted)) {
      const fitter = await this.openFitter(progress);
      result = await fitter.run({ kind: 'compensate', parameters, images: null, damping: dampings }, progress);
    }
    this.last = { key, result };
    return result;
  }

  private bitsOf(decisions: Decisions): BitDecisions {
    const { graph, head, file } = this.model;
    return decisionsOf(graph, { ...decisions, ...(head ? { detection: head.head } : {}) }, file);
  }

  /** The Program of decisions for a board. */
  lower(decisions: Decisions, parameters: QuantizedParameters, target: Plan['target']): Program {
    const { graph, modelPath, file, head, preprocess } = this.model;
    const program = lower(graph, resolveStage(graph, decisions.patchStage, file), parameters, {
      name: toIdentifier(path.basename(modelPath)),
      input: target.input,
      sramBytes: target.sramBytes,
      tailStages: resolveTailStages(graph, decisions, file),
    });
    return withHead(program, head, preprocess);
  }

  /**
   * The compensated 8-bit network, layer by layer: the one that sensitivities were measured against, if they were.
   */
  async plainProgram(fit: boolean, progress: Progress): Promise<Program> {
    const parameters =
      this.measured?.value.sensitivities.base ??
      (await this.parameters({ patchStage: null, maps: {}, layers: {} }, fit, progress));
    return lower(this.model.graph, null, parameters, { name: 'plain' });
  }

  private async openFitter(progress: Progress): Promise<Fitter> {
    const { graph, head, threads } = this.model;
    this.fitter ??= openFitter(
      { graph, task: this.task, head: head ?? null },
      await this.floatTargets(progress),
      threads,
    );
    return this.fitter;
  }

  private async floatTargets(progress: Progress): Promise<FloatTargets> {
    const { graph, modelPath, samples, preprocess, fitImages = COMPENSATION_IMAGES } = this.model;
    this.targets ??= await observeTargets(graph, modelPath, samples, preprocess, fitImages, progress);
    return this.targets;
  }
}
