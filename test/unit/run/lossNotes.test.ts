import assert from 'node:assert/strict';
import type { ExpectedLoss } from '../../../src/engine/plan/types';
import { endNote, lossNotes, type SearchEnd } from '../../../src/engine/run/lossNotes';
import { mulberry32 } from '../../support/graphBuilder';

const loss = (change: Partial<ExpectedLoss> = {}): ExpectedLoss => ({
  expected: 0.5,
  interval: { low: 0.4, high: 0.6 },
  unit: 'points of top-1',
  images: 64,
  heldOut: true,
  at8: 0.3,
  at8Interval: { low: 0.2, high: 0.4 },
  budget: 1,
  ...change,
});

describe('what is told of a loss', () => {
  const told = (change: Partial<ExpectedLoss>, mixed = true): string => lossNotes(loss(change), mixed, true).join('\n');

  it('is the loss with its interval, the images, and what is allowed', () => {
    assert.equal(
      told({}),
      'Expected loss beyond 8 bits: 0.50 points of top-1 (95 % interval 0.40 to 0.60), estimated on 64 images that ' +
        'nothing was fitted to; 1 is allowed. 8 bits alone lose 0.30 (95 % interval 0.20 to 0.40).',
    );
    assert.doesNotMatch(told({ budget: null }), /allowed/);
  });

  it('says that nothing was held back', () => {
    assert.match(told({ heldOut: false }), /that the weights were fitted to;[^]*No image was held back[^]*optimistic/);
  });

  it('asks for as many images as would settle the question, and only where there are too few', () => {
    assert.doesNotMatch(told({}), /do not/);
    assert.match(
      told({ expected: 0.94, interval: null, images: 10, heldOut: false }),
      /10 images do not settle whether the budget of 1 is met\. About 580 would: evaluate/,
    );
    assert.match(
      told({ expected: 0.94, interval: null, images: 10, budget: null }),
      /10 images do not resolve a loss of 0\.94 points of top-1\. About \d+ would/,
    );
    assert.match(told({ images: 1, interval: null }), /1 image does not settle/);
    assert.match(
      told({ expected: 0.8, interval: { low: 0.2, high: 1.4 }, images: 16 }),
      /16 images do not settle[^]*About 230 sample images would: some of them are held back/,
    );
  });

  it('asks for images that make the interval as narrow as needed: by the root of their number', () => {
    const asked = (half: number): number =>
      Number(/About (\d+)/.exec(told({ expected: 0.5, interval: { low: 0, high: 0.5 + half }, images: 128 }))![1]);
    assert.ok(Math.abs(asked(2) / asked(1) - 4) < 0.3, `${asked(2)} and ${asked(1)}`);
  });

  it('tells a budget that 8 bits break from one that memory breaks', () => {
    assert.match(told({ at8: 1.4 }), /8 bits alone are expected to lose more than the budget/);
    const memory = told({ expected: 2, interval: { low: 1.8, high: 2.2 } });
    assert.match(memory, /flash or SRAM require fewer bits/);
    assert.doesNotMatch(memory, /brings back/);
  });

  it('speaks of 8 bits alone where there are no others', () => {
    assert.match(told({ expected: 0 }, false), /^Expected loss at 8 bits: 0\.30 points of top-1 \(95 % interval 0\.20/);
  });
});

describe('what is told of losses and ends', () => {
  const uniform = mulberry32(14);
  const random = (): number => (uniform() + 1) / 2;
  const some = <T>(...of: readonly T[]): T => of[Math.floor(random() * of.length)];
  const cases = Array.from({ length: 500 }, () => {
    const expected = 3 * random();
    const half = some(0.05, 0.3, 2);
    const given = loss({
      expected,
      interval: some(null, { low: Math.max(0, expected - half), high: expected + half }),
      images: some(1, 10, 16, 128),
      heldOut: some(true, false),
      at8: random() * 2,
      budget: some(null, 0, 0.5, 1, 3),
    });
    const mixed = some(true, false);
    const end: SearchEnd = {
      limitedBy: some('loss', 'reduction', 'time', 'bits', 'score', 'person'),
      reduction: some(1, 1.5, 3),
      isAsked: some(true, false),
      bitOpsReduction: 1 + random(),
      mixed,
      isFree: some(true, false),
      objective: some('bitops', 'latency'),
      kept: given.budget === null || given.expected <= given.budget,
    };
    const note = endNote(end);
    return {
      given,
      mixed,
      end,
      notes: [...lossNotes(given, mixed, some(true, false)), ...(note === null ? [] : [note])],
    };
  });

  it('is one sentence or more, with the figures of the summary, and no ratio of one', () => {
    for (const { given, mixed, notes } of cases) {
      for (const note of notes) assert.match(note, /^[A-Z0-9].*\.$/);
      assert.ok(notes[0].includes((mixed ? given.expected : given.at8).toFixed(2)), notes[0]);
      assert.doesNotMatch(notes.join(' '), /1(\.00)?× (fewer|less)|NaN|Infinity|undefined|\b1 images\b/);
    }
  });

  it('never says that a budget is kept and broken, or settled and not', () => {
    for (const { given, end, notes } of cases) {
      const text = notes.join(' ');
      const broken = given.budget !== null && (given.at8 > given.budget || given.expected > given.budget);
      assert.equal(/budget is exceeded|more than the budget/.test(text), broken, text);
      if (end.limitedBy === 'loss' && !end.kept) assert.doesNotMatch(text, /more than is allowed/);
      if (!end.isAsked) assert.doesNotMatch(text, /asked for/);
      if (/do not (settle|resolve)/.test(text)) assert.match(text, /About \d+ (sample images )?would/);
    }
  });
});
