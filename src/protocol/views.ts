import type { Size } from '../engine/common/size';
import type { PreviewFigures } from '../engine/run/whatIf/previewFigures';
import type { BitsAccount } from '../engine/plan/types';
import type { TargetFacts } from '../engine/targets/targetFacts';
import type { Optimize } from '../engine/targets/types';
import type { HeadView } from './detections';
/**
 * What the editor's page shows, as plain data that crosses process borders: no classes, no typed arrays beyond small
 * ones, names as text. The worker fills these from Graph, Plan and Program; the page draws them and knows nothing else.
 */

export interface ShapeView {
  readonly h: number;
  readonly w: number;
  readonly c: number;
}

/** One row of the layer list. Present for any model that can be read, quantized or not. */
export interface LayerView {
  /** Index in topological order. */
  readonly id: number;
  readonly name: string;
  /** conv, depthwise, fullyConnected, add … or the ONNX operator where the model could not be imported. */
  readonly kind: string;
  /** ONNX operators that the layer represents, e.g. `Conv + Clip`. */
  readonly operators: string;
  /** Indices of layers that feed this one. */
  readonly inputs: readonly number[];
  /** Shape of the output, where it is known. */
  readonly output: ShapeView | null;
  /** Name of the output feature map. */
  readonly outputName: string;
  /** e.g. `3×3 s2`. */
  readonly detail: string;
  readonly macs: number;
  readonly parameters: number;
  /** Why this node cannot be quantized; null when it can. */
  readonly problem: { readonly message: string; readonly remedy: string } | null;
  /** Filled once there is a plan. */
  readonly plan: LayerPlanView | null;
}

export interface LayerPlanView {
  /** Bits of the output feature map, in regular branches and the tail. */
  readonly bits: 16 | 8 | 4 | 2;
  readonly weightBits: 8 | 4 | null;
  /** Bits at which it reads its input. */
  readonly inputBits: 16 | 8 | 4 | 2;
  readonly inPatchStage: boolean;
  /** Σ MACs · weight bits · input bits over branches, halo recomputation included. */
  readonly bitOps: number;
  readonly macs: number;
  /** Size of the output feature map at its bits (whole map), bytes. */
  readonly mapBytes: number;
  readonly weightBytes: number;
  /** Entropy of the codes at each candidate, Ω, Φ and score S, where calibration statistics are at hand. */
  readonly candidates: readonly CandidateView[];
  /**
   * The same for the bits at which the layer reads its input, where that is a decision of its own (a view of a map that
   * stays at 8 bits).
   */
  readonly inputCandidates: readonly CandidateView[];
  /** Why output map, weights and the way it reads its input have their bits; null where there is no such decision. */
  readonly reasons: {
    readonly output: BitsAccount | null;
    readonly weights: BitsAccount | null;
    readonly input: BitsAccount | null;
  };
  readonly locked: boolean;
  /** Bits that may be chosen for the output map; one entry where there is no choice. */
  readonly allowedBits: readonly (16 | 8 | 4 | 2)[];
  /** Estimated time of its steps in one inference, milliseconds; null for cores without a model of the kernels. */
  readonly latencyMs: number | null;
  /** Estimated instructions of its steps on the board's core. */
  readonly instructions: number;
  /** Shannon entropy of the output map's codes as they are stored, bits; null without the calibration. */
  readonly entropy: number | null;
  /**
   * Signal-to-noise ratio of the output map against float in the last evaluation of this plan, dB; null where there is
   * none, or no noise.
   */
  readonly snr: number | null;
  /** Instructions of one inference that an emulated board took for it; null where this plan did not run. */
  readonly counted: number | null;
}

export interface CandidateView {
  readonly bits: 16 | 8 | 4 | 2;
  readonly entropy: number;
  readonly omega: number;
  readonly phi: number;
  readonly score: number;
}

/** What a model file holds, before any plan. */
export interface ModelView {
  readonly name: string;
  readonly file: string;
  readonly fileBytes: number;
  readonly opset: number;
  readonly producer: string;
  readonly inputs: readonly { readonly name: string; readonly type: string; readonly shape: string }[];
  readonly outputs: readonly { readonly name: string; readonly type: string; readonly shape: string }[];
  readonly layers: readonly LayerView[];
  readonly macs: number;
  readonly parameters: number;
  /** One line each: unsupported operators and anything else that prevents quantization. */
  readonly problems: readonly {
    readonly node: string;
    readonly operator: string;
    readonly message: string;
    readonly remedy: string;
  }[];
}

/** A buffer of the Program on the memory chart: a rectangle offset…offset+bytes × firstStep…lastStep. */
export interface BufferView {
  readonly id: number;
  readonly name: string;
  readonly role: string;
  /** Layer that writes it (first), −1 for the input. */
  readonly layer: number;
  readonly offset: number;
  readonly bytes: number;
  readonly firstStep: number;
  readonly lastStep: number;
  readonly bits: number;
}

export interface StepView {
  readonly id: number;
  readonly layer: number;
  readonly op: string;
  /** Row-major index of the branch, −1 in the tail. */
  readonly branch: number;
  /** Highest byte in use during the step. */
  readonly peakBytes: number;
  readonly macs: number;
}

export interface BranchView {
  readonly id: number;
  readonly row: number;
  readonly col: number;
  readonly class: 'outlier' | 'regular';
  /**
   * Patch of the stage's output and region of the network's input that it needs (halo included), each [y0, x0, y1, x1]
   * as fractions 0…1 of the map: top, left, bottom, right.
   */
  readonly patch: readonly [number, number, number, number];
  readonly input: readonly [number, number, number, number];
}

export type TargetView = TargetFacts;

/** A plan and everything computed from it. */
export interface PlanView {
  readonly planFile: string;
  readonly target: TargetView;
  /** True when the model file no longer has the hash that the plan was made for. */
  readonly stale: boolean;
  /**
   * Bits were changed since the weights were fitted to the images: they are shown, and generated, without error
   * compensation.
   */
  readonly unfitted: boolean;
  readonly stage: {
    readonly splitLayer: number;
    readonly rows: number;
    readonly cols: number;
    readonly layers: number;
    readonly classMode: 'static' | 'runtime';
    readonly redundantMacsPercent: number;
    /** Its rows of patches run when the next stage reads them. */
    readonly streamed?: true;
  } | null;
  /** Grids of the tail's stages that run patch by patch as well. */
  readonly tailStages: readonly { readonly rows: number; readonly cols: number; readonly streamed?: true }[];
  readonly branches: readonly BranchView[];
  readonly steps: readonly StepView[];
  readonly buffers: readonly BufferView[];
  readonly figures: FiguresView;
  readonly search: {
    readonly method: string;
    readonly phi: number;
    readonly lambda: number;
    readonly images: number;
    /**
     * The limits of bits by measured sensitivity: a reduction of BitOPs, and the budget in points (or percent of the
     * outputs' power) that it was found for.
     */
    readonly bitOpsTarget?: number;
    readonly accuracyBudget?: number;
    /** The unit of measured losses of single decisions; missing in plans of earlier versions. */
    readonly lossUnit?: string;
  };
  /** How a detector's outputs become boxes; null for other networks. */
  readonly head: HeadView | null;
  /** Whether the calibration is at hand: without it, bits and patches cannot be changed here. */
  readonly calibrated: boolean;
  /** Core on which an emulator counted the layers' instructions; null where it did not. */
  readonly countedCore: string | null;
}

/** Pixels that the page draws. */
export interface PictureView extends Size {
  /** [height][width][4], red, green, blue, opaque: as ImageData takes it. */
  readonly rgba: Uint8Array;
}

/** An image as the network's input has it, at most 416 pixels on its longer side. */
export interface SampleImageView extends PictureView {
  readonly name: string;
  /** Its outliers under the plan's φ; null without the calibration, or where they would be too much work. */
  readonly outliers: OutlierMapView | null;
}

/** Outliers among the values that decide the classes of patches, over one image. */
export interface OutlierMapView {
  readonly phi: number;
  /** Of the map that is looked at; it covers the whole image. */
  readonly width: number;
  readonly height: number;
  /** [height][width]: of the values of a pixel, the share that is outliers, 255: all; 0: none at all. */
  readonly shares: Uint8Array;
}

export interface FiguresView {
  readonly arenaBytes: number;
  /** Estimated time of one inference, milliseconds; null for cores without a model of the kernels. */
  readonly latencyMs: number | null;
  /** Its relative uncertainty. */
  readonly latencyError?: number;
  /** The same network layer by layer with all weights and maps at 8 bits: what the plan is compared with. */
  readonly int8Layerwise: {
    readonly arenaBytes: number;
    readonly flashBytes: number;
    readonly bitOps: number;
    readonly latencyMs: number | null;
  };
  /** Weights, tables and code. */
  readonly flashBytes: number;
  /** Its parts, and what they are reported for. */
  readonly flash: FlashView;
  /** Flash and time by what storage forms are chosen for. */
  readonly levels: readonly {
    readonly optimize: Optimize;
    readonly flashBytes: number;
    readonly latencyMs: number | null;
  }[];
  readonly macs: number;
  readonly bitOps: number;
  /** BitOPs of the same patches with everything at 8 bits. */
  readonly bitOpsInt8: number;
  /** Last evaluation of this plan, if any. */
  readonly accuracy: AccuracyView | null;
}

/** Flash by its parts. */
export interface FlashView {
  readonly weights: number;
  readonly tables: number;
  readonly code: number;
  /** What the self-test adds in a firmware that calls it. */
  readonly selfTest: number;
  readonly optimize: Optimize;
  readonly core: string;
  /** Level of GCC that code size is reported for. */
  readonly level: string;
  /** What is kept for the application. */
  readonly reserveBytes: number;
  /** The total as a preview foresees it. */
  readonly estimate: number;
}

/** Figures that are known at once after a change, from the schedule alone. The exact ones follow with the view. */
export type PreviewView = PreviewFigures;

/** An evaluation: shares of the images, 0…1. */
export interface AccuracyView {
  readonly images: number;
  /** Null without labels or classes. */
  readonly floatTop1: number | null;
  readonly quantizedTop1: number | null;
  /** Images on which both choose the same class; null without classes. */
  readonly agreement: number | null;
  /**
   * Signal-to-noise ratio of the outputs against float, dB; missing without noise, and in results of earlier versions.
   */
  readonly outputSnr?: number;
  /** Of a detector; missing for other networks, and in results of earlier versions. */
  readonly detection?: DetectionAccuracyView;
}

/** An evaluation of a detector: shares, 0…1. */
export interface DetectionAccuracyView {
  /** Boxes of float and firmware that have a partner in the other. */
  readonly boxAgreement: number;
  /** Mean average precision at an overlap of 0.5, where boxes are known. */
  readonly map50: {
    readonly float: number;
    readonly quantized: number;
    /** 95 % interval of quantized − float, by drawing the images again. */
    readonly low: number;
    readonly high: number;
    readonly objects: number;
    /** Average precision of the classes that are on the images. */
    readonly classes: readonly {
      readonly label: string;
      readonly objects: number;
      readonly float: number;
      readonly quantized: number;
    }[];
  } | null;
}

/** Everything the page needs to draw itself. `plan` is null before quantization. */
export interface EditorView {
  readonly model: ModelView;
  readonly plan: PlanView | null;
  /** Why there is no plan although a sidecar exists, as one line; null otherwise. */
  readonly planProblem: string | null;
}
