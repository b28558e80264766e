import type { PlanChange } from '../engine/run/whatIf/changes';
import type { LayerDetailsView } from './details';
import type { DetectionsView } from './detections';
import type { DrawingRequest, DrawingView } from './drawing';
import type { QuantizeSummary } from '../engine/run/quantizeSummary';
import type { GeneratedNetwork, ProgressEvent } from './engine';
import type { FirstFitView, FitView } from './fit';
import type { SweepView } from './sweeps';
import type { TradeOffView } from './tradeOff';
import type { EditorView, PreviewView, SampleImageView, TargetView } from './views';

/** What the page may ask of the host. */
export interface EditorHost {
  /** The page is ready to draw; the host answers with `show`. */
  ready(): Promise<void>;
  /** Run a command of the extension on this model: quantize, generate, openPlan, reveal an ONNX problem … */
  runCommand(
    command:
      | 'quantize'
      | 'generate'
      | 'generateAgain'
      | 'selftest'
      | 'evaluate'
      | 'openPlan'
      | 'cancel'
      | 'keep'
      | 'largerBudget',
  ): Promise<void>;
  /**
   * Changes the plan. Rejects with one line for the user where that is not possible; else `showPreview` and later
   * `show` follow.
   */
  changePlan(change: PlanChange): Promise<void>;
  /** Takes the last change made here back, or makes it again; false when there is nothing to do. */
  undo(): Promise<boolean>;
  redo(): Promise<boolean>;
  /** Which boards the model fits. Takes up to seconds. */
  fit(): Promise<FitView>;
  /** What is known of that at once: layer by layer, without patches. */
  firstFit(): Promise<FirstFitView>;
  /** The command `quantize` with the board chosen already. */
  quantizeFor(board: { readonly id: string; readonly name: string }): Promise<void>;
  /** An image to draw under the patches; null where there is none. */
  sampleImage(): Promise<SampleImageView | null>;
  /** What both networks find on a sample image, by its position; null where there is none. Takes up to seconds. */
  detections(image: number): Promise<DetectionsView | null>;
  /** Where to draw the layers of a network. */
  layout(request: DrawingRequest): Promise<DrawingView>;
  /** Boards that a plan can be made for. */
  targets(): Promise<readonly TargetView[]>;
  /** Distributions of a layer; the channel of its output, null: all. */
  layerDetails(layer: number, channel: number | null): Promise<LayerDetailsView>;
  /** What the planner finds at the plan's bits, and what φ does. Takes up to seconds. */
  tradeOff(): Promise<TradeOffView>;
  /** The sweeps stored next to the plan. */
  sweeps(): Promise<readonly SweepView[]>;
  /** Asks what to sweep and runs it, with progress as of a command; false when the person left. */
  runSweep(parameter: SweepView['parameter']): Promise<boolean>;
  /** Makes a point of a sweep the plan; can be undone like a change. */
  pickSweepPoint(parameter: SweepView['parameter'], value: number): Promise<void>;
  /** Fits the weights to bits that were changed since, with progress as of a command; can be undone like a change. */
  fitWeights(): Promise<void>;
  /** Another plan of the same model: 8 bits layer by layer, or one that the person picks; null when the person left. */
  otherPlan(which: 'int8' | 'pick'): Promise<OtherPlan | null>;
  /** Lets the person choose where to save a file made by the page; false when the person left. */
  saveFile(file: SavedFile): Promise<boolean>;
  /** Where a layer runs in the C that was generated into a project of this workspace; null where there is none. */
  generatedCode(layer: number): Promise<GeneratedCodeView | null>;
  /** Shows that line in a text editor. */
  openGeneratedCode(layer: number): Promise<void>;
  /** The firmware project that the sources went to last, for people; null before they were generated. */
  generatedInto(): Promise<string | null>;
  /** Shows the header of the sources that `showGenerated` told of. */
  openHeader(): Promise<void>;
  /** Inserts what runs the network into the project's main source, unsaved. */
  insertUsage(): Promise<void>;
  copyText(text: string): Promise<void>;
  /** The figures that a change would lead to; null where it is not possible. Changes nothing. */
  previewChange(change: PlanChange): Promise<PreviewView | null>;
}

/** A plan to compare with. */
export interface OtherPlan {
  readonly title: string;
  readonly view: EditorView;
}

/** A file for a person to keep. The extension of its name says what it is. */
export interface SavedFile {
  readonly name: string;
  readonly data: string | Uint8Array;
}

export interface GeneratedCodeView {
  /** Relative to the workspace. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly text: string;
}

/** What a quantization came to, beside the plan's own figures. */
export type OutcomeView = Pick<QuantizeSummary, 'loss' | 'limitedBy' | 'notes' | 'seconds'>;

/** What was generated into a firmware project. */
export interface GeneratedView extends GeneratedNetwork {
  /** Of the model's files, for people. */
  readonly folder: string;
  readonly written: number;
  readonly removed: number;
  readonly upToDate: number;
  /** What runs the network: C for the application's main source. */
  readonly code: string;
}

/** What the host tells the page. */
export interface EditorPage {
  show(view: EditorView): Promise<void>;
  /** Figures of a change that was just made; the exact ones follow with `show`. */
  showPreview(preview: PreviewView): Promise<void>;
  /** The sweeps next to the plan have changed. */
  sweepsChanged(): Promise<void>;
  /**
   * Selects a layer by its index in the view and brings it into sight: the person came from the plan's text or the
   * generated C.
   */
  revealLayer(layer: number): Promise<void>;
  /**
   * What came of something that the person had run on this model, e.g. its self-test: one line, until it is closed or
   * replaced.
   */
  showResult(result: { readonly ok: boolean; readonly message: string }): Promise<void>;
  /** What a quantization came to; the figures are those of the plan that is shown. */
  showOutcome(outcome: OutcomeView): Promise<void>;
  /** What was generated into a firmware project. */
  showGenerated(generated: GeneratedView): Promise<void>;
  /** The model cannot be read: one line for the user. */
  showError(message: string): Promise<void>;
  /** Something of this model is being computed; null when done. */
  showProgress(progress: ProgressEvent | null): Promise<void>;
}
