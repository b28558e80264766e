/** What one image says about one output: sums that add up over images, and the angle between the two. */
export interface OutputComparison {
  /** Σ float². */
  readonly signal: number;
  /** Σ (float − quantized)². */
  readonly noise: number;
  /** 1 for equal directions; 1 when both are zero, 0 when one is. */
  readonly cosine: number;
}

/** Compares one output of one image. */
export function compareOutput(reference: Float32Array, quantized: Float32Array): OutputComparison {
  let signal = 0;
  let energy = 0;
  let noise = 0;
  let product = 0;
  for (let i = 0; i < reference.length; i++) {
    const r = reference[i];
    const q = quantized[i];
    signal += r * r;
    energy += q * q;
    product += r * q;
    noise += (r - q) * (r - q);
  }
  const norms = Math.sqrt(signal * energy);
  return { signal, noise, cosine: norms > 0 ? product / norms : signal === energy ? 1 : 0 };
}

/** Indices of the k largest values, best first; of equal values the first. */
export function topIndices(values: ArrayLike<number>, k: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < values.length; i++) {
    let at = best.length;
    while (at > 0 && values[i] > values[best[at - 1]]) at--;
    if (at < k) {
      best.splice(at, 0, i);
      if (best.length > k) best.pop();
    }
  }
  return best;
}
