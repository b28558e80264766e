import type { Bits } from '../graph/bits';

/** What VDQS knows of one decision at one bitwidth. */
export interface Candidate {
  readonly bits: Bits;
  /** Shannon entropy of the codes, bits per code. */
  readonly entropy: number;
  /** Ω(i,b) = (H(i,8) − H(i,b)) / H(i,8): the share of information that is lost. */
  readonly omega: number;
  /** Φ(i,b) = BitOPs saved in the layers that read the map / BitOPs of the network at 8 bits. */
  readonly phi: number;
  /** S(i,b) = −λ·Ω(i,b) + (1−λ)·Φ(i,b)/max Φ. */
  readonly score: number;
}

/**
 * The paper's score. Φ enters relative to the largest Φ of any decision, so that λ means the same for small and large
 * networks: with the plain Φ the useful λ lie between 0.005 and 0.05 and shift with the number of layers.
 *
 * @param lambda 0 … 1, weight of the entropy term
 */
export function score(lambda: number, omega: number, phi: number, largestPhi: number): number {
  return -lambda * omega + (1 - lambda) * (largestPhi > 0 ? phi / largestPhi : 0);
}
