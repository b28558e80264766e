import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compensateLayer } from '../../../src/engine/compensate/compensateLayer';
import { fitWide } from '../../../src/engine/compensate/fitWide';
import { LayerSamples } from '../../../src/engine/compensate/layerSamples';
import type { ConvLayer, Graph } from '../../../src/engine/graph/types';
import type { LayerParameters, MapFormat } from '../../../src/engine/quantize/types';
import { mulberry32, squareWindow } from '../../support/graphBuilder';

const SIZE = 6;
const CHANNELS = 3;
const OUTPUTS = 4;
const IMAGES = 4;
const padding = { top: 0, left: 0, bottom: 0, right: 0 };

/** A 3×3 convolution with weights in ±1. */
function convolution(random: () => number): { graph: Graph; layer: ConvLayer } {
  const layer = {
    ...{ id: 0, kind: 'conv', group: 1, inputs: [0], output: 1, window: squareWindow(3, { padding }) },
    weights: Float32Array.from({ length: OUTPUTS * 9 * CHANNELS }, random),
    bias: Float32Array.from({ length: OUTPUTS }, random),
    clamp: { min: null, max: null },
  } as unknown as ConvLayer;
  const out = SIZE - 2;
  const maps = [{ shape: { h: SIZE, w: SIZE, c: CHANNELS } }, { shape: { h: out, w: out, c: OUTPUTS } }];
  return { graph: { maps, layers: [layer] } as unknown as Graph, layer };
}

const format = (bits: 16 | 8, scales: Float64Array): MapFormat => ({
  ...{ bits, signed: true, scales, zeroPoints: new Int32Array(1) },
  ...(bits === 16 ? { reach: 32767 } : {}),
});

describe('the fit of a layer that reads 16 bits', () => {
  it('is that of the upper 8 bits where the lower ones are 0, in finer steps', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = mulberry32(seed);
        const { graph, layer } = convolution(random);
        const scales = Float64Array.from({ length: CHANNELS }, () => 0.02 + 0.01 * random());
        const codes = Array.from({ length: IMAGES }, () =>
          Int16Array.from({ length: SIZE * SIZE * CHANNELS }, () => Math.round(127 * random())),
        );
        const samples = LayerSamples.of(graph, layer, IMAGES);
        samples.targets.forEach((_, i) => (samples.targets[i] = 5 * random()));
        const rounded: LayerParameters = {
          ...{ layer: 0, weightBits: 8, codes: new Int8Array(layer.weights.length) },
          ...{ weightScales: new Float64Array(OUTPUTS).fill(1), bias: Float64Array.from(layer.bias) },
        };
        const narrow = format(8, scales);
        const fitting = { rounded, stored: narrow, format: narrow, damping: 1 };
        const [eight] = compensateLayer(graph, samples, (image) => codes[image], [fitting]);
        const fine = format(
          16,
          scales.map((scale) => scale / 256),
        );
        const wide = fitWide(
          graph,
          samples,
          (image) => codes[image].map((code) => 256 * code),
          { rounded, format: fine, damping: 1 },
          format(16, Float64Array.of(1e-5)),
        );
        assert.deepEqual(wide.parameters.codes, eight.parameters.codes);
        assert.deepEqual(wide.parameters.bias, eight.parameters.bias);
        assert.deepEqual(
          wide.parameters.weightScales,
          eight.parameters.weightScales.map((scale) => scale / 256),
        );
      }),
      { numRuns: 20 },
    );
  });

  it("has the float network's means, whatever the lower bits are", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = mulberry32(seed);
        const { graph, layer } = convolution(random);
        // Nearly constant: of the upper 8 bits every code is the same.
        const codes = Array.from({ length: IMAGES }, () =>
          Int16Array.from({ length: SIZE * SIZE * CHANNELS }, (_, i) => 5100 + 60 * (i % CHANNELS) + 9 * random()),
        );
        const samples = LayerSamples.of(graph, layer, IMAGES);
        samples.targets.forEach((_, i) => (samples.targets[i] = random()));
        const scales = Float64Array.of(1e-4);
        const rounded: LayerParameters = {
          ...{ layer: 0, weightBits: 8, codes: new Int8Array(layer.weights.length) },
          ...{ weightScales: new Float64Array(OUTPUTS).fill(1), bias: Float64Array.from(layer.bias) },
        };
        const fitting = { rounded, format: format(16, scales), damping: 1 };
        const { parameters } = fitWide(graph, samples, (i) => codes[i], fitting, format(16, Float64Array.of(1e-5)));
        const out = SIZE - 2;
        const taps = 9 * CHANNELS;
        for (let o = 0; o < OUTPUTS; o++) {
          let [predicted, wanted, rows] = [0, 0, 0];
          samples.pixels.forEach((pixels, image) =>
            pixels.forEach((pixel) => {
              let sum = 0;
              for (let k = 0; k < taps; k++) {
                const [y, x] = [Math.floor(k / CHANNELS / 3), Math.floor(k / CHANNELS) % 3];
                const at = ((Math.floor(pixel / out) + y) * SIZE + (pixel % out) + x) * CHANNELS + (k % CHANNELS);
                sum += parameters.codes[o * taps + k] * codes[image][at];
              }
              predicted += parameters.weightScales[o] * sum + parameters.bias[o];
              wanted += samples.targets[o * samples.rows + rows++];
            }),
          );
          assert.ok(Math.abs(predicted - wanted) / rows < 1e-6, `${predicted / rows} and ${wanted / rows}`);
        }
      }),
      { numRuns: 20 },
    );
  });
});
