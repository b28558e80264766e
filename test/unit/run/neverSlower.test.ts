/* A plan for the fastest inference is never slower than the one at 8 bits in the same SRAM, by the finished plan. */
import assert from 'node:assert/strict';
import path from 'node:path';
import type { Calibration } from '../../../src/engine/calibration/types';
import { UserError } from '../../../src/engine/common/errors';
import { silentProgress as silent } from '../../../src/engine/common/progress';
import type { Bits } from '../../../src/engine/graph/bits';
import { isWeighted, type Graph } from '../../../src/engine/graph/types';
import { importModel } from '../../../src/engine/onnx';
import { int8LayerwiseArenaBytes } from '../../../src/engine/patch/int8Layerwise';
import { plannedInstructions } from '../../../src/engine/planned/work';
import { decide } from '../../../src/engine/run/decide';
import type { Decision, DecideOptions } from '../../../src/engine/run/decisionTypes';
import { DEFAULTS } from '../../../src/engine/run/options';
import { CORES, type Core, type PlanTarget } from '../../../src/engine/targets/types';
import type { Objective } from '../../../src/engine/vdqs/decisionCost';
import { decisionUnits } from '../../../src/engine/vdqs/units';
import { calibrateGraph, graphSamples } from '../../support/quantizedGraph';
import { projectRoot } from '../../support/paths';
import { mulberry32 } from '../../support/graphBuilder';
import { randomGraph } from '../../support/randomGraph';

/** Sensitivities that have nothing to do with the network: the search may choose anything. */
function anySensitivities(graph: Graph, random: () => number): NonNullable<DecideOptions['measured']> {
  const units = decisionUnits(graph);
  return {
    units,
    sensitivities: {
      units: units.map(
        () =>
          new Map<Bits, number>([
            [8, 0],
            [4, random()],
          ]),
      ),
      weights: new Map(graph.layers.filter(isWeighted).map(({ id }) => [id, random()])),
      base: null as never,
    },
    target: 1.1 + 2 * random(),
  };
}

describe('the finished plan against 8 bits in the same SRAM', () => {
  const random = Array.from({ length: 40 }, (_, seed) => randomGraph(seed + 1, { blocks: 4, size: 24, channels: 32 }));
  const networks: { readonly graph: Graph; readonly calibration: Calibration }[] = [];
  before(async () => {
    const sample = await importModel(path.join(projectRoot, 'media/sample/gauge.onnx'));
    const some = random.filter(({ layers }) => layers.filter(isWeighted).length >= 3).slice(0, 8);
    for (const graph of [sample, ...some])
      networks.push({ graph, calibration: calibrateGraph(graph, graphSamples(graph, 1, 1)) });
  });

  /** Instructions with fewer bits over those at 8 bits; null where 8 bits do not fit. */
  function against8(network: number, target: PlanTarget, objective: Objective, asFast = false): number | null {
    const { graph, calibration } = networks[network];
    const { phi, lambda, epsilon, bits } = DEFAULTS;
    const options: DecideOptions = {
      ...{ phi, lambda, epsilon, bits, target, objective, asFast },
      ...{ grid: 'auto', weights: 'auto', classes: 'static' },
    };
    const total = (decision: Decision): number => plannedInstructions(graph, { ...decision, target }, 'plan').total;
    try {
      const eight = total(decide(graph, calibration, { ...options, bits: [8] }, silent));
      const measured = anySensitivities(graph, mulberry32(7 * network + 1));
      return total(decide(graph, calibration, { ...options, measured }, silent)) / eight;
    } catch (error) {
      if (error instanceof UserError) return null;
      throw error;
    }
  }

  function ratios(
    objective: Objective,
    cores: readonly Core[],
    asFast = false,
  ): { core: string; network: number; ratio: number }[] {
    return cores.flatMap((core) =>
      networks.flatMap(({ graph }, network) => {
        const sramBytes = Math.ceil(int8LayerwiseArenaBytes(graph, false) * (network % 2 === 0 ? 1 : 0.7));
        const target: PlanTarget = { id: 'custom', core, sramBytes, flashBytes: network % 3 === 0 ? 1 << 17 : 1 << 21 };
        const ratio = against8(network, target, objective, asFast);
        return ratio === null ? [] : [{ core, network, ratio }];
      }),
    );
  }

  it('takes no more instructions on any core, and fewer on many', () => {
    const found = ratios('latency', CORES);
    for (const { core, network, ratio } of found) assert.ok(ratio <= 1 + 1e-9, `${core}, network ${network}: ${ratio}`);
    assert.ok(found.length > CORES.length * 7, `${found.length} plans`);
    assert.ok(found.filter(({ ratio }) => ratio < 0.95).length > found.length / 4);
  });

  it('does so by choice: fewest BitOPs are slower than 8 bits on some', () => {
    assert.ok(ratios('bitops', ['cortex-m55', 'cortex-m4']).some(({ ratio }) => ratio > 1.01));
  });

  it('is about as fast as 8 bits where time and BitOPs are minimised together, and has fewer bits on many', () => {
    const found = ratios('bitops', ['cortex-m55', 'cortex-m4'], true);
    for (const { core, network, ratio } of found)
      assert.ok(ratio <= 1.015 + 1e-9, `${core}, network ${network}: ${ratio}`);
    const mixed = found.filter(({ ratio }) => ratio !== 1);
    assert.ok(mixed.length > found.length / 4, `${mixed.length} of ${found.length}`);
  });
});
