import { calibrateCached } from '../calibration/cache';
import { listSamples, type SampleSet } from '../calibration/samples';
import type { Calibration, Preprocess } from '../calibration/types';
import type { DetectionHead } from '../detection/head';
import type { ResolvedHead } from '../detection/resolve';
import { chooseDetection } from '../run/chooseDetection';
import { decide } from '../run/decide';
import type { DecideOptions, Decision } from '../run/decisionTypes';
import type { Task } from '../graph/task';
import type { Graph } from '../graph/types';
import { LossEstimator } from '../run/lossEstimator';
import { COMPENSATION_IMAGES, ModelQuantizer } from '../run/modelQuantizer';
import { readNetwork } from '../run/readNetwork';
import type { Progress } from '../common/progress';
import type { SweepSettings } from './types';

/** What a session is opened on. */
export interface SessionModel {
  readonly modelPath: string;
  readonly sizes?: Readonly<Record<string, number>>;
  /** Calibration samples. */
  readonly imagesPath: string;
  readonly limit: number;
  /** Null: what a detector's head needs, otherwise `unit`. */
  readonly preprocess: Preprocess | null;
  /** A detector's head as quantization takes it; missing: as the outputs tell. */
  readonly head?: string | DetectionHead;
  /** What the outputs are for; missing: from the last layer and the samples' labels. */
  readonly task?: Task;
  /** Where calibrations are cached; null: nowhere. */
  readonly cachePath: string | null;
  /** Named in errors. */
  readonly file: string;
}

/** Quantization of one model at several settings. */
export class SweepSession {
  private constructor(
    readonly model: SessionModel,
    readonly sha256: string,
    readonly graph: Graph,
    readonly calibration: Calibration,
    readonly preprocess: Preprocess,
    /** A detector's head; null: its outputs are values. */
    readonly head: ResolvedHead | null,
    readonly quantizer: ModelQuantizer,
    private readonly samples: SampleSet,
    /** About the samples, one line each. */
    readonly notes: readonly string[],
  ) {}

  /** @throws UserError, CancelledError as calibration does */
  static async open(model: SessionModel, progress: Progress): Promise<SweepSession> {
    progress.report('Reading the model', 0, 0);
    const { modelPath, file } = model;
    const { sha256, graph, cut } = await readNetwork(model);
    const notes: string[] = [];
    const { task, head, preprocess } = await chooseDetection(graph, model, notes, cut);
    const samples = await listSamples(model.imagesPath, graph, model.limit);
    notes.push(...samples.notes);
    const calibration = await calibrateCached(graph, modelPath, samples, preprocess, model.cachePath, progress, notes);
    const quantizer = new ModelQuantizer({ graph, modelPath, samples, preprocess, calibration, task, head, file });
    return new SweepSession(model, sha256, graph, calibration, preprocess, head, quantizer, samples, notes);
  }

  /** Estimates what plans lose. @param fits whether their weights are fitted */
  lossEstimator(fits: boolean): LossEstimator {
    const { graph, samples, preprocess, head, quantizer } = this;
    const { modelPath } = this.model;
    const job = { graph, modelPath, samples, preprocess, head, fitImages: COMPENSATION_IMAGES, fits };
    return new LossEstimator(job, quantizer);
  }

  /** Decides as quantization does, without comparing other plans. @throws UserError when nothing fits */
  async decide(settings: SweepSettings, locked: DecideOptions['locked'], progress: Progress): Promise<Decision> {
    const { bitOpsTarget } = settings;
    const measured =
      bitOpsTarget === undefined
        ? undefined
        : { ...(await this.quantizer.sensitivities(settings.bits, progress)), target: bitOpsTarget };
    return decide(this.graph, this.calibration, { ...settings, measured, locked }, progress);
  }
}
