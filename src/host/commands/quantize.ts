import * as vscode from 'vscode';
import { VIEW_TYPE } from '../editor/provider';
import { formatBytes } from '../format';
import { showFailure } from '../log';
import { nameOf, planUriOf } from '../planFiles';
import type { Services } from '../services';
import { quantizeSettings } from '../settings';
import { chooseModel, requireTrust } from './model';
import { askQuantizeChoices } from './quantizeChoices';

/** Calibrates the model on sample images, searches the plan, writes it beside the model and shows it. */
export async function quantize(services: Services, argument: unknown): Promise<void> {
  const title = vscode.l10n.t('Quantize Model');
  if (!requireTrust()) return;
  const model = await chooseModel(argument, title);
  if (!model) return;
  const { engine, jobs, log, memory } = services;
  const choices = await askQuantizeChoices(model, title, await engine.ask((e) => e.targets()), memory);
  if (!choices) return;

  const { sramBytes, flashBytes, ...settings } = quantizeSettings(model);
  const { board } = choices;
  const action = vscode.l10n.t('Quantize {0} for {1}', nameOf(model), board.name);
  const own = board.id === 'custom';
  try {
    const summary = await jobs.run(model, action, (options) => engine.run((e) => e.quantize({
      ...settings,
      modelPath: model.fsPath, planPath: planUriOf(model).fsPath, imagesPath: choices.imagesPath, preprocess: choices.preprocess,
      targetId: board.id, sramBytes: sramBytes ?? (own ? board.sramBytes : undefined), flashBytes: flashBytes ?? (own ? board.flashBytes : undefined),
    }), options));
    for (const note of summary.notes) log.info(`${nameOf(model)}: ${note}`);
    await vscode.commands.executeCommand('vscode.openWith', model, VIEW_TYPE);
    const text = vscode.l10n.t('{0}: arena {1} of {2}, weights {3}, {4}× fewer BitOPs than 8 bits.', nameOf(model), formatBytes(summary.arenaBytes),
      formatBytes(summary.sramBytes), formatBytes(summary.weightBytes), summary.bitOpsReduction.toFixed(2));
    void offerNext(model, [text, ...summary.notes].join(' '));
  } catch (error) {
    void showFailure(log, action, error);
  }
}

async function offerNext(model: vscode.Uri, message: string): Promise<void> {
  const generate = vscode.l10n.t('Generate Firmware Source…');
  const plan = vscode.l10n.t('Open Plan');
  const answer = await vscode.window.showInformationMessage(message, generate, plan);
  if (answer === generate) await vscode.commands.executeCommand('quantmcu.generate', model);
  if (answer === plan) await vscode.commands.executeCommand('quantmcu.openPlan', model);
}
