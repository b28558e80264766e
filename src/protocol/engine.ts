import type { Camera } from '../engine/calibration/camera';
import type { SelftestCore } from '../engine/emulator/boards';
import type { QuantizeOptions } from '../engine/run/options';
import type { FoundPreprocess } from '../engine/run/foundPreprocess';
import type { QuantizeSummary } from '../engine/run/quantizeSummary';
import type { Overall } from '../engine/common/progress';
import type { Usage } from '../engine/codegen/usageTypes';
import type { WriteResult } from '../engine/codegen/writeResult';
import type { Core, Optimize } from '../engine/targets/types';
import type { PlanChange } from '../engine/run/whatIf/changes';
import type { SweepService } from './sweeps';
import type { LayerDetailsView } from './details';
import type { DetectionsView } from './detections';
import type { DrawingRequest, DrawingView } from './drawing';
import type { FirstFitView, FitBoard, FitView } from './fit';
import type { TradeOffView } from './tradeOff';
import type { EditorView, PreviewView, SampleImageView, TargetView } from './views';

/**
 * What the extension host asks of the engine, wherever that runs (a worker thread today). One interface is the single
 * truth: the worker implements it, the host holds a client with the same methods. Every argument and result is
 * structured-cloneable. Failures reject with a {@link RemoteError}.
 */
export interface EngineService extends SweepService {
  targets(): Promise<readonly TargetView[]>;
  /** Reads a model, and its plan if the sidecar exists. Never runs the network. */
  view(request: ViewRequest): Promise<EditorView>;
  /**
   * A model as lines of text, to be compared with another version's. With a plan, of this or of the other version, the
   * float network runs on some of its images, fed as it says, and the text tells how well it does.
   */
  modelText(
    request: Pick<ViewRequest, 'modelPath' | 'sizes'> & {
      readonly planPath?: string;
      /** Images instead of those that the plan was calibrated on. */
      readonly imagesPath?: string;
    },
  ): Promise<string>;
  /**
   * Which boards a model fits, those of the table and others that are given. Takes seconds on a large network; never
   * runs it.
   */
  fit(request: FitRequest): Promise<FitView>;
  /** What is known of that at once: layer by layer, without patches. */
  firstFit(request: FitRequest): Promise<FirstFitView>;
  /** Reads a model ahead of a job with it, on the same engine. */
  readModel(request: Pick<ViewRequest, 'modelPath' | 'sizes'>): Promise<void>;
  /** How well the float network does under each preprocessing; null where that cannot be found. Takes seconds. */
  findPreprocess(request: {
    readonly modelPath: string;
    readonly imagesPath: string;
    readonly sizes?: Readonly<Record<string, number>>;
  }): Promise<FoundPreprocess | null>;
  /** What is wrong with a plan or with what it names, each at its place in the text. Writes nothing. */
  checkPlan(request: ViewRequest): Promise<readonly PlanProblem[]>;
  /** Reads what changes of a plan need, so that the first one does not wait for it. */
  prepare(request: ViewRequest): Promise<void>;
  /** The text of a plan after a change, with the figures that are known at once. Writes nothing. */
  change(request: ChangeRequest): Promise<ChangeResult>;
  /** The figures that a change would lead to; null where it is not possible. Writes nothing. */
  previewChange(request: ChangeRequest): Promise<PreviewView | null>;
  /**
   * The first image of the plan's calibration, as the network sees it; null for models without images, or where they
   * are gone.
   */
  sampleImage(request: ViewRequest): Promise<SampleImageView | null>;
  /** What a plan's network and the float one find on a calibration image; null for no detector, or without images. */
  detections(request: ViewRequest & { readonly image: number }): Promise<DetectionsView | null>;
  /** Where to draw the layers of a network. */
  layout(request: DrawingRequest): Promise<DrawingView>;
  /** Distributions of a layer's weights and output under a plan. */
  layerDetails(request: LayerDetailsRequest): Promise<LayerDetailsView>;
  /**
   * The planner's other choices at a plan's bits, and what φ does to its patches. Takes up to seconds on large
   * networks.
   */
  tradeOff(request: ViewRequest): Promise<TradeOffView>;
  /** The plan's model layer by layer with everything at 8 bits, as it would be shown. Needs the calibration. */
  baseline(request: ViewRequest): Promise<EditorView>;
  /** Calibrates, searches and writes the plan and its parameters. Cancellable. */
  quantize(request: QuantizeRequest): Promise<QuantizeSummary>;
  /** Writes the C files into a firmware project, all or none, and never over what is not ours. Cancellable. */
  generate(request: GenerateRequest): Promise<GenerateSummary>;
  /** The kinds of project that a folder is, the best first. */
  layouts(projectPath: string): Promise<readonly LayoutView[]>;
  /** Takes a model's generated files and marked blocks out of a firmware project. */
  remove(request: RemoveRequest): Promise<RemovalSummary>;
  /** Builds the generated self-test and runs it on an emulated core or this computer. Cancellable. */
  selftest(request: SelftestRequest): Promise<SelftestSummary>;
  /** Runs the firmware's integer arithmetic and float on images and stores the result next to the plan. Cancellable. */
  evaluate(request: EvaluateRequest): Promise<EvaluationSummary>;
}

export interface ViewRequest {
  readonly modelPath: string;
  readonly planPath: string;
  /** The sidecar's text where it differs from the file's: an editor that has not been saved. */
  readonly planText?: string;
  readonly sizes?: Readonly<Record<string, number>>;
}

export interface FitRequest {
  readonly modelPath: string;
  readonly sizes?: Readonly<Record<string, number>>;
  /** Boards of the user's own. */
  readonly boards: readonly FitBoard[];
  /** What the settings allow of every board. */
  readonly limits: { readonly sramBytes?: number; readonly flashBytes?: number };
}

/** Something that keeps a plan from being used as it is, or from being made again. */
export interface PlanProblem {
  readonly code:
    'invalid' | 'model-missing' | 'model-changed' | 'parameters-missing' | 'parameters-other' | 'images-missing';
  /** `warning`: the plan can be used all the same. */
  readonly severity: 'error' | 'warning';
  /** Keys that lead to the value in the plan's text; empty for the whole of it. */
  readonly place: readonly string[];
  /** One line for the user. */
  readonly message: string;
}

export interface ChangeRequest extends ViewRequest {
  readonly planText: string;
  readonly change: PlanChange;
}

export interface LayerDetailsRequest extends ViewRequest {
  readonly layer: number;
  /** Of the layer's output; null: all together. */
  readonly channel: number | null;
}

export interface ChangeResult {
  /** The sidecar's new text. */
  readonly planText: string;
  readonly preview: PreviewView;
}

/** {@link QuantizeOptions} as the host has them: a board by its id, and preprocessing by its name. */
export interface QuantizeRequest extends Omit<
  QuantizeOptions,
  'target' | 'preprocess' | 'compensate' | 'cachePath' | 'model'
> {
  readonly targetId: string;
  /** Instead of the board's. */
  readonly sramBytes?: number;
  readonly flashBytes?: number;
  /** Percent of the flash that is kept for the application. Missing: see PlanTarget. */
  readonly flashReserve?: number;
  /** What storage forms are chosen for. Missing: balanced. */
  readonly optimize?: Optimize;
  /** Of a board of the user's own. */
  readonly core?: Core;
  /** Preset name or path of a JSON file. */
  readonly preprocess: string;
}

export interface GenerateRequest {
  readonly planPath: string;
  /** C identifier prefix; from the model's name when missing. */
  readonly name?: string;
  /** The firmware project that the files go into; its build system decides where they lie and what else they need. */
  readonly projectPath: string;
  /** Files in the way that may be overwritten, by their paths in {@link GenerateSummary.conflicts}. */
  readonly overwrite?: readonly string[];
  /** Files in the way that stay as they are while the others are written, by the same paths. */
  readonly keep?: readonly string[];
  /** Id of a {@link LayoutView}; the best one when missing. */
  readonly layoutId?: string;
  /** Which of the {@link GenerateSummary.edits} to make, by their paths. */
  readonly editBuildFiles?: readonly string[];
  /** Write nothing, only say what would be written: fills {@link GenerateSummary.changes}. */
  readonly dryRun?: boolean;
  /** Kernels made for each layer's shape, or less code; `speed` when missing. */
  readonly optimize?: Optimize;
  /** Whose pictures are the input; missing: the application fills it itself. */
  readonly camera?: Camera;
}

/** A kind of firmware project. */
export interface LayoutView {
  readonly id: string;
  readonly title: string;
  /** What tells that the project is of this kind. */
  readonly evidence: string;
}

/** A change to a build file of the user's: a marked block that comes, changes or goes. */
export interface BuildFileEdit {
  /** Relative to the project, with '/' separators. */
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

export interface RemoveRequest {
  readonly projectPath: string;
  /** The plan's model gives the name under which it was generated. */
  readonly planPath: string;
  readonly dryRun: boolean;
}

/** Paths are relative to the project. */
export interface RemovalSummary {
  readonly name: string;
  readonly removed: readonly string[];
  /** Generated files that were edited: they stay. */
  readonly kept: readonly string[];
  readonly edits: readonly BuildFileEdit[];
}

export interface SelftestRequest {
  readonly planPath: string;
  readonly core: SelftestCore;
  /** As in {@link GenerateRequest}. */
  readonly optimize?: Optimize;
}

export interface SelftestSummary {
  readonly name: string;
  readonly passed: boolean;
  /** What came out, in words. */
  readonly message: string;
  /** What compiler and program printed. */
  readonly output: string;
  /** Instructions of one inference, counted on the emulated board; null where they were not. */
  readonly instructions: number | null;
}

/** A file that is in the way of a generated one. */
export interface GenerateConflict {
  /** Relative to the project, with '/' separators. */
  readonly path: string;
  /** `edited`: generated earlier and changed since; `foreign`: not generated by us. */
  readonly reason: 'edited' | 'foreign';
  /** False for what is not a regular file, which is not overwritten on request either. */
  readonly replaceable: boolean;
  /** What would be written. */
  readonly text: string;
}

/** A file of ours that would come, change or go. */
export interface GeneratedChange {
  /** Relative to the project, with '/' separators. */
  readonly path: string;
  readonly kind: 'create' | 'update' | 'remove';
  /** What would be written; empty for one that goes. */
  readonly text: string;
}

/** What a generated network is, and where it went. */
export interface GeneratedNetwork {
  readonly name: string;
  /** What kind of project was found, in words, e.g. `PlatformIO library`. */
  readonly layout: string;
  readonly arenaBytes: number;
  readonly weightBytes: number;
  /** Weights, tables and code. */
  readonly flashBytes: number;
  /** What is left to be added to the project's build by hand, one line each. */
  readonly instructions: readonly string[];
}

/** What generating did. Paths are relative to the project. */
export interface GenerateSummary extends GeneratedNetwork, Omit<WriteResult, 'released'> {
  /** Id of its {@link LayoutView}. */
  readonly layoutId: string;
  /** Absolute path of the folder of the model's files. */
  readonly folder: string;
  /** See PlanView.unfitted. */
  readonly unfitted: boolean;
  /** With any of these, nothing was written. */
  readonly conflicts: readonly GenerateConflict[];
  /**
   * What the project's build files need, so that its build finds the sources: made with `editBuildFiles`, otherwise
   * proposed.
   */
  readonly edits: readonly BuildFileEdit[];
  /** What writing would do to files of ours; empty unless `dryRun`. */
  readonly changes: readonly GeneratedChange[];
  /** What an application adds to run the network. */
  readonly usage: Usage;
  /** A camera's pictures can be its input. */
  readonly takesPictures: boolean;
}

export interface EvaluateRequest {
  readonly planPath: string;
  readonly imagesPath: string;
  readonly limit: number;
}

export interface EvaluationSummary {
  readonly images: number;
  readonly float: { readonly top1: number | null; readonly top5: number | null };
  readonly quantized: { readonly top1: number | null; readonly top5: number | null };
  /** Null where there are no classes. */
  readonly agreement: number | null;
  /** Signal-to-noise ratio of the outputs against float, dB; null without noise. */
  readonly outputSnr: number | null;
  /**
   * Of a detector, percent: boxes that have a partner in the float network's, and mean average precision at an overlap
   * of 0.5 where boxes are known; null for other networks.
   */
  readonly detection: {
    readonly boxAgreement: number;
    readonly floatMap50: number | null;
    readonly map50: number | null;
  } | null;
  /** The images are those that the plan was calibrated on. */
  readonly calibrated: boolean;
}

/** How an error crosses the border: `user` errors are shown unchanged, others with a hint to the log. */
export interface RemoteError {
  readonly kind: 'user' | 'cancelled' | 'internal';
  readonly message: string;
  readonly stack?: string;
}

/** A running call's progress; `total` 0 when unknown. */
export interface ProgressEvent {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  /** Where the run is as a whole. */
  readonly overall?: Overall;
}
