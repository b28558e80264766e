/** ⌊a·m / 2³²⌋ in arbitrary precision. */
export function mulhi(a: number, m: number): number {
  return Number((BigInt(a) * BigInt(m)) >> 32n);
}

/** y of a Requantization, from an accumulator that includes the bias. */
export function requantize(accumulator: number, multiplier: number, preShift: number, shift: number): number {
  const shifted = BigInt(accumulator) << BigInt(preShift);
  if (shifted >= 2n ** 31n || shifted < -(2n ** 31n))
    throw new RangeError(`${accumulator} << ${preShift} leaves 32 bits`);
  return (mulhi(Number(shifted), multiplier) + 2 ** (shift - 1)) >> shift;
}
