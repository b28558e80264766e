/** Instructions for each … of a call. */
export interface UnitCosts {
  readonly call: number;
  readonly row: number;
  readonly pixel: number;
  /** Beyond that, for each pixel of a call that has fewer than four in a row. */
  readonly narrow: number;
  /** For each rest that is left of the pixels when four are taken at a time. */
  readonly rest: number;
  /** For each pixel of such a rest. */
  readonly single: number;
  /** For each pixel that remains of blocks of eight, of which fewer than three make no block. */
  readonly few: number;
  /** For each pixel that the last of these blocks lacks otherwise. */
  readonly lack: number;
  /** For each row that ends in such a rest. */
  readonly rowRest: number;
  /** For each of the first and last so many pixels of a row, whose windows may lie over its ends. */
  readonly border: number;
  readonly borderPixels: number;
  /** For each input pixel under the windows, those of the halo included. */
  readonly input: number;
}
