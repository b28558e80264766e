import * as vscode from 'vscode';
import type { QuantizeChoices } from '../commands/quantizeChoices';
import { coreOf } from '../cores';
import { isModel, nameOf, planUriOf, exists } from '../planFiles';
import { runQuantize } from '../runQuantize';
import type { Services } from '../services';
import { SECTION } from '../settings';
import { workspacePath } from './workspacePath';

export interface QuantizeInput {
  readonly model: string;
  readonly images: string;
  readonly target: string;
  readonly preprocess?: string;
  readonly sramBytes?: number;
  readonly flashBytes?: number;
}

const PRESETS = ['auto', 'imagenet', 'tf', 'unit', 'raw'];

/**
 * Lets a language model quantize, once the user has confirmed. Only in a trusted workspace, and only what lies in it.
 */
export class QuantizeTool implements vscode.LanguageModelTool<QuantizeInput> {
  constructor(private readonly services: Pick<Services, 'documents' | 'engine' | 'jobs' | 'log'>) {}

  async prepareInvocation({
    input,
  }: vscode.LanguageModelToolInvocationPrepareOptions<QuantizeInput>): Promise<vscode.PreparedToolInvocation> {
    const { model, choices } = await this.check(input);
    const plan = planUriOf(model);
    const message = new vscode.MarkdownString();
    message.appendText(
      vscode.l10n.t(
        'Quantize {0} for {1} with the images in {2}.',
        vscode.workspace.asRelativePath(model),
        choices.board.name,
        vscode.workspace.asRelativePath(choices.imagesPath),
      ),
    );
    message
      .appendMarkdown('\n\n')
      .appendText(
        (await exists(plan))
          ? vscode.l10n.t('This replaces the plan {0} and its parameters.', nameOf(plan))
          : vscode.l10n.t('This writes the plan {0} and its parameters next to the model.', nameOf(plan)),
      );
    return {
      invocationMessage: vscode.l10n.t('Quantizing {0}', nameOf(model)),
      confirmationMessages: { title: vscode.l10n.t('Quantize {0}?', nameOf(model)), message },
    };
  }

  async invoke(
    { input }: vscode.LanguageModelToolInvocationOptions<QuantizeInput>,
    token: vscode.CancellationToken,
  ): Promise<vscode.LanguageModelToolResult> {
    const { model, choices } = await this.check(input);
    const listener = token.onCancellationRequested(() => this.services.jobs.cancel(model));
    try {
      const summary = await runQuantize(this.services, model, choices);
      return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(JSON.stringify(summary))]);
    } finally {
      listener.dispose();
    }
  }

  /** Looks whether all that was given is right, before the user is asked. @throws Error with one line for the model */
  private async check(
    input: QuantizeInput,
  ): Promise<{ readonly model: vscode.Uri; readonly choices: QuantizeChoices }> {
    if (!vscode.workspace.isTrusted) throw new Error('Quantizing needs a trusted workspace.');
    const model = await workspacePath(input.model, 'the model');
    if (!isModel(model)) throw new Error(`${nameOf(model)} is not an .onnx file.`);
    const images = await workspacePath(input.images, 'the folder of sample images');
    const targets = await this.services.engine.ask((engine) => engine.targets());
    const target = targets.find(({ id }) => id === input.target);
    if (!target)
      throw new Error(
        `There is no board "${String(input.target)}". Boards: ` +
          `${targets.map(({ id, name }) => `${id} (${name})`).join(', ')}.`,
      );
    const preprocess =
      input.preprocess ?? vscode.workspace.getConfiguration(SECTION, model).get<string>('preprocess', 'auto');
    if (input.preprocess !== undefined && !PRESETS.includes(input.preprocess))
      throw new Error(`preprocess must be one of ${PRESETS.join(', ')}.`);
    const bytes = (value: unknown, name: string): number | undefined => {
      if (value === undefined || (Number.isInteger(value) && (value as number) > 0)) return value as number | undefined;
      throw new Error(`${name} must be a number of bytes.`);
    };
    const limits = {
      sramBytes: bytes(input.sramBytes, 'sramBytes'),
      flashBytes: bytes(input.flashBytes, 'flashBytes'),
    };
    const board = { ...target, core: coreOf(target.core) };
    return { model, choices: { board, limits, imagesPath: images.fsPath, preprocess } };
  }
}
