type Outputs = readonly Float32Array[];

/**
 * Computes something of an image's outputs once: intervals of a loss ask for the same images a dozen times. Outputs are
 * told apart by their first array and may not change.
 */
export function oncePerImage<T extends object>(compute: (outputs: Outputs) => T): (outputs: Outputs) => T {
  const known = new WeakMap<Float32Array, T>();
  return (outputs) => {
    const found = known.get(outputs[0]) ?? compute(outputs);
    known.set(outputs[0], found);
    return found;
  };
}

/** The same for two networks' outputs of an image. */
export function oncePerPair<T extends object>(
  compute: (reference: Outputs, outputs: Outputs) => T,
): (reference: Outputs, outputs: Outputs) => T {
  const of = oncePerImage((reference) => oncePerImage((outputs) => compute(reference, outputs)));
  return (reference, outputs) => of(reference)(outputs);
}
