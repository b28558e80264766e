import { promises as fs } from 'node:fs';
import { writeFilesWhole } from '../plan/files';
import { assertReplaceable } from '../plan/ownFile';
import type { Sweep, SweepAccuracy, SweepPoint, SweepTable } from './types';

/** Larger tables are none of ours. */
const MAX_TABLE_BYTES = 64 << 20;

/** `net.quantmcu.json` → `net.quantmcu.sweeps.json` beside it. */
export function sweepsPathOf(planPath: string): string {
  return planPath.replace(/\.json$/i, '') + '.sweeps.json';
}

function rowsPathOf(planPath: string): string {
  return sweepsPathOf(planPath).replace(/\.json$/i, '.csv');
}

/**
 * Refuses to write a table of sweeps over what is none.
 * @param force write over another file all the same
 * @throws UserError that names the file and what to do
 */
export async function assertTableReplaceable(planPath: string, force = false): Promise<void> {
  await assertReplaceable(sweepsPathOf(planPath), 'sweeps', force);
  await assertReplaceable(rowsPathOf(planPath), 'sweepRows', force);
}

/**
 * The table next to a plan; null when there is none. A file that cannot be read is as none: it holds nothing that
 * cannot be computed again.
 */
export async function readSweeps(planPath: string): Promise<SweepTable | null> {
  try {
    const file = sweepsPathOf(planPath);
    const stat = await fs.stat(file);
    if (!stat.isFile() || stat.size > MAX_TABLE_BYTES) return null;
    const table = JSON.parse(await fs.readFile(file, 'utf8')) as SweepTable;
    return table.version === 1 &&
      typeof table.model?.sha256 === 'string' &&
      Array.isArray(table.sweeps) &&
      table.sweeps.every(isSweep)
      ? table
      : null;
  } catch {
    return null;
  }
}

function isSweep(sweep: Partial<Sweep> | null): boolean {
  return (
    typeof sweep === 'object' &&
    sweep !== null &&
    typeof sweep.parameter === 'string' &&
    typeof sweep.settings === 'object' &&
    sweep.settings !== null &&
    typeof sweep.finished === 'string' &&
    Array.isArray(sweep.points) &&
    sweep.points.every(isPoint)
  );
}

function isPoint(point: Partial<SweepPoint> | null): boolean {
  if (typeof point !== 'object' || point === null) return false;
  const { value, problem, notes, figures, outliers, accuracy, randomAccuracy, predictedLoss, decisions } = point;
  const isRecord = (v: unknown): v is Record<string, unknown> =>
    typeof v === 'object' && v !== null && !Array.isArray(v);
  const number = (v: unknown): boolean => typeof v === 'number' || v === null;
  const numbers = (v: unknown): boolean => v === null || (isRecord(v) && Object.values(v).every(number));
  const text = (v: unknown): boolean => typeof v === 'string';
  return (
    typeof value === 'number' &&
    (problem === null || text(problem)) &&
    Array.isArray(notes) &&
    notes.every(text) &&
    [figures, outliers, accuracy, randomAccuracy].every(numbers) &&
    number(predictedLoss) &&
    (decisions === null ||
      (isRecord(decisions) &&
        isRecord(decisions.maps) &&
        isRecord(decisions.layers) &&
        [...Object.values(decisions.maps), ...Object.values(decisions.layers)].every(isRecord))) &&
    (problem !== null || (figures !== null && decisions !== null))
  );
}

/**
 * Puts a sweep into the table next to a plan, replacing an earlier one of its parameter; sweeps of another model
 * file go. The table is written whole, as JSON and as CSV.
 *
 * @param force overwrite files that are not our tables
 * @returns path of the JSON file
 * @throws UserError when they cannot be written, or are not ours
 */
export async function writeSweep(
  planPath: string,
  head: Pick<SweepTable, 'generator' | 'model'>,
  sweep: Sweep,
  force = false,
): Promise<string> {
  await assertTableReplaceable(planPath, force);
  const before = await readSweeps(planPath);
  const kept =
    before?.model.sha256 === head.model.sha256 ? before.sweeps.filter((s) => s.parameter !== sweep.parameter) : [];
  const table: SweepTable = {
    version: 1,
    generator: head.generator,
    model: head.model,
    sweeps: [...kept, sweep].sort((a, b) => (a.parameter < b.parameter ? -1 : 1)),
  };
  const file = sweepsPathOf(planPath);
  await writeFilesWhole([
    { path: rowsPathOf(planPath), data: csvOf(table) },
    { path: file, data: `${JSON.stringify(table, null, 1)}\n` },
  ]);
  return file;
}

const ACCURACY: readonly (keyof SweepAccuracy)[] = [
  'images',
  'floatTop1',
  'floatTop5',
  'top1',
  'top5',
  'agreement',
  'outputSnr',
  'floatMap50',
  'map50',
  'boxAgreement',
];

/** One row per point, empty where there is no number; decisions are only in the JSON. */
export function csvOf(table: SweepTable): string {
  const header = [
    'parameter',
    'value',
    'macs',
    'bitOps',
    'bitOpsInt8',
    'reduction',
    'arenaBytes',
    'weightBytes',
    'flashBytes',
    'latencyMs',
    'outlierShare',
    'marked',
    'markedByAny',
    ...ACCURACY,
    'randomTop1',
    'randomTop5',
    'randomAgreement',
    'randomOutputSnr',
    'predictedLoss',
    'problem',
  ];
  const rows = table.sweeps.flatMap(({ parameter, points }) =>
    points.map((p) => [
      parameter,
      p.value,
      p.figures?.macs,
      p.figures?.bitOps,
      p.figures?.bitOpsInt8,
      p.figures?.reduction,
      p.figures?.arenaBytes,
      p.figures?.weightBytes,
      p.figures?.flashBytes,
      p.figures?.latencyMs,
      p.outliers?.share,
      p.outliers?.marked,
      p.outliers?.markedByAny,
      ...ACCURACY.map((key) => p.accuracy?.[key]),
      p.randomAccuracy?.top1,
      p.randomAccuracy?.top5,
      p.randomAccuracy?.agreement,
      p.randomAccuracy?.outputSnr,
      p.predictedLoss,
      p.problem,
    ]),
  );
  const cell = (value: string | number | null | undefined): string =>
    typeof value === 'string' && /[",\r\n]/.test(value) ? `"${value.replace(/"/g, '""')}"` : String(value ?? '');
  return `${[header, ...rows].map((row) => row.map(cell).join(',')).join('\n')}\n`;
}
