import assert from 'node:assert/strict';
import { LayerStream } from '../../../src/engine/compensate/layerStream';
import { Executor } from '../../../src/engine/program/interpreter';
import { inputCodes } from '../../../src/engine/program/ports';
import { lower } from '../../../src/engine/program/lower';
import { quantizeGraph } from '../../../src/engine/quantize/quantizeGraph';
import type { Graph } from '../../../src/engine/graph/types';
import type { SampleInput } from '../../../src/engine/calibration/inputs';
import { randomGraph } from '../../support/randomGraph';
import { all8, calibrateGraph, graphSamples, pixelInput } from '../../support/quantizedGraph';

const SEEDS = 15;

function inputsOf(graph: Graph, seed: number): SampleInput[] {
  return graph.inputs.map(({ map }) => {
    const { h, w, c } = graph.maps[map].shape;
    const codes = Uint8Array.from({ length: h * w * c }, (_, i) => Math.imul(i + 1, 2654435761 + seed * 97) >>> 24);
    return { codes, real: Float32Array.from(codes) };
  });
}

describe('integer network layer by layer', () => {
  it('gives the codes of the reference interpreter, and after a change to a step those of the changed program', () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const graph = randomGraph(seed, { blocks: 5 });
      const parameters = quantizeGraph(
        graph,
        calibrateGraph(graph, graphSamples(graph, 2, 1)),
        pixelInput(graph),
        all8,
      );
      const images = [inputsOf(graph, seed), inputsOf(graph, seed + 1000)];
      const stream = new LayerStream(graph, parameters, images, true);
      for (let step = 0; step < stream.length; step++)
        for (let image = 0; image < images.length; image++) stream.run(step, image);
      const expected = (program: typeof stream.program, image: number): Uint8Array[] =>
        new Executor(program).run(images[image].map((input, i) => inputCodes(program, i, input))).outputs;
      images.forEach((_, image) =>
        assert.deepEqual(stream.rerun(image, {}), expected(stream.program, image), `seed ${seed}`),
      );
      const small = new LayerStream(graph, parameters, images, false);
      for (let step = 0; step < small.length; step++)
        for (let image = 0; image < images.length; image++) small.run(step, image);
      images.forEach((_, image) =>
        assert.deepEqual(small.rerun(image, {}), expected(small.program, image), `seed ${seed}: in an arena`),
      );
      // Negated weights of one layer: the suffix alone runs again, and equals the whole program with these weights.
      const id = [...parameters.layers.keys()].at(-1);
      if (id === undefined) continue;
      const own = parameters.layers.get(id)!;
      const changed = { ...own, codes: own.codes.map((c) => -c) };
      const program = lower(
        graph,
        null,
        { ...parameters, layers: new Map(parameters.layers).set(id, changed) },
        { name: 'changed' },
      );
      const step = stream.stepOf(id);
      assert.deepEqual(
        stream.rerun(1, { kernels: new Map([[step, stream.kernelWith(step, changed)]]) }),
        expected(program, 1),
        `seed ${seed}`,
      );
      assert.deepEqual(stream.rerun(1, {}), expected(stream.program, 1), `seed ${seed}: the memory is as before`);
    }
  });
});
