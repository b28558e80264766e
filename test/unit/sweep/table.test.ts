import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { csvOf, readSweeps, sweepsPathOf, writeSweep } from '../../../src/engine/sweep/tableFile';
import { pointWithout } from '../../../src/engine/sweep/points';
import { sweepSettings } from './support/settings';
import type { Sweep, SweepTable } from '../../../src/engine/sweep/types';

describe('table of sweeps', () => {
  const settings = sweepSettings('key');
  let folder: string;
  before(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'quantmcu-table-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const sweepOf = (parameter: Sweep['parameter'], value: number): Sweep => ({
    parameter,
    settings,
    finished: '2024-01-01T00:00:00.000Z',
    seconds: 1,
    points: [pointWithout(value, 'no, "never"')],
  });
  const head = { generator: 'QuantMCU 1.0', model: { file: 'a.onnx', sha256: 'a' } };

  it('holds one sweep per parameter of one model', async () => {
    const planPath = path.join(folder, 'table.quantmcu.json');
    assert.equal(await readSweeps(planPath), null);
    await writeSweep(planPath, head, sweepOf('phi', 0.5));
    await writeSweep(planPath, head, sweepOf('lambda', 0.1));
    await writeSweep(planPath, head, sweepOf('phi', 0.9));
    const { sweeps } = (await readSweeps(planPath))!;
    assert.deepEqual(
      sweeps.map((s) => [s.parameter, s.points[0].value]),
      [
        ['lambda', 0.1],
        ['phi', 0.9],
      ],
    );
    await writeSweep(planPath, { ...head, model: { file: 'b.onnx', sha256: 'b' } }, sweepOf('bitops-target', 2));
    assert.deepEqual(
      (await readSweeps(planPath))!.sweeps.map((s) => s.parameter),
      ['bitops-target'],
    );
    for (const sweeps of [
      [{ points: 3 }],
      [
        {
          ...sweepOf('phi', 0.5),
          points: [{ ...sweepOf('phi', 0.5).points[0], decisions: { maps: 3, layers: {} } }],
        },
      ],
      [{ ...sweepOf('phi', 0.5), points: [{ value: 1, notes: [] }] }],
    ]) {
      writeFileSync(
        sweepsPathOf(planPath),
        JSON.stringify({ version: 1, model: { file: 'a.onnx', sha256: 'a' }, sweeps }),
      );
      assert.equal(await readSweeps(planPath), null);
    }
  });

  it('is not written over what is no table of sweeps, nor over a link', async () => {
    const planPath = path.join(folder, 'mine.quantmcu.json');
    for (const file of [sweepsPathOf(planPath), sweepsPathOf(planPath).replace(/json$/, 'csv')]) {
      writeFileSync(file, '{"mine": true}\n');
      await assert.rejects(writeSweep(planPath, head, sweepOf('phi', 0.5)), /is not a QuantMCU table of sweeps/);
      assert.equal(readFileSync(file, 'utf8'), '{"mine": true}\n');
      rmSync(file);
      symlinkSync(path.join(folder, 'elsewhere'), file);
      await assert.rejects(writeSweep(planPath, head, sweepOf('phi', 0.5)), /is a link/);
      rmSync(file);
    }
  });

  it('is also a CSV with as many cells in every row', () => {
    const table: SweepTable = { version: 1, ...head, sweeps: [sweepOf('lambda', 0.1)] };
    const [header, row] = csvOf(table).trim().split('\n');
    assert.equal(row.replace(/"(?:[^"]|"")*"/, 'x').split(',').length, header.split(',').length);
    assert.ok(row.startsWith('lambda,0.1,') && row.endsWith(',"no, ""never"""'));
  });
});
