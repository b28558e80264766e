import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import type { Graph, Layer } from '../../../src/engine/graph/types';
import type { Bits } from '../../../src/engine/plan/types';
import { FIT_ERROR, layerInstructions, PACKED_FIT_ERROR, packedInstructions } from '../../../src/engine/program/latency';
import { GraphBuilder, squareWindow } from '../../support/randomGraph';
import { projectRoot } from '../../support/paths';

/** The layer that a row of the kernel counts names, e.g. `conv3x3s2 96x96x3-16`. */
function layerOf(name: string): { readonly graph: Graph; readonly layer: Layer } | null {
  const [, kind, kernel, stride, size, inputs, outputs] = /^(pw|conv|dw)(\d)?(?:x\d)?(?:s(\d))? (\d+)x\d+x(\d+)(?:-(\d+))?/.exec(name) ?? [];
  if (!kind) return null;
  const g = new GraphBuilder();
  const input = g.input({ h: Number(size), w: Number(size), c: Number(inputs) });
  const window = squareWindow(Number(kernel ?? 1), { strideH: Number(stride ?? 1), strideW: Number(stride ?? 1) });
  if (kind === 'dw') g.depthwise(input, window);
  else g.conv(input, Number(outputs), window);
  const graph = g.build();
  return { graph, layer: graph.layers[0] };
}

describe('latency', () => {
  it('estimates convolutions and depthwise layers as they were counted on the emulated Cortex-M4', () => {
    const rows = readFileSync(path.join(projectRoot, 'test/bench/kernels-m4.tsv'), 'utf8').trim().split('\n').slice(1);
    let compared = 0;
    for (const [name, counted] of rows.map((row) => row.split('\t'))) {
      const found = layerOf(name);
      if (!found) continue;
      const { graph, layer } = found;
      const { h, w } = graph.maps[layer.output].shape;
      const bits = Number(/ [su](\d)-/.exec(name)?.[1] ?? 8) as Bits;
      const estimate = layerInstructions(graph, layer, h * w, bits, name.includes('4-bit weights') ? 4 : 8);
      assert.ok(Math.abs(estimate / Number(counted) - 1) <= FIT_ERROR, `${name}: ${Math.round(estimate)} of ${counted}`);
      compared++;
    }
    assert.equal(compared, 20);
  });

  it('estimates convolutions with packed weights as they were counted in a whole network', () => {
    const rows = readFileSync(path.join(projectRoot, 'test/bench/packed-m4.tsv'), 'utf8').trim().split('\n').slice(1);
    for (const row of rows) {
      const [pixels, taps, channels, bits, counted] = row.split('\t').map(Number);
      const estimate = packedInstructions({ pixels, taps, channels, inputBits: bits as Bits });
      assert.ok(Math.abs(estimate / counted - 1) <= PACKED_FIT_ERROR, `${row}: ${Math.round(estimate)}`);
    }
    assert.ok(rows.length > 20);
  });
});
