/** What was done. Paths are relative to the folder and sorted. */
export interface WriteResult {
  readonly written: readonly string[];
  readonly unchanged: readonly string[];
  readonly removed: readonly string[];
  /** Earlier files of ours that are not needed any more but were edited: they stay. */
  readonly released: readonly string[];
  /** Files in the way that stay as they are, as `keepEdited` says. */
  readonly kept: readonly string[];
}
