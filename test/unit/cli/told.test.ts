/* What a command prints for people and with --json are one: nothing is told in one that the other contradicts. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { commands } from '../../../src/cli/commandLine';
import { UserError } from '../../../src/engine/common/errors';
import { silentProgress } from '../../../src/engine/common/progress';
import { bytesText, fewerText } from '../../../src/engine/common/wording';
import type { Flash } from '../../../src/engine/cost/flash';
import { parsePlan } from '../../../src/engine/plan/sidecar';
import type { PlanAccount } from '../../../src/engine/plan/types';
import type { Evaluation } from '../../../src/engine/run/evaluate';
import type { Fit } from '../../../src/engine/run/fit';
import type { QuantizeSummary } from '../../../src/engine/run/quantizeSummary';
import type { Sweep } from '../../../src/engine/sweep/types';
import { WorkFolder, writeImages } from '../../faults/fixtures';
import { randomRun, type Options } from './support/randomRun';

/** QUANTMCU_TOLD=first-last takes other networks and options, at about a second each. */
const [FIRST, LAST] = (process.env.QUANTMCU_TOLD ?? '1-4').split('-').map(Number);
const IMAGES = 26;

interface Told<T> {
  readonly text: string;
  readonly json: T;
}

async function run<T>(name: string, positional: string, options: Options): Promise<Told<T>> {
  return (await commands.get(name)!.run([positional], options, silentProgress)) as Told<T>;
}

/** Every number of a text, with its fraction digits; names of what is told of have theirs taken out before. */
function numbersOf(text: string): { readonly value: number; readonly digits: number }[] {
  return [...text.matchAll(/(?<![\w.])[-−]?\d[\d,]*(?:\.(\d+))?/g)].map(([all, fraction = '']) => ({
    value: Number(all.replace('−', '-').replaceAll(',', '')),
    digits: fraction.length,
  }));
}

/** All numbers of a JSON value, those in its texts too. */
function leavesOf(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  if (typeof value === 'string') return numbersOf(value).map((n) => n.value);
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(leavesOf) : [];
}

/** Every number of the text is one of the JSON's, as bytes, KiB, MiB, a share in percent, or an inverse. */
function assertTold(text: string, json: unknown, extra: readonly number[], what: string): void {
  const units = [1, 1 / 1024, 1 / 1024 ** 2, 100];
  const known = [...leavesOf(json), ...extra];
  const shown = new Set(known.flatMap((v) => units.flatMap((unit) => [v * unit, 1 / v])).filter(Number.isFinite));
  for (const { value, digits } of numbersOf(text)) {
    const found = [...shown].some((v) => Math.abs(v - value) <= 0.5000001 * 10 ** -digits);
    assert.ok(found, `${what}: ${value} is not in the JSON\n${text}\n${JSON.stringify(json)}`);
  }
}

/** Every note is a line. */
function assertLines(text: string, notes: readonly string[], what: string): void {
  const lines = text.split('\n');
  for (const note of notes) assert.ok(lines.includes(note), `${what}: no line "${note}"`);
}

function assertQuantize({ text, json }: Told<QuantizeSummary>, options: Options, what: string): void {
  const { memory, flash, patch, bitOps, levels, loss, notes } = json;
  const left = flash.flashBytes - flash.total;
  const told = [
    `arena ${bytesText(memory.arenaBytes)} of ${bytesText(memory.sramBytes)} `,
    `Flash: ${bytesText(flash.total)} of ${bytesText(flash.flashBytes)}, ${bytesText(left)} left`,
    `weights ${bytesText(flash.weights)}, tables ${bytesText(flash.tables)}, code ${bytesText(flash.code)}`,
    fewerText(bitOps.reduction, patch ? 'the same patches at 8 bits' : '8 bits'),
    patch ? `Patch stage: ${patch.grid.replace('x', '×')} ` : 'Layer by layer, without patches',
  ];
  for (const part of told) assert.ok(text.includes(part), `${what}: no "${part}" in\n${text}`);
  assertLines(text, notes, what);
  assertTold(text.replace(json.plan, '').replaceAll(json.target, ''), json, [left], what);
  assert.equal(flash.weights + flash.tables + flash.code, flash.total, what);
  assert.ok(flash.total <= flash.flashBytes && memory.arenaBytes <= memory.sramBytes, `${what} fits`);
  assert.deepEqual(levels[flash.optimize], { flashBytes: flash.total, latencyMs: json.latencyMs }, what);
  assertLoss(json, what);
  if (loss?.budget != null) assert.equal(loss.budget, Number(options['accuracy-budget'] ?? 1), what);
  assertEnd(json, options, what);
}

/** The loss in words has the figures of the summary. */
function assertLoss({ loss, notes }: Pick<QuantizeSummary, 'loss' | 'notes'>, what: string): void {
  const told = notes.find((note) => note.startsWith('Expected loss'));
  assert.equal(told !== undefined, loss !== null, what);
  if (!told || !loss) return;
  const figure = (v: number): string =>
    v
      .toFixed(2)
      .replace(/^-0\.00$/, '0.00')
      .replace('-', '−');
  const [main, interval] = told.startsWith('Expected loss beyond')
    ? [loss.expected, loss.interval]
    : [loss.at8, loss.at8Interval];
  assert.ok(told.includes(`: ${figure(main)} ${loss.unit}`), `${what}: ${told}`);
  assert.equal(
    told.includes('95 % interval'),
    interval !== null || (told.startsWith('Expected loss beyond') && loss.at8Interval !== null),
    what,
  );
  if (interval) assert.ok(told.includes(`${figure(interval.low)} to ${figure(interval.high)}`), `${what}: ${told}`);
}

/** Why the search stopped is one note, of what was asked for. */
function assertEnd({ notes, limitedBy, bitOps }: QuantizeSummary, options: Options, what: string): void {
  const ends = notes.filter((note) => /^The search (stopped|ended|was)|^Everything stays at 8 bits, as/.test(note));
  assert.ok(ends.length <= 1, `${what}: ${ends.join(' | ')}`);
  const all = notes.join('\n');
  if (options['bitops-target'] === undefined) assert.doesNotMatch(all, /asked for|cannot be reached/, what);
  if (options['latency-budget'] === undefined) assert.doesNotMatch(all, /latency budget/, what);
  if (ends.length === 1) assert.equal(/entropy score/.test(ends[0]), limitedBy === 'score', `${what}: ${ends[0]}`);
  if (/^(The search (stopped|ended) at 8 bits|Everything stays at 8)/.test(ends[0] ?? ''))
    assert.equal(bitOps.reduction, 1, `${what}: ${ends[0]}`);
}

function assertEvaluate({ text, json }: Told<Evaluation>, what: string): void {
  const { classifier, float, quantized, agreement, outputSnr, layers, notes } = json;
  const two = (v: number | null): string => (v === null ? '–' : v.toFixed(2));
  assertLines(text, notes, what);
  if (json.detection)
    assert.ok(text.includes(`${json.detection.agreement.paired.toFixed(1)} % of the boxes match one`), text);
  else if (classifier) {
    assert.ok(text.includes(`float      top-1 ${two(float.top1)}  top-5 ${two(float.top5)}\n`), text);
    assert.ok(text.includes(`quantized  top-1 ${two(quantized.top1)}  top-5 ${two(quantized.top5)}\n`), text);
    assert.ok(text.includes(`agreement ${two(agreement)} %`), text);
  } else for (const { name } of json.outputs) assert.ok(text.includes(`${name} `), text);
  for (const { name } of layers!) assert.ok(text.includes(name), `${what}: ${name}`);
  const names = [...layers!, ...json.outputs].map(({ name }) => name).sort((a, b) => b.length - a.length);
  const bare = names.reduce((rest, name) => rest.replaceAll(name, ''), text).replace(/top-[15]/g, '');
  assertTold(bare, json, [outputSnr], what);
}

function assertFit({ text, json }: Told<Fit>, what: string): void {
  const errors = json.boards.flatMap(({ way, board }) =>
    way.latencyMs === null || board.memory === undefined ? [] : errorsIn(text, way.latencyMs),
  );
  assertTold(text.replace(/\d(?=-bit)/g, '').replaceAll(json.boards[0].board.id, ''), json, [8, 4, ...errors], what);
  assert.equal(text.split('\n').length, 3 + json.boards.length);
}

/** The uncertainty that is told: less than the time itself. */
function errorsIn(text: string, latencyMs: number): number[] {
  const told = Number(/± (\d+) ms/.exec(text)?.[1]);
  return told <= Math.max(1, latencyMs) ? [told] : [];
}

interface Generated {
  readonly arenaBytes: number;
  readonly flash: Flash;
  readonly files: readonly string[];
}

function assertGenerate({ text, json }: Told<Generated>, summary: QuantizeSummary, folder: string, what: string): void {
  const { total, weights, tables, code, selfTest } = json.flash;
  assert.ok(text.includes(`Arena ${json.arenaBytes} bytes; flash ${total} bytes `), text);
  assert.ok(text.includes(`weights ${weights}, tables ${tables}, code ${code}; the self-test adds ${selfTest}`), text);
  const { reserveBytes: _, flashBytes: __, ...flash } = summary.flash;
  assert.deepEqual(json.flash, flash, `${what}: generate and quantize`);
  assert.equal(json.arenaBytes, summary.memory.arenaBytes, what);
  const header = fs.readFileSync(
    path.join(
      folder,
      json.files.find((f) => /lib\/net\/net\.h$/.test(f))!,
    ),
    'utf8',
  );
  assert.match(header, new RegExp(`#define NET_FLASH_BYTES ${total}\n`));
  assert.match(header, new RegExp(`#define NET_ARENA_BYTES ${json.arenaBytes}u?\n`));
}

interface SweepJson {
  readonly sweep: Sweep;
  readonly notes: readonly string[];
  readonly account: PlanAccount;
}

describe('what commands print, as text and as JSON', function () {
  this.timeout(600_000);
  let work: WorkFolder;
  let images: string;
  before(() => {
    work = new WorkFolder();
    images = writeImages(work, IMAGES);
    const rows = fs.readdirSync(images).map((file, i) => `${file},${i % 2}`);
    work.write('images/labels.csv', `file,class_index\n${rows.join('\n')}\n`);
  });
  after(() => work.remove());

  it('is the same, for any network, plan, board and options', async () => {
    let planned = 0;
    for (let seed = FIRST; seed <= LAST; seed++) {
      const { model, options } = randomRun(seed);
      const what = `${seed} ${JSON.stringify(options)}`;
      const file = work.write(`${seed}/net.onnx`, model.finish());
      const planPath = work.path(`${seed}/net.quantmcu.json`);
      const { target, sram, flash, core } = options;
      const board = Object.fromEntries(
        Object.entries({ target, sram, flash, core }).filter(([, v]) => v !== undefined),
      );
      assertFit(await run<Fit>('fit', file, board), what);
      let quantized: Told<QuantizeSummary>;
      try {
        quantized = await run<QuantizeSummary>('quantize', file, { ...options, images, out: planPath });
      } catch (error) {
        assert.ok(error instanceof UserError && !/\n|undefined|NaN/.test(error.message), `${what}: ${String(error)}`);
        continue;
      }
      planned++;
      assertQuantize(quantized, options, what);
      const { notes } = quantized.json;
      assert.deepEqual(parsePlan(fs.readFileSync(planPath, 'utf8'), planPath).account!.notes, notes, what);
      const inspected = await run<{ asSearched: boolean }>('inspect', planPath, {});
      assert.ok(inspected.json.asSearched, what);
      assertLines(inspected.text, notes, what);
      assertEvaluate(await run<Evaluation>('evaluate', planPath, { images, layers: true, limit: '8' }), what);
      const project = work.path(`${seed}/project`);
      fs.mkdirSync(project);
      assertGenerate(await run<Generated>('generate', planPath, { project }), quantized.json, project, what);
    }
    assert.ok(planned >= (LAST - FIRST) / 2, `${planned} plans`);
  });

  it('of a sweep and the plan that is picked', async () => {
    const { model } = randomRun(3);
    const file = work.write('sweep/net.onnx', model.finish());
    const { text, json } = await run<SweepJson>('sweep', file, {
      images,
      target: 'nano33ble',
      'bitops-target': '1.2,2',
      pick: '2',
      evaluate: images,
      limit: '8',
      'no-cache': true,
      'no-compensate': true,
      out: work.path('sweep'),
    });
    assertLines(text, [...json.notes, ...json.account.notes], 'sweep');
    const rows = text.split('\n').slice(0, 2);
    json.sweep.points.forEach(({ value, figures, accuracy }, i) => {
      assert.ok(rows[i].includes(`${figures!.reduction.toFixed(2)}× fewer BitOPs`), rows[i]);
      assert.ok(rows[i].includes(`arena ${(figures!.arenaBytes / 1024).toFixed(1)} KiB`), rows[i]);
      assertTold(
        rows[i].replace(/top-1/, ''),
        { value, figures, accuracy, outliers: json.sweep.points[i].outliers },
        [],
        `row ${i}`,
      );
    });
    assertLoss({ loss: json.account.loss ?? null, notes: json.account.notes }, 'sweep');
  });
});
