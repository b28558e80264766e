import * as assert from 'node:assert/strict';
import { evaluateFloat } from '../../../../src/engine/graph/evaluate';
import { importModel } from '../../../../src/engine/onnx';
import fc from 'fast-check';
import { ModelFolder, OnnxBuilder } from '../../../support/onnxBuilder';
import { matchesOnnxruntime, randomArray, randomNumbers } from '../../../support/onnxOracle';

export const runs = { numRuns: 30 };
export const extent = fc.integer({ min: 4, max: 11 });
export const channels = fc.integer({ min: 1, max: 6 });
export const seed = fc.integer({ min: 1, max: 1e6 });

/** Adds nodes behind x. @returns the output's name */
export type Build = (m: OnnxBuilder, x: string, random: () => number) => string;

/** A folder for the models of the suite that makes this. */
export class OperatorSuite {
  folder!: ModelFolder;

  constructor() {
    before(() => (this.folder = new ModelFolder()));
    after(() => this.folder.remove());
  }

  /** Builds a model with one image input [1, c, h, w] (or [1, c, w]) and one output, and compares. */
  readonly compare = async (
    dims: readonly number[],
    opset: number,
    build: Build,
    options: { seed?: number; scale?: number; tolerance?: number } = {},
  ): ReturnType<typeof matchesOnnxruntime> => {
    const m = new OnnxBuilder(opset);
    const y = build(m, m.input('x', dims), randomNumbers((options.seed ?? 1) + 17));
    m.output(y);
    return matchesOnnxruntime(this.folder.write(m), options);
  };

  /**
   * For opsets that onnxruntime no longer runs: an old model imports as the same function as the new one, which
   * onnxruntime confirms.
   */
  readonly sameFunction = async (old: readonly [number, Build], current: readonly [number, Build]): Promise<void> => {
    const [before, after] = [old, current].map(([opset, build]) => {
      const m = new OnnxBuilder(opset);
      m.output(build(m, m.input('x', [1, 3, 4, 5]), randomNumbers(4)), []);
      return this.folder.write(m, `opset${opset}.onnx`);
    });
    const { graph } = await matchesOnnxruntime(after);
    const legacy = await importModel(before);
    const x = Float32Array.from(randomArray(60, randomNumbers(9)));
    const [a, b] = [legacy, graph].map((g) => evaluateFloat(g, [x]).get(g.outputs[0].map)!);
    assert.deepEqual(legacy.outputs[0].dims, graph.outputs[0].dims);
    assert.deepEqual(a, b);
  };
}

export { randomFloats as weights } from '../../../support/onnxOracle';
