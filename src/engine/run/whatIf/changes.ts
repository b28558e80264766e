/** What a person may change in a plan in the editor. Layers and branches by their indices in the view. */
export type PlanChange =
  /** Bits of a layer's output map, and with it of all maps that share them. */
  | { readonly kind: 'mapBits'; readonly layer: number; readonly bits: 16 | 8 | 4 | 2 }
  /** Bits at which a layer reads its input through a view. */
  | { readonly kind: 'inputBits'; readonly layer: number; readonly bits: 16 | 8 | 4 | 2 }
  | { readonly kind: 'weightBits'; readonly layer: number; readonly bits: 8 | 4 }
  /** Keeps the bits of a layer and its output map through the next search, or no longer. */
  | { readonly kind: 'lock'; readonly layer: number; readonly locked: boolean }
  | { readonly kind: 'patchClass'; readonly branch: number; readonly class: 'outlier' | 'regular' }
  /** Another φ: the patches are classified again from the calibration, as many of the outlier class as the SRAM allows.
   * */
  | { readonly kind: 'phi'; readonly phi: number }
  /** Another board of the table. Where the plan no longer fits its SRAM, patches are planned again at the same bits. */
  | { readonly kind: 'target'; readonly id: string }
  /** Patches planned again at the same bits: the fastest that fits, none, or the best of a grid. */
  | { readonly kind: 'grid'; readonly grid: 'auto' | 'none' | { readonly rows: number; readonly cols: number } }
  /** Another λ: bits are searched again by the entropy score, and patches planned for them; what is locked stays. */
  | { readonly kind: 'lambda'; readonly lambda: number }
  /** One of the planner's choices, see `MemoryPointView`. */
  | { readonly kind: 'stage'; readonly stage: NamedStage | null; readonly tailStages: readonly NamedTailStage[] };

/** A patch stage by the names of its feature maps; null in its place: layer by layer. */
export interface NamedStage {
  /** The map that ends the stage. */
  readonly splitMap: string;
  readonly rows: number;
  readonly cols: number;
  /** Maps whose halo is kept between branches. */
  readonly keep: readonly string[];
  /** As in a plan's stages. */
  readonly keepColumns?: readonly string[];
  readonly streamed?: true;
}

/** A further stage after the patch stage. */
export interface NamedTailStage extends NamedStage {
  /** The maps that it reads. */
  readonly from: readonly string[];
  /** Where it runs in slices of channels: how many each has. */
  readonly channels?: number;
}
