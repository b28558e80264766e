import * as path from 'node:path';
import * as vscode from 'vscode';
import type { EvaluationSummary } from '../../protocol/engine';
import { showFailure } from '../log';
import { nameOf } from '../planFiles';
import type { Services } from '../services';
import { pick, runSteps, type Choice, type Step } from '../steps';
import { chooseTrustedPlan } from './plan';
import { askImagesPath } from './quantizeChoices';
import { findSampleFolders } from './sampleFolders';

const MEMORY_KEY = 'evaluate.images';

/** The folder that a model was evaluated on last; undefined where it never was. */
export function evaluatedImages(memory: vscode.Memento, model: vscode.Uri): string | undefined {
  return memory.get<string>(`${MEMORY_KEY}:${model.toString()}`);
}

/** Runs the firmware's arithmetic and the float model on labelled images and stores the result next to the plan. */
export async function evaluate({ editors, engine, jobs, log, memory }: Services, argument: unknown): Promise<void> {
  const title = vscode.l10n.t('Evaluate Accuracy');
  const chosen = await chooseTrustedPlan(argument, title);
  if (!chosen) return;
  const { model, plan } = chosen;
  const key = `${MEMORY_KEY}:${model.toString()}`;
  let imagesPath = evaluatedImages(memory, model) ?? (await otherImages(model, plan));
  let limit = 0;
  const askImages: Step = async (place) => {
    imagesPath = await askImagesPath(
      place,
      model,
      imagesPath,
      vscode.l10n.t('Which folder has the images to evaluate on, in one folder per class or with a labels.csv?'),
    );
  };
  const askLimit: Step = async (place) => {
    limit = await pick(place, vscode.l10n.t('How many of the images?'), limits());
  };
  if (!(await runSteps(title, [askImages, askLimit]))) return;
  await memory.update(key, imagesPath);

  const action = vscode.l10n.t('Evaluate {0}', nameOf(model));
  try {
    const result = await jobs.run(model, action, (options) =>
      engine.run((e) => e.evaluate({ planPath: plan.fsPath, imagesPath: imagesPath!, limit }), options),
    );
    const line = lineOf(nameOf(model), result);
    const kind = vscode.l10n.t(
      'The plan was calibrated on these images, so the result is optimistic: evaluate on other images.',
    );
    const told = result.calibrated ? `${line} ${kind}` : line;
    log.info(told);
    if (!editors.showResult(model, { ok: true, message: told })) void vscode.window.showInformationMessage(told);
  } catch (error) {
    void showFailure(log, action, error);
  }
}

/** What an evaluation came to, as one line. */
function lineOf(
  name: string,
  { images, float, quantized, agreement, outputSnr, detection }: EvaluationSummary,
): string {
  const percent = (value: number): string => `${value.toFixed(1)} %`;
  if (detection && detection.map50 !== null && detection.floatMap50 !== null)
    return vscode.l10n.t(
      '{0}: mAP@0.5 {1} on {2} images (float {3}), {4} of the boxes match a float box.',
      name,
      percent(detection.map50),
      images,
      percent(detection.floatMap50),
      percent(detection.boxAgreement),
    );
  if (detection)
    return vscode.l10n.t(
      '{0}: on {1} images {2} of the boxes match a float box.',
      name,
      images,
      percent(detection.boxAgreement),
    );
  if (agreement === null)
    return vscode.l10n.t(
      '{0}: on {1} images the outputs are {2} from float.',
      name,
      images,
      outputSnr === null ? '∞ dB' : `${outputSnr.toFixed(1)} dB`,
    );
  if (quantized.top1 === null || float.top1 === null)
    return vscode.l10n.t(
      '{0}: on {1} images the firmware agrees with the float model on {2}.',
      name,
      images,
      percent(agreement),
    );
  return vscode.l10n.t(
    '{0}: top-1 {1} on {2} images (float {3}), agreement {4}.',
    name,
    percent(quantized.top1),
    images,
    percent(float.top1),
    percent(agreement),
  );
}

function limits(): Choice<number>[] {
  return [
    { label: vscode.l10n.t('All'), value: 0 },
    ...[100, 500, 1000].map((value) => ({ label: String(value), description: vscode.l10n.t('evenly spread'), value })),
  ];
}

/** A folder of images that the plan was not calibrated on, where there is one. */
async function otherImages(model: vscode.Uri, plan: vscode.Uri): Promise<string | undefined> {
  const used = await calibrationFolder(plan);
  const others = (await findSampleFolders(model)).filter(({ folder }) => folder !== used);
  return others[0]?.folder ?? used;
}

/** The folder that the plan was calibrated on. */
async function calibrationFolder(plan: vscode.Uri): Promise<string | undefined> {
  try {
    const { calibration } = JSON.parse(new TextDecoder().decode(await vscode.workspace.fs.readFile(plan))) as {
      calibration?: { folder?: unknown };
    };
    return typeof calibration?.folder === 'string'
      ? path.resolve(path.dirname(plan.fsPath), calibration.folder)
      : undefined;
  } catch {
    return undefined;
  }
}
