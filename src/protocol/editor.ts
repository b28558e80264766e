import type { EditorView } from './views';

/** What the page may ask of the host. */
export interface EditorHost {
  /** The page is ready to draw; the host answers with `show`. */
  ready(): Promise<void>;
  /** Run a command of the extension on this model: quantize, generate, openPlan, reveal an ONNX problem … */
  runCommand(command: 'quantize' | 'generate' | 'openPlan' | 'cancel'): Promise<void>;
}

/** What the host tells the page. */
export interface EditorPage {
  show(view: EditorView): Promise<void>;
  /** The model cannot be read: one line for people. */
  showError(message: string): Promise<void>;
  /** Something of this model is being computed; null when done. */
  showProgress(progress: { readonly stage: string; readonly done: number; readonly total: number } | null): Promise<void>;
}
