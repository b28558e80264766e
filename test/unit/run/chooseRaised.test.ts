import assert from 'node:assert/strict';
import fc from 'fast-check';
import { chooseRaised, type Raisable, type RaisingCosts } from '../../../src/engine/run/chooseRaised';
import { savedOf } from '../../../src/engine/run/raiseBits';

const NOW = 1000;

/** Groups with what they cost, by themselves and for layers that neighbours share. */
const problem = fc.array(
  fc.record({ noise: fc.double({ min: 0, max: 10, noNaN: true }), own: fc.integer({ min: -5, max: 60 }) }),
  { minLength: 1, maxLength: 12 },
);

function costsOf(groups: readonly { own: number }[], shared: number, room = Infinity): RaisingCosts {
  return {
    now: NOW,
    most: 1.1 * NOW,
    instructions: (raised) => {
      let total = NOW;
      for (const group of raised) total += groups[group].own;
      // The layer between two groups is paid once, whichever of them is raised.
      for (let i = 0; i <= groups.length; i++) if (raised.has(i) || raised.has(i - 1)) total += shared;
      return total;
    },
    fits: (raised) => raised.size <= room,
  };
}

describe('the choice of maps for 16 bits', () => {
  it('keeps to the instructions and to what fits, and takes nothing that is not worth its own', () => {
    fc.assert(
      fc.property(problem, fc.nat(20), fc.nat(6), (groups, shared, room) => {
        const candidates = groups.map(({ noise }, group): Raisable => ({ group, noise }));
        const costs = costsOf(groups, shared, room);
        const chosen = chooseRaised(candidates, costs);
        assert.equal(new Set(chosen).size, chosen.length);
        assert.ok(chosen.length <= room);
        const total = groups.reduce((sum, { noise }) => sum + noise, 0);
        chosen.forEach((group, i) => {
          const [before, after] = [i, i + 1].map((n) => costs.instructions(new Set(chosen.slice(0, n))));
          const share = groups[group].noise / total;
          assert.ok(share >= 0.01);
          assert.ok(share >= (2 * (after - before)) / NOW - 1e-6);
          assert.ok(after <= costs.most);
        });
        assert.deepEqual(chooseRaised([...candidates].reverse(), costs), chosen, 'whatever the order');
      }),
    );
  });

  it('leaves out nothing that would be worth it beside what was taken', () => {
    fc.assert(
      fc.property(problem, fc.nat(20), (groups, shared) => {
        const costs = costsOf(groups, shared);
        const chosen = chooseRaised(
          groups.map(({ noise }, group) => ({ group, noise })),
          costs,
        );
        const total = groups.reduce((sum, { noise }) => sum + noise, 0);
        const now = costs.instructions(new Set(chosen));
        groups.forEach(({ noise }, group) => {
          if (chosen.includes(group) || !(noise / total >= 0.01)) return;
          const next = costs.instructions(new Set([...chosen, group]));
          assert.ok(next > costs.most || noise / total < (2 * (next - now)) / NOW + 1e-6);
        });
      }),
    );
  });

  it('begins with what costs the most for each instruction', () => {
    const groups = [
      { noise: 3, own: 30 },
      { noise: 4, own: 10 },
      { noise: 2, own: 50 },
    ];
    const candidates = groups.map(({ noise }, group) => ({ group, noise }));
    assert.deepEqual(chooseRaised(candidates, costsOf(groups, 0)), [1, 0, 2]);
    assert.deepEqual(chooseRaised(candidates, { ...costsOf(groups, 0), most: NOW + 45 }), [1, 0]);
    assert.deepEqual(chooseRaised(candidates, costsOf(groups, 0, 0)), []);
    assert.deepEqual(chooseRaised([{ group: 0, noise: 0 }], costsOf(groups, 0)), []);
  });
});

describe('what 16 bits save', () => {
  it('is compared image by image', () => {
    const before = [1, 2, 3, 10];
    assert.deepEqual(
      savedOf(
        before,
        before.map((b) => b / 2),
      ).share,
      0.5,
    );
    const same = savedOf(
      before,
      before.map((b) => b - 1),
    );
    assert.deepEqual([same.share, same.error, same.images], [0.25, 0, 4]);
    assert.equal(savedOf([0, 0], [0, 0]).share, 0);
    assert.equal(savedOf([1], [0]).error, Infinity);
  });
});
