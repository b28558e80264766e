/**
 * Pixels of an output map at which a layer is sampled on one image: evenly spread strata, one pixel of each at random.
 * The same seed gives the same pixels (generator: mulberry32).
 *
 * @param pixels of the map
 * @param count how many; all pixels when there are fewer
 */
export function samplePixels(pixels: number, count: number, seed: number): Int32Array {
  if (count >= pixels) return Int32Array.from({ length: pixels }, (_, i) => i);
  const random = generator(seed);
  return Int32Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * pixels) / count);
    const to = Math.floor(((i + 1) * pixels) / count);
    return from + Math.floor(random() * (to - from));
  });
}

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
