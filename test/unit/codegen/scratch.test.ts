import assert from 'node:assert/strict';
import { scratchIn } from '../../../src/engine/codegen/scratch';
import { randomProgram } from '../../support/randomProgram';

describe('scratch memory in the arena', () => {
  it('is where nothing is kept while the step runs, and there is none where no gap is as large', () => {
    let found = 0;
    let refused = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const program = randomProgram(seed);
      for (const step of program.steps) {
        const taken = new Uint8Array(program.arenaBytes);
        for (const b of program.buffers) {
          if (!b.external && b.firstStep <= step.id && b.lastStep >= step.id)
            taken.fill(1, b.offset, b.offset + b.bytes);
        }
        for (const bytes of [1, 40, 300, 3000]) {
          const scratch = scratchIn(program, step, bytes);
          if (scratch) {
            assert.ok(
              scratch.offset % 8 === 0 && scratch.bytes === bytes && scratch.offset + bytes <= program.arenaBytes,
              `seed ${seed}, step ${step.id}`,
            );
            assert.ok(
              taken.subarray(scratch.offset, scratch.offset + bytes).every((byte) => byte === 0),
              `seed ${seed}, step ${step.id}`,
            );
            found++;
          } else {
            for (let offset = 0; offset + bytes <= program.arenaBytes; offset += 8)
              assert.ok(taken.subarray(offset, offset + bytes).includes(1), `seed ${seed}, step ${step.id}, ${offset}`);
            refused++;
          }
        }
      }
    }
    assert.ok(found > 50 && refused > 50, `${found} found, ${refused} refused`);
  });
});
