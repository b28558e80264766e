/** How a weighted layer's weights are grouped: values per row, and rows (output channels) per group. */
export interface RowShape {
  readonly rowLength: number;
  readonly rowsPerGroup: number;
}

/**
 * Packs 4-bit two's complement codes two to a byte, the first in the low nibble; each row of `rowLength` codes starts
 * on a byte.
 */
export function packNibbles(values: ArrayLike<number>, rowLength: number): Uint8Array {
  if (rowLength <= 0 || values.length % rowLength !== 0)
    throw new Error(`${values.length} weights do not divide into rows of ${rowLength}.`);
  const rowBytes = Math.ceil(rowLength / 2);
  const rows = values.length / rowLength;
  const packed = new Uint8Array(rows * rowBytes);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < rowLength; i++) {
      packed[row * rowBytes + (i >> 1)] |= (values[row * rowLength + i] & 15) << ((i & 1) * 4);
    }
  }
  return packed;
}

/**
 * Puts the rows of two output channels of a group into one, their weights in turn; the last of an odd number goes with
 * zeros. The kernels then read both rows through one pointer, and a word of 8-bit weights holds two neighbors of each
 * row, as SMLAD multiplies them.
 */
export function pairRows(values: ArrayLike<number>, { rowLength, rowsPerGroup }: RowShape): Int8Array {
  const groupLength = rowLength * rowsPerGroup;
  if (groupLength <= 0 || values.length % groupLength !== 0)
    throw new Error(`${values.length} weights do not divide into groups of ${rowsPerGroup} rows of ${rowLength}.`);
  const pairs = Math.ceil(rowsPerGroup / 2);
  const paired = new Int8Array((values.length / groupLength) * pairs * 2 * rowLength);
  for (let from = 0, row = 0; from < values.length; from += rowLength, row++) {
    const inGroup = row % rowsPerGroup;
    const pair = Math.floor(row / rowsPerGroup) * pairs + (inGroup >> 1);
    const to = pair * rowLength * 2 + (inGroup & 1);
    for (let k = 0; k < rowLength; k++) paired[to + 2 * k] = values[from + k];
  }
  return paired;
}

/**
 * {@link pairRows} at 4 bits, a byte for both rows. Of each whole group of four places the second and third are
 * exchanged, see `qmcu_conv2d_dsp_dot.h`.
 */
export function packPairs(values: ArrayLike<number>, shape: RowShape): Uint8Array {
  const paired = pairRows(values, shape);
  const packed = new Uint8Array(paired.length / 2);
  const { rowLength } = shape;
  const inFours = rowLength - (rowLength % 4);
  for (let row = 0; row < packed.length; row += rowLength) {
    for (let place = 0; place < rowLength; place++) {
      const i = row + place;
      const moved = place >= inFours ? 0 : (place & 3) === 1 ? 1 : (place & 3) === 2 ? -1 : 0;
      packed[i + moved] = (paired[2 * i] & 15) | ((paired[2 * i + 1] & 15) << 4);
    }
  }
  return packed;
}
