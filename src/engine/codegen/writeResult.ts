/** Files that writing leaves as they are. Paths are relative to the folder and sorted. */
export interface LeftFiles {
  /** Have the right content already. */
  readonly unchanged: readonly string[];
  /** Written by us earlier, not needed any more, but edited: they stay and are not ours any longer. */
  readonly released: readonly string[];
  /** Files in the way that stay as they are, as `keepEdited` says. */
  readonly kept: readonly string[];
}

/** What was done. */
export interface WriteResult extends LeftFiles {
  readonly written: readonly string[];
  readonly removed: readonly string[];
}
