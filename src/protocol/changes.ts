/** What a person may change of a plan in the editor. Layers and branches by their indices in the view. */
export type PlanChange =
  /** Bits of a layer's output map, and with it of all maps that share them. */
  | { readonly kind: 'mapBits'; readonly layer: number; readonly bits: 8 | 4 | 2 }
  /** Bits at which a layer reads its input through a view. */
  | { readonly kind: 'inputBits'; readonly layer: number; readonly bits: 8 | 4 | 2 }
  | { readonly kind: 'weightBits'; readonly layer: number; readonly bits: 8 | 4 }
  /** Keeps the bits of a layer and its output map through the next search, or no longer. */
  | { readonly kind: 'lock'; readonly layer: number; readonly locked: boolean }
  | { readonly kind: 'patchClass'; readonly branch: number; readonly class: 'outlier' | 'regular' }
  /** Another φ: the patches are classified again from the calibration. */
  | { readonly kind: 'phi'; readonly phi: number };
