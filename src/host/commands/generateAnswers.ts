import type * as vscode from 'vscode';
import type { Camera } from '../../engine/calibration/camera';

/** What was answered when a model's sources were generated last. */
export interface GenerateAnswers {
  /** Absolute path of the firmware project. */
  readonly project: string;
  readonly layoutId: string;
  readonly camera?: Camera;
  /** Changes that were the user's to choose, by their ids: made, and left out. */
  readonly taken: readonly string[];
  readonly left: readonly string[];
}

const keyOf = (model: vscode.Uri): string => `generate.answers:${model.toString()}`;

/** Undefined where the model's sources were not generated from this workspace. */
export function answersOf(memory: vscode.Memento, model: vscode.Uri): GenerateAnswers | undefined {
  return memory.get<GenerateAnswers>(keyOf(model));
}

export async function rememberAnswers(
  memory: vscode.Memento,
  model: vscode.Uri,
  answers: GenerateAnswers,
): Promise<void> {
  await memory.update(keyOf(model), answers);
}
