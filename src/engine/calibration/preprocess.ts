import { counted } from '../common/wording';
import { promises as fs } from 'node:fs';
import * as path from 'node:path';
import { UserError, reasonOf } from '../common/errors';
import type { Preprocess } from './types';

/** Names that can be given instead of a JSON file. */
export const PRESETS = ['imagenet', 'tf', 'unit', 'raw', 'stretch', 'letterbox'] as const;
export type Preset = (typeof PRESETS)[number];

const IMAGE_DEFAULTS = { resize: 'crop', cropFraction: 0.875, fill: 0, channels: 'rgb' } as const;

/**
 * The presets: `imagenet` x/255, ImageNet mean and standard deviation; `tf` x/127.5 − 1; `unit` x/255; `raw` 0…255. All
 * bring the shorter side to size/0.875 and cut the center out, as classifiers are evaluated; `stretch` and `letterbox`,
 * x/255, show the whole image, as detectors want it: both sides to the input's size, or the longer one with gray (114)
 * around.
 */
export function presetPreprocess(preset: Preset): Preprocess {
  switch (preset) {
    case 'imagenet':
      return { preset, ...IMAGE_DEFAULTS, scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
    case 'tf':
      return { preset, ...IMAGE_DEFAULTS, scale: 1 / 127.5, mean: [1], std: [1] };
    case 'unit':
      return { preset, ...IMAGE_DEFAULTS, scale: 1 / 255, mean: [0], std: [1] };
    case 'raw':
      return { preset, ...IMAGE_DEFAULTS, scale: 1, mean: [0], std: [1] };
    case 'stretch':
      return { preset, ...IMAGE_DEFAULTS, resize: 'stretch', scale: 1 / 255, mean: [0], std: [1] };
    case 'letterbox':
      return { preset, ...IMAGE_DEFAULTS, resize: 'fit', fill: 114, scale: 1 / 255, mean: [0], std: [1] };
  }
}

/** What may follow a preset's name, each after a plus sign: `raw+letterbox+bgr`. */
const MODIFIERS: Readonly<Record<string, Partial<Preprocess>>> = {
  stretch: { resize: 'stretch' },
  letterbox: { resize: 'fit', fill: 114 },
  crop: { resize: 'crop' },
  rgb: { channels: 'rgb' },
  bgr: { channels: 'bgr' },
  gray: { channels: 'gray' },
};

/** A preset with its modifiers; null when either is unknown. */
function modifiedPreset(name: string): Preprocess | null {
  const [preset, ...modifiers] = name.split('+').map((part) => part.trim());
  if (!isPreset(preset) || modifiers.some((m) => !Object.hasOwn(MODIFIERS, m))) return null;
  return modifiers.reduce<Preprocess>(
    (record, m) => ({ ...record, ...MODIFIERS[m], preset: 'custom' }),
    presetPreprocess(preset),
  );
}

/**
 * A preset by its name, perhaps with modifiers (`stretch+bgr`, `imagenet+letterbox`), or the record of a JSON file: an
 * object with any of the fields of {@link Preprocess}; what is missing is taken from the preset named in `preset`
 * (`raw` by default). `mean` and `std` may be single numbers.
 *
 * @throws UserError when the name is unknown, the file cannot be read or a field has no meaning
 */
export async function loadPreprocess(nameOrFile: string): Promise<Preprocess> {
  const preset = modifiedPreset(nameOrFile);
  if (preset) return preset;
  const isFile = nameOrFile.toLowerCase().endsWith('.json');
  if (!isFile)
    throw new UserError(
      `Unknown preprocessing '${nameOrFile}'; choose ${PRESETS.join(', ')}, with ` +
        `+${Object.keys(MODIFIERS).join(', +')} ` +
        'appended if needed, or a .json file.',
    );
  let text: string;
  try {
    text = await fs.readFile(nameOrFile, 'utf8');
  } catch (error) {
    throw new UserError(`Cannot read the preprocessing file ${nameOrFile}: ${reasonOf(error)}.`, { cause: error });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path.basename(nameOrFile)} is not valid JSON: ${reasonOf(error)}.`, { cause: error });
  }
  return parsePreprocess(json, path.basename(nameOrFile));
}

function isPreset(name: string): name is Preset {
  return (PRESETS as readonly string[]).includes(name);
}

const FIELDS = ['$schema', 'preset', 'resize', 'cropFraction', 'fill', 'channels', 'scale', 'mean', 'std'];

/** Checks a parsed JSON value; see {@link loadPreprocess}. @param file for messages */
export function parsePreprocess(json: unknown, file: string): Preprocess {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UserError(`${file}: expected an object with fields such as "scale", "mean" and "std".`);
  const record = json as Record<string, unknown>;
  const bad = (field: string, expected: string): UserError => new UserError(`${file}: "${field}" must be ${expected}.`);
  for (const key of Object.keys(record)) {
    if (!FIELDS.includes(key))
      throw new UserError(
        `${file}: unknown field ${JSON.stringify(key)}; known fields are ${FIELDS.slice(1).join(', ')}.`,
      );
  }
  const presetName = record['preset'] ?? 'raw';
  if (presetName !== 'custom' && (typeof presetName !== 'string' || !isPreset(presetName)))
    throw bad('preset', `one of ${PRESETS.join(', ')}`);
  const base = presetPreprocess(presetName === 'custom' ? 'raw' : presetName);
  const number = (field: 'cropFraction' | 'fill' | 'scale', ok: (v: number) => boolean, expected: string): number => {
    const v = record[field] ?? base[field];
    if (typeof v !== 'number' || !Number.isFinite(v) || !ok(v)) throw bad(field, expected);
    return v;
  };
  const choice = <T extends string>(field: string, choices: readonly T[], fallback: T): T => {
    const v = record[field] ?? fallback;
    if (!choices.includes(v as T)) throw bad(field, `one of ${choices.join(', ')}`);
    return v as T;
  };
  const perChannel = (field: 'mean' | 'std', ok: (v: number) => boolean, expected: string): number[] => {
    const given = record[field] ?? base[field];
    const list: unknown[] = Array.isArray(given) ? given : [given];
    if (list.length === 0 || !list.every((v): v is number => typeof v === 'number' && Number.isFinite(v) && ok(v)))
      throw bad(field, expected);
    return list;
  };
  const result: Preprocess = {
    preset: 'custom',
    resize: choice('resize', ['crop', 'stretch', 'fit'] as const, base.resize),
    cropFraction: number('cropFraction', (v) => v > 0 && v <= 1, 'a number above 0 and up to 1'),
    fill: number('fill', (v) => Number.isInteger(v) && v >= 0 && v <= 255, 'an integer from 0 to 255'),
    channels: choice('channels', ['rgb', 'bgr', 'gray'] as const, base.channels),
    scale: number('scale', (v) => v > 0, 'a positive number'),
    mean: perChannel('mean', () => true, 'a number or a list of numbers'),
    std: perChannel('std', (v) => v > 0, 'a positive number or a list of them'),
  };
  return Object.keys(record).every((k) => k === 'preset' || k === '$schema') && presetName !== 'custom' ? base : result;
}

/** @throws UserError when `mean` or `std` has neither one entry nor one per channel of the model's input */
export function checkChannels(preprocess: Preprocess, channels: number): void {
  for (const field of ['mean', 'std'] as const) {
    const n = preprocess[field].length;
    if (n !== 1 && n !== channels) {
      throw new UserError(
        `The preprocessing '${preprocess.preset}' has ${counted(n, 'entry', 'entries')} in "${field}", but the ` +
          `model's input has ` +
          `${channels} channel${channels === 1 ? '' : 's'}; give one entry or ${channels} in a preprocessing .json ` +
          'file.',
      );
    }
  }
}

/** value[c] = gain[c] · u + offset[c] for the input element u: the preprocessing as one affine function per channel. */
export function affineOf(preprocess: Preprocess, channels: number): { gain: Float64Array; offset: Float64Array } {
  checkChannels(preprocess, channels);
  const at = (list: readonly number[], c: number): number => list[list.length === 1 ? 0 : c];
  const gain = new Float64Array(channels);
  const offset = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    gain[c] = preprocess.scale / at(preprocess.std, c);
    offset[c] = -at(preprocess.mean, c) / at(preprocess.std, c);
  }
  return { gain, offset };
}

/**
 * Real values of 8-bit elements (pixels, or codes of an int8 array) as the float network sees them; HWC in and out.
 *
 * @param channels C, innermost
 */
export function pixelsToReal(pixels: Uint8Array | Int8Array, preprocess: Preprocess, channels: number): Float32Array {
  const { gain, offset } = affineOf(preprocess, channels);
  const out = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i += channels) {
    for (let c = 0; c < channels; c++) out[i + c] = gain[c] * pixels[i + c] + offset[c];
  }
  return out;
}

/** The network's input as the firmware gets it. */
export interface InputFormat {
  readonly bits: 8;
  /** Elements are int8 (arrays of int8) instead of uint8 (images). */
  readonly signed: boolean;
  /** [C] */
  readonly scales: Float64Array;
  /** [C], rounded; may lie outside the range of the codes. */
  readonly zeroPoints: Int32Array;
  /**
   * [C]; exactly value[c] = scales[c]·(element − zeroPoints[c]) + exactOffset[c], for readers that can fold a constant
   * into their bias.
   */
  readonly exactOffset: Float64Array;
}

/** Format of the input map that makes the network's input the unprocessed 8-bit elements themselves. */
export function inputFormat(preprocess: Preprocess, channels: number, signed = false): InputFormat {
  const { gain, offset } = affineOf(preprocess, channels);
  const zeroPoints = new Int32Array(channels);
  const exactOffset = new Float64Array(channels);
  for (let c = 0; c < channels; c++) {
    zeroPoints[c] = Math.round(-offset[c] / gain[c]);
    exactOffset[c] = offset[c] + gain[c] * zeroPoints[c];
  }
  return { bits: 8, signed, scales: gain, zeroPoints, exactOffset };
}
