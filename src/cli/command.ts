import type { Progress } from '../engine/common/progress';
import type { Values } from './commandOptions';
import type { OptionHelp } from './help';

/** What a command prints, as text and as JSON. */
export interface CommandResult {
  readonly text: string;
  readonly json: unknown;
}

/** One command of the command line: what it accepts and what it does. */
export interface Command {
  readonly synopsis: string;
  readonly summary: string;
  readonly options: Record<string, { readonly type: 'string' | 'boolean' }>;
  /** An invocation, without `quantmcu`. */
  readonly example: string;
  /** What the help says of options that other commands do not have, or that mean something else here. */
  readonly optionHelp?: Readonly<Record<string, OptionHelp>>;
  run(positionals: readonly string[], values: Values, progress: Progress): Promise<CommandResult>;
}

export const text = { type: 'string' } as const;
export const flag = { type: 'boolean' } as const;

/** What `quantize` and `sweep` both accept. */
export const planningOptions = {
  images: text,
  target: text,
  core: text,
  sram: text,
  flash: text,
  input: text,
  grid: text,
  bits: text,
  weights: text,
  phi: text,
  lambda: text,
  epsilon: text,
  'bitops-target': text,
  classes: text,
  task: text,
  head: text,
  preprocess: text,
  limit: text,
  sizes: text,
  'no-compensate': flag,
  'no-cache': flag,
  force: flag,
  out: text,
} as const;
