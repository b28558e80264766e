import { counted } from '../common/wording';
import type { Size } from '../common/size';
import { readBounded } from '../common/boundedFile';
import { UserError, reasonOf } from '../common/errors';
import { checkCancelled, type Progress } from '../common/progress';
import type { GraphInputs } from './arrayFile';
import { fitImage } from './fitImage';
import { decodeImage, MAX_IMAGE_FILE_BYTES } from './images';
import { affineOf, checkChannels, pixelsToReal } from './preprocess';
import type { Sample, SampleSet } from './samples';
import type { Preprocess } from './types';

const MAX_SKIP_NOTES = 10;

/** One network input of one sample, HWC. */
export interface SampleInput {
  /**
   * What the firmware's input buffer holds when it takes 8-bit elements: the image's pixels or the array's elements;
   * null for wider arrays.
   */
  readonly codes: Uint8Array | Int8Array | null;
  /** What the float network takes: {@link codes} after preprocessing, or the array's real values. */
  readonly real: Float32Array;
  /** Size of the image that it was made from; missing for arrays. */
  readonly image?: Size;
}

/**
 * Reads, decodes and preprocesses one sample: one entry per graph input.
 *
 * Integer arrays are preprocessed like pixels, value = (element · scale − mean) / std; float arrays are the network's
 * real input, unchanged.
 *
 * @throws UserError when the file is damaged or does not fit the network
 */
export async function loadSample(sample: Sample, graph: GraphInputs, preprocess: Preprocess): Promise<SampleInput[]> {
  if (sample.source.kind === 'array') {
    const rows = await sample.source.array.read(sample.source.row);
    return rows.map(({ values, real }, i) => {
      const channels = graph.maps[graph.inputs[i].map].shape.c;
      if (values instanceof Float32Array) {
        if (values.some((v) => !Number.isFinite(v)))
          throw new UserError(`${sample.name} holds values that are not finite numbers.`);
        return { codes: null, real: real ? values : affine(values, preprocess, channels) };
      }
      return { codes: values, real: pixelsToReal(values, preprocess, channels) };
    });
  }
  if (graph.inputs.length !== 1) {
    throw new UserError(
      `The network has ${graph.inputs.length} inputs (${graph.inputs.map((i) => i.name).join(', ')}), so images ` +
        'alone cannot feed it; give a .npz with one array for each.',
    );
  }
  const shape = graph.maps[graph.inputs[0].map].shape;
  if (shape.c !== 1 && shape.c !== 3) {
    throw new UserError(
      `The network's input '${graph.inputs[0].name}' has ${shape.c} channels, so images cannot feed it; give ` +
        '.npy or .npz arrays.',
    );
  }
  const decoded = await decodeImage(await readImageFile(sample.source.file, sample.name), sample.name);
  const pixels = fitImage(decoded, shape, preprocess);
  const image = { width: decoded.width, height: decoded.height };
  return [{ codes: pixels, real: pixelsToReal(pixels, preprocess, shape.c), image }];
}

async function readImageFile(file: string, name: string): Promise<Uint8Array> {
  try {
    return await readBounded(file, MAX_IMAGE_FILE_BYTES);
  } catch (error) {
    throw new UserError(`${name} cannot be read: ${reasonOf(error)}.`, {
      cause: error,
    });
  }
}

function affine(values: Float32Array, preprocess: Preprocess, channels: number): Float32Array {
  const { gain, offset } = affineOf(preprocess, channels);
  return values.map((v, i) => gain[i % channels] * v + offset[i % channels]);
}

/** A sample together with its data. */
export interface LoadedSample {
  readonly sample: Sample;
  readonly index: number;
  readonly inputs: readonly SampleInput[];
}

/** What became of a sample's file. */
type Loading = Promise<{ readonly inputs: readonly SampleInput[] } | { readonly problem: unknown }>;

function startLoading(sample: Sample, graph: GraphInputs, preprocess: Preprocess): Loading {
  return loadSample(sample, graph, preprocess).then(
    (inputs) => ({ inputs }),
    (problem: unknown) => ({ problem }),
  );
}

/**
 * Loads samples one after the other, so that memory does not grow with their number; the next one is loaded while the
 * caller waits for what it does with this one. Damaged files are skipped with a
 * line in `notes` (the first ten by name, the others by their count); progress is reported under `stage` and
 * cancellation is polled between samples.
 *
 * @throws UserError when not a single sample can be used; CancelledError
 */
export async function* loadSamples(
  set: SampleSet,
  graph: GraphInputs,
  preprocess: Preprocess,
  stage: string,
  progress: Progress,
  notes: string[],
): AsyncGenerator<LoadedSample, void> {
  for (const input of graph.inputs) checkChannels(preprocess, graph.maps[input.map].shape.c);
  let skipped = 0;
  let used = 0;
  let firstProblem: UserError | null = null;
  let next: Loading | null = null;
  for (let index = 0; index < set.samples.length; index++) {
    checkCancelled(progress);
    progress.report(stage, index, set.samples.length);
    const sample = set.samples[index];
    const loaded = await (next ?? startLoading(sample, graph, preprocess));
    next = index + 1 < set.samples.length ? startLoading(set.samples[index + 1], graph, preprocess) : null;
    if ('problem' in loaded) {
      const { problem } = loaded;
      if (!(problem instanceof UserError)) throw problem;
      firstProblem ??= problem;
      if (++skipped <= MAX_SKIP_NOTES) notes.push(`Skipped: ${problem.message}`);
      continue;
    }
    used++;
    yield { sample, index, inputs: loaded.inputs };
  }
  progress.report(stage, set.samples.length, set.samples.length);
  if (skipped > MAX_SKIP_NOTES) notes.push(`Skipped ${counted(skipped - MAX_SKIP_NOTES, 'more sample')}.`);
  if (used === 0) throw firstProblem ?? new UserError(`${set.path} contains no samples.`);
}
