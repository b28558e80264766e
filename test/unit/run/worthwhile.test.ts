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

/** Runs the default on a quantizer whose searches find these plans one after the other; told are those it reports. */
async function run(
  plans: readonly Plan[],
  at8 = 0.25,
): Promise<{ found: Budgeted; told: Plan[]; budgets: (number | 'time' | 'wide')[] }> {
  const budgets: (number | 'time' | 'wide')[] = [];
  const budgeted = (plan: Plan): Budgeted =>
    ({
      decision: { ...plan, maps: plan === WIDE ? {} : { a: { bits: 4 } }, layers: {}, notes: [] },
      loss: { expected: plan.expected ?? 0.5, at8 } as ExpectedLoss,
      limitedBy: 'loss',
    }) as unknown as Budgeted;
  const planOf = ({ decision }: Pick<Budgeted, 'decision'>): Plan => decision as unknown as Plan;
  const quantizer = {
    instructionsAt8: 1000 * WIDE.time,
    instructions: (decision: Plan) => 1000 * decision.time,
    cost: (found: Budgeted) => ({ bitOps: 64 * planOf(found).bitOps, bitOpsInt8: 64 }),
    quantizeWithin: async (
      budget: number,
      most: number | undefined,
      tell: (b: Budgeted) => Promise<void>,
      how: string,
    ) => {
      if (most === 1) {
        budgets.push('wide');
        return budgeted(WIDE);
      }
      const found = budgeted(plans[budgets.length]);
      budgets.push(how === 'asFast' ? budget : 'time');
      await tell(found);
      return found;
    },
  };
  const told: Plan[] = [];
  const found = await quantizeWorthwhile(quantizer as unknown as Quantizer, 1, async (better) => {
    told.push(planOf(better));
  });
  return { found, told, budgets };
}

describe('what accuracy is spent on by default', () => {
  it('is time where that saves some, and nothing else is searched', async () => {
    const { found, told, budgets } = await run([{ time: 0.9, bitOps: 0.95, expected: 0.9 }]);
    assert.deepEqual(budgets, [1]);
    assert.equal(told.length, 1);
    assert.deepEqual(found.decision.notes, []);
  });

  it('is BitOPs where no time is saved, for what 8 bits leave of the budget', async () => {
    const cheap = await run([{ time: 0.99, bitOps: 0.7, expected: 0.6 }]);
    assert.deepEqual(cheap.budgets, [1]);
    assert.match(cheap.found.decision.notes.join(), /fewest BitOPs in about the time of 8 bits/);
    const { found, told, budgets } = await run([
      { time: 0.99, bitOps: 0.6, expected: 0.9 },
      { time: 1, bitOps: 0.7, expected: 0.6 },
    ]);
    assert.deepEqual(budgets, [1, 0.75]);
    assert.deepEqual(
      told.map(({ bitOps }) => bitOps),
      [0.7],
      'the one that loses more is not reported',
    );
    assert.match(found.decision.notes.join(), /fewest BitOPs in about the time of 8 bits/);
  });

  it('is nothing where neither is saved: 8 bits stay', async () => {
    for (const plan of [{ time: 0.99, bitOps: 0.92 }, WIDE]) {
      const { found, told, budgets } = await run([plan, plan]);
      assert.deepEqual(budgets, [1, 'time', ...(plan === WIDE ? [] : ['wide'])]);
      assert.deepEqual(told, []);
      assert.equal(found.limitedBy, 'bits');
      assert.deepEqual(found.decision.maps, {});
      assert.match(found.decision.notes.join(), /save less than 2 % of the time and 15 % of the BitOPs/);
    }
  });

  it('is nothing where 8 bits alone lose the budget and no time is saved', async () => {
    const { found, budgets } = await run([{ time: 1, bitOps: 0.7 }, WIDE], 1.5);
    assert.deepEqual(budgets, [1, 'time']);
    assert.deepEqual(found.decision.maps, {});
  });

  it('is time alone where that is saved and both together are not', async () => {
    const { found, told } = await run([WIDE, { time: 0.97, bitOps: 0.9 }], 1.5);
    assert.deepEqual(
      told.map(({ time }) => time),
      [0.97],
    );
    assert.deepEqual(found.decision.notes, []);
  });

  it('leaves a plan that exceeds the budget as flash requires it', async () => {
    const { found, budgets } = await run([{ time: 1, bitOps: 0.7, expected: 3 }]);
    assert.deepEqual(budgets, [1]);
    assert.deepEqual(found.decision.notes, []);
  });
});
