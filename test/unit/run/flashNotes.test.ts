import assert from 'node:assert/strict';
import { flashNotes } from '../../../src/engine/run/flashNotes';
import { arenaTarget } from '../../../src/engine/targets/capacity';
import { targets } from '../../../src/engine/targets/targets';

describe('what a plan leaves of the flash', () => {
  const board = targets.find((t) => t.id === 'stm32f411')!;
  const whole = arenaTarget(board, {});

  it('is told where it is less than the reserve, to the byte', () => {
    const unreserved = whole.flashBytes * 0.75;
    assert.deepEqual(flashNotes(unreserved, whole), []);
    assert.deepEqual(flashNotes(unreserved + 1, whole), [
      'The application has 131,071 bytes of flash left, 1 fewer than its reserve of 131,072.',
    ]);
  });

  it('is nobody’s business where the network has the flash that it was given', () => {
    const given = arenaTarget(board, { flashBytes: 200 * 1024 });
    assert.deepEqual(flashNotes(given.flashBytes, given), []);
  });
});
