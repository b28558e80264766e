import { UserError } from '../engine/common/errors';
import { DEFAULTS } from '../engine/run/options';
import type { Command } from './command';

/** What an option is: its value as the help writes it, what it does and what is taken without it. */
export interface OptionHelp {
  /** Missing for flags. */
  readonly value?: string;
  readonly text: string;
  readonly fallback?: string;
}

const WIDTH = 100;
const COLUMN = 36;

/** Options that every command has. */
const COMMON: Readonly<Record<string, OptionHelp>> = {
  json: { text: 'print one JSON object on stdout' },
  problems: { text: 'print errors as lines FILE: error: MESSAGE' },
  help: { text: 'print this help' },
};

/** Options by name; a command whose option means something else says so in {@link Command.optionHelp}. */
const OPTIONS: Readonly<Record<string, OptionHelp>> = {
  images: { value: 'DIR', text: 'sample images (JPEG, PNG) or arrays (.npy, .npz)', fallback: 'required' },
  target: {
    value: 'ID',
    text: 'board; "quantmcu targets" lists them. custom: any, by its sizes',
    fallback: 'required',
  },
  core: { value: 'CORE', text: 'core of a custom target, such as cortex-m4' },
  sram: { value: 'BYTES', text: 'SRAM the arena may use, such as 96K', fallback: "the board's" },
  flash: { value: 'BYTES', text: 'flash in total, such as 512K or 1M', fallback: "the board's" },
  'flash-reserve': { value: 'BYTES|PERCENT%', text: 'flash reserved for the application', fallback: '25%' },
  optimize: {
    value: 'size|balanced|speed',
    text: 'what the C code is optimized for: the least flash, flash where it saves enough time, or the least time',
    fallback: 'balanced',
  },
  input: {
    value: 'counted|external|tiles',
    text: "where the input is: in the arena, in the application's own buffer, or delivered tile by tile",
    fallback: 'counted',
  },
  grid: { value: 'HxW|auto|none', text: 'patches of the patch stage; none: layer by layer', fallback: 'auto' },
  bits: { value: '8,4,2', text: 'bits a feature map may have', fallback: DEFAULTS.bits.join(',') },
  weights: { value: '8|4|auto', text: 'bits of the weights', fallback: 'auto' },
  search: {
    value: 'sensitivity|entropy',
    text: "choose bits by measured sensitivity, or by the paper's entropy score",
    fallback: 'sensitivity',
  },
  objective: {
    value: 'latency|bitops|sram|flash',
    text: 'what the search minimizes',
    fallback: 'time and BitOPs together; bitops with --bitops-target',
  },
  'latency-budget': { value: 'MS', text: 'milliseconds an inference may take', fallback: 'no limit' },
  'accuracy-budget': {
    value: 'POINTS',
    text: 'points of top-1 (mAP of a detector) that may be lost',
    fallback: String(DEFAULTS.accuracyBudget),
  },
  'bitops-target': { value: 'RATIO', text: 'reduction of BitOPs to reach, such as 2.2', fallback: 'none' },
  lambda: { value: 'F', text: 'weight of entropy in the entropy score, 0 to 1', fallback: String(DEFAULTS.lambda) },
  phi: { value: 'F', text: 'share of values that do not count as outliers, 0 to 1', fallback: String(DEFAULTS.phi) },
  epsilon: {
    value: 'F',
    text: 'share of outliers above which a patch belongs to the outlier class, 0 to 1',
    fallback: String(DEFAULTS.epsilon),
  },
  classes: {
    value: 'static|runtime',
    text: 'classes of patches: fixed from the sample images, or decided on the board for each input',
    fallback: 'static',
  },
  halos: {
    value: 'auto|recompute',
    text: 'keep the overlap of patches where that is cheaper, or always recompute it',
    fallback: 'auto',
  },
  task: {
    value: 'classify|binary|regress|detect',
    text: 'what the outputs are for',
    fallback: 'from the last layer and the labels',
  },
  head: {
    value: 'PRESET|FILE.json|none',
    text: "a detector's boxes; none: compare its outputs as values; decoded: do not cut a network that decodes boxes",
    fallback: 'from the outputs',
  },
  preprocess: {
    value: 'PRESET|FILE.json',
    text: 'auto, imagenet, tf, unit, raw, stretch or letterbox; see "quantmcu help"',
    fallback: 'auto',
  },
  limit: { value: 'N', text: 'use at most N samples, evenly spread; 0: all', fallback: '0' },
  sizes: { value: 'NAME=N,…', text: 'values for symbolic dimensions, such as height=224,width=224' },
  threads: { value: 'N', text: 'threads to use', fallback: 'one for each core' },
  'no-compensate': { text: 'do not fit the weights' },
  'no-cache': { text: 'do not read or write the calibration cache' },
  project: { value: 'DIR', text: "the firmware project's folder", fallback: 'required' },
  layout: { value: 'ID', text: 'kind of project', fallback: "from the project's files" },
  'dry-run': { text: 'report what would change and change nothing' },
};

/**
 * Help of one command: what it does, its options with their defaults, an example.
 * @throws UserError where there is no such command
 */
export function commandHelp(commands: ReadonlyMap<string, Command>, name: string): string {
  const command = commands.get(name);
  if (!command) throw new UserError(`Unknown command "${name}". Commands: ${[...commands.keys()].join(', ')}.`);
  const { synopsis, summary, options, example } = command;
  // What comes before the first option are the command's files.
  const usage = synopsis.split(/ (?=[[(]?--)/)[0];
  const own = Object.keys(options).map((option) => optionLines(option, optionHelp(command, option)));
  const common = Object.keys(COMMON).map((option) => optionLines(option, COMMON[option]));
  const wrapped = wrap(`${summary[0].toUpperCase()}${summary.slice(1)}.`, WIDTH).join('\n');
  return (
    `quantmcu ${usage}${own.length > 0 ? ' [OPTIONS]' : ''}\n\n${wrapped}\n\nOptions:\n` +
    `${[...own, ...common].join('\n')}\n\nExample:\n  quantmcu ${example}\n`
  );
}

/** @throws Error for an option without a description, which a test checks */
function optionHelp({ optionHelp: own }: Command, option: string): OptionHelp {
  const found = own?.[option] ?? OPTIONS[option];
  if (found === undefined) throw new Error(`--${option} has no help.`);
  return found;
}

function optionLines(name: string, { value, text, fallback }: OptionHelp): string {
  const left = `  --${name}${value === undefined ? '' : ` ${value}`}`;
  const right = wrap(`${text}${fallback === undefined ? '' : ` (${defaultText(fallback)})`}`, WIDTH - COLUMN);
  const lines = left.length < COLUMN - 1 ? [left.padEnd(COLUMN) + right[0], ...right.slice(1).map(indent)] : null;
  return (lines ?? [left, ...right.map(indent)]).join('\n');
}

/** Not broken where it is short. */
function defaultText(fallback: string): string {
  const text = fallback === 'required' ? fallback : `default: ${fallback}`;
  return text.length <= WIDTH - COLUMN - 2 ? text.replaceAll(' ', '\u00a0') : text;
}

const indent = (line: string): string => ' '.repeat(COLUMN) + line;

/** Lines of at most `width` characters, broken at spaces. */
function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1];
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => line.replaceAll('\u00a0', ' '));
}
