import type { Size } from '../engine/common/size';
import * as path from 'node:path';
import { loadSample } from '../engine/calibration/inputs';
import { listSamples, type SampleSet } from '../engine/calibration/samples';
import { FloatSession } from '../engine/calibration/session';
import { UserError } from '../engine/common/errors';
import type { Progress } from '../engine/common/progress';
import { findAnnotations } from '../engine/detection/annotations';
import { decodeHead } from '../engine/detection/decode';
import type { DetectionHead } from '../engine/detection/head';
import { placeImage } from '../engine/detection/imagePlace';
import { labelKey } from '../engine/detection/labels';
import type { ResolvedHead } from '../engine/detection/resolve';
import { suppress } from '../engine/detection/suppress';
import type { OpenedPlan } from '../engine/planned/open';
import { Executor } from '../engine/program/interpreter';
import { decodePort, inputCodes } from '../engine/program/ports';
import { LEAST_SHOWN_SCORE, type BoxView, type DetectionsView, type HeadView } from '../protocol/detections';
import { imageView } from './sampleImage';

/** Images that are offered, evenly spread over the calibration folder. */
const SHOWN_IMAGES = 24;
/** Boxes sent of each network: more cannot be distinguished on an image. */
const MOST_BOXES = 200;

/** A plan's head as it is shown. */
export function headView(
  { classes: _classes, image: _image, levels, ...shown }: DetectionHead,
  cutAt: readonly string[] | null,
): HeadView {
  return {
    ...shown,
    cutAt,
    levels: levels.map((level) => ({
      rows: level.rows,
      cols: level.cols,
      stride: level.stride,
      anchors: level.anchors.length,
      form: level.box.form,
      outputs: [
        ...new Set(
          [level.box, level.objectness, level.score, level.points].flatMap((place) => (place ? [place.output] : [])),
        ),
      ],
    })),
  };
}

/** The float network's outputs on the images that were looked at: a what-if changes the other network only. */
export class FloatOutputs {
  private key = '';
  private readonly kept = new Map<number, readonly Float32Array[]>();

  /** @param key of the model, its preprocessing and its images: with another one, all is forgotten */
  async of(key: string, index: number, make: () => Promise<readonly Float32Array[]>): Promise<readonly Float32Array[]> {
    if (this.key !== key) this.kept.clear();
    this.key = key;
    const known = this.kept.get(index) ?? (await make());
    this.kept.set(index, known);
    return known;
  }
}

/**
 * What a plan's network and the float one find on one of the calibration images.
 *
 * @param index of the image; taken round where there are fewer
 * @returns null where the plan has no head, or its images are gone
 */
export async function detections(
  opened: OpenedPlan,
  index: number,
  floats: FloatOutputs,
  progress: Progress,
): Promise<DetectionsView | null> {
  const { graph, plan, planPath, modelPath, program, head } = opened;
  const { c } = graph.maps[graph.inputs[0].map].shape;
  if (!head || (c !== 1 && c !== 3)) return null;
  const folder = path.resolve(path.dirname(planPath), plan.calibration.folder);
  let set: SampleSet;
  try {
    set = await listSamples(folder, graph, SHOWN_IMAGES);
  } catch (error) {
    // The images may lie on another machine.
    if (error instanceof UserError) return null;
    throw error;
  }
  const count = set.samples.length;
  if (count === 0 || set.kind !== 'images') return null;
  const at = ((index % count) + count) % count;
  const sample = set.samples[at];
  const loaded = await loadSample(sample, graph, plan.preprocess);
  const [{ codes, image }] = loaded;
  if (!codes || !image) return null;
  const float = await floats.of(JSON.stringify([plan.model.sha256, plan.preprocess, folder, count]), at, async () => {
    const session = await FloatSession.open(graph, modelPath, { maps: [], preClamp: [] }, { progress });
    try {
      await session.run(loaded.map((input) => input.real));
      return session.outputs().map((values) => values.slice());
    } finally {
      await session.dispose();
    }
  });
  const integer = new Executor(program)
    .run(loaded.map((input, i) => inputCodes(program, i, input)))
    .outputs.map((bytes, i) => decodePort(program, program.outputs[i], bytes));
  return {
    index: at,
    count,
    name: sample.name,
    ...imageView(codes, graph.maps[graph.inputs[0].map].shape, plan.preprocess.channels === 'bgr'),
    float: boxesOf(head, float),
    firmware: boxesOf(head, integer),
    known: await knownBoxes(folder, sample.name, opened, head, image),
  };
}

/** Boxes of both networks are decoded alike, so that what differs is what the network computes. */
function boxesOf(head: ResolvedHead, outputs: readonly Float32Array[]): BoxView[] {
  const all = { ...head.head, detections: MOST_BOXES, candidates: Math.max(head.head.candidates, 4 * MOST_BOXES) };
  const { width, height } = head.input;
  return suppress(decodeHead({ ...head, head: all }, outputs, LEAST_SHOWN_SCORE), all).map(
    ({ x1, y1, x2, y2, score, label }) => ({
      x1: x1 / width,
      y1: y1 / height,
      x2: x2 / width,
      y2: y2 / height,
      score,
      label,
    }),
  );
}

async function knownBoxes(
  folder: string,
  name: string,
  { plan }: OpenedPlan,
  head: ResolvedHead,
  image: Size,
): Promise<BoxView[] | null> {
  try {
    const truth = await (await findAnnotations(folder, undefined, head.head.labels))?.of(name);
    if (!truth) return null;
    const place = placeImage(image, head.input, plan.preprocess);
    const [sx, sy] = truth.relative ? [image.width, image.height] : [1, 1];
    const keys = head.head.labels.map(labelKey);
    const x = (v: number): number => (v * sx * place.scaleX + place.left) / head.input.width;
    const y = (v: number): number => (v * sy * place.scaleY + place.top) / head.input.height;
    return truth.boxes
      .filter((box) => !box.ignored)
      .map((box) => ({
        x1: x(box.x1),
        y1: y(box.y1),
        x2: x(box.x2),
        y2: y(box.y2),
        score: 1,
        label: keys.indexOf(labelKey(box.label)),
      }));
  } catch (error) {
    // Damaged annotations are reported by an evaluation, not by a picture.
    if (error instanceof UserError) return null;
    throw error;
  }
}
