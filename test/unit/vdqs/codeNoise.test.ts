import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import fc from 'fast-check';
import { CancelledError } from '../../../src/engine/common/errors';
import { silentProgress } from '../../../src/engine/common/progress';
import { isWeighted, type Graph } from '../../../src/engine/graph/types';
import { lower } from '../../../src/engine/program/lower';
import { withFinerCodes } from '../../../src/engine/quantize/finerCodes';
import { quantizeGraph } from '../../../src/engine/quantize/quantizeGraph';
import { formatTies } from '../../../src/engine/quantize/ties';
import type { QuantizedParameters } from '../../../src/engine/quantize/types';
import { raisableGroups } from '../../../src/engine/run/raisable';
import { measureCodeNoise, type FinerNetwork } from '../../../src/engine/vdqs/codeNoise';
import { LocalFitter } from '../../../src/engine/vdqs/fitTasks';
import { openFitter } from '../../../src/engine/vdqs/fitThreads';
import { lossOf } from '../../../src/engine/vdqs/loss';
import { programOutputs } from '../../../src/engine/vdqs/programOutputs';
import { GraphBuilder, mulberry32, relu, squareWindow } from '../../support/graphBuilder';
import { nodeBundle } from '../../support/nodeBundle.mjs';
import { projectRoot } from '../../support/paths';
import { all8, calibrateGraph, graphSamples, pixelInput } from '../../support/quantizedGraph';
import { graphArbitrary } from '../../support/randomGraph';

const allAt8 = { maps: {}, layers: {}, patchStage: null };

/** A graph at 8 bits and what may have 16 of it. */
function finerNetwork(
  graph: Graph,
  seed: number,
): FinerNetwork & { readonly samples: ReturnType<typeof graphSamples> } {
  const samples = graphSamples(graph, 8, seed);
  const calibration = calibrateGraph(graph, samples);
  const parameters = quantizeGraph(graph, calibration, pixelInput(graph), all8);
  return { parameters, ranges: calibration.maps, groups: raisableGroups(graph, allAt8, undefined, undefined), samples };
}

describe('finer codes', () => {
  it('leave integer weights and what they stand for as they are, in any network', () => {
    fc.assert(
      fc.property(graphArbitrary({ maxBlocks: 5 }), fc.integer({ min: 1, max: 1000 }), (graph, seed) => {
        const { parameters, ranges, groups } = finerNetwork(graph, seed);
        const some = new Set(groups.filter((_, i) => (seed >> (i % 8)) % 2 === 1));
        const finer = withFinerCodes(graph, ranges, formatTies(graph), parameters, some);
        const { buffers } = lower(graph, null, finer, { name: 'finer' });
        assert.equal(
          buffers.some(({ bits }) => bits === 16),
          some.size > 0,
        );
        const { bitGroup } = formatTies(graph);
        for (const { id } of graph.maps) assert.equal(finer.formats.get(id)!.bits, some.has(bitGroup[id]) ? 16 : 8);
        for (const { id, inputs } of graph.layers.filter(isWeighted)) {
          const [before, after] = [parameters, finer].map((p) => p.layers.get(id)!);
          const factor = finer.formats.get(inputs[0])!.scales[0] / parameters.formats.get(inputs[0])!.scales[0];
          after.weightScales.forEach((scale, o) => {
            // Rows of weights next to nothing get coarser steps.
            if (scale > 1.001 * factor * before.weightScales[o]) return;
            assert.ok(Math.abs(scale / (factor * before.weightScales[o]) - 1) < 1e-9);
          });
          assert.deepEqual(after.bias, before.bias);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('what the codes of maps cost', () => {
  const g = new GraphBuilder(mulberry32(5));
  let map = g.conv(g.input({ h: 12, w: 12, c: 3 }), 8, squareWindow(3), 1, relu);
  for (let i = 0; i < 3; i++) map = g.invertedResidual(map, 24, 8, 1);
  const graph = g.build([g.fullyConnected(g.globalAveragePool(map), 5)]);
  const { samples, ...network } = finerNetwork(graph, 3);
  const images = samples.map(({ pixels }) =>
    pixels.map((codes) => ({ codes, real: Float32Array.from(codes, (u) => (u - 128) / 64) })),
  );
  const fitted = { graph, task: 'regress', head: null } as const;
  const targets = { images, layers: new Map() };
  const all = images.map((_, i) => i);
  const local = new LocalFitter(fitted, targets);
  const file = path.join(projectRoot, 'out', `fitter-${process.pid}`, 'fitter.js');
  before(() => build({ ...nodeBundle, entryPoints: [path.join(projectRoot, 'src/fitter.ts')], outfile: file }));
  after(() => rmSync(path.dirname(file), { recursive: true, force: true }));

  it('is what the outputs move by when they alone have 8 bits, and adds up to what all together cost', async () => {
    const noise = await measureCodeNoise(network, all, local, silentProgress);
    assert.ok(noise.every((cost) => cost > 0));
    const loss = lossOf(graph, 'regress', null);
    const outputs = (parameters: QuantizedParameters) =>
      programOutputs(lower(graph, null, parameters, { name: 'n' }), images, () => undefined);
    const finer = withFinerCodes(graph, network.ranges, formatTies(graph), network.parameters, new Set(network.groups));
    const together = loss.divergence(outputs(finer), outputs(network.parameters));
    const sum = noise.reduce((a, b) => a + b, 0);
    assert.ok(sum > together / 3 && sum < 3 * together, `${sum} and ${together}`);
  });

  it('does not depend on the number of threads', async () => {
    const threads = openFitter(fitted, targets, 3, file);
    assert.equal(threads.threads, 3);
    assert.deepEqual(
      await measureCodeNoise(network, all, threads, silentProgress),
      await measureCodeNoise(network, all, local, silentProgress),
    );
  });

  it('can be cancelled', async () => {
    const cancelled = { ...silentProgress, isCancelled: () => true };
    await assert.rejects(measureCodeNoise(network, all, local, cancelled), CancelledError);
  });

  it('is not asked of maps that cannot have 16 bits, or that something holds at 8', () => {
    const nameOf = (id: number): string => graph.maps[id].name;
    const { bitGroup } = formatTies(graph);
    const [input] = graph.inputs;
    const [output] = graph.outputs;
    assert.ok(!network.groups.includes(bitGroup[input.map]));
    assert.ok(network.groups.includes(bitGroup[output.map]));
    const without = (
      plan: Partial<typeof allAt8 | { layers: Record<string, { weightBits: 4 }> }>,
      locked?: Record<string, { bits: 8; locked: true }>,
      heads?: ReadonlyMap<number, unknown>,
    ): number[] => raisableGroups(graph, { ...allAt8, ...plan }, locked && { maps: locked, layers: {} }, heads);
    const head = new Map([[output.map, null]]);
    assert.deepEqual(
      without({}, undefined, head),
      network.groups.filter((group) => group !== bitGroup[output.map]),
    );
    const held = network.groups[1];
    assert.deepEqual(
      without({}, { [nameOf(held)]: { bits: 8, locked: true } }),
      network.groups.filter((group) => group !== held),
    );
    const last = graph.layers.find((layer) => layer.output === output.map)!;
    const beside = [...last.inputs, last.output].map((id) => bitGroup[id]);
    assert.deepEqual(
      without({ layers: { [last.name]: { weightBits: 4 } } }),
      network.groups.filter((group) => !beside.includes(group)),
    );
  });
});
