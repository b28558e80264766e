import assert from 'node:assert/strict';
import type { Sample } from '../../../src/engine/calibration/samples';
import { compareOutput, topIndices } from '../../../src/engine/evaluation/compareOutputs';
import { imageResult } from '../../../src/engine/evaluation/imageResult';
import { summarize } from '../../../src/engine/evaluation/summarize';
import { pointsOf } from '../../../src/engine/vdqs/accuracyBudget';
import type { Graph } from '../../../src/engine/graph/types';

/** A network with these outputs, as far as a summary looks at it. */
function network(...shapes: { h: number; w: number; c: number }[]): Graph {
  return {
    maps: shapes.map((shape, id) => ({ id, shape, producer: null })),
    outputs: shapes.map((_, map) => ({ name: `out${map}`, map })),
  } as unknown as Graph;
}

const sample = (label: number | null): Sample => ({ name: 'a.png', label, source: { kind: 'image', file: 'a.png' } });
const f = (...values: number[]): Float32Array => Float32Array.from(values);

describe('summary of an evaluation', () => {
  it('ranks the largest first and of equal ones the first', () => {
    assert.deepEqual(topIndices([1, 5, 5, 2], 3), [1, 2, 3]);
    assert.deepEqual(topIndices([1], 5), [0]);
  });

  it('compares one output', () => {
    assert.deepEqual(compareOutput(f(3, 4), f(3, 4)), { signal: 25, noise: 0, cosine: 1 });
    assert.deepEqual(compareOutput(f(2, 0), f(0, 2)), { signal: 4, noise: 8, cosine: 0 });
    assert.equal(compareOutput(f(0, 0), f(0, 0)).cosine, 1);
    assert.equal(compareOutput(f(0, 0), f(1, 0)).cosine, 0);
  });

  it('notices labels that are off by one, and no others', () => {
    const graph = network({ h: 1, w: 1, c: 20 });
    const outputs = (answer: number): Float32Array[] => [
      Float32Array.from({ length: 20 }, (_, c) => Number(c === answer)),
    ];
    const notes = (label: (answer: number) => number): string => {
      const told: string[] = [];
      const results = Array.from({ length: 19 }, (_, i) => {
        const answer = i === 0 ? 1 : i;
        return imageResult(graph, 'classify', sample(label(answer)), outputs(answer), outputs(answer));
      });
      summarize(graph, 'classify', results, told);
      return told.join('\n');
    };
    assert.match(
      notes((answer) => answer - 1),
      /off by one: with 1 added they match/,
    );
    assert.match(
      notes((answer) => answer + 1),
      /off by one: with 1 taken away they match/,
    );
    assert.doesNotMatch(
      notes((answer) => answer),
      /off by one/,
    );
    assert.doesNotMatch(
      notes((answer) => (answer * 7) % 19),
      /off by one/,
    );
  });

  it('counts top-1, top-5 and agreement of a classifier', () => {
    const graph = network({ h: 1, w: 1, c: 7 });
    const results = [
      imageResult(graph, 'classify', sample(0), [f(9, 8, 7, 6, 5, 4, 3)], [f(9, 8, 7, 6, 5, 4, 3)]),
      imageResult(graph, 'classify', sample(5), [f(9, 8, 7, 6, 5, 4, 3)], [f(8, 9, 7, 6, 5, 5.5, 3)]),
    ];
    const { classifier, float, quantized, agreement, outputSnr, expectedLoss } = summarize(
      graph,
      'classify',
      results,
      [],
    );
    assert.deepEqual(
      { classifier, float, quantized, agreement },
      { classifier: true, float: { top1: 50, top5: 50 }, quantized: { top1: 50, top5: 100 }, agreement: 50 },
    );
    // The second image's answer went from the first class to the second: less likely by p0 − p1.
    const e = [9, 8, 7, 6, 5, 4, 3].map((v) => Math.exp(v - 9));
    const total = e.reduce((a, b) => a + b);
    assert.ok(expectedLoss!.divergence > 0);
    assert.ok(
      Math.abs(
        expectedLoss!.points -
          pointsOf({
            images: 2,
            chanceLost: (e[0] - e[1]) / total / 2,
            divergence: expectedLoss!.divergence,
            changed: 0.5,
          }),
      ) < 1e-6,
    );
    assert.ok(Math.abs(outputSnr - 10 * Math.log10(560 / (1 + 1 + 2.25))) < 1e-9);
  });

  it('has no classes for several outputs or maps, but says how close each output comes', () => {
    const graph = network({ h: 2, w: 1, c: 1 }, { h: 1, w: 1, c: 2 });
    const result = summarize(
      graph,
      'regress',
      [imageResult(graph, 'regress', sample(0), [f(1, 1), f(10, 0)], [f(1, 1), f(9, 0)])],
      [],
    );
    assert.equal(result.classifier, false);
    assert.deepEqual(
      [result.agreement, result.float.top1, result.quantized.top5, result.expectedLoss],
      [null, null, null, null],
    );
    assert.deepEqual(
      result.outputs.map(({ name, snr, cosine }) => [name, snr, cosine]),
      [
        ['out0', Infinity, 1],
        ['out1', 20, 1],
      ],
    );
  });

  it('has no rates when a label is missing, and notes labels beyond the classes', () => {
    const graph = network({ h: 1, w: 1, c: 2 });
    const notes: string[] = [];
    const image = (label: number | null): ReturnType<typeof imageResult> =>
      imageResult(graph, 'classify', sample(label), [f(1, 0)], [f(1, 0)]);
    assert.equal(summarize(graph, 'classify', [image(0), image(null)], notes).float.top1, null);
    assert.deepEqual(notes, []);
    assert.equal(summarize(graph, 'classify', [image(0), image(9)], notes).float.top1, 50);
    assert.match(notes[0], /^1 of 2 labels/);
  });
});
