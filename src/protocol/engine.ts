import type { EditorView, TargetView } from './views';

/**
 * What the extension host asks of the engine, wherever that runs (a worker thread today). One interface is the single truth: the worker implements it, the
 * host holds a client with the same methods. Every argument and result is structured-cloneable. Failures reject with a {@link RemoteError}.
 */
export interface EngineService {
  targets(): Promise<readonly TargetView[]>;
  /** Reads a model, and its plan if the sidecar exists. Never runs the network. */
  view(request: ViewRequest): Promise<EditorView>;
  /** Calibrates, searches and writes the plan and its parameters. Cancellable. */
  quantize(request: QuantizeRequest): Promise<QuantizeSummary>;
  /** Renders all C files in memory; the host writes them. Cancellable. */
  generate(request: GenerateRequest): Promise<GeneratedSources>;
  /** Runs the firmware's integer arithmetic and float on images. Cancellable. */
  evaluate(request: EvaluateRequest): Promise<EvaluationSummary>;
}

export interface ViewRequest {
  readonly modelPath: string;
  readonly planPath: string;
  readonly sizes?: Readonly<Record<string, number>>;
}

export interface QuantizeRequest {
  readonly modelPath: string;
  readonly planPath: string;
  readonly imagesPath: string;
  readonly targetId: string;
  readonly sramBytes?: number;
  readonly flashBytes?: number;
  readonly grid: 'auto' | 'none' | { readonly rows: number; readonly cols: number };
  readonly bits: readonly (8 | 4 | 2)[];
  readonly weights: 8 | 4 | 'auto';
  readonly phi: number;
  readonly lambda: number;
  readonly epsilon: number;
  readonly classes: 'static' | 'runtime';
  /** Preset name or path of a JSON file. */
  readonly preprocess: string;
  /** Use at most so many sample images; 0: all. */
  readonly limit: number;
  readonly sizes?: Readonly<Record<string, number>>;
  /** Where calibrations are cached; nothing is cached when missing. */
  readonly cachePath?: string;
}

export interface QuantizeSummary {
  readonly planPath: string;
  readonly target: string;
  readonly grid: string;
  readonly arenaBytes: number;
  readonly sramBytes: number;
  readonly weightBytes: number;
  readonly bitOpsReduction: number;
  readonly seconds: number;
  /** Things the user should know, one line each. */
  readonly notes: readonly string[];
}

export interface GenerateRequest {
  readonly planPath: string;
  /** C identifier prefix; from the model's name when missing. */
  readonly name?: string;
  /** The firmware project that the files go into; its build system decides where they lie and what else they need. */
  readonly projectPath: string;
}

/** A file to write, and what is there now. */
export interface GeneratedSource {
  /** Relative to the project, with '/' separators. */
  readonly path: string;
  readonly text: string;
  /**
   * `new`: nothing is there; `same`: this text is there; `generated`: what an earlier run wrote is there, untouched since;
   * `foreign`: something that was not generated or was edited since, never to be overwritten without asking.
   */
  readonly state: 'new' | 'same' | 'generated' | 'foreign';
}

export interface GeneratedSources {
  readonly name: string;
  /** What kind of project was found, in words, e.g. `PlatformIO`. */
  readonly projectKind: string;
  readonly files: readonly GeneratedSource[];
  readonly arenaBytes: number;
  readonly weightBytes: number;
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
  readonly agreement: number;
}

/** How an error crosses the border: `user` errors are shown as they stand, others with a hint to the log. */
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
}
