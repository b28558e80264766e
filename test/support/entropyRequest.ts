/** What tests ask `quantize` of a small model for: bits by the entropy score, nothing measured. */
export const entropyRequest = {
  targetId: 'nano33ble',
  bits: [8, 4],
  weights: 8,
  search: 'entropy',
  phi: 0.99,
  lambda: 0.5,
  epsilon: 0.01,
  classes: 'static',
  preprocess: 'unit',
} as const;
