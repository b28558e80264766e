import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { removeFromProject, renderSources, writeToProject } from '../../../src/engine/codegen';
import { ALL_USES, hasFewBits, joinUses, readUses, type RuntimeUses } from '../../../src/engine/cost/runtimeUses';
import type { Program } from '../../../src/engine/program/types';
import { randomByteProgram, randomProgram } from '../../support/randomProgram';
import { outRoot } from '../../support/paths';

const manifest = 'quantmcu/.quantmcu-manifest.json';
const target = { core: 'cortex-m4', flashBytes: 1 << 20 } as const;

describe('what models use of a shared runtime', () => {
  let root: string;
  beforeEach(() => {
    fs.mkdirSync(outRoot, { recursive: true });
    root = fs.mkdtempSync(path.join(outRoot, 'uses-'));
  });
  afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

  const put = async (name: string, program: Program): ReturnType<typeof writeToProject> =>
    writeToProject(
      root,
      name,
      renderSources(
        { ...program, name },
        { name, provenance: { generator: 'test', planHash: '', modelFile: '' }, target, cores: ['dsp'] },
      ),
    );
  const runtimeText = (): string =>
    fs
      .readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('quantmcu.h'))
      .map((file) => fs.readFileSync(path.join(root, file), 'utf8'))
      .join('');
  /** Bits of the macros as the runtime's header defines them for the models; undefined: all. */
  const compiled = (): RuntimeUses | undefined =>
    readUses(
      Object.fromEntries(
        [...runtimeText().matchAll(/^#define (QMCU_\w+) (\d+)u$/gm)].map(([, macro, bits]) => [macro, Number(bits)]),
      ),
    );
  const told = (name: string): RuntimeUses | undefined => {
    const file = fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).find((f) => f.endsWith(manifest));
    const { models } = JSON.parse(fs.readFileSync(path.join(root, file!), 'utf8')) as {
      models: Record<string, { uses?: unknown }>;
    };
    return readUses(models[name].uses);
  };

  it('are joined, stay for unchanged models and go with a removed one', async () => {
    await put('adds', randomByteProgram(1, ['add']));
    await put('convolves', randomByteProgram(1, ['conv2d', 'depthwise2d']));
    const [adds, convolves] = [told('adds')!, told('convolves')!];
    assert.notDeepEqual(adds, convolves);
    assert.deepEqual(compiled(), joinUses([adds, convolves]));
    assert.deepEqual((await put('adds', randomByteProgram(1, ['add']))).written, []);
    await removeFromProject(root, 'convolves');
    assert.deepEqual(compiled(), adds);
  });

  it('are joined with those of a model with fewer bits, until that is removed', async () => {
    await put('bytes', randomByteProgram(1, ['conv2d']));
    const bytes = compiled()!;
    assert.ok(!hasFewBits(bytes));
    await put('few', randomProgram(1));
    const few = told('few')!;
    assert.ok(hasFewBits(few));
    assert.notDeepEqual(few, ALL_USES);
    assert.deepEqual(compiled(), joinUses([bytes, few]));
    await removeFromProject(root, 'few');
    assert.deepEqual(compiled(), bytes);
  });

  it('is all of it where a manifest says nothing, or nonsense, of a model', () => {
    const known = readUses(ALL_USES);
    assert.deepEqual(known, ALL_USES);
    for (const entry of [
      undefined,
      {},
      { ...ALL_USES, QMCU_USED_FORMATS: 192 },
      { ...ALL_USES, QMCU_CONV2D_ANY: '1' },
    ]) {
      assert.equal(readUses(entry), undefined);
      assert.equal(joinUses([known, readUses(entry)]), undefined);
    }
  });
});
