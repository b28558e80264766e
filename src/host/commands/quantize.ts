import * as vscode from 'vscode';
import { showFailure } from '../log';
import { describeSummary, quantizeAction, runQuantize } from '../runQuantize';
import type { Services } from '../services';
import { chooseModel, requireTrust } from './model';
import { askQuantizeChoices } from './quantizeChoices';

/** Calibrates the model on sample images, searches the plan, writes it beside the model and shows it. */
export async function quantize(services: Services, argument: unknown): Promise<void> {
  const title = vscode.l10n.t('Quantize Model');
  if (!requireTrust()) return;
  const model = await chooseModel(argument, title);
  if (!model) return;
  const { editors, engine, log, memory } = services;
  const choices = await askQuantizeChoices(model, title, await engine.ask((e) => e.targets()), memory);
  if (!choices) return;
  try {
    const summary = await runQuantize(services, model, choices);
    await editors.show(model);
    void offerNext(model, [describeSummary(model, summary), ...summary.notes].join(' '));
  } catch (error) {
    void showFailure(log, quantizeAction(model, choices), error);
  }
}

async function offerNext(model: vscode.Uri, message: string): Promise<void> {
  const generate = vscode.l10n.t('Generate Firmware Source…');
  const plan = vscode.l10n.t('Open Plan');
  const answer = await vscode.window.showInformationMessage(message, generate, plan);
  if (answer === generate) await vscode.commands.executeCommand('quantmcu.generate', model);
  if (answer === plan) await vscode.commands.executeCommand('quantmcu.openPlan', model);
}
