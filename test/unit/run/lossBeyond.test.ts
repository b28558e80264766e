import assert from 'node:assert/strict';
import type { FloatResult } from '../../../src/engine/calibration/float';
import { lossBeyond } from '../../../src/engine/run/lossBeyond';
import { errorPercent } from '../../../src/engine/vdqs/accuracyBudget';
import type { OutputLoss } from '../../../src/engine/vdqs/loss';
import { mulberry32 } from '../../support/randomGraph';

const loss: OutputLoss = {
  divergence: () => 0,
  expected: (float, quantized) => errorPercent(float, quantized),
  unit: '%',
  perDivergence: 1,
};

describe('loss beyond 8 bits', () => {
  const random = mulberry32(4);
  const float = Array.from({ length: 400 }, () => [Float32Array.from({ length: 8 }, () => random())]);
  const images = float.map((outputs) => ({ outputs }) as unknown as FloatResult);
  const withNoise = (share: number): Float32Array[][] =>
    float.map(([values]) => [values.map((v) => v + share * (random() - 0.5))]);

  it('is nothing for the 8-bit network itself, whatever that loses', () => {
    const wide = withNoise(0.3);
    const { expected, interval, at8 } = lossBeyond(loss, images, wide, wide);
    assert.deepEqual([expected, interval], [0, { low: 0, high: 0 }]);
    assert.ok(at8 > 0.1);
  });

  it('has an interval that holds what more images give, and narrows with their root', () => {
    const [wide, fewer] = [withNoise(0.1), withNoise(0.4)];
    const all = lossBeyond(loss, images, wide, fewer);
    const half = ({ interval }: typeof all): number => (interval!.high - interval!.low) / 2;
    const parts = Array.from({ length: 16 }, (_, k) => {
      const of = <T>(list: readonly T[]): T[] => list.slice(k * 25, (k + 1) * 25);
      return lossBeyond(loss, of(images), of(wide), of(fewer));
    });
    const holding = parts.filter(({ interval }) => interval!.low <= all.expected && all.expected <= interval!.high);
    assert.ok(holding.length >= 13, `${holding.length} of 16`);
    assert.ok(half(all) < parts.reduce((sum, p) => sum + half(p), 0) / 16 / 2);
  });
});
