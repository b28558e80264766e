import { promises as fs } from 'node:fs';
import * as path from 'node:path';
import { planningOptions, text, type Command, type CommandResult } from './command';
import { count, modelOptionsOf, one, planOptionsOf, required, type Values } from './commandOptions';
import { UserError } from '../engine/common/errors';
import { visible } from '../engine/common/visible';
import { GENERATOR } from '../engine/common/generator';
import { assertReplaceable } from '../engine/plan/ownFile';
import { relativeTo } from '../engine/plan/relativeTo';
import { lockedDecisions } from '../engine/run/lockedDecisions';
import { DEFAULTS } from '../engine/run/options';
import { defaultPlanPath, parametersFileName } from '../engine/plan/sidecar';
import type { PlanAccount } from '../engine/plan/types';
import type { Progress } from '../engine/common/progress';
import { settingsAt, writePointAsPlan } from '../engine/sweep/pick';
import { SweepSession } from '../engine/sweep/session';
import { runSweep, sweepValues } from '../engine/sweep/sweep';
import { assertTableReplaceable, writeSweep } from '../engine/sweep/tableFile';
import type { Sweep, SweepAccuracy, SweepParameter, SweepPoint, SweepSettings } from '../engine/sweep/types';

/** `sweep`: plans for several values of one parameter, as a table next to the plan. */
export const sweepCommand: Command = {
  synopsis:
    'sweep MODEL --images DIR --target ID (--phi F,F,… | --lambda F,F,… | --bitops-target R,R,…) [--evaluate ' +
    'DIR] [--limit N] [--pick VALUE] [--sram BYTES] [--flash BYTES] [--core CORE] [--input ' +
    'counted|external|tiles] [--grid HxW|auto|none] [--bits 8,4,2] [--weights 8|4|auto] [--epsilon F] [--classes ' +
    'static|runtime] [--task classify|binary|regress|detect] [--head PRESET|FILE.json|none] [--preprocess ' +
    'imagenet|tf|unit|raw|stretch|letterbox|FILE.json] [--calibrate N] [--sizes NAME=N,…] ' +
    '[--no-compensate] [--no-cache] [--force] --out FOLDER',
  summary:
    'a plan for each value of one parameter, with its figures and, on the --limit images of --evaluate, its ' +
    'accuracy; --pick makes one of them the plan',
  options: { ...planningOptions, evaluate: text, pick: text, calibrate: text },
  example:
    'sweep model.onnx --images photos --target nano33ble --bitops-target 1.5,2.2,3 --evaluate labelled-photos ' +
    '--limit 200 --out .',
  optionHelp: {
    phi: { value: 'F,F,…', text: 'the values of φ to sweep, or one for all', fallback: String(DEFAULTS.phi) },
    lambda: { value: 'F,F,…', text: 'the values of λ to sweep, or one for all', fallback: String(DEFAULTS.lambda) },
    'bitops-target': { value: 'R,R,…', text: 'the reductions of BitOPs to sweep, or one for all' },
    preprocess: {
      value: 'PRESET|FILE.json',
      text: 'imagenet, tf, unit, raw, stretch or letterbox; see "quantmcu help"',
      fallback: 'unit, or what the detector needs',
    },
    evaluate: { value: 'DIR', text: 'images to measure the accuracy of each plan on', fallback: 'none' },
    limit: { value: 'N', text: 'evaluate on at most N images, evenly spread; 0: all', fallback: '0' },
    calibrate: { value: 'N', text: 'calibrate with at most N samples; 0: all', fallback: '0' },
    pick: { value: 'VALUE', text: 'write the plan of this value', fallback: 'write the table only' },
    out: { value: 'FOLDER', text: "the plan's folder; the table is written next to the plan", fallback: 'required' },
    force: { text: "overwrite files that are not QuantMCU's" },
  },
  run: sweepModel,
};

const UNSAID_PREPROCESS =
  'Preprocessing: unit, by default, since a sweep tries no others. Use --preprocess to give the one that ' +
  'quantize reported.';

async function sweepModel(positionals: readonly string[], values: Values, progress: Progress): Promise<CommandResult> {
  const modelPath = one(positionals, 'MODEL');
  const planPath = await planPathOf(required(values, 'out'), modelPath);
  const evaluated = typeof values.evaluate === 'string' ? values.evaluate : null;
  const { parameter, swept, fixed } = parametersOf(values);
  sweepValues(parameter, swept);
  const pick = typeof values.pick === 'string' ? numberOf('pick', values.pick) : null;
  if (pick !== null && !swept.includes(pick))
    throw new UserError(`--pick must be one of the swept values, ${swept.join(', ')}, not ${pick}.`);
  const force = values.force === true;
  await assertWritable(planPath, pick !== null, force);
  const limit = count(values, 'calibrate');
  const planned = planOptionsOf(values);
  if (planned.bits?.includes(16) === true)
    throw new UserError('--bits of a sweep takes 8, 4 and 2: it raises no feature map to 16 bits. quantize does.');
  const read = await modelOptionsOf(values, modelPath);
  const locked = await lockedDecisions(planPath);
  const session = await SweepSession.open({ modelPath, ...read, limit, file: planPath }, progress);
  const settings: SweepSettings = {
    ...planned,
    preprocess: session.preprocess,
    bits: planned.bits ?? DEFAULTS.bits,
    phi: fixed.phi ?? DEFAULTS.phi,
    lambda: fixed.lambda ?? DEFAULTS.lambda,
    epsilon: planned.epsilon ?? DEFAULTS.epsilon,
    ...(fixed['bitops-target'] === undefined ? {} : { bitOpsTarget: fixed['bitops-target'] }),
    calibration: {
      key: session.calibration.key,
      images: session.calibration.images,
      folder: relativeTo(planPath, read.imagesPath),
      limit,
    },
    evaluation: evaluated === null ? null : { folder: relativeTo(planPath, evaluated), limit: count(values, 'limit') },
  };
  const sweep = await runSweep(
    session,
    { parameter, values: swept, settings, imagesPath: evaluated, locked },
    progress,
  );
  const picked = sweep.points.find((p) => p.value === pick);
  const head = {
    generator: GENERATOR,
    model: {
      file: relativeTo(planPath, modelPath),
      sha256: session.sha256,
      ...(read.sizes ? { sizes: read.sizes } : {}),
    },
  };
  const table = await writeSweep(planPath, head, sweep, force);
  if (picked && !picked.decisions)
    throw new UserError(`There is no plan for ${picked.value}, so none was written: ${picked.problem}`);
  const plan =
    picked?.decisions &&
    (await writePointAsPlan(
      session,
      planPath,
      settingsAt(sweep, picked.value),
      { ...picked, decisions: picked.decisions },
      progress,
    ));
  const unsaid = values.preprocess === undefined ? [UNSAID_PREPROCESS] : [];
  return resultOf(sweep, table, plan ? { planPath, account: plan.account ?? null } : null, unsaid, session.notes);
}

/** The same in words and for programs. @param sampleNotes about the samples, which a plan's account has, too */
function resultOf(
  sweep: Sweep,
  table: string,
  picked: { readonly planPath: string; readonly account: PlanAccount | null } | null,
  unsaid: readonly string[],
  sampleNotes: readonly string[],
): CommandResult {
  const account = picked?.account ?? null;
  const notes = [...unsaid, ...(account ? [] : sampleNotes)];
  const lines = [
    ...sweep.points.map((p) => describe(sweep.parameter, p)),
    ...notes.map(visible),
    `Table: ${table}`,
    ...(picked ? [`Plan: ${picked.planPath}`] : []),
    ...(account?.notes ?? []).map(visible),
  ];
  return { text: lines.join('\n'), json: { table, plan: picked?.planPath ?? null, account, notes, sweep } };
}

/** Nothing that is not ours is written over: the table and, where a point becomes the plan, the plan's two files. */
async function assertWritable(planPath: string, picks: boolean, force: boolean): Promise<void> {
  await assertTableReplaceable(planPath, force);
  if (!picks) return;
  await assertReplaceable(planPath, 'plan', force || planPath.endsWith('.quantmcu.json'));
  await assertReplaceable(path.join(path.dirname(planPath), parametersFileName(planPath)), 'parameters', force);
}

/** The parameter that has several values, or the only one that is given, and the others' values. */
function parametersOf(values: Values): {
  parameter: SweepParameter;
  swept: number[];
  fixed: Partial<Record<SweepParameter, number>>;
} {
  const given = (['phi', 'lambda', 'bitops-target'] as const).flatMap((name) => {
    const value = values[name];
    return typeof value === 'string' ? [{ name, numbers: value.split(',').map((v) => numberOf(name, v)) }] : [];
  });
  const several = given.filter((g) => g.numbers.length > 1);
  const swept = several.length === 0 && given.length === 1 ? given : several;
  if (swept.length !== 1)
    throw new UserError(
      'A sweep varies one parameter: give a list of values to exactly one of --phi, --lambda and --bitops-target.',
    );
  return {
    parameter: swept[0].name,
    swept: swept[0].numbers,
    fixed: Object.fromEntries(
      given.filter((g) => g !== swept[0]).map((g) => [g.name, sweepValues(g.name, g.numbers)[0]]),
    ),
  };
}

function numberOf(name: string, value: string): number {
  const n = value.trim() === '' ? NaN : Number(value);
  if (!Number.isFinite(n)) throw new UserError(`--${name} takes numbers separated by commas, not "${value}".`);
  return n;
}

/** Where the plan is or would be: in the folder that was given, or at the sidecar's own path. */
async function planPathOf(out: string, modelPath: string): Promise<string> {
  if (/\.json$/i.test(out)) return out;
  const stat = await fs.stat(out).catch(() => null);
  if (!stat?.isDirectory()) throw new UserError(`${out} is not a folder. Give the folder of the plan with --out.`);
  return path.join(out, path.basename(defaultPlanPath(modelPath)));
}

function describe(
  parameter: SweepParameter,
  { value, problem, figures, outliers, accuracy, randomAccuracy }: SweepPoint,
): string {
  const name = `${parameter} ${value}`.padEnd(20);
  if (problem !== null || !figures) return `${name} ${problem}`;
  const kib = (n: number): string => `${(n / 1024).toFixed(1)} KiB`;
  return [
    name,
    `${figures.reduction.toFixed(2)}× fewer BitOPs, arena ${kib(figures.arenaBytes)}, weights ` +
      `${kib(figures.weightBytes)}`,
    ...(outliers ? [`outlier patches ${percent(outliers.share)}`] : []),
    ...(accuracy ? [accuracyText(accuracy)] : []),
    ...(randomAccuracy ? [`at random positions ${accuracyText(randomAccuracy)}`] : []),
  ].join('  ');
}

const percent = (n: number | null | undefined): string =>
  n === null || n === undefined ? '–' : `${(100 * n).toFixed(1)} %`;

function accuracyText({ top1, agreement, map50, floatMap50, boxAgreement }: SweepAccuracy): string {
  if (boxAgreement == null) return `top-1 ${percent(top1)}, agreement ${percent(agreement)}`;
  const boxes = `${percent(boxAgreement)} of the boxes match a float box`;
  return map50 == null ? boxes : `mAP@0.5 ${percent(map50)} (float ${percent(floatMap50)}), ${boxes}`;
}
