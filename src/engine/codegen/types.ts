import type { DetectionProgram, IntegerBox } from '../program/detection/types';
import type { Layer } from '../graph/types';
import type { CameraSource } from './camera';
import type { Checks } from './checks';
import type { FlashOptions } from './flash';
import type { RuntimeNeeds } from './runtime';
import type { CoreKind } from './runtimeParts';

/** One generated file: path relative to the generated folder, with '/' separators, and its text with '\n' line ends. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

/** What the program computes for one set of inputs: the bytes of each input and output as they lie in the arena. */
export interface GoldenVector {
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
}

/** Where the sources come from; written into their headers. */
export interface Provenance {
  /** Name and version, e.g. `QuantMCU 0.1.0`. */
  readonly generator: string;
  /** Hash of the plan, hexadecimal. */
  readonly planHash: string;
  /** File name of the model. Text, possibly hostile. */
  readonly modelFile: string;
}

/** A model's sources for a project that has the runtime once. */
export interface GeneratedSources {
  /** The model's own files. */
  readonly files: readonly GeneratedFile[];
  /** What it needs of the runtime. */
  readonly runtime: RuntimeNeeds;
}

/** Figures and rules that the header states. */
export interface NetworkFacts {
  /** Multiply-accumulates of one inference. */
  readonly macs: number;
  /** Estimated processor cycles of one inference; null for cores without a model of the kernels. */
  readonly cycles: number | null;
  /** How a picture becomes the input, as sentences. */
  readonly input: string;
  /** Names of the classes, where they are known: text, possibly hostile. */
  readonly labels?: readonly string[];
}

/**
 * With a target, layers of cores with the DSP extension may get kernels made for them, and take their weights in other
 * forms, in more flash, as {@link chooseForms} decides; everything runs on every core all the same. Without one, every
 * layer gets a kernel, unless `optimize` is `size`, and weights are stored as planned.
 */
export interface RenderOptions extends FlashOptions {
  /** C identifier, from `toIdentifier`. */
  readonly name: string;
  /** Stored inputs and outputs for the self-test: they take flash. */
  readonly golden?: readonly GoldenVector[];
  /**
   * Hashes for a self-test that makes its input itself, for inputs that are in the arena or come in tiles. With neither
   * the self-test reports that it has nothing to compare with.
   */
  readonly checks?: Checks;
  /** What the header says of the network besides the program. */
  readonly facts?: NetworkFacts;
  /** The graph's layers, index = id, for comments. */
  readonly layers?: readonly Pick<Layer, 'name' | 'onnx'>[];
  readonly provenance: Provenance;
  /** A detector's head: its boxes get C, too. */
  readonly detection?: { readonly head: DetectionProgram; readonly golden: readonly IntegerBox[] };
  /** A camera whose pictures are the input. */
  readonly camera?: CameraSource;
  /** Kinds of cores that the sources have to run on. Missing: all. */
  readonly cores?: readonly CoreKind[];
}
