import { counted } from '../common/wording';
import { loadSample } from '../calibration/inputs';
import { loadPreprocess, pixelsToReal } from '../calibration/preprocess';
import { listSamples, type Sample } from '../calibration/samples';
import { FloatSession } from '../calibration/session';
import type { Preprocess } from '../calibration/types';
import { UserError } from '../common/errors';
import { checkCancelled, type Progress } from '../common/progress';
import { hasClasses, taskOf, type Task } from '../graph/task';
import type { Graph } from '../graph/types';
import { Answers } from './answers';
import type { FoundPreprocess, PreprocessScore } from './foundPreprocess';

/** Images that every candidate sees, and those that the best see besides. */
const FIRST_IMAGES = 8;
const MORE_IMAGES = 24;
/** Candidates that see more images. */
const FINALISTS = 3;
/** Answers less certain than this do not count. */
const LEAST_CERTAINTY = 0.2;

/** What a network may have been trained with, the likeliest first. */
function preprocessCandidates(channels: number): readonly string[] {
  const scales = ['imagenet', 'tf', 'unit', 'raw'];
  return channels === 3 ? [...scales, ...scales.map((name) => `${name}+bgr`)] : scales.slice(1);
}

/**
 * Finds how images become a classifier's input: the float network runs on some under each candidate, and is ranked by
 * top-1 where they have labels, otherwise by how confident and varied its answers are. All see 8 images, the best three
 * 32.
 *
 * @returns null where nothing can be said: arrays instead of images, several inputs, or outputs that are not classes
 * @throws UserError when the samples or the model cannot be read; CancelledError
 */
export async function findPreprocess(
  graph: Graph,
  modelPath: string,
  imagesPath: string,
  progress: Progress,
  task?: Task,
): Promise<FoundPreprocess | null> {
  const set = await listSamples(imagesPath, graph, FIRST_IMAGES + MORE_IMAGES);
  const kind =
    task ??
    taskOf(
      graph,
      set.samples.map(({ label }) => label),
    );
  const { c: channels } = graph.maps[graph.inputs[0].map].shape;
  const isImages = set.samples.every(({ source }) => source.kind === 'image');
  if (!hasClasses(kind) || !isImages || graph.inputs.length !== 1 || (channels !== 1 && channels !== 3)) return null;
  // onnxruntime reads the model while images are decoded; if it cannot, that is reported afterwards.
  const opening = FloatSession.open(graph, modelPath, { maps: [], preClamp: [] });
  opening.catch(() => undefined);
  try {
    // Spread over the set, not its beginning: folders are often sorted by class.
    const { first, more } = await loadFirst(set.samples, graph, progress);
    // The others are decoded while onnxruntime works on these.
    const loading = more.length === 0 ? Promise.resolve([]) : loadPixels(more, graph, progress);
    loading.catch(() => undefined);
    const session = await opening;
    const trials = await Promise.all(
      preprocessCandidates(channels).map(async (name) => new Trial(name, await loadPreprocess(name), graph, kind)),
    );
    const total = trials.length * first.length + FINALISTS * more.length;
    let done = 0;
    const see = async (some: readonly Trial[], what: readonly Pixels[]): Promise<void> => {
      const views = some.flatMap((trial) => what.map((image) => ({ trial, image })));
      let before: { readonly end: () => Promise<void>; readonly answered: () => void } | null = null;
      for (const { trial, image } of views) {
        checkCancelled(progress);
        progress.report('Trying preprocessings', done++, total);
        // One image is prepared, and the previous answer processed, while onnxruntime works on another.
        const input = trial.input(image);
        await before?.end();
        const end = await session.begin([input]);
        before?.answered();
        before = { end, answered: () => trial.take(session.outputs(), image) };
      }
      await before?.end();
      before?.answered();
    };
    await see(trials, first);
    await see(ranked(trials).slice(0, FINALISTS), await loading);
    const scores = ranked(trials).map((trial) => trial.score);
    return { scores, plausible: isPlausible(scores[0], graph), by: scores[0].top1 === null ? 'certainty' : 'top1' };
  } finally {
    await opening.then(
      (session) => session.dispose(),
      () => undefined,
    );
  }
}

/** What was found, for the user. */
export function preprocessNote({ scores, plausible, by }: FoundPreprocess): string {
  const text = ({ name, top1, certainty }: PreprocessScore): string =>
    `${name} ${(100 * (by === 'top1' ? top1! : certainty)).toFixed(0)} %`;
  const [best, ...others] = scores;
  const ranks = [best, ...others.slice(0, 2)].map(text).join(', ');
  const measure =
    by === 'top1'
      ? `right answers on ${counted(best.images, 'image')}`
      : `certainty on ${counted(best.images, 'image')}`;
  const offset =
    best.labelOffset === 0
      ? ''
      : ' The labels count from 0 where the network counts from 1: the first of its 1001 classes is the background.';
  return plausible
    ? `Preprocessing: ${best.name}, by ${measure} (${ranks}). Set --preprocess if the network was trained ` +
        `differently.${offset}`
    : `No preprocessing gives plausible answers (${measure}: ${ranks}); using ${best.name}. Set the one the ` +
        `network was trained with, or check the images.${offset}`;
}

/** Images as 8-bit pixels of the network's size, RGB or gray, HWC. */
interface Pixels {
  readonly rgb: Uint8Array;
  readonly label: number | null;
}

/**
 * Decodes the images that every candidate sees, and names those for the best. Where images are damaged, others stand in
 * for them.
 *
 * @throws UserError when none can be decoded; CancelledError
 */
async function loadFirst(
  samples: readonly Sample[],
  graph: Graph,
  progress: Progress,
): Promise<{ first: readonly Pixels[]; more: readonly Sample[] }> {
  let left = samples;
  const first: Pixels[] = [];
  let problem: UserError | null = null;
  while (left.length > 0 && first.length < Math.min(FIRST_IMAGES, samples.length)) {
    const wanted = spreadOver(left, FIRST_IMAGES - first.length);
    for (const sample of wanted) {
      const loaded = await loadImage(sample, graph, progress);
      if (loaded instanceof UserError) problem ??= loaded;
      else if (loaded !== null) first.push(loaded);
    }
    left = left.filter((sample) => !wanted.includes(sample));
  }
  if (first.length === 0)
    throw problem ?? new UserError('There are no images to choose the preprocessing by. Set --preprocess.');
  return { first, more: left };
}

function spreadOver(samples: readonly Sample[], count: number): readonly Sample[] {
  return samples.filter((_, i) => i % (samples.length / count) < 1);
}

/** Those that can be decoded. */
async function loadPixels(samples: readonly Sample[], graph: Graph, progress: Progress): Promise<Pixels[]> {
  const images: Pixels[] = [];
  for (const sample of samples) {
    const loaded = await loadImage(sample, graph, progress);
    if (loaded !== null && !(loaded instanceof UserError)) images.push(loaded);
  }
  return images;
}

/** An image, or what is wrong with its file; null for samples that are not pixels. @throws CancelledError */
async function loadImage(sample: Sample, graph: Graph, progress: Progress): Promise<Pixels | UserError | null> {
  checkCancelled(progress);
  try {
    const [{ codes }] = await loadSample(sample, graph, await loadPreprocess('raw'));
    return codes instanceof Uint8Array ? { rgb: codes, label: sample.label } : null;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error;
  }
}

/** One candidate and the answers under it. */
class Trial {
  private readonly answers: Answers;

  constructor(
    private readonly name: string,
    private readonly preprocess: Preprocess,
    private readonly graph: Graph,
    task: Task,
  ) {
    this.answers = new Answers(graph, task);
  }

  /** What the network gets of an image under this candidate. */
  input({ rgb }: Pixels): Float32Array {
    const { c } = this.graph.maps[this.graph.inputs[0].map].shape;
    return pixelsToReal(this.preprocess.channels === 'bgr' ? swapped(rgb) : rgb, this.preprocess, c);
  }

  take(outputs: readonly Float32Array[], { label }: Pixels): void {
    this.answers.add(outputs, label);
  }

  get score(): PreprocessScore {
    return { name: this.name, ...this.answers.score };
  }
}

function ranked(trials: readonly Trial[]): Trial[] {
  const scores = new Map(trials.map((trial) => [trial, trial.score]));
  const seen = (trial: Trial): number => (scores.get(trial)!.images > FIRST_IMAGES ? 1 : 0);
  // Of equals the more confident, and of those the likelier, which comes first. Candidates that saw few images come
  // last.
  return [...trials].sort((a, b) => {
    const [x, y] = [scores.get(a)!, scores.get(b)!];
    return seen(b) - seen(a) || (y.top1 ?? 0) - (x.top1 ?? 0) || y.certainty - x.certainty;
  });
}

/** Clearly better than guessing, or confident enough if the answers are not known. */
function isPlausible({ top1, certainty, images }: PreprocessScore, graph: Graph): boolean {
  if (top1 === null) return certainty >= LEAST_CERTAINTY;
  const chance = 1 / Math.max(2, graph.maps[graph.outputs[0].map].shape.c);
  // By three standard deviations: the best of several candidates is a little lucky.
  return top1 > chance + 3 * Math.sqrt((chance * (1 - chance)) / images);
}

function swapped(rgb: Uint8Array): Uint8Array {
  const out = rgb.slice();
  for (let i = 0; i + 2 < out.length; i += 3) [out[i], out[i + 2]] = [rgb[i + 2], rgb[i]];
  return out;
}
