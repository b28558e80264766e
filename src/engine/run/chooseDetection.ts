import * as path from 'node:path';
import { presetPreprocess } from '../calibration/preprocess';
import type { Preprocess } from '../calibration/types';
import type { Cut } from '../detection/cut/findCut';
import type { DetectionHead } from '../detection/head';
import { readHead } from '../detection/headFile';
import { headPreset, proposeHead } from '../detection/presets';
import { resolveHead, type ResolvedHead } from '../detection/resolve';
import type { Task } from '../graph/task';
import type { Graph } from '../graph/types';
import type { QuantizeOptions } from './options';
import { cutNote } from './readNetwork';

/** What a detector is quantized as. */
export interface DetectionChoice {
  readonly task: Task | undefined;
  readonly head: ResolvedHead | null;
  readonly preprocess: Preprocess;
}

/** Families whose networks are trained on letterboxed images; the others see them stretched. */
const LETTERBOXED = /^yolo(v5|v7|v8|x)$/;

/**
 * A detector's head, given or proposed by its outputs, and how its images are resized if that was not given.
 *
 * @param notes gets what was proposed, and that images are cropped
 * @param cut   where the network was cut before its decoding, with the head for that
 * @throws UserError when what was given does not match the network
 */
export async function chooseDetection(
  graph: Graph,
  options: Pick<QuantizeOptions, 'modelPath' | 'task' | 'head' | 'preprocess'>,
  notes: string[],
  cut: Cut | null = null,
): Promise<DetectionChoice> {
  const head = await chooseHead(graph, options, notes, cut);
  if (!head) return { task: options.task, head, preprocess: options.preprocess ?? presetPreprocess('unit') };
  const { preprocess } = options;
  if (preprocess?.resize === 'crop')
    notes.push(
      'The preprocessing crops the center of the images, but a detector usually sees all of it: choose one ' +
        'with +stretch or +letterbox unless the firmware crops as well.',
    );
  if (preprocess) return { task: 'detect', head, preprocess };
  const preset = LETTERBOXED.test(head.head.preset) ? 'letterbox' : 'stretch';
  notes.push(`Preprocessing: ${preset}, x/255, RGB. Set --preprocess if the network was trained differently.`);
  return { task: 'detect', head, preprocess: presetPreprocess(preset) };
}

async function chooseHead(
  graph: Graph,
  { modelPath, task, head: given }: Pick<QuantizeOptions, 'modelPath' | 'task' | 'head'>,
  notes: string[],
  cut: Cut | null,
): Promise<ResolvedHead | null> {
  const model = path.basename(modelPath);
  if (given === 'none' || (task !== undefined && task !== 'detect')) return null;
  if (typeof given === 'object') return resolveHead(graph, given, model);
  if (given?.toLowerCase().endsWith('.json')) return resolveHead(graph, await readHead(given), path.basename(given));
  if (given !== undefined) return resolveHead(graph, headPreset(graph, given, model), model);
  if (cut) {
    notes.push(cutNote(cut));
    return resolveHead(graph, cut.head, model);
  }
  const proposed = proposeHead(graph, model);
  if (!proposed) {
    if (task === 'detect')
      notes.push(
        'The outputs match no known detection head, so they are compared as values: describe them with --head.',
      );
    return null;
  }
  notes.push(describeHead(proposed));
  return resolveHead(graph, proposed, model);
}

function describeHead({ preset, labels, levels }: DetectionHead): string {
  const classes = `${labels.length} class${labels.length === 1 ? '' : 'es'}`;
  const cells = levels.reduce((n, l) => n + l.rows * l.cols * l.anchors.length, 0);
  return (
    `Detection head: ${preset}, ${classes}, ${cells} locations, judging by the outputs; correct it in the ` +
    'plan, or set --head PRESET|FILE.json or --head none.'
  );
}
