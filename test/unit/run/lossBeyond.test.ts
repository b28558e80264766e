import assert from 'node:assert/strict';
import type { FloatResult } from '../../../src/engine/calibration/float';
import { lossBeyond } from '../../../src/engine/run/lossBeyond';
import type { ImageOutputs } from '../../../src/engine/vdqs/divergence';
import type { OutputLoss } from '../../../src/engine/vdqs/loss';
import { mulberry32 } from '../../support/graphBuilder';

/** Mean distance of the first values, which stands for any loss that cannot be negative. */
const distance: OutputLoss = {
  divergence: () => 0,
  expected: (float, quantized) =>
    float.reduce((sum, [o], i) => sum + Math.abs(o[0] - quantized[i][0][0]), 0) / float.length,
  unit: 'points',
  perDivergence: 1,
};

describe('a loss beyond 8 bits', () => {
  it('lies in its interval, of whichever sign it is', () => {
    const random = mulberry32(3);
    for (const [mixed, wide] of [
      [0.1, 1],
      [1, 0.1],
      [1, 1],
    ]) {
      const outputs = (spread: number): ImageOutputs =>
        Array.from({ length: 32 }, () => [Float32Array.of(spread * random())]);
      const images = outputs(0).map((o) => ({ outputs: o }) as unknown as FloatResult);
      const { expected, interval, at8, at8Interval } = lossBeyond(distance, images, outputs(wide), outputs(mixed));
      if (mixed !== wide) assert.equal(Math.sign(expected), Math.sign(mixed - wide));
      assert.ok(interval!.low <= expected && expected <= interval!.high);
      assert.ok(at8Interval!.low >= 0 && at8Interval!.low <= at8 && at8 <= at8Interval!.high);
    }
  });
});
