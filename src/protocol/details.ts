/** What the page asks for when a layer is selected: distributions, as plain numbers. */

/** A distribution of real values and of the codes that represent them. */
export interface DistributionView {
  /** Left edge of the first bar, and the bars' width. The first and the last bar hold everything beyond, too. */
  readonly low: number;
  readonly width: number;
  /** Share of the values in each bar, 0…1. Values that are exactly 0 are not among them, see `zeros`. */
  readonly shares: readonly number[];
  /** Share of the values that are exactly 0. */
  readonly zeros: number;
  readonly min: number;
  readonly max: number;
  /** Fit by moments over all values, zeros included. */
  readonly mean: number;
  readonly sigma: number;
  /** Limits of outliers under φ, for feature maps. */
  readonly band: { readonly phi: number; readonly low: number; readonly high: number } | null;
  readonly codes: CodesView | null;
}

export interface CodesView {
  readonly bits: 16 | 8 | 4 | 2;
  /** The smallest code; the others follow one by one. */
  readonly first: number;
  /** Share of each code, 0…1. */
  readonly shares: readonly number[];
  /** Real value of the code 0 and of one step between codes; null where channels differ. */
  readonly scale: { readonly zero: number; readonly step: number } | null;
  /** Shannon entropy of the codes, bits. */
  readonly entropy: number;
}

export interface LayerDetailsView {
  readonly layer: number;
  /** Channel of the output that the distributions are of; null: all. */
  readonly channel: number | null;
  readonly channels: number;
  /** Null for layers without weights. */
  readonly weights: DistributionView | null;
  /** Of the output map; null without the calibration. */
  readonly activations: DistributionView | null;
  /** The values that decide the classes of patches, where they are this layer's before its activation. */
  readonly reference: DistributionView | null;
}
