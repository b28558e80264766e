import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { isWeighted } from '../../../src/engine/graph/types';
import { importModel } from '../../../src/engine/onnx';
import { parsePlan } from '../../../src/engine/plan/sidecar';
import type { MapPlan, Plan } from '../../../src/engine/plan/types';
import { decisionsOf } from '../../../src/engine/planned/decisions';
import { formatTies } from '../../../src/engine/quantize/ties';
import { quantize } from '../../../src/engine/run/quantize';
import { projectRoot } from '../../support/paths';

const sample = path.join(projectRoot, 'media/sample');
const modelPath = path.join(sample, 'gauge.onnx');

describe('a search with maps that a person locked at 16 bits', function () {
  this.timeout(600_000);
  let folder: string;
  before(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'quantmcu-wide-'));
  });
  after(() => fs.rm(folder, { recursive: true, force: true }));

  it('keeps them, and the weights around them at 8 bits', async () => {
    const planPath = path.join(folder, 'gauge.quantmcu.json');
    const run = async (): Promise<Plan> => {
      await quantize(
        {
          modelPath,
          planPath,
          imagesPath: path.join(sample, 'images'),
          target: { id: 'nano33ble', sramBytes: 256 * 1024, flashBytes: 1024 * 1024 },
          grid: 'none',
          weights: 'auto',
          classes: 'static',
          preprocess: null,
          limit: 8,
          cachePath: null,
          bitOpsTarget: 2,
        },
        { report: () => undefined, isCancelled: () => false },
      );
      return parsePlan(await fs.readFile(planPath, 'utf8'), planPath);
    };
    const graph = await importModel(modelPath);
    const { reach, bitGroup } = formatTies(graph);
    const first = await run();
    const inner = graph.maps.find(({ id }) => reach[id] > 0 && graph.maps[id].consumers.length > 0)!;
    const [output] = graph.outputs;
    const chosen = graph.maps.filter(({ id }) => [bitGroup[inner.id], bitGroup[output.map]].includes(bitGroup[id]));
    const locked = Object.fromEntries(chosen.map(({ name }): [string, MapPlan] => [name, { bits: 16, locked: true }]));
    await fs.writeFile(planPath, JSON.stringify({ ...first, maps: { ...first.maps, ...locked }, layers: {} }));
    const plan = await run();
    const decisions = decisionsOf(graph, plan, planPath);
    for (const { id } of chosen) assert.equal(decisions.mapBits(id), 16);
    for (const layer of graph.layers.filter(isWeighted)) {
      const isWide = [...layer.inputs, layer.output].some((map) => decisions.mapBits(map) === 16);
      if (isWide) assert.equal(decisions.weightBits(layer.id), 8, layer.name);
    }
    assert.ok(
      graph.maps.some(({ id }) => decisions.mapBits(id) < 8) ||
        graph.layers.some(({ id }) => decisions.weightBits(id) < 8),
    );
  });
});
