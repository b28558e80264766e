import type { PlanChange } from './changes';
import type { EditorView, PreviewView, SampleImageView } from './views';

/** What the page may ask of the host. */
export interface EditorHost {
  /** The page is ready to draw; the host answers with `show`. */
  ready(): Promise<void>;
  /** Run a command of the extension on this model: quantize, generate, openPlan, reveal an ONNX problem … */
  runCommand(command: 'quantize' | 'generate' | 'evaluate' | 'openPlan' | 'cancel'): Promise<void>;
  /** Changes the plan. Rejects with one line for people where that is not possible; else `showPreview` and later `show` follow. */
  changePlan(change: PlanChange): Promise<void>;
  /** Takes the last change made here back, or makes it again; false when there is nothing to do. */
  undo(): Promise<boolean>;
  redo(): Promise<boolean>;
  /** An image to draw under the patches; null where there is none. */
  sampleImage(): Promise<SampleImageView | null>;
}

/** What the host tells the page. */
export interface EditorPage {
  show(view: EditorView): Promise<void>;
  /** Figures of a change that was just made; the exact ones follow with `show`. */
  showPreview(preview: PreviewView): Promise<void>;
  /** Selects a layer by its index in the view and brings it into sight: the person came from the plan's text or the generated C. */
  revealLayer(layer: number): Promise<void>;
  /** What came of something that the person had run on this model, e.g. its self-test: one line, until it is closed or replaced. */
  showResult(result: { readonly ok: boolean; readonly message: string }): Promise<void>;
  /** The model cannot be read: one line for people. */
  showError(message: string): Promise<void>;
  /** Something of this model is being computed; null when done. */
  showProgress(progress: { readonly stage: string; readonly done: number; readonly total: number } | null): Promise<void>;
}
