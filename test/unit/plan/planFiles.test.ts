import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { promises as fs } from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { UserError } from '../../../src/engine/common/errors';
import { decisionsOf, fitsDecisions } from '../../../src/engine/planned/decisions';
import {
  hashBytes,
  modelPathOf,
  readParameters,
  restrictModels,
  writeFilesWhole,
  writePlanWhole,
} from '../../../src/engine/plan/files';
import { decodeParameters, encodeParameters } from '../../../src/engine/plan/parametersFile';
import { formatPlan, parsePlan } from '../../../src/engine/plan/sidecar';
import type { Plan } from '../../../src/engine/plan/types';
import { lower } from '../../../src/engine/program/lower';
import { quantizeGraph } from '../../../src/engine/quantize/quantizeGraph';
import { all8, calibrateGraph, graphSamples, pixelInput } from '../../support/quantizedGraph';
import { GraphBuilder, mulberry32, relu, squareWindow } from '../../support/graphBuilder';
import { graphArbitrary } from '../../support/randomGraph';

const hash = 'ab'.repeat(32);
const plan: Plan = {
  version: 1,
  generator: 'QuantMCU 0.0.0',
  model: { file: 'net.onnx', sha256: hash },
  preprocess: {
    preset: 'unit',
    resize: 'crop',
    cropFraction: 0.875,
    fill: 0,
    channels: 'rgb',
    scale: 1 / 255,
    mean: [0],
    std: [1],
  },
  target: { id: 'nano33ble', sramBytes: 262144, flashBytes: 1048576 },
  search: { method: 'entropy', phi: 0.99, lambda: 0.5, epsilon: 0.01, bits: [8, 4], weights: 'auto' },
  calibration: { key: hash, images: 3, folder: 'images' },
  patchStage: {
    splitMap: 'b',
    grid: { rows: 1, cols: 2 },
    keep: [],
    classMode: 'static',
    classes: ['O.'],
    runtime: null,
  },
  maps: { 'a "quoted"\n': { bits: 4 }, b: { bits: 8, locked: true } },
  layers: { conv: { weightBits: 4, inputBits: 2 } },
  parameters: { file: 'net.quantmcu.params', sha256: hash },
};

function smallGraph(): { graph: ReturnType<GraphBuilder['build']>; parameters: ReturnType<typeof quantizeGraph> } {
  const g = new GraphBuilder(mulberry32(3));
  const a = g.conv(g.input({ h: 6, w: 6, c: 3 }), 8, squareWindow(3), 1, relu);
  const graph = g.build([g.conv(a, 4, squareWindow(1))]);
  const bits = {
    mapBits: (m: number) => (m === a ? (4 as const) : (8 as const)),
    weightBits: (l: number) => (l === 1 ? (4 as const) : (8 as const)),
    inputBits: (l: number) => (l === 1 ? (2 as const) : (8 as const)),
  };
  return {
    graph,
    parameters: quantizeGraph(graph, calibrateGraph(graph, graphSamples(graph, 3, 1)), pixelInput(graph), bits),
  };
}

describe('sidecar', () => {
  it('reads back what it writes, one map or layer to a line', () => {
    const text = formatPlan(plan);
    assert.deepEqual(parsePlan(text, 'x'), plan);
    assert.ok(text.includes('\n    "b": {"bits":8,"locked":true}\n'));
    assert.equal(formatPlan(parsePlan(text, 'x')), text);
  });

  it('is not written with what would not be read back', () => {
    const search = { ...plan.search, phi: Number.NaN };
    assert.throws(() => formatPlan({ ...plan, search }), /a plan's phi would be NaN/);
  });

  it('names the place of what is wrong', () => {
    const wrong = (change: object): string => JSON.stringify({ ...plan, ...change });
    for (const [text, message] of [
      ['{', /x: not valid JSON/],
      [wrong({ version: 2 }), /\/version/],
      [wrong({ extra: 1 }), /additional properties.*"extra"/],
      [wrong({ maps: { a: { bits: 3 } } }), /\/maps\/a\/bits .*\(16, 8, 4, 2\)/],
      [wrong({ patchStage: { ...plan.patchStage, classes: ['O'] } }), /1 strings of 2 characters/],
      [wrong({ model: { file: 'a.onnx', sha256: '../..' } }), /\/model\/sha256/],
    ] as const) {
      assert.throws(
        () => parsePlan(text, 'x'),
        (e) => e instanceof UserError && message.test(e.message) && !e.message.includes('\n'),
      );
    }
  });

  it('any mutation of its text is read or refused, never more', () => {
    const text = formatPlan(plan);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), fc.nat(5), (at, insert, remove) => {
        try {
          parsePlan(text.slice(0, at) + insert + text.slice(at + remove), 'x');
        } catch (error) {
          assert.ok(error instanceof UserError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('parameter file', () => {
  it('reads back what it writes, also from the middle of a larger buffer', () => {
    const { graph, parameters } = smallGraph();
    const bytes = encodeParameters(graph, parameters);
    const shifted = Buffer.concat([Buffer.alloc(5), bytes]).subarray(5);
    assert.deepEqual(decodeParameters(graph, shifted, 'p'), parameters);
  });

  it('lowers to the same Program', () => {
    fc.assert(
      fc.property(graphArbitrary({ maxBlocks: 3 }), (graph) => {
        const parameters = quantizeGraph(
          graph,
          calibrateGraph(graph, graphSamples(graph, 2, 1)),
          pixelInput(graph),
          all8,
        );
        assert.deepEqual(
          lower(graph, null, decodeParameters(graph, encodeParameters(graph, parameters), 'p'), { name: 'n' }),
          lower(graph, null, parameters, { name: 'n' }),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('damage is noticed or harmless, never more', () => {
    const { graph, parameters } = smallGraph();
    const bytes = encodeParameters(graph, parameters);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, value, length) => {
        const damaged = bytes.slice(0, length);
        if (at < length) damaged[at] = value;
        try {
          decodeParameters(graph, damaged, 'p');
        } catch (error) {
          assert.ok(error instanceof UserError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
    assert.throws(() => decodeParameters(graph, bytes.slice(0, bytes.length - 8), 'p'), /truncated/);
  });
});

describe('decisions of a plan', () => {
  it('fit the parameters that were made for them and no others', () => {
    const { graph, parameters } = smallGraph();
    const maps = { map1: { bits: 4 as const } };
    const layers = { conv1: { weightBits: 4 as const, inputBits: 2 as const } };
    assert.ok(fitsDecisions(graph, parameters, decisionsOf(graph, { maps, layers }, 'x')));
    assert.ok(!fitsDecisions(graph, parameters, decisionsOf(graph, { maps: {}, layers }, 'x')));
    assert.ok(!fitsDecisions(graph, parameters, decisionsOf(graph, { maps, layers: {} }, 'x')));
  });

  it('refuse what the arithmetic cannot do', () => {
    const g = new GraphBuilder(mulberry32(3));
    const a = g.conv(g.input({ h: 6, w: 6, c: 3 }), 6, squareWindow(1), 1, relu);
    const graph = g.build([g.conv(g.maxPool(a, squareWindow(3)), 4, squareWindow(1))]);
    assert.throws(() => decisionsOf(graph, { maps: { map1: { bits: 4 } }, layers: {} }, 'x'), /map1.*map2|map2.*map1/);
    assert.throws(() => decisionsOf(graph, { maps: { map0: { bits: 4 } }, layers: {} }, 'x'), /map0.*8 bits/);
    assert.doesNotThrow(() => decisionsOf(graph, { maps: { map1: { bits: 4 }, map2: { bits: 4 } }, layers: {} }, 'x'));
  });
});

describe('the model that a plan names', () => {
  it('lies in the folder of the plan where the workspace is not trusted', () => {
    const at = (file: string): string =>
      modelPathOf('/home/user/plans/net.quantmcu.json', { ...plan, model: { ...plan.model, file } });
    const outside = ['../net.onnx', '/etc/passwd', 'a/../../net.onnx', '..\\net.onnx', 'C:\\net.onnx', 'c:/net.onnx'];
    assert.equal(at('../net.onnx'), path.resolve('/home/user/net.onnx'));
    assert.equal(at('/etc/passwd'), path.resolve('/etc/passwd'));
    try {
      restrictModels();
      assert.equal(at('deep/net.onnx'), path.resolve('/home/user/plans/deep/net.onnx'));
      for (const name of outside)
        assert.throws(
          () => at(name),
          (e) => e instanceof UserError && /is outside the plan's folder/.test(e.message),
          name,
        );
    } finally {
      restrictModels(false);
    }
  });
});

describe('writing a plan with its parameters', () => {
  let folder: string;
  const file = (name: string): string => path.join(folder, name);
  const write = (plan: string, parameters: string): Promise<void> =>
    writePlanWhole(
      { path: file('net.quantmcu.json'), data: plan },
      { path: file('net.quantmcu.params'), data: Buffer.from(parameters) },
    );
  const parametersOf = async (text: string): Promise<string | undefined> =>
    (
      await readParameters(file('net.quantmcu.json'), { file: 'net.quantmcu.params', sha256: hashBytes(text) })
    )?.toString();
  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'quantmcu-'));
  });
  afterEach(() => fs.rm(folder, { recursive: true, force: true }));

  it('leaves a plan whose parameters are found, wherever it is interrupted', async () => {
    // The module itself: what an import gives cannot be changed.
    const live = (createRequire(__filename)('node:fs') as typeof import('node:fs')).promises as unknown as Record<
      string,
      (...args: unknown[]) => Promise<unknown>
    >;
    const names = ['open', 'rename', 'rm'];
    const originals = Object.fromEntries(names.map((name) => [name, live[name]]));
    let outcomes = '';
    for (let steps = 0; ; steps++) {
      for (const name of await fs.readdir(folder)) await fs.rm(file(name));
      await write('plan of old', 'old');
      let left = steps;
      // As if the process had died: nothing is done any more.
      for (const name of names)
        live[name] = async (...args) => {
          if (args[1] !== 'r' && left-- <= 0) throw Object.assign(new Error('killed'), { code: 'EIO' });
          return originals[name](...args);
        };
      await write('plan of new', 'new').catch(() => undefined);
      Object.assign(live, originals);
      const which = (await fs.readFile(file('net.quantmcu.json'), 'utf8')).slice('plan of '.length);
      assert.equal(await parametersOf(which), which, `killed at change ${steps}`);
      outcomes += which[0];
      for (const name of await fs.readdir(folder)) if (name.endsWith('.lock')) await fs.rm(file(name));
      await write('plan of third', 'third');
      assert.equal(await parametersOf('third'), 'third');
      assert.deepEqual(
        (await fs.readdir(folder)).filter((name) => !name.endsWith('.tmp')).sort(),
        ['net.quantmcu.json', 'net.quantmcu.params'],
        `killed at change ${steps}`,
      );
      if (left > 0) break;
    }
    assert.match(outcomes, /^o+n+$/);
  });

  it('removes what killed processes left, not what others are writing', async () => {
    await write('plan', 'parameters');
    const host = /^\.\S+\.([0-9a-f]{8})-\d+-/;
    // A name as it is made, of a process that is not there and of one that is.
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    let made = '';
    const live = (createRequire(__filename)('node:fs') as typeof import('node:fs')).promises;
    const { rename } = live;
    live.rename = async (from, to) => {
      if (host.test(path.basename(String(from)))) made = path.basename(String(from));
      return rename(from, to);
    };
    await write('plan', 'parameters');
    live.rename = rename;
    const [, id] = host.exec(made)!;
    const left = made.replace(`${id}-${process.pid}-`, `${id}-${pid}-`);
    const others = [
      made.replace(`${id}-${process.pid}-`, `${id}-${process.ppid}-`),
      made.replace(id, '00000000'),
      'mine.tmp',
    ];
    for (const name of [left, ...others]) await fs.writeFile(file(name), '');
    await write('plan', 'parameters');
    const now = await fs.readdir(folder);
    assert.ok(!now.includes(left));
    for (const name of others) assert.ok(now.includes(name), name);
  });

  it('puts no file in the place of a link', async () => {
    await fs.writeFile(file('mine'), 'mine');
    await fs.symlink('mine', file('net.quantmcu.json'));
    await assert.rejects(
      write('plan', 'parameters'),
      /net\.quantmcu\.json is a link, and links are not written through/,
    );
    assert.deepEqual((await fs.readdir(folder)).sort(), ['mine', 'net.quantmcu.json']);
    assert.equal(await fs.readFile(file('mine'), 'utf8'), 'mine');
  });
});

describe('writing whole files', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'quantmcu-'));
  });
  afterEach(() => fs.rm(folder, { recursive: true, force: true }));

  it('writes all, or changes nothing and leaves nothing behind', async () => {
    const a = path.join(folder, 'a');
    await fs.writeFile(a, 'old');
    await assert.rejects(
      writeFilesWhole([
        { path: a, data: 'new' },
        { path: path.join(folder, 'missing', 'b'), data: 'b' },
      ]),
      UserError,
    );
    assert.equal(await fs.readFile(a, 'utf8'), 'old');
    assert.deepEqual(await fs.readdir(folder), ['a']);
    await writeFilesWhole([
      { path: a, data: 'new' },
      { path: path.join(folder, 'b'), data: Uint8Array.of(1, 2) },
    ]);
    assert.equal(await fs.readFile(a, 'utf8'), 'new');
    assert.deepEqual((await fs.readdir(folder)).sort(), ['a', 'b']);
  });
});
