import * as path from 'node:path';
import { calibrateCached } from '../calibration/cache';
import { listSamples, type SampleSet } from '../calibration/samples';
import type { Calibration, Preprocess } from '../calibration/types';
import { toIdentifier } from '../codegen';
import { compensate, observeTargets, type FloatTargets } from '../compensate/compensate';
import { decide, type DecideOptions, type Decision } from '../decide';
import type { Graph } from '../graph/types';
import { importModel } from '../onnx';
import { COMPENSATION_IMAGES, mixedBits } from '../quantizer';
import { decisionsOf } from '../plan/decisions';
import { hashFile } from '../plan/files';
import { inputFormats } from '../plan/inputs';
import { oneScaleMaps, resolveStage, resolveTailStages } from '../plan/stage';
import type { Bits, Plan } from '../plan/types';
import { lower } from '../program/lower';
import type { Program } from '../program/types';
import type { Progress } from '../progress';
import { quantizeGraph } from '../quantize/quantizeGraph';
import type { QuantizedParameters } from '../quantize/types';
import { measureSensitivities, SENSITIVITY_IMAGES } from '../vdqs/sensitivity';
import { decisionUnits } from '../vdqs/units';
import type { SweepDecisions, SweepSettings } from './types';

/** What a session is opened on. */
export interface SessionModel {
  readonly modelPath: string;
  readonly sizes?: Readonly<Record<string, number>>;
  /** Calibration samples. */
  readonly imagesPath: string;
  readonly limit: number;
  readonly preprocess: Preprocess;
  /** Where calibrations are cached; null: nowhere. */
  readonly cachePath: string | null;
  /** Named in errors. */
  readonly file: string;
}

type Measured = NonNullable<DecideOptions['measured']>;

/** Quantization of one model at several settings: calibration, float targets and sensitivities are made once, and weights again only where bits differ. */
export class SweepSession {
  private targets: FloatTargets | null = null;
  private measured: { readonly bits: string; readonly value: Omit<Measured, 'target'> } | null = null;
  private last: { readonly key: string; readonly parameters: QuantizedParameters } | null = null;

  private constructor(
    readonly model: SessionModel,
    readonly sha256: string,
    readonly graph: Graph,
    private readonly samples: SampleSet,
    readonly calibration: Calibration,
    /** About the samples, one line each. */
    readonly notes: readonly string[],
  ) {}

  /** @throws UserError, CancelledError as calibration does */
  static async open(model: SessionModel, progress: Progress): Promise<SweepSession> {
    progress.report('Reading the model', 0, 0);
    const sha256 = await hashFile(model.modelPath);
    const graph = await importModel(model.modelPath, { sizes: model.sizes });
    const samples = await listSamples(model.imagesPath, graph, model.limit);
    const notes = [...samples.notes];
    const calibration = await calibrateCached(graph, model.modelPath, samples, model.preprocess, model.cachePath, progress, notes);
    return new SweepSession(model, sha256, graph, samples, calibration, notes);
  }

  /** Decides as quantization does, without comparing other plans. @throws UserError when nothing fits */
  async decide(settings: SweepSettings, locked: DecideOptions['locked'], progress: Progress): Promise<Decision> {
    const { bitOpsTarget } = settings;
    const measured = bitOpsTarget === undefined ? undefined : { ...(await this.sensitivities(settings.bits, progress)), target: bitOpsTarget };
    return decide(this.graph, this.calibration, { ...settings, measured, locked, compare: false }, progress);
  }

  /** Sensitivities of every decision, measured on first use. */
  async sensitivities(bits: readonly Bits[], progress: Progress): Promise<Omit<Measured, 'target'>> {
    const key = bits.join();
    if (this.measured?.bits !== key) {
      const { graph, calibration } = this;
      const units = decisionUnits(graph);
      const sensitivities = measureSensitivities(graph, calibration, this.inputs(), units, bits, await this.floatTargets(progress), SENSITIVITY_IMAGES, progress);
      this.measured = { bits: key, value: { units, sensitivities } };
    }
    return this.measured.value;
  }

  /** Quantized parameters of decisions, the last ones again where they are the same. Classes of patches do not change them. */
  async parameters(decisions: SweepDecisions, fit: boolean | undefined, progress: Progress): Promise<QuantizedParameters> {
    const { graph, model: { file } } = this;
    const oneScale = oneScaleMaps(graph, decisions.patchStage);
    const key = JSON.stringify([decisions.maps, decisions.layers, [...oneScale], fit]);
    if (this.last?.key !== key) {
      progress.report('Quantizing weights', 0, 0);
      let parameters = quantizeGraph(graph, this.calibration, this.inputs(), decisionsOf(graph, decisions, file), oneScale);
      if (fit ?? mixedBits(decisions)) parameters = compensate(graph, parameters, await this.floatTargets(progress), progress);
      this.last = { key, parameters };
    }
    return this.last.parameters;
  }

  /** The Program of decisions for a board. */
  lower(decisions: SweepDecisions, parameters: QuantizedParameters, target: Plan['target']): Program {
    const { graph, model: { file, modelPath } } = this;
    const stage = resolveStage(graph, decisions.patchStage, file);
    return lower(graph, stage, parameters, {
      name: toIdentifier(path.basename(modelPath)), input: target.input, tailStages: resolveTailStages(graph, decisions, file),
    });
  }

  private inputs(): ReturnType<typeof inputFormats> {
    return inputFormats(this.graph, this.model.preprocess, this.calibration, this.samples.elementType);
  }

  private async floatTargets(progress: Progress): Promise<FloatTargets> {
    this.targets ??= await observeTargets(this.graph, this.model.modelPath, this.samples, this.model.preprocess, COMPENSATION_IMAGES, progress);
    return this.targets;
  }
}
