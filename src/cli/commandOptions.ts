import * as path from 'node:path';
import { CAMERA_FORMATS, CAMERA_SCALES, type Camera } from '../engine/calibration/camera';
import { defaultCachePath } from '../engine/calibration/cache';
import { loadPreprocess } from '../engine/calibration/preprocess';
import type { Preprocess } from '../engine/calibration/types';
import { UserError } from '../engine/common/errors';
import type { Bits, WeightBits } from '../engine/graph/bits';
import { TASKS, type Task } from '../engine/graph/task';
import { openSizes } from '../engine/onnx';
import type { PlanTarget } from '../engine/targets/types';
import { arenaTarget } from '../engine/targets/capacity';
import { customTargetId, findTarget } from '../engine/targets/targets';
import { CORES, MOST_BYTES, OPTIMIZE_LEVELS, type Core, type Optimize } from '../engine/targets/types';
import { OBJECTIVES, type Objective } from '../engine/vdqs/decisionCost';

/** Options of a command as they were given. */
export type Values = Record<string, string | boolean | undefined>;

/** The board, or with `custom` the sizes, that were asked for. */
export function capacityOf(values: Values): PlanTarget {
  const id = required(values, 'target');
  const sramBytes = bytesOf(values, 'sram');
  const flashBytes = bytesOf(values, 'flash');
  const core = coreOf(values);
  const optimize = optimizeOf(values);
  const more = optimize === undefined || optimize === 'balanced' ? {} : { optimize };
  if (id !== customTargetId) {
    if (core !== undefined) throw new UserError(`--core is only for --target ${customTargetId}: ${id} has its own.`);
    const board = arenaTarget(findTarget(id), { sramBytes, flashBytes });
    return { ...board, ...reserveOf(values, board.flashBytes), ...more };
  }
  if (sramBytes === undefined || flashBytes === undefined)
    throw new UserError(`--target ${customTargetId} needs --sram and --flash in bytes.`);
  return { id, sramBytes, flashBytes, ...reserveOf(values, flashBytes), ...more, ...(core ? { core } : {}) };
}

/** What bounds a plan, whatever chooses its bits. */
export function planOptionsOf(values: Values): {
  target: PlanTarget;
  grid: ReturnType<typeof gridOf>;
  bits: Bits[] | undefined;
  weights: WeightBits | 'auto';
  epsilon: number | undefined;
  classes: 'static' | 'runtime';
  compensate?: false;
} {
  const input = oneOf(values, 'input', ['counted', 'external', 'tiles'] as const, 'counted');
  return {
    target: { ...capacityOf(values), ...(input === 'counted' ? {} : { input }) },
    grid: gridOf(values.grid),
    bits: bitsOf(values.bits),
    weights: weightsOf(values.weights),
    epsilon: fraction(values, 'epsilon'),
    classes: oneOf(values, 'classes', ['static', 'runtime'] as const, 'static'),
    ...(values['no-compensate'] === true ? { compensate: false } : {}),
  };
}

/** How the model is read and fed; `preprocess` is null where it was not said. @param modelPath see {@link sizesOf} */
export async function modelOptionsOf(
  values: Values,
  modelPath: string,
): Promise<{
  imagesPath: string;
  preprocess: Preprocess | null;
  task: Task | undefined;
  head: string | undefined;
  sizes: Record<string, number> | undefined;
  cachePath: string | null;
}> {
  const { preprocess, head } = values;
  return {
    imagesPath: required(values, 'images'),
    preprocess: typeof preprocess === 'string' ? await loadPreprocess(preprocess) : null,
    task: taskOption(values),
    head: typeof head === 'string' ? head : undefined,
    sizes: await sizesOf(values, modelPath),
    cachePath: values['no-cache'] === true ? null : defaultCachePath(),
  };
}

/** `--flash-reserve`, in bytes or percent of the flash. */
function reserveOf(values: Values, flashBytes: number): Pick<PlanTarget, 'flashReserveBytes'> {
  const given = values['flash-reserve'];
  if (given === undefined) return {};
  const percent = /^(\d{1,2}(?:\.\d+)?)%$/.exec(String(given));
  if (!percent && /%/.test(String(given)))
    throw new UserError(`--flash-reserve must be below 100 % of the flash, such as 25%, not "${String(given)}".`);
  const bytes = percent
    ? Math.round((Number(percent[1]) / 100) * flashBytes)
    : given === '0'
      ? 0
      : (bytesOf(values, 'flash-reserve') ?? 0);
  if (bytes >= flashBytes)
    throw new UserError(`--flash-reserve leaves nothing of the ${flashBytes} bytes of flash for the network.`);
  return { flashReserveBytes: bytes };
}

/** `--optimize`, where it was given. */
export function optimizeOf(values: Values): Optimize | undefined {
  return values.optimize === undefined ? undefined : oneOf(values, 'optimize', OPTIMIZE_LEVELS, 'balanced');
}

/** `--core`, with or without `cortex-` before it. */
function coreOf({ core }: Values): Core | undefined {
  if (core === undefined) return undefined;
  const known = CORES.find((c) => c === core || c === `cortex-${String(core)}`);
  if (!known) throw new UserError(`--core must be one of ${CORES.join(', ')}, not "${String(core)}".`);
  return known;
}

export function one(positionals: readonly string[], name: string): string {
  if (positionals.length !== 1 || positionals[0] === '')
    throw new UserError(`Give exactly one ${name}. "quantmcu help" lists the commands.`);
  return positionals[0];
}

export function required(values: Values, name: string): string {
  const value = values[name];
  if (typeof value !== 'string' || value === '') throw new UserError(`--${name} is missing.`);
  return value;
}

export function number(values: Values, name: string): number | undefined {
  const value = values[name];
  if (typeof value !== 'string') return undefined;
  // JavaScript takes an empty text for 0, and hexadecimal ones.
  const n = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value) ? Number(value) : NaN;
  if (!Number.isFinite(n)) throw new UserError(`--${name} must be a number, not "${value}".`);
  return n;
}

export function count(values: Values, name: string): number {
  const n = number(values, name) ?? 0;
  if (!Number.isInteger(n) || n < 0)
    throw new UserError(`--${name} must be a whole number, 0 or more, not "${String(values[name])}".`);
  return n;
}

export function fraction(values: Values, name: string): number | undefined {
  const n = number(values, name);
  if (n !== undefined && (n < 0 || n > 1)) throw new UserError(`--${name} must be between 0 and 1, not ${n}.`);
  return n;
}

/** A reduction, at least 1; 16 is 2-bit maps everywhere. */
export function ratio(values: Values, name: string): number | undefined {
  const n = number(values, name);
  if (n !== undefined && (n < 1 || n > 16)) throw new UserError(`--${name} must be between 1 and 16, not ${n}.`);
  return n;
}

/**
 * How bits are chosen and what bounds them: a reduction of BitOPs, the points of top-1 that may be lost, or both, by
 * measured sensitivity; by the entropy score when that is asked for, or when its λ is given.
 */
export function searchOf(values: Values): {
  search: 'sensitivity' | 'entropy';
  objective?: Objective;
  latencyBudget?: number;
  bitOpsTarget?: number;
  accuracyBudget?: number;
} {
  const bitOpsTarget = ratio(values, 'bitops-target');
  const accuracyBudget = number(values, 'accuracy-budget');
  const latencyBudget = number(values, 'latency-budget');
  const objective = values.objective === undefined ? undefined : oneOf(values, 'objective', OBJECTIVES, 'latency');
  const limited =
    bitOpsTarget !== undefined ||
    accuracyBudget !== undefined ||
    latencyBudget !== undefined ||
    objective !== undefined;
  const search = oneOf(
    values,
    'search',
    ['sensitivity', 'entropy'] as const,
    values.lambda !== undefined && !limited ? 'entropy' : 'sensitivity',
  );
  if (search === 'entropy' && limited)
    throw new UserError(
      '--objective, --latency-budget, --bitops-target and --accuracy-budget need measured sensitivity: ' +
        'drop them, or drop --search entropy.',
    );
  if (search === 'sensitivity' && values.lambda !== undefined)
    throw new UserError('--lambda belongs to the entropy score: drop it, or add --search entropy and set no target.');
  if (accuracyBudget !== undefined && !(accuracyBudget >= 0 && accuracyBudget <= 100))
    throw new UserError('--accuracy-budget is in points of top-1 (mAP of a detector) and must be between 0 and 100.');
  if (latencyBudget !== undefined && !(latencyBudget > 0))
    throw new UserError('--latency-budget is in milliseconds and must be above 0.');
  return { search, objective, latencyBudget, bitOpsTarget, accuracyBudget };
}

/** What the outputs are for, where it was said. */
export function taskOption({ task }: Values): Task | undefined {
  if (task === undefined) return undefined;
  const known = TASKS.find((t) => t === task);
  if (!known) throw new UserError(`--task must be one of ${TASKS.join(', ')}, not "${String(task)}".`);
  return known;
}

/** A number of bytes; `256K` and `1M` are understood. */
export function bytesOf(values: Values, name: string): number | undefined {
  const value = values[name];
  if (typeof value !== 'string') return undefined;
  const match = /^(\d+)([kKmM]?)$/.exec(value.trim());
  const n = match
    ? Number(match[1]) * (match[2] === '' ? 1 : match[2].toLowerCase() === 'k' ? 1024 : 1024 * 1024)
    : NaN;
  if (!(n >= 1 && n <= MOST_BYTES))
    throw new UserError(
      `--${name} must be a number of bytes such as 262144, 256K or 1M, at most 4096M, not "${value}".`,
    );
  return n;
}

export function oneOf<T extends string>(values: Values, name: string, allowed: readonly T[], fallback: T): T {
  const value = values[name];
  if (value === undefined) return fallback;
  const found = allowed.find((a) => a === value);
  if (!found) throw new UserError(`--${name} must be one of ${allowed.join(', ')}, not "${String(value)}".`);
  return found;
}

export function gridOf(value: string | boolean | undefined): 'auto' | 'none' | { rows: number; cols: number } {
  if (value === undefined || value === 'auto') return 'auto';
  if (value === 'none') return 'none';
  const match = /^(\d{1,3})[x×](\d{1,3})$/.exec(String(value));
  if (!match || Number(match[1]) < 1 || Number(match[2]) < 1)
    throw new UserError(`--grid must be auto, none or rows×columns such as 3x3, not "${String(value)}".`);
  return { rows: Number(match[1]), cols: Number(match[2]) };
}

export function bitsOf(value: string | boolean | undefined): Bits[] | undefined {
  if (typeof value !== 'string') return undefined;
  const bits = value.split(',').map(Number);
  if (!bits.every((b): b is Bits => b === 16 || b === 8 || b === 4 || b === 2))
    throw new UserError(`--bits takes 16, 8, 4 and 2, such as 8,4, not "${value}".`);
  return [...new Set<Bits>([8, ...bits])].sort((a, b) => b - a);
}

export function weightsOf(value: string | boolean | undefined): WeightBits | 'auto' {
  if (value === undefined || value === 'auto') return 'auto';
  if (value === '8') return 8;
  if (value === '4') return 4;
  throw new UserError(`--weights must be 8, 4 or auto, not "${String(value)}".`);
}

/**
 * `--sizes`, for a model.
 * @param modelPath read only where the option is given @throws UserError for a dimension that the model leaves not open
 */
export async function sizesOf(values: Values, modelPath: string): Promise<Record<string, number> | undefined> {
  const { sizes } = values;
  if (typeof sizes !== 'string') return undefined;
  const given = sizes.split(',').map((entry): [string, number] => {
    const at = entry.lastIndexOf('=');
    const n = Number(entry.slice(at + 1));
    if (at < 1 || !Number.isInteger(n) || n < 1)
      throw new UserError(`--sizes must be like height=224,width=224, not "${sizes}".`);
    return [entry.slice(0, at), n];
  });
  const open = await openSizes(modelPath);
  const strange = given.find(([name]) => !open.includes(name));
  if (strange)
    throw new UserError(
      `--sizes sets "${strange[0]}", but the inputs of ${path.basename(modelPath)} ` +
        (open.length > 0 ? `leave only ${open.join(', ')} open.` : 'have fixed sizes: leave the option out.'),
    );
  return Object.fromEntries(given);
}

/** One of an option's values, the first where it is not given. @throws UserError for another one */
export function choice<T extends string>(values: Values, name: string, known: readonly [T, ...T[]]): T {
  const given = values[name] ?? known[0];
  const found = known.find((value) => value === given);
  if (found === undefined) throw new UserError(`--${name} must be ${known.join(' or ')}, not "${String(given)}".`);
  return found;
}

/** The camera that is asked for. @throws UserError for one that is not known, or half of the options */
export function cameraOf(values: Values): Camera | undefined {
  if (values.camera === undefined) {
    const left = ['camera-size', 'scale'].find((name) => values[name] !== undefined);
    if (left !== undefined) throw new UserError(`--${left} needs --camera, the format of the camera's pictures.`);
    return undefined;
  }
  const format = choice(values, 'camera', CAMERA_FORMATS);
  const size = /^(\d{1,4})x(\d{1,4})$/.exec(required(values, 'camera-size'));
  if (!size) throw new UserError('--camera-size must be columns x rows, such as 320x240.');
  return { format, width: Number(size[1]), height: Number(size[2]), scale: choice(values, 'scale', CAMERA_SCALES) };
}
