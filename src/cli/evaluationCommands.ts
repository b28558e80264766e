import { evaluate, type Evaluation } from '../engine/run/evaluate';
import { UserError } from '../engine/common/errors';
import { visible } from '../engine/common/visible';
import { writeFilesWhole } from '../engine/plan/files';
import { assertReplaceable } from '../engine/plan/ownFile';
import type { DetectionScores } from '../engine/detection/detectionAccuracy';
import type { DetectionEvaluation } from '../engine/evaluation/types';
import type { Task } from '../engine/graph/task';
import { CALIBRATION_NOTE, isCalibrationFolder } from '../engine/plan/relativeTo';
import type { OpenedPlan } from '../engine/planned/open';
import type { CommandResult } from './command';
import type { Progress } from '../engine/common/progress';

/** What the `evaluate` command was asked for. */
export interface EvaluateCommand {
  readonly images: string;
  /** Boxes of a detector's images; undefined: what lies with them. */
  readonly annotations: string | undefined;
  readonly limit: number;
  /** Print the signal-to-noise ratio of every layer. */
  readonly layers: boolean;
  readonly threads: number | undefined;
  /** What the outputs are for; undefined: as the plan says. */
  readonly task: Task | undefined;
  /** CSV file for what was predicted for each image. */
  readonly predictions: string | undefined;
  /** Write the file over one that is not ours. */
  readonly force: boolean;
}

/** Images on which layers are compared: their ratios hardly change with more. */
const LAYER_IMAGES = 16;

/** Runs the `evaluate` command. @throws UserError, CancelledError */
export async function evaluateCommand(
  opened: OpenedPlan,
  command: EvaluateCommand,
  progress: Progress,
): Promise<CommandResult> {
  if (command.predictions !== undefined) await assertReplaceable(command.predictions, 'predictions', command.force);
  const { graph, modelPath, program, plan, parameters, head } = opened;
  if (!head && (command.annotations !== undefined || command.task === 'detect'))
    throw new UserError(
      `${opened.planPath} is not a detector's plan, so there are no boxes to compare. Quantize the model with ` +
        '--head, or drop --annotations and --task detect.',
    );
  const result = await evaluate(graph, modelPath, program, plan.preprocess, command.images, command.limit, progress, {
    layers: command.layers ? { formats: parameters.formats, images: LAYER_IMAGES } : undefined,
    task: command.task ?? plan.task,
    predictions: command.predictions !== undefined,
    threads: command.threads,
    detection: head ? { head, annotations: command.annotations } : undefined,
  });
  if (command.predictions !== undefined) await writePredictions(command.predictions, result);
  const { predictions: _, ...json } = result;
  if (isCalibrationFolder(opened.planPath, plan, command.images)) {
    const notes = [...result.notes, CALIBRATION_NOTE];
    return { text: describe({ ...result, notes }).join('\n'), json: { ...json, notes } };
  }
  return { text: describe(result).join('\n'), json };
}

function describe(result: Evaluation): string[] {
  const show = (v: number | null): string => (v === null ? '–' : v.toFixed(2));
  const db = (v: number): string => (Number.isFinite(v) ? `${v.toFixed(1)} dB` : 'no noise');
  const classes = [
    `float      top-1 ${show(result.float.top1)}  top-5 ${show(result.float.top5)}`,
    `quantized  top-1 ${show(result.quantized.top1)}  top-5 ${show(result.quantized.top5)}`,
    `agreement ${show(result.agreement)} %, output SNR ${db(result.outputSnr)}`,
    `expected loss, without labels: ${show(result.expectedLoss?.points ?? null)} points of top-1`,
  ];
  const outputs = [
    'Outputs compared with float, value by value.',
    ...result.outputs.map(
      (o) =>
        `${visible(o.name)} ${o.shape.h}×${o.shape.w}×${o.shape.c}: SNR ${db(o.snr)}, cosine ${o.cosine.toFixed(5)}`,
    ),
  ];
  const layers = result.layers?.map((l) => `${db(l.snr).padStart(9)}  ${l.kind.padEnd(14)} ${visible(l.name)}`);
  return [
    `${result.images} images, ${result.imagesPerSecond.toFixed(1)} images/s`,
    ...(result.detection ? describeDetection(result.detection) : result.classifier ? classes : outputs),
    ...(layers ? ["Signal-to-noise ratio of each layer's output against float:", ...layers] : []),
    ...result.notes.map(visible),
  ];
}

function describeDetection({ accuracy, agreement, boxes }: DetectionEvaluation): string[] {
  const show = (v: number | null): string => (v === null ? '–' : v.toFixed(2));
  const row = (name: string, s: DetectionScores): string =>
    `${name.padEnd(10)} mAP@0.5 ${show(s.map50)}  11-point ${show(s.map50Eleven)}  mAP@0.5:0.95 ${show(s.map)}  ` +
    'precision ' +
    `${show(s.precision)}  recall ${show(s.recall)}`;
  const known = accuracy
    ? [
        `${accuracy.objects} objects of ${accuracy.classes.length} classes on ${accuracy.images} images ` +
          `(${accuracy.format}); ` +
          `precision and recall at score ${accuracy.score}`,
        row('float', accuracy.float),
        row('quantized', accuracy.quantized),
        `difference ${show(accuracy.difference.points)} points of mAP@0.5, 95 % interval ` +
          `${show(accuracy.difference.low)} … ${show(accuracy.difference.high)}`,
        'AP@0.5 by class: float, quantized, objects',
        ...accuracy.classes.map(
          (c) => `  ${c.label.padEnd(16)} ${show(c.float).padStart(6)} ${show(c.quantized).padStart(6)} ${c.objects}`,
        ),
      ]
    : [];
  return [
    ...known,
    `${agreement.paired.toFixed(1)} % of the boxes match one of the other network ` +
      `(${agreement.overlap.toFixed(1)} % weighted by overlap); ${boxes.float.toFixed(2)} boxes an image in ` +
      `float, ${boxes.quantized.toFixed(2)} quantized`,
  ];
}

async function writePredictions(file: string, { predictions }: Evaluation): Promise<void> {
  const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  const rows = predictions!.map(
    (p) => `${quoted(p.sample)},${p.label ?? ''},${p.float},${p.quantized},${p.divergence ?? ''}`,
  );
  await writeFilesWhole([{ path: file, data: `file,label,float,quantized,divergence\n${rows.join('\n')}\n` }]);
}
