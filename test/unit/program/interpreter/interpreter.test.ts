import assert from 'node:assert/strict';
import fc from 'fast-check';
import { runProgram } from '../../../../src/engine/program/interpreter';
import { runNaively } from './support/naive';
import { Random } from './support/random';
import { allOps, allWays, randomProgram } from './support/randomSteps';

describe('reference interpreter', () => {
  for (const { name, op, wide } of allWays) {
    it(`${name} follows its formula and changes no other byte`, () => {
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const program = randomProgram(seed, op, 1, wide);
          const arena = new Random(seed ^ 0x5bd1e995).bytes(program.arenaBytes);
          const { outputs } = runProgram(program, [arena]);
          assert.deepEqual(outputs[0], runNaively(program, arena));
        }),
        { numRuns: 150 },
      );
    });
  }

  it('runs several steps in order, skipping those whose guard does not hold', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(...allOps), fc.boolean(), (seed, op, wide) => {
        const program = randomProgram(seed, op, 4, wide);
        const arena = new Random(seed ^ 0x5bd1e995).bytes(program.arenaBytes);
        assert.deepEqual(runProgram(program, [arena]).outputs[0], runNaively(program, arena));
      }),
      { numRuns: 200 },
    );
  });
});
