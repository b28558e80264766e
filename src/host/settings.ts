import * as vscode from 'vscode';
import type { Optimize } from '../engine/targets/types';
import type { Core } from '../engine/targets/types';
import type { QuantizeRequest } from '../protocol/engine';
import { coreOf } from './cores';
import { MOST_BYTES } from './format';
import type { Asked } from './runQuantize';

export const SECTION = 'quantmcu';

/** A board of the user's own, from the setting `quantmcu.boards`. */
export interface CustomBoard {
  readonly name: string;
  readonly sramBytes: number;
  readonly flashBytes: number;
  /** Missing: cortex-m4. */
  readonly core?: Core;
}

/** What the settings say about a quantization of a model; the rest is asked. */
export type QuantizeSettings = Pick<
  QuantizeRequest,
  | 'grid'
  | 'bits'
  | 'weights'
  | 'phi'
  | 'search'
  | 'lambda'
  | 'epsilon'
  | 'accuracyBudget'
  | 'bitOpsTarget'
  | 'objective'
  | 'latencyBudget'
  | 'classes'
  | 'task'
  | 'limit'
  | 'sizes'
> & {
  readonly sramBytes: number | undefined;
  readonly flashBytes: number | undefined;
};

/**
 * Reads the settings that hold for a file. Values outside their range fall back to the default: settings.json is typed
 * by hand.
 */
export function quantizeSettings(scope: vscode.Uri): QuantizeSettings {
  const config = vscode.workspace.getConfiguration(SECTION, scope);
  const bytes = (key: string) => optional(config.get(key), isBytes);
  const number = (key: string, ok: (n: number) => boolean) =>
    optional(config.get(key), ok) ?? defaultOf<number>(config, key);
  return {
    grid: parseGrid(config.get('patchGrid')),
    bits: parseBits(config.get('activationBits')),
    weights: oneOf(config.get('weightBits'), ['auto', 8, 4] as const, 'auto'),
    phi: number('phi', (n) => n > 0 && n < 1),
    search: oneOf(config.get('search'), ['sensitivity', 'entropy'] as const, 'sensitivity'),
    lambda: number('lambda', (n) => n >= 0 && n <= 1),
    epsilon: number('epsilon', (n) => n >= 0 && n < 1),
    accuracyBudget: optional(config.get('accuracyBudget'), (n) => n >= 0 && n <= 100),
    bitOpsTarget: optional(config.get('bitOpsTarget'), (n) => n >= 1 && n <= 16),
    objective: oneOf(config.get('objective'), ['latency', 'bitops', 'sram', 'flash', undefined] as const, undefined),
    latencyBudget: optional(config.get('latencyBudget'), (n) => n > 0),
    classes: oneOf(config.get('patchClasses'), ['static', 'runtime'] as const, 'static'),
    task: oneOf(config.get('task'), ['classify', 'binary', 'regress', 'detect', undefined] as const, undefined),
    limit: number('calibrationImages', (n) => Number.isInteger(n) && n >= 0),
    sizes: parseSizes(config.get('inputSizes')),
    sramBytes: bytes('sramBytes'),
    flashBytes: bytes('flashBytes'),
  };
}

/** What generated sources are made for, by the setting `quantmcu.optimize`; undefined: as the plan says, balanced. */
export function optimizeSetting(scope: vscode.Uri): Exclude<Optimize, 'balanced'> | undefined {
  const levels = ['size', 'speed', undefined] as const;
  return oneOf(vscode.workspace.getConfiguration(SECTION, scope).get('optimize'), levels, undefined);
}

/** Share of a board's flash that is kept for the application; undefined: the default. */
export function flashReserveSetting(scope: vscode.Uri): number | undefined {
  return optional(
    vscode.workspace.getConfiguration(SECTION, scope).get('flashReserve'),
    (n) => n >= 0 && n < 100 && n !== 25,
  );
}

/** What the settings say of that which one run may be asked otherwise. */
export function askedSettings(scope: vscode.Uri): Asked {
  const { accuracyBudget, bitOpsTarget, objective, latencyBudget } = quantizeSettings(scope);
  return {
    accuracyBudget,
    bitOpsTarget,
    objective,
    latencyBudget,
    optimize: optimizeSetting(scope),
    flashReserve: flashReserveSetting(scope),
  };
}

export function customBoards(scope: vscode.Uri): CustomBoard[] {
  const boards: unknown = vscode.workspace.getConfiguration(SECTION, scope).get('boards');
  if (!Array.isArray(boards)) return [];
  return boards.filter(
    (board: Partial<CustomBoard> | null): board is CustomBoard =>
      typeof board?.name === 'string' &&
      isBytes(board.sramBytes) &&
      isBytes(board.flashBytes) &&
      (board.core === undefined || coreOf(board.core) !== undefined),
  );
}

function isBytes(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= MOST_BYTES;
}

function defaultOf<T>(config: vscode.WorkspaceConfiguration, key: string): T {
  return config.inspect<T>(key)?.defaultValue as T;
}

function optional(value: unknown, ok: (n: number) => boolean): number | undefined {
  return typeof value === 'number' && ok(value) ? value : undefined;
}

function oneOf<T>(value: unknown, allowed: readonly T[], otherwise: T): T {
  return allowed.find((a) => a === value) ?? otherwise;
}

/** `auto`, `none`, or rows × columns such as `2x3`. */
function parseGrid(value: unknown): QuantizeRequest['grid'] {
  if (value === 'none') return 'none';
  const match = typeof value === 'string' ? /^\s*(\d{1,3})\s*[x×]\s*(\d{1,3})\s*$/i.exec(value) : null;
  const [rows, cols] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  return rows > 0 && cols > 0 ? { rows, cols } : 'auto';
}

/** Candidate bits, most first; 8 is always among them. */
function parseBits(value: unknown): (16 | 8 | 4 | 2)[] {
  const wanted: unknown[] = Array.isArray(value) ? value : [4];
  return ([16, 8, 4, 2] as const).filter((bits) => bits === 8 || wanted.includes(bits));
}

function parseSizes(value: unknown): Record<string, number> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const sizes = Object.entries(value).filter((entry): entry is [string, number] => isBytes(entry[1]));
  return sizes.length > 0 ? Object.fromEntries(sizes) : undefined;
}
