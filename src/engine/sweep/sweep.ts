import type { DecideOptions } from '../run/decisionTypes';
import { endedBy } from '../run/limits';
import { UserError } from '../common/errors';
import { FloatCache } from '../evaluation/floatCache';
import type { Progress } from '../common/progress';
import type { QuantizedParameters } from '../quantize/types';
import { settingsAt } from './pick';
import { atPhi, makePoint, measureRandom, type Decided, type PointMaker } from './points';
import type { SweepSession } from './session';
import type { PointAccount, Sweep, SweepDecisions, SweepParameter, SweepPoint, SweepSettings } from './types';

export interface SweepOptions {
  readonly parameter: SweepParameter;
  readonly values: readonly number[];
  /** `evaluation` names the images relative to the table; `imagesPath` is where they are. */
  readonly settings: SweepSettings;
  /** Folder of the images to measure accuracy on; null: figures only. */
  readonly imagesPath: string | null;
  /** Decisions that a person locked. */
  readonly locked?: DecideOptions['locked'];
  /** φ sweeps: the plan whose patches are classified again; missing: one is made with the settings. */
  readonly base?: {
    readonly decisions: SweepDecisions;
    readonly account?: PointAccount;
    readonly parameters: QuantizedParameters;
  };
}

/** More points than anybody plots. */
const MOST_VALUES = 100;

/** Bounds of the parameters' values; φ and λ are shares. */
const RANGES: Readonly<
  Record<SweepParameter, { readonly low: number; readonly high: number; readonly open: boolean }>
> = {
  phi: { low: 0, high: 1, open: true },
  lambda: { low: 0, high: 1, open: false },
  'bitops-target': { low: 1, high: 16, open: false },
};

/** Symbol of a parameter in messages. */
const NAMES: Readonly<Record<SweepParameter, string>> = { phi: 'φ', lambda: 'λ', 'bitops-target': 'BitOPs target' };

/** Rising values without repetitions. @throws UserError for values outside the parameter's range */
export function sweepValues(parameter: SweepParameter, values: readonly number[]): number[] {
  const { low, high, open } = RANGES[parameter];
  for (const v of values) {
    if (!(open ? v > low && v < high : v >= low && v <= high))
      throw new UserError(
        `A sweep of ${NAMES[parameter]} takes values ${open ? 'between' : 'from'} ${low} ${open ? 'and' : 'to'} ` +
          `${high}, not ${v}.`,
      );
  }
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  if (sorted.length === 0)
    throw new UserError(
      `A sweep of ${NAMES[parameter]} needs values, such as ` +
        `${parameter === 'bitops-target' ? '1.5,2,2.5,3' : '0.9,0.96,0.99,0.999'}.`,
    );
  if (sorted.length > MOST_VALUES)
    throw new UserError(`A sweep takes at most ${MOST_VALUES} values, not ${sorted.length}.`);
  return sorted;
}

/**
 * Makes a plan for each value of one parameter and measures it. Calibration, float outputs and sensitivities are made
 * once, weights where bits differ. Values at which nothing fits become points with a problem.
 *
 * @throws UserError when no point can be made at all; CancelledError
 */
export async function runSweep(session: SweepSession, options: SweepOptions, progress: Progress): Promise<Sweep> {
  const begin = performance.now();
  const { parameter, settings, imagesPath } = options;
  const values = sweepValues(parameter, options.values);
  const measuring =
    imagesPath !== null && settings.evaluation
      ? { imagesPath, limit: settings.evaluation.limit, float: new FloatCache() }
      : null;
  const points: SweepPoint[] = [];
  const base = parameter === 'phi' ? (options.base ?? (await madeBase(session, options, progress))) : null;
  if (base && !base.decisions.patchStage)
    throw new UserError(
      'φ decides the classes of patches, and this plan runs layer by layer. Choose a grid of patches, such as ' +
        '3x3, or a board with less SRAM.',
    );
  for (const [i, value] of values.entries()) {
    const place: Progress = {
      report: (stage, done, total) =>
        progress.report(`${NAMES[parameter]} = ${value} (${i + 1} of ${values.length}): ${stage}`, done, total),
      isCancelled: () => progress.isCancelled(),
    };
    const own = settingsAt(options, value);
    const maker: PointMaker = { session, settings: own, measuring, progress: place };
    const point = base
      ? await makePoint(
          maker,
          value,
          value,
          () => Promise.resolve({ ...atPhi(maker, base.decisions, value), account: ofBits(base.account) }),
          () => Promise.resolve(base.parameters),
        )
      : await makePoint(
          maker,
          value,
          settings.phi,
          () => decided(session, own, options.locked, place),
          (decisions) => session.quantizer.parameters(decisions, own.compensate ?? true, place),
        );
    points.push(
      base && point.decisions
        ? { ...point, randomAccuracy: await measureRandom(maker, point.decisions, base.parameters) }
        : point,
    );
  }
  if (points.every((p) => p.problem !== null))
    throw new UserError(`No value of ${NAMES[parameter]} gives a plan. ${points[0].problem}`);
  return {
    parameter,
    points,
    settings,
    finished: new Date().toISOString(),
    seconds: Math.round(performance.now() - begin) / 1000,
  };
}

/** Of a plan's account, what holds for other classes of its patches, too. */
function ofBits(account: PointAccount | undefined): PointAccount | undefined {
  return account && { limitedBy: account.limitedBy, maps: account.maps, layers: account.layers };
}

/** What a session decides, and why. */
async function decided(
  session: SweepSession,
  settings: SweepSettings,
  locked: DecideOptions['locked'],
  progress: Progress,
): Promise<Decided> {
  const { reasons, reduction, pareto: _, ...decisions } = await session.decide(settings, locked, progress);
  return {
    ...decisions,
    account: { limitedBy: endedBy({ reduction }, settings.bits, settings.bitOpsTarget), ...reasons },
  };
}

/** The plan that φ is swept on. */
async function madeBase(
  session: SweepSession,
  { settings, locked }: SweepOptions,
  progress: Progress,
): Promise<NonNullable<SweepOptions['base']>> {
  const { notes: _, account, ...decisions } = await decided(session, settings, locked, progress);
  return {
    decisions,
    account,
    parameters: await session.quantizer.parameters(decisions, settings.compensate ?? true, progress),
  };
}
