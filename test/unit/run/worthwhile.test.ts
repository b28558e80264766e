import assert from 'node:assert/strict';
import type { ExpectedLoss } from '../../../src/engine/plan/types';
import type { Budgeted, Quantizer } from '../../../src/engine/run/quantizer';
import { quantizeWorthwhile } from '../../../src/engine/run/worthwhile';

/** A plan by what it takes of the instructions and BitOPs of 8 bits. */
interface Plan {
  readonly time: number;
  readonly bitOps: number;
  readonly expected?: number;
}

const WIDE: Plan = { time: 1, bitOps: 1 };

/** Runs the default on a quantizer whose searches find these plans; told are those it reports. */
async function run(
  fastest: Plan,
  fewest: Plan,
  at8 = 0.25,
): Promise<{ found: Budgeted; told: Plan[]; searches: string[]; budgets: number[] }> {
  const searches: string[] = [];
  const budgets: number[] = [];
  const budgeted = (plan: Plan): Budgeted =>
    ({
      decision: { ...plan, maps: plan === WIDE ? {} : { a: { bits: 4 } }, layers: {}, notes: [] },
      loss: { expected: plan.expected ?? 0.5, at8 } as ExpectedLoss,
      limitedBy: 'loss',
    }) as unknown as Budgeted;
  const planOf = ({ decision }: Pick<Budgeted, 'decision'>): Plan => decision as unknown as Plan;
  const quantizer = {
    wideDecision: () => WIDE,
    instructions: (decision: Plan) => 1000 * decision.time,
    cost: (found: Budgeted) => ({ bitOps: 64 * planOf(found).bitOps, bitOpsInt8: 64 }),
    quantizeWithin: async (
      budget: number,
      most: number | undefined,
      tell: (b: Budgeted) => Promise<void>,
      how: string,
    ) => {
      budgets.push(budget);
      searches.push(most === 1 ? 'wide' : (how ?? 'asked'));
      const found = budgeted(most === 1 ? WIDE : how === 'asFast' ? fewest : fastest);
      if (most !== 1) await tell(found);
      return found;
    },
  };
  const told: Plan[] = [];
  const found = await quantizeWorthwhile(quantizer as unknown as Quantizer, 1, async (better) => {
    told.push(planOf(better));
  });
  return { found, told, searches, budgets };
}

describe('what accuracy is spent on by default', () => {
  it('is time where that saves some, and nothing else is searched', async () => {
    const { found, told, searches } = await run({ time: 0.9, bitOps: 0.95 }, WIDE);
    assert.deepEqual(searches, ['asked']);
    assert.equal(told.length, 1);
    assert.deepEqual(found.decision.notes, []);
  });

  it('is BitOPs where the fastest plan saves a percent of the time, which is not even reported', async () => {
    const { found, told, searches } = await run({ time: 0.99, bitOps: 0.9 }, { time: 1, bitOps: 0.7 });
    assert.deepEqual(searches, ['asked', 'asFast']);
    assert.deepEqual(
      told.map(({ bitOps }) => bitOps),
      [0.7],
    );
    assert.match(found.decision.notes.join(), /fewest BitOPs in about the time of 8 bits/);
  });

  it('is nothing where neither is saved: 8 bits stay', async () => {
    for (const fastest of [{ time: 0.99, bitOps: 0.95 }, WIDE]) {
      const { found, told, searches } = await run(fastest, { time: 1, bitOps: 0.92 });
      assert.deepEqual(searches, ['asked', 'asFast', ...(fastest === WIDE ? [] : ['wide'])]);
      assert.deepEqual(told, []);
      assert.equal(found.limitedBy, 'bits');
      assert.deepEqual(found.decision.maps, {});
      assert.match(found.decision.notes.join(), /save less than 2 % of the time and 15 % of the BitOPs/);
    }
  });

  it('is BitOPs only for what 8 bits leave of the budget', async () => {
    const some = await run(WIDE, { time: 1, bitOps: 0.7 }, 0.25);
    assert.deepEqual(some.budgets, [1, 0.75]);
    const none = await run(WIDE, { time: 1, bitOps: 0.7 }, 1.5);
    assert.deepEqual(none.searches, ['asked']);
    assert.deepEqual(none.found.decision.maps, {});
  });

  it('leaves a plan that exceeds the budget as flash requires it', async () => {
    const { searches } = await run({ time: 1, bitOps: 0.7, expected: 3 }, WIDE);
    assert.deepEqual(searches, ['asked']);
  });
});
